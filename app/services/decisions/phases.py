"""A round's way from draft to archive; staging and release decide on a run."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app.db import tables
from app.db.tables.base import now
from app.errors import Conflict, InvalidInput, NotFinished, OutOfDate, WrongPhase
from app.permissions import Actor
from app.services.log import audit
from app.services.mail import letters
from app.services.pairings import endings, offers, pairings
from app.services.rounds import policies, rounds
from app.services.runs import bundle, runs
from app.services.shared.clock import in_utc
from app.texts.ended import ARCHIVED
from schemas import Explanation, InputError, OverrideWrite, Pairing, Solution

_ORDER = ("draft", "open", "closed", "staged", "released", "archived")
_BY_VERB = {"staged": "stage", "released": "release"}
"""Phases that are entered by deciding on a run, and in no other way."""
STAGEABLE = ("closed", "staged")
"""Phases in which the pairings of a run can be staged."""
_LONGEST = timedelta(days=400)
"""Furthest deadline for an answer."""
_UNTOLD = ("staged", "dismissed")


def move(
    session: Session, actor: Actor, row: tables.Round, to: str, reason: str | None
) -> None:
    """Bring the round into another phase, with what that means for its pairings.

    One step at a time from draft to closed, back likewise with a reason, and into the
    archive from anywhere. Back from staged, what was staged is forgotten, and nobody is
    told. Into the archive, offers that wait for an answer are withdrawn, and their
    cities are told.

    Args:
        session: In a write transaction.
        actor: Who does it.
        row: The round, locked.
        to: The phase.
        reason: Needed for a step back.

    Raises:
        Forbidden: If the actor is no organiser.
        InvalidInput: If a step back has no reason.
        WrongPhase: If there is no way there.

    """
    rounds.must_organise(actor)
    if to == row.phase:
        return
    _check_step(row, to, reason)
    if to == "archived":
        for one in pairings.of_round(session, row.id, ("offered",)):
            endings.withdraw(session, actor, row, one, ARCHIVED)
        row.archived_at = now()
    before, row.phase = row.phase, to
    if before == "staged":
        _forget_staged(session, row)
    rounds.touch(session, row)
    audit.record(session, actor, "round.moved", round_id=row.id, before=before, to=to)
    if reason is not None:
        audit.attach_reason(session, row.id, "round.moved", reason)


def _check_step(row: tables.Round, to: str, reason: str | None) -> None:
    """Refuse what is no way from the round's phase, and a step back without reason."""
    if to in _BY_VERB:
        raise WrongPhase(
            f"A round becomes {to} by POST /rounds/{row.id}/{_BY_VERB[to]} alone."
        )
    step = _ORDER.index(to) - _ORDER.index(row.phase)
    if row.phase == "archived" or (to != "archived" and abs(step) != 1):
        allowed = ", ".join(_next_phases(row.phase)) or "nowhere: it stays as it is"
        raise WrongPhase(
            f"From {row.phase} there is no way to {to}, only to {allowed}."
        )
    if step < 0 and reason is None:
        message = "A step back needs a reason: it stands in the log."
        error = InputError(pointer="/reason", code="missing", message=message)
        raise InvalidInput(message, [error])


def _next_phases(phase: str) -> list[str]:
    at = _ORDER.index(phase)
    near = {*_ORDER[max(at - 1, 0) : at], *_ORDER[at + 1 : at + 2], "archived"}
    return [to for to in _ORDER if to in near - {*_BY_VERB, phase}] if at < 5 else []  # noqa: PLR2004 -- the archive


def back_from(phase: str) -> str | None:
    """Return the phase that one step back leads to, or None if there is no such."""
    before = [
        to for to in _next_phases(phase) if _ORDER.index(to) < _ORDER.index(phase)
    ]
    return before[0] if before else None


def _forget_staged(session: Session, row: tables.Round) -> None:
    table = tables.Pairing
    letters.drop_held(session, row)
    session.execute(
        delete(table).where(table.round_id == row.id, table.state.in_(_UNTOLD))
    )
    row.staged_run = None
    session.flush()


