"""The report of a decision, for the committee: two printed pages, and no more."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import get_args

from fastapi import APIRouter
from fastapi.responses import HTMLResponse
from sqlalchemy.orm import Session

from app.errors import NotFound
from app.permissions import Actor, may_oversee
from app.pictures.mending import points_in_words
from app.pictures.pair_lines import Small, pairs_picture
from app.pictures.pairing_map import PairingMap, Tie, pairing_map
from app.services.cities import directory
from app.services.decisions import released
from app.services.pairings import pairings
from app.services.rounds import ledger, rounds
from app.services.runs import runs
from app.services.runs.runs import Outcome
from app.services.shared.clock import now
from app.services.shared.paging import PageRequest
from app.services.shared.rows import LIVE_STATES, RoundRow
from app.texts.catalogue import Words, here, reading
from app.texts.matching import reasons
from app.texts.matching.left_out import SECRET, whys
from app.texts.matching.pair import CRITERIA, sentence, strongest
from app.web.layout import show
from app.web.rounds.board import ending
from app.web.session import PageSession
from schemas import Criterion, PairingState, Policy, Role, RoundPairing, Unmatched

router = APIRouter(include_in_schema=False)
_ROWS, _LEFT, _DECISIONS, _MENTORS = 10, 5, 6, 8
"""How much of each list has room on the two pages; the rest is counted."""
_ALL_CITIES = PageRequest(100_000)
_PHASES = ("draft", "open", "closed", "staged", "released", "archived")
Names = Mapping[str, str]


@dataclass(frozen=True)
class Row:
    """A pairing, and what speaks for it most."""

    pairing: RoundPairing
    reason: str


@dataclass(frozen=True)
class Left:
    """A city that has no partner in a role, and why."""

    city: str
    role: Role
    why: str


@dataclass(frozen=True)
class Decided:
    """What organisers decided about a pairing otherwise than was proposed."""

    pairing: RoundPairing
    what: str
    price: str


@dataclass(frozen=True)
class Mentoring:
    """How often a city mentors: in this round, and confirmed in all rounds."""

    city: str
    here: int
    ever: int


@dataclass(frozen=True)
class Share:
    """How many of the 100 points a criterion has, and where its bar begins."""

    criterion: Criterion
    points: float
    start: float


@dataclass(frozen=True)
class Report:
    """What the committee reads; of a round that is larger than two pages, a part.

    Attributes:
        found: The run whose pairings are staged or were released.
        pairings: All that was decided, by the learners' names.
        rows: Those that are told, the least firm ones if there are too many.
        left: All that have no partner.
        decisions: All that was decided by hand.
        mentoring: All mentors of the round, who mentors most first.
        waited: Cities that were left out of earlier rounds and take part in this one.
        waited_served: How many of them have a partner now.
        shares: The weights of the criteria.
        rules: The rules, in sentences.
        sha256: Of the sealed bundle; None before the release.

    """

    found: Outcome
    pairings: tuple[RoundPairing, ...]
    rows: tuple[Row, ...]
    left: tuple[Left, ...]
    decisions: tuple[Decided, ...]
    mentoring: tuple[Mentoring, ...]
    waited: int
    waited_served: int
    shares: tuple[Share, ...]
    rules: tuple[str, ...]
    sha256: str | None

    @property
    def live(self) -> list[RoundPairing]:
        """Return what stands."""
        return [one for one in self.pairings if one.state in LIVE_STATES]


@router.get("/rounds/{round_id}/report")
def show_report(tx: PageSession, round_id: str) -> HTMLResponse:
    """Show the report to organisers and auditors."""
    with tx.read() as (session, actor):
        row = rounds.get(session, actor, round_id)
        if not may_oversee(actor):
            raise NotFound(f"There is no report of {round_id} for you.")
        names = directory.names(session)
        found = report(session, actor, row, names) if row.staged_run else None
        return show(
            "rounds/report.html",
            actor,
            "rounds",
            round=rounds.as_round(row),
            phases=_PHASES,
            report=found,
            picture=_map(found) if found else None,
            columns=_columns(found, names) if found else None,
            names=names,
            at=now(),
            most={
                "rows": _ROWS,
                "left": _LEFT,
                "decisions": _DECISIONS,
                "mentors": _MENTORS,
            },
        )


def report(session: Session, actor: Actor, row: RoundRow, names: Names) -> Report:
    """Return what there is to tell of a round with a staged run."""
    assert row.staged_run is not None  # noqa: S101 -- the caller has looked
    found = runs.outcome(session, runs.get(session, actor, row.staged_run))
    everything = pairings.of_round(session, row.id, get_args(PairingState))
    shown = [pairings.as_pairing(one, actor) for one in everything]
    decided = sorted(
        (one for one in shown if one.state != "dismissed"),
        key=lambda one: (names[one.learner], names[one.mentor]),
    )
    why = {one.id: pairings.explanation(one) for one in everything}
    told = here()
    rows = []
    for one in _chosen(decided):
        best = strongest(why[one.id].contributions, 1)
        says = [
            sentence(part, names[one.mentor], names[one.learner], reading())
            for part in best
        ]
        rows.append(Row(one, says[0] if says else ""))
    decision = released.find(session, row.id)
    live = [one for one in shown if one.state in LIVE_STATES]
    waited = _waited(session, row, found)
    placed = {city for one in live for city in (one.mentor, one.learner)}
    return Report(
        found=found,
        pairings=tuple(decided),
        rows=tuple(rows),
        left=tuple(_left(found, shown, names, told)),
        decisions=tuple(_decisions(shown, told)),
        mentoring=tuple(_mentoring(session, actor, live, names)),
        waited=len(waited),
        waited_served=len(waited & placed),
        shares=tuple(_shares(found.policy)),
        rules=tuple(reasons.how(found.policy)),
        sha256=decision.sha256 if decision else None,
    )


def _chosen(decided: Sequence[RoundPairing]) -> list[RoundPairing]:
    """Return as many as there is room for: those about which there is most to say."""
    if len(decided) <= _ROWS:
        return list(decided)
    order = sorted(
        decided,
        key=lambda one: (one.firmness is None, one.firmness or 0.0, one.score),
    )
    kept = {one.id for one in order[:_ROWS]}
    return [one for one in decided if one.id in kept]


def _left(
    found: Outcome, shown: Sequence[RoundPairing], names: Names, told: Words
) -> Iterator[Left]:
    """Yield who offered or asked for a place and has no pairing that stands."""
    unmatched = {(one.city, one.role): one for one in found.solution.unmatched}
    sides: tuple[Role, Role] = ("learner", "mentor")
    for role in sides:
        placed = {getattr(one, role) for one in shown if one.state in LIVE_STATES}
        alone = [
            city.id
            for city in found.problem.cities
            if city.places(role) and city.id not in placed
        ]
        for city in sorted(alone, key=lambda one: names[one]):
            ended = [one for one in shown if getattr(one, role) == city]
            yield Left(
                city, role, _why(unmatched.get((city, role)), ended, names, told)
            )


def _why(
    left: Unmatched | None, ended: Sequence[RoundPairing], names: Names, told: Words
) -> str:
    """Return why a city has no partner; of vetoes and bans nothing is told."""
    if ended:
        last = max(ended, key=lambda one: one.updated_at)
        return told.say(
            "{mentor} → {learner}: {ending}.",
            mentor=names[last.mentor],
            learner=names[last.learner],
            ending=ending(last, names),
        )
    open_reasons = [
        one
        for one in (left.reasons if left else ())
        if one.partners and one.code not in SECRET
    ]
    if not open_reasons:
        return told.say("No partner was free for it.")
    return told.say("Of these: {reasons}.", reasons=whys(open_reasons, told))


def _decisions(shown: Sequence[RoundPairing], told: Words) -> Iterator[Decided]:
    for one in shown:
        if one.origin == "override" and one.state != "dismissed":
            price = "" if one.price is None else points_in_words(-one.price, told)
            yield Decided(one, told.say("decided by hand"), price)
        if one.state == "dismissed" and one.ended_by == "organiser":
            yield Decided(one, told.say("taken out"), "")
        if one.origin == "repair" and one.state in LIVE_STATES:
            yield Decided(one, told.say("by a repair"), "")


def _mentoring(
    session: Session, actor: Actor, live: Sequence[RoundPairing], names: Names
) -> list[Mentoring]:
    entries, _ = ledger.search(session, actor, _ALL_CITIES)
    ever = {one.city: one for one in entries}
    loads = Counter(one.mentor for one in live)
    found = [
        Mentoring(
            city=city,
            here=number,
            ever=ever[city].mentored if city in ever else 0,
        )
        for city, number in loads.items()
    ]
    return sorted(found, key=lambda one: (-one.here, -one.ever, names[one.city]))


def _waited(session: Session, row: RoundRow, found: Outcome) -> set[str]:
    taking = {city.id for city in found.problem.cities}
    return taking & {one.city for one in ledger.left_out(session, row.id)}


def _shares(policy: Policy) -> Iterator[Share]:
    weights = {name: getattr(policy.weights, name) for name in CRITERIA}
    whole = sum(weights.values())
    start = 0.0
    for name, weight in sorted(weights.items(), key=lambda item: -item[1]):
        if weight:
            points = 100 * weight / whole
            yield Share(name, points, start)
            start += points


def _map(found: Report) -> PairingMap | None:
    """Return the map of what stands, if any of it has a place there."""
    ties = [Tie(one.mentor, one.learner, one.score, one.firmness) for one in found.live]
    alone = {one.city for one in found.left}
    drawn = pairing_map(found.found.problem.cities, ties, alone)
    return drawn if drawn.arcs else None


def _columns(found: Report, names: Names) -> Small:
    """Return the same as two columns: of a large round, the pairings that are told."""
    told = [row.pairing for row in found.rows if row.pairing.state in LIVE_STATES]
    return pairs_picture([(one.mentor, one.learner) for one in told], names)
