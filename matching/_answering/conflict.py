"""Why nothing keeps all limits: a smallest set of decisions that clash, in names."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from itertools import chain, combinations, islice
from operator import or_

import numpy as np

from matching._arrays import Bools, Ints
from matching._errors import Finding, Infeasible
from matching._round import Round
from matching._solving.branched import NODES, TooHard
from matching._solving.circulation import Impossible
from matching._solving.hall import Deficiency, deficiency
from matching._solving.instance import Solved
from matching._solving.limits import Limits
from schemas import Cap, City, Shortage

_BANS = 50
"""Up to so many bans are looked at one by one, more of them as one decision."""
_WORK = 1_000_000
"""Up to so many pairs, over all the smaller sets that are tried, one is looked for
after a set has been found of which all is needed."""


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


def conflict(found: Round, agreed: Agreed | None = None) -> list[Finding]:
    """Return a smallest set of decisions that cannot all be kept, one finding each.

    Every one of them is needed for the clash: giving up any makes the rest possible
    (an irreducible infeasible subset by the deletion filter of Chinneck and Dravnieks,
    ORSA J. Computing 3, 1991); smaller sets are looked for as long as there are few.

    Args:
        found: The round.
        agreed: What stands in it; None: nothing.

    """
    agreed = agreed or Agreed(np.zeros_like(found.pinned), {})
    parts = [*_parts(found), *_kept(found, agreed.keep)]

    def possible(some: Sequence[_Part]) -> bool:
        return _possible(found, some, agreed.stands)

    try:
        if possible(parts):
            return [_too_hard()]  # it was not found, but it exists
        needed = parts
        for part in parts:
            rest = [one for one in needed if one is not part]
            if not possible(rest):
                needed = rest
        tries = _WORK // max(found.worth.size, 1)
        needed = list(_smaller(parts, needed, tries, possible))
    except TooHard:
        return [_too_hard()]
    findings = []
    for part in needed:
        others = " and ".join(one.title for one in needed if one is not part)
        clash = f"clashes with {others}" if others else "cannot be kept"
        findings.append((part.pointer, part.code, f"{_upper(part.title)} {clash}."))
    loaded = any(part.code == "min_load" for part in needed)
    if loaded and not found.limits.only_if_used:
        findings += _unloaded(found, agreed.stands)
    return findings


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]


def _smaller(
    parts: Sequence[_Part],
    needed: Sequence[_Part],
    tries: int,
    possible: Callable[[Sequence[_Part]], bool],
) -> Sequence[_Part]:
    smaller = chain.from_iterable(
        combinations(parts, size) for size in range(1, len(needed))
    )
    for some in islice(smaller, tries):
        if not possible(some):
            return some
    return needed


def _parts(found: Round) -> Iterator[_Part]:
    policy = found.policy
    if found.limits.least:
        title = f"the minimum load of {policy.min_load.mentor}"
        yield _Part("/min_load", "min_load", title)
    for at, cap in enumerate(policy.caps):
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


def _possible(found: Round, kept: Sequence[_Part], stands: Bools) -> bool:
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
    for at, ban in enumerate(policy.bans):
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
    return instance.is_possible()


def _unloaded(found: Round, stands: Bools) -> Iterator[Finding]:
    """Yield who cannot all have the least load, whatever is decided."""
    least = found.policy.min_load.mentor
    # More than one place above all learners are the same shortage.
    want: Ints = np.full(len(found.mentors), min(least, len(found.learners) + 1))
    can = found.admissible | found.pinned | stands
    lack = deficiency(can, want, found.demand)
    if lack.short:
        mentors = ", ".join(_ids(found.mentors, lack.rows))
        learners = ", ".join(_ids(found.learners, lack.columns)) or "nobody"
        wanted = least * int(np.count_nonzero(lack.rows))
        message = (
            f"{mentors}: places that a minimum load of {least} asks for: "
            f"{wanted}; open to them: {lack.open}, with {learners}."
        )
        yield "/min_load", "shortage", message


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
