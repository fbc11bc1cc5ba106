"""Routes of the contact persons of a city."""

from typing import Annotated

from fastapi import APIRouter, Body, Depends, Path, Response
from sqlalchemy.orm import Session

from app.api.cities.cities import CityId
from app.errors import (
    Conflict,
    Forbidden,
    InvalidInput,
    KeyReused,
    NoPrecondition,
    NotFound,
    NotJson,
    Stale,
    TooLarge,
    WrongType,
)
from app.http.body import CHECKED, Route
from app.http.deps import ApiSession, IfMatch, OnlyOnce, json_response, require_json
from app.http.openapi import ETAG, PLACED
from app.http.problems import answers, refusals
from app.permissions import Actor
from app.services.cities import contacts
from app.services.shared.rows import ContactRow
from schemas import Contact, Contacts, ContactWrite

router = APIRouter(
    route_class=Route, prefix="/cities/{city_id:city}/contacts", tags=["contacts"]
)
ContactId = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")]
_BODY = (NotJson, TooLarge, WrongType, InvalidInput)
_EXAMPLE = {
    "name": "An Peeters",
    "function": "Integration desk",
    "email": "integration@mechelen.example",
}


def _response(row: ContactRow, status: int = 200) -> Response:
    place = f"/api/v1/cities/{row.city_id}/contacts/{row.id}"
    location = place if status == 201 else None  # noqa: PLR2004
    body = contacts.as_contact(row)
    return json_response(body, status, version=row.version, location=location)


@router.get("", responses=refusals(NotFound))
def list_contacts(tx: ApiSession, city_id: CityId) -> Contacts:
    """List the contact persons of a city.

    For its officers, its association and organisers; for officers of a partner city
    once both have accepted.
    """
    with tx.read() as (session, actor):
        rows = contacts.of_city(session, actor, city_id)
        return Contacts(items=tuple(map(contacts.as_contact, rows)))


@router.post(
    "",
    status_code=201,
    response_model=Contact,
    dependencies=[Depends(require_json)],
    responses=answers(
        {201: {"headers": ETAG | PLACED}},
        *_BODY,
        Forbidden,
        NotFound,
        Conflict,
        KeyReused,
    ),
)
def add_contact(
    tx: ApiSession,
    once: OnlyOnce,
    city_id: CityId,
    new: Annotated[ContactWrite, Body(examples=[_EXAMPLE]), CHECKED],
) -> Response:
    """Add a contact person: better a desk's mailbox than somebody's own."""

    def work(session: Session, actor: Actor) -> Response:
        return _response(contacts.add(session, actor, city_id, new), 201)

    return once.answer(tx, work)


@router.get(
    "/{contact_id}",
    response_model=Contact,
    responses=answers({200: {"headers": ETAG}}, NotFound),
)
def read_contact(tx: ApiSession, city_id: CityId, contact_id: ContactId) -> Response:
    """Read a contact person."""
    with tx.read() as (session, actor):
        return _response(contacts.get(session, actor, city_id, contact_id))


@router.put(
    "/{contact_id}",
    response_model=Contact,
    dependencies=[Depends(require_json)],
    responses=answers(
        {200: {"headers": ETAG}}, *_BODY, Forbidden, NotFound, Stale, NoPrecondition
    ),
)
def put_contact(
    tx: ApiSession,
    city_id: CityId,
    contact_id: ContactId,
    new: Annotated[ContactWrite, Body(examples=[_EXAMPLE]), CHECKED],
    if_match: IfMatch,
) -> Response:
    """Replace a contact person; sent as it is, it is confirmed for 24 months more."""
    with tx.write() as (session, actor):
        row = contacts.get(session, actor, city_id, contact_id, lock=True)
        before = contacts.as_written(row).to_dict()
        if_match.check(row.version, before, new.to_dict())
        contacts.change(session, actor, row, new)
        return _response(row)


@router.delete(
    "/{contact_id}",
    status_code=204,
    responses=refusals(InvalidInput, Forbidden, NotFound, Stale, NoPrecondition),
)
def erase_contact(
    tx: ApiSession, city_id: CityId, contact_id: ContactId, if_match: IfMatch
) -> None:
    """Erase a contact person; its address and name are taken out of texts, too."""
    with tx.write() as (session, actor):
        row = contacts.get(session, actor, city_id, contact_id, lock=True)
        if_match.check(row.version, contacts.as_written(row).to_dict())
        contacts.remove(session, actor, row)