def stage(session: Session, actor: Actor, row: tables.Round, run: tables.Run) -> None:
    """Stage the pairings of a run: they can be edited, and nobody is told of them.

    Another run may be staged in place of a staged one.

    Args:
        session: In a write transaction.
        actor: Who does it.
        row: The round, closed or staged; locked.
        run: A run of this round that has succeeded.

    Raises:
        Forbidden: If the actor is no organiser.
        WrongPhase: If the round is neither closed nor staged.
        NotFinished: If the run has no solution.
        OutOfDate: If the round has changed so that the pairings do not fit any more.

    """
    rounds.must_organise(actor)
    if row.phase not in STAGEABLE:
        raise WrongPhase(
            f"The round is {row.phase}; pairings are staged when it is closed."
        )
    if run.state != "succeeded":
        raise NotFinished(f"The run is {run.state}: it has no solution to stage.")
    found = runs.solution(session, run)
    _must_fit(session, actor, row, found)
    before = row.phase
    _forget_staged(session, row)
    row.phase, row.staged_run = "staged", run.id
    rounds.touch(session, row)
    session.add_all(_staged(row, run.id, pair) for pair in found.pairings)
    session.flush()
    letters.rewrite_held(session, row)
    audit.record(
        session,
        actor,
        "round.staged",
        round_id=row.id,
        before=before,
        run=run.id,
        pairings=len(found.pairings),
    )


def _must_fit(
    session: Session, actor: Actor, row: tables.Round, found: Solution
) -> None:
    """Refuse pairings that the round as it stands has no place for."""
    pairs = [(pair.mentor, pair.learner) for pair in found.pairings]
    table = tables.Participant
    query = select(table.city_id, table.vetoes).where(table.round_id == row.id)
    vetoes = {
        frozenset((city, other))
        for city, others in session.execute(query)
        for other in others
    }
    try:
        pairings.check_places(session, row.id, pairs)
    except Conflict as error:
        raise OutOfDate(f"The round has changed since this run: {error}") from error
    policy = policies.as_policy(policies.get(session, actor, row))
    bans = {(ban.mentor, ban.learner) for ban in policy.bans}
    for mentor, learner in pairs:
        if (mentor, learner) in bans:
            raise OutOfDate(f"Since this run {mentor} → {learner} has been banned.")
    if any(frozenset(pair) in vetoes for pair in pairs):
        raise OutOfDate(
            "Since this run a city has said whom it will not be paired with, and one "
            "of the pairs is of that kind."
        )


def _staged(row: tables.Round, run_id: str, pair: Pairing) -> tables.Pairing:
    why = Explanation(
        mentor=pair.mentor,
        learner=pair.learner,
        score=pair.score,
        known_weight=pair.known_weight,
        adjustments=pair.adjustments,
        contributions=pair.contributions,
        excluded_by=(),
    )
    return tables.Pairing(
        round_id=row.id,
        run_id=run_id,
        mentor_id=pair.mentor,
        learner_id=pair.learner,
        origin="proposal",
        body=why.model_dump_json(),
        firmness=pair.firmness,
    )


