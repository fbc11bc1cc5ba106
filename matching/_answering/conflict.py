"""Why nothing keeps all limits: a smallest set of decisions that clash, in names."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from itertools import chain, combinations, takewhile
from operator import or_

import numpy as np

from matching._arrays import Bools, Ints
from matching._errors import MORE_ERRORS, MOST_ERRORS, Finding, Infeasible
from matching._round import Round
from matching._scoring.wishes import ROLES
from matching._solving.branched import NODES, TooHard
from matching._solving.circulation import Impossible
from matching._solving.hall import Deficiency, deficiency
from matching._solving.instance import Solved
from matching._solving.limits import Limits
from schemas import Cap, City, Shortage

_BANS = 50
"""Up to so many bans are looked at one by one, more of them as one decision."""
WORK = 10_000_000
"""Up to so many pairs, over all the sets and nodes of branch and bound that are tried,
a set is looked for of which all is needed."""
MORE_WORK = 1_000_000
"""Up to so many more, a smaller set is looked for after that."""
LEAST_WORK = 1_000
"""A set of fewer pairs counts for so many: limits and parts take time, too."""
LEAST_TRIES = 50
"""In a large round so many sets are tried, whatever the work."""
_NAMED = 5
"""So many of the decisions or cities that a finding is about are named in it."""
_TOLD = MOST_ERRORS - 3
"""Up to so many decisions have a finding each; three may follow."""


def solve(found: Round, settled: Callable[[int], None] | None = None) -> Solved:
    """Return the best pairs of the round under its policy.

    Args:
        found: The round.
        settled: Called by `fair` with the number of learners already settled.

    Raises:
        Infeasible: If nothing keeps the policy, with a smallest set that clashes.

    """
    more = () if settled is None else (settled,)
    try:
        return found.instance().solve(found.policy.objective, *more)
    except Impossible:
        raise Infeasible(conflict(found)) from None
    except TooHard:
        raise Infeasible([_too_hard()]) from None


def _too_hard() -> Finding:
    message = (
        f"Within {NODES:,} steps no assignment that keeps caps and loads was found, "
        "and none was ruled out: ease them."
    )
    return "", "too_hard", message


@dataclass(frozen=True)
class _Part:
    """One decision that could be given up.

    Attributes:
        pointer: Where it stands.
        code: What kind of decision it is.
        title: What it is called.
        pair: Row and column of the pair that it asks for, if it is of that kind.

    """

    pointer: str
    code: str
    title: str
    pair: tuple[int, int] | None = None


@dataclass(frozen=True, eq=False)
class Agreed:
    """Pairs that stand already.

    Attributes:
        stands: (mentors, learners) pairs that no rule, veto or ban forbids any more.
        keep: Those that must stay: where the caller named each, and row and column.

    """

    stands: Bools
    keep: Mapping[str, tuple[int, int]]


class _Search:
    """Asks whether sets of decisions can be kept, as long as the work allows.

    Args:
        found: The round.
        stands: As `Agreed` has it.

    """

    def __init__(self, found: Round, stands: Bools) -> None:
        self._found, self._stands = found, stands
        self._cost = max(found.worth.size, LEAST_WORK)
        self._left = 0

    def allow(self, work: int, tries: int = 0) -> None:
        """Allow so much work from now on, and so many sets at least."""
        self._left = max(work, tries * self._cost)

    @property
    def is_over(self) -> bool:
        """Whether too little is left for another set."""
        return self._left < self._cost

    def clash(self, some: Sequence[_Part]) -> bool | None:
        """Tell whether these clash; None if that is not known within the work left."""
        if self.is_over:
            return None
        self._left -= self._cost
        nodes = min(NODES, max(self._left // self._cost, 1))
        try:
            return not _possible(self._found, some, self._stands, nodes, self._count)
        except TooHard:
            return None

    def _count(self, nodes: int) -> None:
        self._left -= nodes * self._cost


def conflict(found: Round, agreed: Agreed | None = None) -> list[Finding]:
    """Return a smallest set of decisions that cannot all be kept, one finding each.

    Every one of them is needed for the clash: giving up any makes the rest possible
    (an irreducible infeasible subset by the deletion filter of Chinneck and Dravnieks,
    ORSA J. Computing 3, 1991); smaller sets are looked for as long as there are few.
    Where the work allowed did not suffice to try each, a finding says so.

    Args:
        found: The round.
        agreed: What stands in it; None: nothing.

    """
    agreed = agreed or Agreed(np.zeros_like(found.pinned), {})
    parts = [*_parts(found), *_kept(found, agreed.keep)]
    search = _Search(found, agreed.stands)
    search.allow(WORK, LEAST_TRIES)
    if not search.clash(parts):
        return [_too_hard()]  # it was not found, but it exists
    needed, all_tried = _needed(parts, search)
    search.allow(MORE_WORK)
    smaller = _smaller(parts, needed, search)
    if smaller is not None:
        needed, all_tried = list(smaller), True
    findings = [_finding(part, needed) for part in needed[:_TOLD]]
    if len(needed) > _TOLD:
        findings.append(MORE_ERRORS)
    if not all_tried:
        message = (
            "Perhaps fewer of these clash already: there were too many to try each of "
            "them."
        )
        findings.append(("", "search_cut_short", message))
    loaded = any(part.code == "min_load" for part in needed)
    if loaded and not found.limits.only_if_used:
        findings += _unloaded(found, agreed.stands)
    return findings


def _finding(part: _Part, needed: Sequence[_Part]) -> Finding:
    """Return what one of the decisions clashes with: some of the others, by name."""
    others = [one.title for one in needed[: _NAMED + 1] if one is not part]
    clash = "cannot be kept"
    if others:
        clash = f"clashes with {' and '.join(_some(others, len(needed) - 1))}"
    return part.pointer, part.code, f"{_upper(part.title)} {clash}."


def _some(names: Sequence[str], count: int) -> list[str]:
    """Return the first names, and how many more there are."""
    more = count - _NAMED
    return [*names[:_NAMED], *([f"{more:,} more"] if more > 0 else [])]


def _needed(parts: Sequence[_Part], search: _Search) -> tuple[list[_Part], bool]:
    """Return what is left when each part in turn goes if the others clash without it.

    And whether it is known of each that is left that the others need it.
    """
    needed: list[_Part] = []
    all_tried = True
    rest = parts
    while rest:
        count, is_known = _spare(needed, rest, search)
        all_tried &= is_known
        needed += rest[count : count + 1]
        rest = rest[count + 1 :]
    return needed, all_tried


def _spare(
    needed: Sequence[_Part], rest: Sequence[_Part], search: _Search
) -> tuple[int, bool]:
    """Return how many of the rest can go, from the first on, and whether it is known.

    1, 2, 4 and so on are tried, then halves: where one can go, often many can.
    """
    go, most, step = 0, len(rest), 1
    is_known = doubling = True
    while go < most:
        tried = min(go + step, most)
        clash = search.clash([*needed, *rest[tried:]])
        if clash:
            go = tried
        else:
            most, doubling, is_known = tried - 1, False, clash is not None
        step = 2 * step if doubling else (most - go + 1) // 2
    return go, is_known


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]


def _smaller(
    parts: Sequence[_Part], needed: Sequence[_Part], search: _Search
) -> Sequence[_Part] | None:
    """Return a set that clashes, of the fewest parts; None if none was found."""
    smaller = chain.from_iterable(
        combinations(parts, size) for size in range(1, len(needed))
    )
    tries = takewhile(lambda _: not search.is_over, smaller)
    return next((some for some in tries if search.clash(some)), None)


def _parts(found: Round) -> Iterator[_Part]:
    policy = found.policy
    if found.limits.least:
        title = f"the minimum load of {policy.min_load.mentor}"
        yield _Part("/min_load", "min_load", title)
    places = {"mentor": found.capacity, "learner": found.demand}
    for at, (cap, limit) in enumerate(zip(policy.caps, found.limits.caps, strict=True)):
        partner = ROLES[limit.side == "mentor"]
        if limit.can_bind(places[limit.side], places[partner]):
            yield _Part(f"/caps/{at}", "cap", _cap_title(cap))
    for at, pin in enumerate(policy.pins):
        title = f"the pin {pin.mentor} – {pin.learner}"
        place = found.row[pin.mentor], found.column[pin.learner]
        yield _Part(f"/pins/{at}", "pin", title, place)
    for rule in sorted(found.removed.keys() - {"veto", "ban"}):
        yield _Part(f"/rules/{rule}", rule, f"the rule `{rule}`")
    if len(policy.bans) > _BANS:
        yield _Part("/bans", "ban", "the bans")
    else:
        for at, ban in enumerate(policy.bans):
            yield _Part(f"/bans/{at}", "ban", f"the ban {ban.mentor} – {ban.learner}")
    if "veto" in found.removed:
        yield _Part("", "veto", "the cities' vetoes")


def _kept(found: Round, keep: Mapping[str, tuple[int, int]]) -> Iterator[_Part]:
    for pointer, (row, column) in keep.items():
        pair = f"{found.mentors[row].id} – {found.learners[column].id}"
        yield _Part(pointer, "keep", f"the pairing to keep {pair}", (row, column))


def _cap_title(cap: Cap) -> str:
    where = "with one partner" if cap.per == "partner" else "in the round"
    return f"the cap of {cap.max} pairings {where} for {cap.side}s of one {cap.by}"


def _possible(
    found: Round,
    kept: Sequence[_Part],
    stands: Bools,
    nodes: int,
    counted: Callable[[int], None],
) -> bool:
    """Tell whether there is an assignment that keeps these parts and the places."""
    pointers = {part.pointer for part in kept}
    removed = [
        mask
        for name, mask in found.removed.items()
        if name not in {"veto", "ban"} and f"/rules/{name}" in pointers
    ]
    if "" in pointers:
        removed.append(found.removed["veto"])
    if "/bans" in pointers:
        removed.append(found.removed["ban"])
    allowed: Bools = ~reduce(or_, removed, found.apart)
    policy = found.policy
    for at, ban in enumerate(policy.bans[:_BANS]):
        if f"/bans/{at}" in pointers:
            place = found.place(ban.mentor, ban.learner)
            if place:
                allowed[place] = False
    pinned = np.zeros_like(found.pinned)
    for part in kept:
        if part.pair:
            pinned[part.pair] = True
    limits = found.limits
    caps = (cap for at, cap in enumerate(limits.caps) if f"/caps/{at}" in pointers)
    loads = limits if "/min_load" in pointers else Limits()
    instance = replace(
        found.instance(),
        allowed=allowed | stands,
        pinned=pinned,
        limits=replace(loads, caps=tuple(caps)),
    )
    return instance.is_possible(nodes, counted)


def _unloaded(found: Round, stands: Bools) -> Iterator[Finding]:
    """Yield who cannot all have the least load, whatever is decided."""
    least = found.policy.min_load.mentor
    # More than one place above all learners are the same shortage.
    want: Ints = np.full(len(found.mentors), min(least, len(found.learners) + 1))
    can = found.admissible | found.pinned | stands
    lack = deficiency(can, want, found.demand)
    if lack.short:
        mentors = _listed(_ids(found.mentors, lack.rows))
        learners = _listed(_ids(found.learners, lack.columns)) or "nobody"
        wanted = least * int(np.count_nonzero(lack.rows))
        message = (
            f"{mentors}: places that a minimum load of {least} asks for: "
            f"{wanted}; open to them: {lack.open}, with {learners}."
        )
        yield "/min_load", "shortage", message


def _listed(names: Sequence[str]) -> str:
    """Return the names as a list; of many the first, and how many more there are."""
    if len(names) <= _NAMED:
        return ", ".join(names)
    *first, more = _some(names, len(names))
    return f"{', '.join(first)} and {more}"


def _ids(cities: Sequence[City], which: Bools) -> tuple[str, ...]:
    return tuple(city.id for city, one in zip(cities, which, strict=True) if one)


def shortage(found: Round) -> Shortage | None:
    """Return the learners and places that cannot add up, or None if all can.

    A learner counts as served with one mentor; caps and minimum loads are not looked
    at.
    """
    can = (found.admissible | found.pinned).T
    lack: Deficiency = deficiency(
        can, np.ones(len(found.learners), np.int64), found.capacity
    )
    if not lack.short:
        return None
    return Shortage(
        learners=_ids(found.learners, lack.rows),
        mentors=_ids(found.mentors, lack.columns),
        places=lack.open,
        wanted=lack.wanted,
        short=lack.short,
    )
