"""How a city takes part in a round: roles, places, wishes and vetoes."""

from collections.abc import Iterator, Mapping
from functools import partial

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response
from sqlalchemy.orm import Session

from app.errors import InvalidInput, NotFound, Refusal, Stale
from app.http.transactions import AuthenticatedTransaction
from app.permissions import Actor, may_enter_city, may_know_wishes
from app.services.cities import directory, profiles
from app.services.decisions import attendance, participants
from app.services.rounds import rounds
from app.services.shared.names import search_key
from app.services.shared.rows import ParticipantRow, RoundRow
from app.texts.catalogue import here
from app.web.forms import field_text, parse, redirect, submit
from app.web.layout import show
from app.web.session import Form, OnlyOnce, PageSession
from schemas import InputError, ParticipationWrite

router = APIRouter(include_in_schema=False)
ROLES = ("mentor", "learner")
_NAMES = ("wish_mentor", "wish_learner", "veto")
"""Fields for names of cities."""
_NAMED = 3
"""Fields for wishes, and for vetoes, unless more are taken already."""
_MOST = 50
Typed = Mapping[str, list[str]]


def _stored(row: ParticipantRow, names: Mapping[str, str]) -> dict[str, list[str]]:
    wishes = {wish["role"]: wish["partners"] for wish in row.wishes}
    return {
        "roles": row.roles.split(",") if row.roles else [],
        "mentor_capacity": [str(row.mentor_capacity)],
        "learner_demand": [str(row.learner_demand)],
        "version": [str(row.version)],
        **{
            f"wish_{role}": [names.get(one, one) for one in wishes.get(role, [])]
            for role in ROLES
        },
        "veto": [names.get(one, one) for one in row.vetoes],
    }


def _typed(form: Form) -> dict[str, list[str]]:
    """Return what stands in the form: every field may stand there several times."""
    lists = ("roles", *(f"wish_{role}" for role in ROLES), "veto")
    single = ("mentor_capacity", "learner_demand", "version")
    return {
        **{
            name: [
                one.strip()
                for one in form.getlist(name)[:_MOST]
                if isinstance(one, str) and one.strip()
            ]
            for name in lists
        },
        **{name: [field_text(form, name)] for name in single},
    }


def _page(
    tx: AuthenticatedTransaction,
    round_id: str,
    city_id: str,
    refused: Refusal | None = None,
    typed: Typed | None = None,
) -> HTMLResponse:
    with tx.read() as (session, actor):
        row = rounds.get(session, actor, round_id)
        _must_decide(actor, row, city_id)
        city = profiles.as_city(profiles.get(session, city_id))
        one = participants.find(session, round_id, city_id)
        names = attendance.names(session, round_id)
        blank: dict[str, list[str]] = {
            "roles": list(city.roles),
            "mentor_capacity": [str(city.mentor_capacity)],
            "learner_demand": [str(city.learner_demand)],
            "version": ["0"],
            **{name: [] for name in _NAMES},
        }
        called = names | _named(session, one, names)
        now = _stored(one, called) if one else blank
        cells = {**now, **(typed or {}), "version": now["version"]}
        return show(
            "rounds/round_part.html",
            actor,
            "rounds",
            refused.status if refused else 200,
            round=rounds.as_round(row),
            city=city,
            takes_part=one is not None,
            cells=cells,
            fields={name: max(_NAMED, len(cells[name])) for name in _NAMES},
            others=sorted(
                (name for other, name in names.items() if other != city_id),
                key=search_key,
            ),
            refused=refused,
            ids=_ids(cells),
        )


def _ids(cells: Typed) -> dict[str, str]:
    """Return the field that each place of the form leads to."""
    named = {
        f"{name}_{at}": f"{name}_{at}"
        for name in _NAMES
        for at in range(max(_NAMED, len(cells[name])))
    }
    places = {name: name for name in ("mentor_capacity", "learner_demand")}
    return named | places | {"roles": "role-mentor"}


def _named(
    session: Session, one: ParticipantRow | None, names: Mapping[str, str]
) -> dict[str, str]:
    """Return the names of the cities that are wished for but take no part."""
    if one is None:
        return {}
    ids = {*one.vetoes, *(city for wish in one.wishes for city in wish["partners"])}
    rows = (profiles.find(session, city) for city in ids - names.keys())
    return {row.id: row.name for row in rows if row is not None}


def _must_decide(actor: Actor, row: RoundRow, city_id: str) -> None:
    """Raise `NotFound` unless the visitor decides how the city takes part now."""
    decides = may_enter_city(actor, city_id, row.phase)
    if not (decides and may_know_wishes(actor, city_id)):
        raise NotFound("There is no such page for you.")


@router.get("/rounds/{round_id}/take-part/{city_id}")
def ask_how(tx: PageSession, round_id: str, city_id: str) -> HTMLResponse:
    """Show the form of how a city takes part."""
    return _page(tx, round_id, city_id)


@router.post("/rounds/{round_id}/take-part/{city_id}")
def take_part(
    tx: PageSession, once: OnlyOnce, round_id: str, city_id: str, form: Form
) -> Response:
    """Enter the city, or change how it takes part."""
    typed = _typed(form)

    def work(session: Session, actor: Actor) -> Response:
        row = rounds.get(session, actor, round_id, lock=True)
        _must_decide(actor, row, city_id)
        one = participants.find(session, round_id, city_id)
        if str(one.version if one else 0) != typed["version"][0]:
            raise Stale(
                here().say(
                    "Somebody changed this since the page was shown. What you wrote is "
                    "still below: check it, then send it again."
                )
            )
        new = _written(session, round_id, typed)
        participants.put(session, actor, row, city_id, new)
        return redirect(f"/rounds/{round_id}?done=part")

    again = partial(_page, tx, round_id, city_id, typed=typed)
    return submit(partial(once.answer, tx, work), again)


def _written(session: Session, round_id: str, typed: Typed) -> ParticipationWrite:
    """Return what the form says; raises `InvalidInput` for names that nobody has."""
    errors: list[InputError] = []
    ids = {
        search_key(name): one
        for one, name in attendance.names(session, round_id).items()
    }
    meant = {
        name: list(_meant(session, ids, name, typed[name], errors)) for name in _NAMES
    }
    if errors:
        raise InvalidInput(errors[0].message, errors)
    return parse(
        ParticipationWrite,
        roles=typed["roles"],
        mentor_capacity=_places(typed, "mentor"),
        learner_demand=_places(typed, "learner"),
        wishes=[
            {"role": role, "partners": meant[f"wish_{role}"]}
            for role in ROLES
            if meant[f"wish_{role}"]
        ],
        vetoes=meant["veto"],
    )


def _places(typed: Typed, role: str) -> int | str:
    """Return the places in a role; none in one that is not taken."""
    said_ = typed["mentor_capacity" if role == "mentor" else "learner_demand"][0]
    if role not in typed["roles"]:
        return 0
    return int(said_) if said_.isascii() and said_.isdecimal() else said_


def _meant(
    session: Session,
    ids: Mapping[str, str],
    field: str,
    typed: list[str],
    errors: list[InputError],
) -> Iterator[str]:
    """Yield the cities that are named, those of the round before all others."""
    for at, name in enumerate(typed):
        if one := ids.get(search_key(name)):
            yield one
            continue
        found = directory.find_by_name(session, name, 2)
        if len(found) == 1:
            yield found[0].id
            continue
        text = here().say(
            "No city, or more than one, is called “{name}”: write its whole name.",
            name=name,
        )
        errors.append(InputError(pointer=f"/{field}_{at}", code="city", message=text))
