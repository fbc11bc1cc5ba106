"""Who may do what: pure predicates over an actor and a thing."""

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


def may_know_wishes(actor: Actor, city: str) -> bool:
    """Tell whether the actor may know whom the city wishes for, and its vetoes."""
    return may_oversee(actor) or actor.city == city


def may_read_city_audit(actor: Actor, city: str) -> bool:
    """Tell whether the actor may read what was done with the city."""
    return may_oversee(actor) or actor.city == city
