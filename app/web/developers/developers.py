"""The developer desk: a first call without an account, and the visitor's tokens."""

import json
from collections.abc import Mapping
from functools import partial
from typing import Any

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response
from sqlalchemy.orm import Session

from app.errors import Refusal
from app.http.deps import SettingsDep
from app.http.transactions import AuthenticatedTransaction
from app.permissions import SCOPES, Actor, may_hook
from app.services.accounts import accounts, tokens
from app.texts.audit import SCOPES as SCOPE_WORDS
from app.texts.catalogue import message
from app.web.forms import field_text, parse, redirect, submit
from app.web.layout import show
from app.web.session import Form, OptionalPageSession, PageSession
from schemas import NewToken, TokenWrite

router = APIRouter(include_in_schema=False)
_DONE = {"revoked": message("The token is good for nothing any more.")}
_DAYS = 365
_BLANK = {"name": "", "scope": "read", "days": str(_DAYS)}
_ASKED = {
    "cities": [
        {
            "id": "ghent",
            "name": "Ghent",
            "country": "BE",
            "roles": ["mentor"],
            "languages": ["nl", "en"],
            "areas": {"housing": {"strength": 4}},
        },
        {
            "id": "livadia",
            "name": "Livadia",
            "country": "GR",
            "roles": ["learner"],
            "languages": ["el", "en"],
            "areas": {"housing": {"need": 3}},
        },
    ]
}
"""The cities of the first call: one that teaches, one that learns."""
_ANSWERED = {"mentor": "ghent", "learner": "livadia", "score": 75.0}
"""What it answers, the pairing's first fields."""
_CHECK = """\
import base64
import hmac
import time


def is_from_compaan(secret: str, headers: dict[str, str], body: bytes) -> bool:
    moment = int(headers["webhook-timestamp"])
    if abs(time.time() - moment) > 300:
        return False  # old: somebody sends it again
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{headers['webhook-id']}.{moment}.".encode() + body
    digest = base64.b64encode(hmac.digest(key, signed, "sha256")).decode()
    given = headers["webhook-signature"].split()
    return any(hmac.compare_digest(f"v1,{digest}", one) for one in given)
"""
_CLIENT = """\
import os

from client import Compaan
from schemas import RoundNew

with Compaan("{address}", os.environ["COMPAAN_TOKEN"]) as network:
    housing = network.open_round(RoundNew(name="Housing")).value
    for city in network.cities():
        network.enter(housing.id, city.id)
    network.move(housing.id, "open")
    for pair in network.propose(housing.id).solution.pairings:
        print(f"{{pair.mentor}} → {{pair.learner}}: {{pair.score:.1f}}")
"""


def examples(address: str) -> dict[str, str]:
    """Return what can be copied, by its name: calls to this very service, and code.

    Args:
        address: Where the service is, without a path.

    """
    cities = ",\n  ".join(map(json.dumps, _ASKED["cities"]))
    body = f'{{"cities": [\n  {cities}\n]}}'
    return {
        "areas": f"curl {address}/api/v1/policy-areas",
        "match": (
            f"curl {address}/api/v1/match \\\n"
            "  -H 'Content-Type: application/json' \\\n"
            f"  -d '{body}'"
        ),
        "answer": json.dumps(
            {"pairings": [_ANSWERED | {"…": "…"}]}, ensure_ascii=False
        ),
        "token": (
            f"curl {address}/api/v1/cities \\\n"
            '  -H "Authorization: Bearer $COMPAAN_TOKEN"'
        ),
        "client": _CLIENT.format(address=address),
        "check": _CHECK,
    }


def _page(  # noqa: PLR0913 -- what the page shows
    session: Session,
    actor: Actor | None,
    address: str,
    refused: Refusal | None = None,
    *,
    typed: Mapping[str, str] = _BLANK,
    made: NewToken | None = None,
    done: str = "",
) -> HTMLResponse:
    """Show the tx, with a new token the one time that it can be shown."""
    own: list[Any] = []
    if actor is not None:
        row = accounts.own(session, actor)
        own = [tokens.as_token(one) for one in tokens.of_account(session, row.id)]
    return show(
        "developers/developers.html",
        actor,
        "developers",
        refused.status if refused else 200,
        examples=examples(address),
        tokens=own,
        scopes={scope: SCOPE_WORDS[scope] for scope in SCOPES},
        may_hook=actor is not None and may_hook(actor),
        made=made,
        typed=typed,
        refused=refused,
        done=_DONE.get(done),
    )


@router.get("/developers")
def show_desk(
    guest: OptionalPageSession, settings: SettingsDep, done: str = ""
) -> HTMLResponse:
    """Show the tx: to anybody; the tokens to whoever has an account."""
    with guest.read() as (session, actor):
        return _page(session, actor, settings.public_url, done=done)


def _again(
    tx: AuthenticatedTransaction,
    address: str,
    typed: Mapping[str, str],
    refused: Refusal,
) -> HTMLResponse:
    with tx.read() as (session, actor):
        return _page(session, actor, address, refused, typed=typed)


@router.post("/developers/tokens")
def make_token(tx: PageSession, settings: SettingsDep, form: Form) -> Response:
    """Make a token, and show it at once: kept for a second look, it would be stored."""
    typed = {name: field_text(form, name) for name in _BLANK}
    days = typed["days"]

    def work() -> Response:
        number = int(days) if days.isdecimal() else days
        new = parse(TokenWrite, **{**typed, "days": number})
        with tx.write() as (session, actor):
            made = tokens.make(session, actor, new)
            return _page(session, actor, settings.public_url, made=made)

    return submit(work, partial(_again, tx, settings.public_url, typed))


@router.post("/developers/tokens/{token_id}/revoke")
def revoke_token(tx: PageSession, token_id: str, _form: Form) -> Response:
    """Take a token back."""
    with tx.write() as (session, actor):
        tokens.revoke(session, actor, token_id)
    return redirect("/developers?done=revoked#tokens")
