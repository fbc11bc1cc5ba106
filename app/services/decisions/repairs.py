"""Mending a staged or released round with the least disturbance."""

import hashlib
import json
from collections import Counter
from dataclasses import dataclass, replace
from datetime import timedelta

from sqlalchemy.orm import Session

from app.compute.engine import Pairs
from app.db import tables
from app.db.tables.base import now
from app.errors import NotFound, Stale, WrongPhase
from app.permissions import Actor, may_oversee
from app.services.log import audit
from app.services.mail import letters
from app.services.pairings import endings, pairings
from app.services.rounds import policies, rounds
from app.services.rounds.policies import pair_of
from app.services.runs import runs
from app.services.runs.runs import Frozen
from app.texts.ended import REPAIRED
from schemas import Explanation, Problem, Repair, Repairs, Solution

MOST = 20
"""Most repairs on a list."""
_ENDED = ("declined", "expired", "withdrawn", "dismissed")


@dataclass(frozen=True)
class RepairBasis(Frozen):
    """A round whose pairings are to be mended.

    Attributes:
        problem: The round as it stands.
        policy: That of the staged run, without decisions that have come to nothing.
        pairs: What stands, and what broke and was not mended yet.
        gone: Who has left.
        declined: Pairs that will not be.
        keep: What both sides have confirmed: no repair undoes it.
        stored: Whether it stands in a round, so that a repair can be made.

    """

    pairs: Pairs
    gone: tuple[str, ...]
    declined: Pairs
    keep: Pairs
    stored: bool

    def without(self, gone: tuple[str, ...], declined: Pairs) -> "RepairBasis":
        """Return the same as if these cities left and these pairs were declined."""
        return replace(
            self,
            gone=tuple(sorted({*self.gone, *gone})),
            declined=tuple(dict.fromkeys((*self.declined, *declined))),
        )


def basis(session: Session, actor: Actor, row: tables.Round) -> "RepairBasis":
    """Return the stored pairings of the round, and which of them are broken.

    Raises:
        NotFound: If repairs are not the actor's to know of.
        WrongPhase: If nothing is staged or released.

    """
    if not may_oversee(actor):
        raise NotFound(f"There are no repairs of {row.id} for you.")
    if row.phase not in {"staged", "released"} or row.staged_run is None:
        raise WrongPhase(
            f"The round is {row.phase}: what is staged or released can be mended. "
            "Name a run with ?run= to ask about that."
        )
    problem = runs.as_it_stands(session, actor, row).problem
    present = {city.id for city in problem.cities}
    live = pairings.of_round(session, row.id)
    stands = tuple(map(pairings.cities_of, live))
    ended = {
        pairings.cities_of(one): one
        for one in pairings.of_round(session, row.id, _ENDED)
        # What a repair undid was nobody's wish: another may well propose it again.
        if one.ended_by != "repair" and pairings.cities_of(one) not in stands
    }
    broken = tuple(pair for pair in ended if _is_open(pair, stands, problem))
    run = session.get_one(tables.Run, row.staged_run)
    policy = policies.keeping(runs.frozen(run).policy, present.issuperset)
    pins = tuple(one for one in policy.pins if pair_of(one) not in ended)
    return RepairBasis(
        problem=problem,
        policy=policy.model_copy(update={"pins": pins}),
        pairs=(*stands, *broken),
        gone=tuple(sorted({city for pair in broken for city in pair} - present)),
        declined=tuple(pair for pair in ended if present.issuperset(pair)),
        keep=tuple(pairings.cities_of(one) for one in live if one.state == "confirmed"),
        stored=True,
    )


def _is_open(pair: tuple[str, str], stands: Pairs, problem: Problem) -> bool:
    """Tell whether the remaining cities of a broken pairing have a free place."""
    places = {city.id: city for city in problem.cities}
    mentor, learner = (places.get(city) for city in pair)
    mentors = Counter(mentor for mentor, _ in stands)
    learners = Counter(learner for _, learner in stands)
    return (mentor is None or mentors[mentor.id] < mentor.mentor_capacity) and (
        learner is None or learners[learner.id] < learner.learner_demand
    )


