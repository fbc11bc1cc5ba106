"""Pages of privacy: the notice, the register, one's own data, and the log."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse, Response
from sqlalchemy.orm import Session

from app.http.deps import SettingsDep
from app.permissions import Actor, may_oversee
from app.services.accounts import accounts
from app.services.cities import directory
from app.services.log import audit
from app.services.personal_data import data_export
from app.services.personal_data.retention import CONTACT_MONTHS
from app.services.rounds import rounds
from app.services.shared.paging import PageRequest
from app.services.shared.rows import AuditRow
from app.texts import audit as words
from app.texts.catalogue import here, reading
from app.texts.privacy_notice import privacy_notice
from app.web.forms import download, redirect
from app.web.layout import show
from app.web.session import OptionalPageSession, PageSession

router = APIRouter(include_in_schema=False)
_PAGE = 100
_ID = 32


@router.get("/privacy")
def show_notice(guest: OptionalPageSession, settings: SettingsDep) -> HTMLResponse:
    """Show what is kept of whom, why and for how long: to anybody."""
    told = privacy_notice(
        reading(), settings.controller, settings.controller_mail, CONTACT_MONTHS
    )
    with guest.read() as (_session, actor):
        mail = settings.controller_mail
        return show("people/privacy.html", actor, "", notice=told, mail=mail)


@router.get("/privacy/register")
def show_register(guest: OptionalPageSession, settings: SettingsDep) -> HTMLResponse:
    """Show the register of processing (Article 30 GDPR): to anybody."""
    with guest.read() as (_session, actor):
        return show(
            "people/register.html",
            actor,
            "",
            controller=settings.controller,
            mail=settings.controller_mail,
            months=CONTACT_MONTHS,
        )


@router.get("/privacy/data.json")
def download_own_data(tx: PageSession, settings: SettingsDep) -> Response:
    """Give everything that is kept of the visitor, as a file."""
    with tx.read() as (session, actor):
        own = accounts.own(session, actor).id
        found = data_export.export(session, actor, own, settings.public_url)
    content = found.model_dump_json(indent=1).encode()
    answer = download(content, "compaan-data.json", "application/json")
    answer.headers["Cache-Control"] = "no-store"
    return answer


@dataclass(frozen=True)
class _Log:
    """What of the log is shown.

    Attributes:
        title: What the page is called.
        path: Where its next page is.
        asked: What stands in that address.
        city: The one whose log it is, if it is one city's.
        round: The round whose log it is, if it is one round's.
        back: Where the log belongs, and what that is called.

    """

    title: str
    path: str
    asked: Mapping[str, str]
    city: str = ""
    round: str = ""
    back: tuple[str, str] | None = None


Found = tuple[Sequence[AuditRow], str | None]


@router.get("/audit")
def show_log(
    tx: PageSession,
    account: str = "",
    city: str = "",
    round_id: Annotated[str, Query(alias="round")] = "",
    cursor: str | None = None,
) -> Response:
    """Show what was done in the network, by one account if wanted.

    What was done with a city or in a round has a page of its own.
    """
    if city:
        return redirect(f"/cities/{quote(city, safe='')}/log")
    if round_id:
        return redirect(f"/rounds/{quote(round_id, safe='')}/log")
    wanted = account.strip()[:_ID]
    with tx.read() as (session, actor):
        found = audit.of_network(
            session, actor, PageRequest(_PAGE, cursor), wanted or None
        )
        title = here().say("What was done")
        return _log(session, actor, _Log(title, "/audit", {"account": wanted}), found)


@router.get("/cities/{city_id}/log")
def show_log_of_city(
    tx: PageSession, city_id: str, cursor: str | None = None
) -> HTMLResponse:
    """Show what was done with a city, to those who may know, also once it is gone."""
    with tx.read() as (session, actor):
        found = audit.of_city(session, actor, city_id, PageRequest(_PAGE, cursor))
        name = directory.names(session).get(city_id, city_id)
        path = f"/cities/{quote(city_id, safe='')}"
        title = here().say("What was done: {name}", name=name)
        return _log(
            session,
            actor,
            _Log(title, f"{path}/log", {}, city=city_id, back=(path, name)),
            found,
        )


@router.get("/rounds/{round_id}/log")
def show_log_of_round(
    tx: PageSession, round_id: str, cursor: str | None = None
) -> HTMLResponse:
    """Show what was done in a round, also once it is gone."""
    with tx.read() as (session, actor):
        found = audit.of_round(session, actor, round_id, PageRequest(_PAGE, cursor))
        name = rounds.names(session).get(round_id, round_id)
        path = f"/rounds/{quote(round_id, safe='')}"
        title = here().say("What was done: {name}", name=name)
        return _log(
            session,
            actor,
            _Log(title, f"{path}/log", {}, round=round_id, back=(path, name)),
            found,
        )


def _log(session: Session, actor: Actor, log: _Log, found: Found) -> HTMLResponse:
    rows, following = found
    names, round_names = directory.names(session), rounds.names(session)
    entries = list(map(audit.as_entry, rows))
    roles = accounts.roles(session, {entry.account for entry in entries})
    asked = {**log.asked, "cursor": following or ""}
    return show(
        "people/audit.html",
        actor,
        "audit" if may_oversee(actor) else "",
        title=log.title,
        back=log.back,
        lines=[
            {
                **{
                    key: getattr(one, key) for key in ("at", "account", "city", "round")
                },
                "what": words.sentence(one, here(), names),
                "fields": ", ".join(one.details.get("fields") or ()),
                "more": list(words.more(one, here(), names)),
                "role": roles.get(one.account),
            }
            for one in entries
        ],
        names=names,
        cities=sorted(names.items(), key=lambda one: one[1].casefold()),
        round_names=round_names,
        rounds=sorted(round_names.items(), key=lambda one: one[1].casefold()),
        account=log.asked.get("account", ""),
        city=log.city,
        round=log.round,
        following=f"{log.path}?{urlencode(asked)}" if following else None,
    )