def restage(  # noqa: PLR0913 -- what an override is made of
    session: Session,
    actor: Actor,
    row: tables.Round,
    run: tables.Run,
    found: Solution,
    decided: OverrideWrite,
    price: float,
) -> None:
    """Stage the run of an override: pairings that stay keep who and what they are.

    Args:
        session: In a write transaction.
        actor: An organiser.
        row: The round, staged and locked.
        run: Computed with what was decided.
        found: Its solution.
        decided: What the organisers decided otherwise, and why.
        price: Points that the round loses by it.

    """
    new = {(pair.mentor, pair.learner): pair for pair in found.pairings}
    forced = {(pair.mentor, pair.learner) for pair in decided.force}
    for one in pairings.of_round(session, row.id, ("dismissed",)):
        if pairings.cities_of(one) in forced:  # organisers have thought better of it
            session.delete(one)
    for one in pairings.of_round(session, row.id, ("staged",)):
        pair = new.pop(pairings.cities_of(one), None)
        if pair is None:
            session.delete(one)
            continue
        fresh = _staged(row, run.id, pair)
        one.run_id, one.body, one.firmness = run.id, fresh.body, fresh.firmness
    session.flush()
    for pair in new.values():
        one = _staged(row, run.id, pair)
        if (pair.mentor, pair.learner) in forced:
            one.origin, one.reason, one.price = "override", decided.reason, price
        session.add(one)
    row.staged_run = run.id
    rounds.touch(session, row)
    letters.rewrite_held(session, row, anew=True)
    audit.record(
        session,
        actor,
        "round.overridden",
        round_id=row.id,
        run=run.id,
        forced=[pair.to_dict() for pair in decided.force],
        banned=[pair.to_dict() for pair in decided.ban],
        price=price,
    )


def release(
    session: Session, actor: Actor, row: tables.Round, answer_by: datetime | None
) -> None:
    """Offer what is staged: the messages go out, and the decision is sealed.

    Args:
        session: In a write transaction.
        actor: Who does it.
        row: The round, staged and locked.
        answer_by: The deadline for answers; None: as the round says.

    Raises:
        Forbidden: If the actor is no organiser.
        WrongPhase: If the round is not staged.
        InvalidInput: If the deadline is over, or more than 400 days away.
        Conflict: If nothing is staged.

    """
    rounds.must_organise(actor)
    if row.phase != "staged":
        raise WrongPhase(f"The round is {row.phase}; what is staged can be released.")
    at = now()
    until = deadline(answer_by) or at + timedelta(days=row.answer_days)
    staged = pairings.of_round(session, row.id, ("staged",))
    if not staged:
        raise Conflict("Nothing is staged: there is no pairing to offer.")
    row.phase, row.released_at, row.answer_by = "released", at, until
    rounds.touch(session, row)
    letters.release_held(session, row)
    for one in staged:
        one.state, one.offered_at, one.answer_by = "offered", at, until
        one.updated_at = at
    session.flush()
    _seal(session, row, staged)
    audit.record(
        session,
        actor,
        "round.released",
        round_id=row.id,
        run=row.staged_run,
        pairings=len(staged),
    )


def deadline(answer_by: datetime | None) -> datetime | None:
    """Return the deadline in UTC, or raise `InvalidInput` if there can be no such."""
    moment = in_utc(answer_by, "/answer_by")
    if moment is None:
        return None
    offers.must_be_ahead(moment)
    if moment > now() + _LONGEST:
        message = f"The deadline may be {_LONGEST.days} days away at most."
        error = InputError(pointer="/answer_by", code="too_far", message=message)
        raise InvalidInput(message, [error])
    return moment


def _seal(
    session: Session, row: tables.Round, offered: Iterable[tables.Pairing]
) -> None:
    """Write down what was released, so that anybody can compute it again."""
    assert row.staged_run is not None  # noqa: S101 -- a staged round has one
    run = session.get_one(tables.Run, row.staged_run)
    released = bundle.Released(
        at=row.released_at,
        pairings=tuple(map(_decided, offered)),
        dismissed=tuple(
            map(_decided, pairings.of_round(session, row.id, ("dismissed",)))
        ),
    )
    content = bundle.seal(runs.outcome(session, run), released)
    session.add(
        tables.Decision(
            round_id=row.id,
            run_id=run.id,
            sha256=bundle.digest(content),
            bundle=content,
            at=row.released_at,
        )
    )
    session.flush()


def _decided(row: tables.Pairing) -> bundle.Decided:
    return bundle.Decided(
        mentor=row.mentor_id,
        learner=row.learner_id,
        origin=row.origin,
        reason=row.reason,
        price=row.price,
    )