def of_run(
    current: Frozen, solution: Solution, gone: tuple[str, ...], declined: Pairs
) -> "RepairBasis":
    """Return the pairings of a run, and which of them are broken.

    Args:
        current: The round as it stands: whoever is not in it any more has left.
        solution: What the run proposes.
        gone: Who leaves besides.
        declined: Pairs that do not want each other.

    """
    pairs = pairs_of(solution)
    present = {city.id for city in current.problem.cities}
    left = {city for pair in pairs for city in pair} - present
    return RepairBasis(
        problem=current.problem,
        policy=current.policy,
        pairs=pairs,
        gone=tuple(sorted(left.union(gone))),
        declined=declined,
        keep=(),
        stored=False,
    )


def pairs_of(solution: Solution) -> Pairs:
    """Return the pairs, (mentor, learner), of a solution."""
    return tuple((pair.mentor, pair.learner) for pair in solution.pairings)


def named(repair: Repair) -> Repair:
    """Return the repair with its id.

    It names what the repair changes and what stands after it.
    """
    described = [
        sorted(map(pair_of, pairs))
        for pairs in (repair.undone, repair.added, repair.pairings)
    ]
    digest = hashlib.sha256(json.dumps(described).encode()).hexdigest()
    return repair.model_copy(update={"id": digest[:16]})


def chosen(found: Repairs, repair_id: str) -> Repair:
    """Return the repair with this id, or raise `Stale`."""
    for one in found.items:
        if one.id == repair_id:
            return one
    raise Stale(
        "This repair is not on the list any more: the round has changed since. "
        "Read the repairs again."
    )


def added(repair: Repair) -> Pairs:
    """Return the pairs, (mentor, learner), that the repair makes."""
    return tuple(map(pair_of, repair.added))


def make(  # noqa: PLR0913 -- what was computed, from what
    session: Session,
    actor: Actor,
    row: tables.Round,
    start: RepairBasis,
    repair: Repair,
    reasons: tuple[Explanation, ...],
) -> None:
    """Make the repair: undo, add, and tell whoever it concerns.

    In a staged round nobody is told. In a released one, cities whose offer is undone
    are told so, and the new pairings are offered with a deadline of their own.

    Args:
        session: In a write transaction.
        actor: Who does it.
        row: The round, locked.
        start: What the repair was computed from.
        repair: What to do.
        reasons: Where the score of each added pair comes from.

    Raises:
        Forbidden: If the actor is no organiser.
        Stale: If the round has changed since.

    """
    rounds.must_organise(actor)
    if basis(session, actor, row) != start:
        raise Stale("Somebody changed the round while this was computed; look again.")
    live = {pairings.cities_of(one): one for one in pairings.of_round(session, row.id)}
    for pair in map(pair_of, repair.undone):
        _undo(session, actor, row, live[pair])
    pairs = live.keys() - set(map(pair_of, repair.undone))
    pairings.check_places(session, row.id, [*pairs, *added(repair)])
    new = [_added(row, why) for why in reasons]
    session.add_all(new)
    rounds.touch(session, row)
    for one in new:
        if one.state == "offered":
            letters.notify(session, row, one, "offer", ("mentor", "learner"))
    if row.phase == "staged":
        letters.rewrite_held(session, row)
    audit.record(
        session,
        actor,
        "round.repaired",
        round_id=row.id,
        undone=[[*pair_of(one)] for one in repair.undone],
        added=[[*pair] for pair in added(repair)],
    )


def _undo(
    session: Session, actor: Actor, row: tables.Round, one: tables.Pairing
) -> None:
    end = endings.dismiss if one.state == "staged" else endings.withdraw
    end(session, actor, row, one, REPAIRED, "repair")


def _added(row: tables.Round, why: Explanation) -> tables.Pairing:
    at = now()
    offered = row.phase == "released"
    return tables.Pairing(
        round_id=row.id,
        run_id=row.staged_run,
        mentor_id=why.mentor,
        learner_id=why.learner,
        state="offered" if offered else "staged",
        origin="repair",
        body=why.model_dump_json(),
        offered_at=at if offered else None,
        answer_by=at + timedelta(days=row.answer_days) if offered else None,
    )
