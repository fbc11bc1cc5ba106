"""Who may do what: pure predicates over an actor and a thing."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal, get_args

Role = Literal["administrator", "organiser", "officer", "auditor"]
ROLES: tuple[Role, ...] = get_args(Role)
Scope = Literal["read", "write"]
SCOPES: tuple[Scope, ...] = get_args(Scope)


@dataclass(frozen=True)
class Actor:
    """Whoever asks.

    Attributes:
        account: The id of the account; None in the terminal of the machine itself.
        role: What it does in the network.
        city: The city of an officer.
        scope: What its token allows.

    """

    account: str | None
    role: Role
    city: str | None = None
    scope: Scope = "write"


SHARED_STATES = ("offered", "confirmed")
"""States of pairings that every member of the network may see."""
ENDED_STATES = ("declined", "expired", "withdrawn")
"""States of released pairings that only their two cities and organisers see."""
TERMINAL = Actor(account=None, role="administrator")
"""Whoever has a shell on the machine could change the database anyway."""


def may_organise(actor: Actor) -> bool:
    """Tell whether the actor sets up rounds, imports cities and decides pairings."""
    return actor.role in {"organiser", "administrator"}


def may_oversee(actor: Actor) -> bool:
    """Tell whether the actor sees everything that organisers see."""
    return actor.role in {"organiser", "administrator", "auditor"}


def may_edit_city(actor: Actor, city: str) -> bool:
    """Tell whether the actor registers this city and changes its profile."""
    return may_organise(actor) or (actor.role == "officer" and actor.city == city)


def may_see_round(actor: Actor, phase: str, *, takes_part: bool) -> bool:
    """Tell whether the actor may know of a round; a draft is its organisers' own."""
    return may_oversee(actor) or phase != "draft" or takes_part


def may_enter_city(actor: Actor, city: str, phase: str) -> bool:
    """Tell whether the actor decides how the city takes part in a round."""
    return may_organise(actor) or (may_edit_city(actor, city) and phase == "open")


def may_leave_round(actor: Actor, city: str, phase: str) -> bool:
    """Tell whether the actor takes the city out of a round: nobody is held in one."""
    return may_edit_city(actor, city) and phase != "archived"


def may_see_pairing(actor: Actor, state: str, cities: Collection[str]) -> bool:
    """Tell whether the actor may know of a pairing.

    Before the release nobody is told of it; what stands after it is the network's
    shared knowledge; what has come to nothing is the two cities' own.
    """
    if may_oversee(actor) or state in SHARED_STATES:
        return True
    return actor.city in cities and state in ENDED_STATES


def may_know_reasons(actor: Actor) -> bool:
    """Tell whether the actor may know why organisers and cities decided as they did."""
    return may_oversee(actor)


def may_note(actor: Actor, cities: Collection[str]) -> bool:
    """Tell whether the actor may note and read how a confirmed pairing goes."""
    return may_organise(actor) or (actor.role == "officer" and actor.city in cities)


def may_know_wishes(actor: Actor, city: str) -> bool:
    """Tell whether the actor may know whom the city wishes for, and its vetoes."""
    return may_oversee(actor) or actor.city == city


def may_read_city_audit(actor: Actor, city: str) -> bool:
    """Tell whether the actor may read what was done with the city."""
    return may_oversee(actor) or actor.city == city
