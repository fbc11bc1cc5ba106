"""The proof card of a pair: of any two cities of a run, and of a stored pairing."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response
from sqlalchemy.orm import Session

from app.errors import InvalidInput, NotFound
from app.http.deps import EngineQueriesDep
from app.http.transactions import AuthenticatedTransaction
from app.permissions import Actor, may_edit_city, may_oversee
from app.pictures import card, card_picture
from app.services.cities import directory, profiles
from app.services.decisions.engine_queries import EngineQueries
from app.services.pairings import pairings
from app.services.rounds import rounds
from app.services.runs import runs
from app.services.runs.runs import Outcome
from app.services.shared.rows import PairingRow
from app.templates.pages import page, why_not_values
from app.texts.catalogue import here, reading
from app.web.layout import show
from app.web.session import PageSession
from schemas import Alternate, City, Pairing, Round, RoundPairing

router = APIRouter(include_in_schema=False)
Pair = tuple[str, str]
"""Mentor and learner, by id."""


def card_of(session: Session, actor: Actor, row: PairingRow) -> card.Card:
    """Return the proof card of a stored pairing, as this actor may read it.

    The score is as it was proposed; practices are told as they stand today, so that
    what was taken out of them is told no more.
    """
    mentor, learner = (
        profiles.as_city(profiles.get(session, city))
        for city in pairings.cities_of(row)
    )
    firmness = None
    if row.firmness is not None and may_oversee(actor):
        names = directory.names(session)
        alternates = _alternates(session, row)
        firmness = card.Firmness(row.firmness, alternates, names)
    why = pairings.explained_to(actor, row)
    return card.card(why, mentor, learner, reading(), firmness)


def _alternates(session: Session, row: PairingRow) -> tuple[Alternate, ...]:
    """Return the other mentors of the learner in the run that proposed the pairing."""
    found = runs.find_solution(session, row.run_id)
    one = _proposed(found.pairings, row) if found else None
    return one.alternates if one else ()


def _proposed(found: tuple[Pairing, ...], row: PairingRow) -> Pairing | None:
    pair = pairings.cities_of(row)
    return next((one for one in found if (one.mentor, one.learner) == pair), None)


def edits(actor: Actor, shown: card.Card) -> dict[str, bool]:
    """Return which of the two cities the actor may complete, by id."""
    return {
        city.id: may_edit_city(actor, city.id) for city in (shown.mentor, shown.learner)
    }


def drawn(shown: card.Card) -> Response:
    """Return the card as a picture of its own."""
    body = page(
        "pairings/card.svg",
        drawing=card_picture.drawing(shown, here()),
        card=shown,
        style=card_picture.STYLE,
    )
    headers = {
        "Content-Security-Policy": card_picture.DRAWN,
        "Cache-Control": "no-store",
    }
    return Response(body, media_type="image/svg+xml", headers=headers)


# A stored pairing.


@router.get("/pairings/{pairing_id}/card")
def show_card(tx: PageSession, pairing_id: str) -> HTMLResponse:
    """Show the proof card of a pairing by itself, on one sheet of paper."""
    with tx.read() as (session, actor):
        row = pairings.get(session, actor, pairing_id)
        round_row = rounds.get(session, actor, row.round_id)
        shown = card_of(session, actor, row)
        return show(
            "pairings/card.html",
            actor,
            "rounds",
            card=shown,
            edits=edits(actor, shown),
            round=rounds.as_round(round_row),
            stored=pairings.as_pairing(row, actor),
            run=row.run_id if may_oversee(actor) else None,
            svg=f"/pairings/{row.id}/card.svg",
            against=None,
            place=None,
            asked="",
            other=None,
        )


@router.get("/pairings/{pairing_id}/card.svg")
def draw_card(tx: PageSession, pairing_id: str) -> Response:
    """Return the same as a picture."""
    with tx.read() as (session, actor):
        shown = card_of(session, actor, pairings.get(session, actor, pairing_id))
    return drawn(shown)


# Any two cities of a run.


def _both(outcome: Outcome, mentor: str, learner: str) -> tuple[City, City]:
    """Return the two cities as the run was given them, or raise `NotFound`."""
    known = {city.id: city for city in outcome.problem.cities}
    if mentor == learner or not {mentor, learner} <= known.keys():
        raise NotFound("This run has no such pair of cities.")
    return known[mentor], known[learner]


def _card_in(
    answers: EngineQueries, outcome: Outcome, mentor: str, learner: str
) -> tuple[card.Card, Mapping[str, Any]]:
    """Return the card, and why the pair is not proposed if it is not."""
    both = _both(outcome, mentor, learner)
    names = {city.id: city.name for city in outcome.problem.cities}
    for one in outcome.solution.pairings:
        if (one.mentor, one.learner) == (mentor, learner):
            firmness = None
            if one.firmness is not None:
                firmness = card.Firmness(one.firmness, one.alternates, names)
            return card.card(one, *both, reading(), firmness), {}
    found = answers.why_not(outcome, mentor, learner)
    return card.card(found, *both, reading()), why_not_values(outcome, found)


def _stored(
    session: Session, actor: Actor, run: str, pair: Pair
) -> RoundPairing | None:
    """Return the newest stored pairing of the two that this run proposed."""
    row = pairings.newest_of_run(session, run, pair)
    return pairings.as_pairing(row, actor) if row else None


def _place(outcome: Outcome, pair: Pair) -> dict[str, Any] | None:
    """Return which of the proposed pairings this is, with those before and after."""
    order = [(one.mentor, one.learner) for one in outcome.solution.pairings]
    if pair not in order:
        return None
    at = order.index(pair)
    return {
        "number": at + 1,
        "of": len(order),
        "before": order[at - 1] if at else None,
        "after": order[at + 1] if at + 1 < len(order) else None,
    }


@router.get("/runs/{run_id}/pairs/{mentor}/{learner}")
def show_pair(  # noqa: PLR0913 -- what the page is asked for
    tx: PageSession,
    answers: EngineQueriesDep,
    run_id: str,
    mentor: str,
    learner: str,
    instead: str = "",
) -> HTMLResponse:
    """Show the proof card of two cities of a run, proposed or not.

    `instead` is another city in one of the roles, as `mentor/ID`: why not that one?
    """
    seen = _look(tx, run_id, (mentor, learner))
    outcome = seen.outcome
    shown, against = _card_in(answers, outcome, mentor, learner)
    by_name = sorted(outcome.problem.cities, key=lambda city: city.name)
    return show(
        "pairings/card.html",
        seen.actor,
        "rounds",
        card=shown,
        edits=edits(seen.actor, shown),
        round=seen.round,
        stored=seen.stored,
        run=run_id,
        svg=f"/runs/{run_id}/pairs/{mentor}/{learner}/card.svg",
        against=against,
        place=_place(outcome, (mentor, learner)),
        asked=instead,
        other=_instead(answers, outcome, (mentor, learner), instead),
        round_name=outcome.round_name,
        names={city.id: city.name for city in by_name},
        mentors=[city for city in by_name if city.mentor_capacity],
        learners=[city for city in by_name if city.learner_demand],
    )


class _Seen(NamedTuple):
    """What is read of a run before the engine is asked."""

    actor: Actor
    outcome: Outcome
    round: Round
    stored: RoundPairing | None


def _look(tx: AuthenticatedTransaction, run_id: str, pair: Pair) -> _Seen:
    with tx.read() as (session, actor):
        run = runs.get(session, actor, run_id)
        outcome = runs.outcome(session, run)
        _both(outcome, *pair)
        round_row = rounds.get(session, actor, run.round_id)
        stored = _stored(session, actor, run_id, pair)
        return _Seen(actor, outcome, rounds.as_round(round_row), stored)


def _instead(
    answers: EngineQueries, outcome: Outcome, pair: Pair, instead: str
) -> Mapping[str, Any] | None:
    """Return why another city is not in one of the two roles; None: nobody asked."""
    role, _, city = instead.partition("/")
    if role not in {"mentor", "learner"}:
        return None
    mentor, learner = (city, pair[1]) if role == "mentor" else (pair[0], city)
    try:
        found = answers.why_not(outcome, mentor, learner)
    except InvalidInput:
        return None
    return why_not_values(outcome, found)


@router.get("/runs/{run_id}/pairs/{mentor}/{learner}/card.svg")
def draw_pair(
    tx: PageSession, answers: EngineQueriesDep, run_id: str, mentor: str, learner: str
) -> Response:
    """Return the same as a picture."""
    with tx.read() as (session, actor):
        outcome = runs.outcome(session, runs.get(session, actor, run_id))
    shown, _ = _card_in(answers, outcome, mentor, learner)
    return drawn(shown)
