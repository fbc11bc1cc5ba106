"""Who else a city could have, and what each of them would cost."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from math import isnan
from operator import or_

import numpy as np

from app.pictures.heat import rule_names
from app.texts.catalogue import unaccented
from matching import Prices, Table
from schemas import City, Pairing, Role


@dataclass(frozen=True)
class Move:
    """One partner that a city could have.

    Attributes:
        mentor: Id.
        learner: Id.
        partner: Id of the one of the two that is not the city asked about.
        score: Of the two together.
        pairing: What is proposed of the two, or None.
        rank: The place of the partner among all that are possible, by score, from 1.
        price: Points that the round loses if the two must be a pair; None where that
            has to be asked for.
        taken: Ids of those who have the partner's places, if none of them is free.
        why: What keeps the two apart, in words; empty if they may be a pair.

    """

    mentor: str
    learner: str
    partner: str
    score: float
    pairing: Pairing | None
    rank: int
    price: float | None
    taken: tuple[str, ...]
    why: tuple[str, ...]


@dataclass(frozen=True)
class Moves:
    """All partners of a city: those it has, those it could have, and the others."""

    now: tuple[Move, ...]
    possible: tuple[Move, ...]
    barred: tuple[Move, ...]


def moves(  # noqa: PLR0913 -- what is known of a proposal
    city: City,
    role: Role,
    table: Table,
    prices: Prices | None,
    pairings: Sequence[Pairing],
    cities: Mapping[str, City],
) -> Moves:
    """Return who else the city could have, the cheapest first.

    Args:
        city: With a place in this role.
        role: In which role it is asked about.
        table: Scores, and what removes pairs.
        prices: What each pair would cost, if that is known at once.
        pairings: The proposal.
        cities: All of them, by id.

    """
    found = list(_all(city.id, role, table, prices, pairings, cities))

    def cheapest(one: Move) -> tuple[bool, float, float, str]:
        name = unaccented(cities[one.partner].name)
        return one.price is None, one.price or 0.0, -one.score, name

    possible = [one for one in found if not one.why and not one.pairing]
    return Moves(
        now=tuple(one for one in found if one.pairing),
        possible=tuple(sorted(possible, key=cheapest)),
        barred=tuple(
            sorted(
                (one for one in found if one.why and not one.pairing),
                key=lambda one: unaccented(cities[one.partner].name),
            )
        ),
    )


def _all(  # noqa: PLR0913 -- as above
    own: str,
    role: Role,
    table: Table,
    prices: Prices | None,
    pairings: Sequence[Pairing],
    cities: Mapping[str, City],
) -> Iterator[Move]:
    other: Role = "learner" if role == "mentor" else "mentor"
    at = (table.mentors if role == "mentor" else table.learners).index(own)
    partners = table.learners if role == "mentor" else table.mentors
    line = (at,) if role == "mentor" else (slice(None), at)
    masks = {rule: mask[line] for rule, mask in table.removed.items()}
    apart, scores = table.apart[line], table.scores[line]
    cost = prices.points[line].tolist() if prices else None
    barred = reduce(or_, masks.values(), apart)
    order = np.argsort(-np.where(barred, -1.0, scores), kind="stable").tolist()
    rank = {place: nth for nth, place in enumerate(order, 1)}
    chosen = {(one.mentor, one.learner): one for one in pairings}
    having: dict[str, list[str]] = {}
    for one in pairings:
        sides: dict[Role, str] = {"mentor": one.mentor, "learner": one.learner}
        having.setdefault(sides[other], []).append(sides[role])
    for place, partner in enumerate(partners):
        if partner == own:
            continue
        pair = (own, partner) if role == "mentor" else (partner, own)
        price = cost[place] if cost else None
        # A pin overrides the lowest score, and nothing else.
        stops = [rule for rule, mask in masks.items() if mask[place]]
        forceable = not (set(stops) - {"min_score"})
        is_known = price is not None and not isnan(price)
        held = having.get(partner, [])
        is_full = len(held) >= cities[partner].places(other)
        yield Move(
            mentor=pair[0],
            learner=pair[1],
            partner=partner,
            score=float(scores[place]),
            pairing=chosen.get(pair),
            rank=rank[place],
            price=price if is_known else None,
            taken=tuple(held) if is_full else (),
            why=() if forceable else rule_names(stops),
        )
