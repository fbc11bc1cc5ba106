"""Pages of privacy: the notice, the register, one's own data, and the log."""

from urllib.parse import urlencode

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response
from sqlalchemy.orm import Session

from app.db import models
from app.deps import TheSettings
from app.permissions import Actor
from app.services import accounts, audit, cities, own_data
from app.services.paging import Cut
from app.services.retention import CONTACT_MONTHS
from app.services.words.catalogue import LANGUAGES, Language, language
from app.services.words.notice import notice
from app.web.forms import download
from app.web.showing import show
from app.web.visitors import Guest, Visitor

router = APIRouter(include_in_schema=False)
_PAGE = 100
_ID = 32


@router.get("/privacy")
def show_notice(guest: Guest, settings: TheSettings, lang: str = "") -> HTMLResponse:
    """Show what is kept of whom, why and for how long: to anybody."""
    with guest.read() as (session, actor):
        chosen = language(lang) or _own_language(session, actor)
        return show(
            "privacy.html",
            actor,
            "",
            notice=notice(
                chosen, settings.controller, settings.controller_mail, CONTACT_MONTHS
            ),
            language=chosen,
            languages=LANGUAGES,
            mail=settings.controller_mail,
        )


def _own_language(session: Session, actor: Actor | None) -> Language:
    """Return the language of the visitor's account, or English."""
    row = session.get(models.Account, actor.account) if actor else None
    return language(row.language or "") or "en" if row else "en"


@router.get("/privacy/register")
def show_register(guest: Guest, settings: TheSettings) -> HTMLResponse:
    """Show the register of processing (Article 30 GDPR): to anybody."""
    with guest.read() as (_session, actor):
        return show(
            "register.html",
            actor,
            "",
            controller=settings.controller,
            mail=settings.controller_mail,
            months=CONTACT_MONTHS,
        )


@router.get("/privacy/data.json")
def download_own_data(desk: Visitor, settings: TheSettings) -> Response:
    """Give everything that is kept of the visitor, as a file."""
    with desk.read() as (session, actor):
        own = accounts.own(session, actor).id
        found = own_data.export(session, actor, own, settings.public_url)
    content = found.model_dump_json(indent=1).encode()
    answer = download(content, "compaan-data.json", "application/json")
    answer.headers["Cache-Control"] = "no-store"
    return answer


@router.get("/audit")
def show_log(
    desk: Visitor, account: str = "", cursor: str | None = None
) -> HTMLResponse:
    """Show what was done in the network, by one account if wanted."""
    wanted = account.strip()[:_ID] or None
    with desk.read() as (session, actor):
        cut = Cut.at(_PAGE, cursor)
        rows, following = audit.of_network(session, actor, cut, wanted)
        asked = {"account": wanted or "", "cursor": following or ""}
        return show(
            "audit.html",
            actor,
            "",
            entries=list(map(audit.as_entry, rows)),
            names=cities.names(session),
            account=wanted or "",
            following=f"/audit?{urlencode(asked)}" if following else None,
        )
