"""Every list of the API that has pages, and how to put rows into it."""

import base64
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from typing import Any

from sqlalchemy import delete
from sqlalchemy.orm import Session

from app.db.tables import (
    Account,
    Audit,
    CheckIn,
    City,
    CityArea,
    Delivery,
    Message,
    Pairing,
    Participant,
    Round,
    Run,
    Webhook,
)
from app.db.tables.base import Base
from schemas import Explanation

IDS = {"round_id": "trial", "city_id": "z", "pairing_id": "1" * 32}
IDS |= {"webhook_id": "2" * 32}
MIDNIGHT = datetime(2026, 11, 22, tzinfo=UTC)
_number = count(1)


def _at(place: int) -> datetime:
    return MIDNIGHT + timedelta(microseconds=place)


def _id(place: int) -> str:
    return f"row-{place}-{next(_number)}"


def _city(id_: str) -> City:
    told = {"name": id_, "name_key": id_, "country": "BE", "languages": "", "roles": ""}
    areas = [CityArea(area="housing", need=1, strength=1)]
    return City(id=id_, **told, areas=areas, mentor_capacity=0, learner_demand=0)


def _cities(place: int) -> Iterator[Base]:
    yield _city(_id(place))


def _accounts(place: int) -> Iterator[Base]:
    yield Account(email=f"{_id(place)}@example.org", role="auditor")


def _rounds(place: int) -> Iterator[Base]:
    yield Round(id=_id(place), name="Another", phase="open")


def _audit(place: int, **about: str) -> Iterator[Base]:
    number = 2**40 * (place + 1) + next(_number)
    yield Audit(id=number, action="city.changed", details={}, **about)


def _taking_part(place: int) -> Iterator[Base]:
    yield from _cities(place)
    places = {"roles": "mentor", "mentor_capacity": 1, "learner_demand": 0}
    city = f"row-{place}-{next(_number) - 1}"
    yield Participant(round_id="trial", city_id=city, **places, wishes=[], vetoes=[])


def _pairing(place: int, **more: Any) -> Pairing:
    pair = {"mentor": "z", "learner": f"y{place}"}
    why = {"score": 1.0, "known_weight": 95.0}
    parts: dict[str, Any] = dict.fromkeys(
        ("adjustments", "contributions", "excluded_by"), ()
    )
    return Pairing(
        round_id="trial",
        run_id="0" * 32,
        mentor_id=pair["mentor"],
        learner_id=pair["learner"],
        origin="proposal",
        body=Explanation(**pair, **why, **parts).model_dump_json(),
        **more,
    )


def _pairings(place: int) -> Iterator[Base]:
    yield _pairing(place, state="withdrawn")


def _check_ins(place: int) -> Iterator[Base]:
    yield CheckIn(pairing_id=IDS["pairing_id"], by="mentor", at=_at(place))


def _messages(place: int) -> Iterator[Base]:
    yield Message(
        round_id="trial",
        kind="offer",
        role="mentor",
        language="en",
        subject="S",
        text="T",
        state="failed",
        created_at=_at(place),
    )


def _runs(place: int) -> Iterator[Base]:
    texts = dict.fromkeys(("problem", "policy", "problem_hash", "policy_hash"), "")
    at = {"created_at": _at(place), "finished_at": _at(9)}
    yield Run(round_id="trial", state="cancelled", **at, **texts)


def _deliveries(place: int) -> Iterator[Base]:
    yield Delivery(
        webhook_id=IDS["webhook_id"],
        event="e",
        type="city.updated",
        body="{}",
        state="failed",
        created_at=_at(place),
        ended_at=_at(9),
    )


@dataclass(frozen=True)
class Rows:
    """How rows come into a list and leave it.

    Attributes:
        make: Yields what is stored for one row, the row itself last. The number says
            where it belongs; of the same number there are several.
        key: The column by which an item of the list names its row.
        item: The field of the item that does so.
        stays: Whether rows are only added: the database refuses to delete one.

    """

    make: Callable[[int], Iterator[Base]]
    key: Any
    item: str = "id"
    stays: bool = False

    def add(self, session: Session, place: int) -> Any:
        """Store one more row; return what an item calls it."""
        for row in self.make(place):
            session.add(row)
            session.flush()
        return getattr(row, self.key.key)

    def drop(self, session: Session, name: Any) -> None:
        session.execute(delete(self.key.class_).where(self.key == name))


_IN_ROUND = partial(_audit, round_id="trial")
_OF_CITY = partial(_audit, city_id="z")
LISTS: dict[str, Rows] = {
    "/accounts": Rows(_accounts, Account.id),
    "/audit": Rows(_audit, Audit.id, stays=True),
    "/cities": Rows(_cities, City.id),
    "/cities/{city_id}/audit": Rows(_OF_CITY, Audit.id, stays=True),
    "/ledger": Rows(_taking_part, Participant.city_id, "city"),
    "/pairings/{pairing_id}/check-ins": Rows(_check_ins, CheckIn.id),
    "/rounds": Rows(_rounds, Round.id),
    "/rounds/{round_id}/audit": Rows(_IN_ROUND, Audit.id, stays=True),
    "/rounds/{round_id}/messages": Rows(_messages, Message.id),
    "/rounds/{round_id}/pairings": Rows(_pairings, Pairing.id),
    "/rounds/{round_id}/participants": Rows(_taking_part, Participant.city_id, "city"),
    "/rounds/{round_id}/runs": Rows(_runs, Run.id),
    "/webhooks/{webhook_id}/deliveries": Rows(_deliveries, Delivery.id),
}
WHOLE = {
    "/account/sign-ins",
    "/account/tokens",
    "/cities/{city_id}/contacts",
    "/cities/{city_id}/practices",
    "/cities/{city_id}/suggestions",
    "/policy-areas",
    "/webhooks",
}
"""Lists without pages: each is short by its nature, or cut by its caller."""


def begin(session: Session) -> None:
    """Store what the lists are of; its cities come after all others."""
    session.add(Round(id="trial", name="T", phase="released", released_at=MIDNIGHT))
    session.add_all(_city(id_) for id_ in ("z", *(f"y{at}" for at in range(6))))
    hook = {"url": "https://x.example/", "events": "", "secret": "whsec_"}
    session.add(Webhook(id=IDS["webhook_id"], **hook))
    session.flush()
    session.add(_pairing(0, id=IDS["pairing_id"], state="confirmed"))


def address(path: str) -> str:
    return path.format(**IDS)


def in_document(document: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """Return the parameters of every GET of an OpenAPI document that answers a list."""
    found = {}
    for path, methods in document["paths"].items():
        said = methods.get("get", {"responses": {}})
        answer = said["responses"].get("200", {}).get("content", {})
        shape = answer.get("application/json", {}).get("schema", {})
        name = shape.get("$ref", "").rpartition("/")[2]
        fields = document["components"]["schemas"].get(name, shape)
        if {"items", "next"} <= fields.get("properties", {}).keys():
            found[path.removeprefix("/api/v1")] = said.get("parameters", [])
    return found


def opened(cursor: str) -> list:
    padded = cursor + "=" * (-len(cursor) % 4)
    return json.loads(base64.urlsafe_b64decode(padded))


def closed(held: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(held).encode()).decode().rstrip("=")
