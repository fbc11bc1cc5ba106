"""Caps and minimum loads, as numbers; and whether the capped groups nest."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from matching._arrays import Bools, Ints
from schemas import Role

NONE = -1
"""The group of whoever belongs to none, and the parent of an outermost group."""
_MOST = 2**63 - 1
"""The most that the solvers' numbers hold; a cap that is eased may be above it."""


@dataclass(frozen=True, eq=False)
class Cap:
    """At most so many pairings for every group of one side.

    Attributes:
        side: Whose groups they are.
        within_partner: Whether each partner counts for itself, or the whole round.
        group: The group of every city of that side, `NONE` for those in none.
        most: How many pairings a group may have.

    """

    side: Role
    within_partner: bool
    group: Ints
    most: int

    def members(self) -> Iterable[Bools]:
        """Yield every group as a mask over its side."""
        for group in np.unique(self.group[self.group != NONE]).tolist():
            yield self.group == group

    def can_bind(self, own: Ints, partners: Ints) -> bool:
        """Tell whether places alone would let any group have more than it may.

        Args:
            own: The places of every city of this side.
            partners: The places of every city of the other side.

        """
        for members in self.members():
            of_partner = np.minimum(partners, np.count_nonzero(members))
            if self.within_partner:
                possible = of_partner.max(initial=0)
            else:
                of_member = np.minimum(own[members], partners.size)
                possible = min(of_member.sum(), of_partner.sum())
            if possible > self.most:
                return True
        return False


@dataclass(frozen=True, eq=False)
class Limits:
    """What an assignment must keep besides everybody's places.

    Attributes:
        caps: Upper limits of groups.
        least: The fewest learners of a mentor.
        only_if_used: Whether a mentor may have none instead.

    """

    caps: tuple[Cap, ...] = ()
    least: int = 0
    only_if_used: bool = False

    def __bool__(self) -> bool:
        """Tell whether anything is limited at all."""
        return bool(self.caps) or self.least > 0

    def full(self, chosen: Bools) -> Bools:
        """Return the pairs, (mentors, learners), that no cap lets through any more."""
        shut = np.zeros_like(chosen)
        for cap in self.caps:
            # Groups run down the rows.
            turned = chosen if cap.side == "mentor" else chosen.T
            over = shut if cap.side == "mentor" else shut.T
            for members in cap.members():
                made = turned[members].sum(axis=0)
                count = made if cap.within_partner else made.sum()
                over[members] |= count >= cap.most
        return shut

    def family(self, side: Role, *, within_partner: bool, size: int) -> "Forest | None":
        """Return the capped groups of one side as a forest, or None if they overlap."""
        caps = [
            cap
            for cap in self.caps
            if (cap.side, cap.within_partner) == (side, within_partner)
        ]
        return nest(caps, size)


@dataclass(frozen=True, eq=False)
class Forest:
    """Groups of which any two are disjoint or one holds the other.

    Attributes:
        innermost: The smallest group of every member, or `NONE`.
        parent: The group around every group, or `NONE`.
        most: How many pairings a group may have.

    """

    innermost: Ints
    parent: Ints
    most: Ints


def nest(caps: Sequence[Cap], size: int) -> Forest | None:
    """Return the groups of all caps as one forest, or None if two of them overlap."""
    tightest: dict[bytes, tuple[Bools, int]] = {}
    for cap in caps:
        for members in cap.members():
            key = members.tobytes()
            most = min(cap.most, tightest[key][1] if key in tightest else _MOST)
            tightest[key] = members, most
    innermost = np.full(size, NONE)
    parents, limits = [], []
    # The largest first; of the same size only disjoint ones can nest.
    for members, most in sorted(tightest.values(), key=lambda one: -one[0].sum()):
        around = np.unique(innermost[members])
        if around.size > 1:
            return None
        parents.append(int(around[0]))
        innermost[members] = len(parents) - 1
        limits.append(most)
    return Forest(innermost, np.array(parents, np.int64), np.array(limits, np.int64))
