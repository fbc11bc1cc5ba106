"""Who may do what: pure predicates over an actor and a thing."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal, get_args

Role = Literal["administrator", "organiser", "association", "officer", "auditor"]
ROLES: tuple[Role, ...] = get_args(Role)
Scope = Literal["read", "cities:write", "rounds:write", "write"]
"""What a token allows: each reads what its account may; `cities:write` also changes
cities and their contact persons, `rounds:write` rounds with their runs and pairings,
`write` everything that its account may."""
SCOPES: tuple[Scope, ...] = get_args(Scope)


@dataclass(frozen=True)
class Actor:
    """Whoever asks.

    Attributes:
        account: The id of the account; None in the terminal of the machine itself.
        role: What it does in the network.
        city: The city of an officer.
        scope: What its token allows.
        association: That of an association's account.
        token: The id of its token, if it is a program that asks.
        login: The id of its sign-in, if it is a browser.

    """

    account: str | None
    role: Role
    city: str | None = None
    scope: Scope = "write"
    association: str | None = None
    token: str | None = None
    login: str | None = None


SHARED_STATES = ("offered", "confirmed")
"""States of pairings that every member of the network may see."""
ENDED_STATES = ("declined", "expired", "withdrawn")
"""States of released pairings that only their two cities, with their associations,
and organisers see."""
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


def supports(actor: Actor, association: str | None) -> bool:
    """Tell whether the actor is the association of a city that names this one."""
    return actor.role == "association" and actor.association == association


def may_register_city(actor: Actor, city: str, association: str | None) -> bool:
    """Tell whether the actor registers this city: its own, or one that it supports."""
    return may_edit_city(actor, city) or supports(actor, association)


def may_nominate(actor: Actor, association: str | None, phase: str) -> bool:
    """Tell whether the actor enters a city, which is not there yet, into a round."""
    return supports(actor, association) and phase == "open"


def may_administer(actor: Actor) -> bool:
    """Tell whether the actor decides who is an administrator."""
    return actor.role == "administrator"


def may_manage(actor: Actor, role: str) -> bool:
    """Tell whether the actor changes and closes accounts of this role."""
    return may_administer(actor) or (may_organise(actor) and role != "administrator")


def may_invite(
    actor: Actor, role: str, city: str | None, association: str | None
) -> bool:
    """Tell whether the actor invites somebody into this role.

    Args:
        actor: Who invites.
        role: The role of the new account.
        city: Its city, if it is an officer.
        association: The association of that city, if it is registered.

    """
    if may_manage(actor, role):
        return True
    own = actor.role == "officer" and actor.city == city
    return role == "officer" and (own or supports(actor, association))


def may_see_contacts(
    actor: Actor, city: str, association: str | None, partners: Collection[str]
) -> bool:
    """Tell whether the actor may know a city's contact persons.

    Args:
        actor: Who asks.
        city: Whose they are.
        association: The city's association.
        partners: Cities whose pairing with it both have accepted.

    """
    return (
        may_organise(actor)
        or actor.city == city
        or supports(actor, association)
        or actor.city in partners
    )


def may_hook(actor: Actor) -> bool:
    """Tell whether the actor has programs told of what happens in the network."""
    return may_organise(actor)


def may_see_round(actor: Actor, phase: str, *, takes_part: bool) -> bool:
    """Tell whether the actor may know of a round; a draft is its organisers' own."""
    return may_oversee(actor) or phase != "draft" or takes_part


def may_enter_city(actor: Actor, city: str, phase: str) -> bool:
    """Tell whether the actor decides how the city takes part in a round."""
    return may_organise(actor) or (may_edit_city(actor, city) and phase == "open")


def may_leave_round(actor: Actor, city: str, phase: str) -> bool:
    """Tell whether the actor takes the city out of a round: nobody is held in one."""
    return may_edit_city(actor, city) and phase != "archived"


def may_see_pairing(
    actor: Actor,
    state: str,
    cities: Collection[str],
    associations: Collection[str | None] = (),
) -> bool:
    """Tell whether the actor may know of a pairing.

    Before the release nobody is told of it; what stands after it is the network's
    shared knowledge; what has come to nothing is the two cities' own.

    Args:
        actor: Who asks.
        state: The pairing's.
        cities: The two.
        associations: Those that the two name.

    """
    if may_oversee(actor) or state in SHARED_STATES:
        return True
    own = actor.city in cities or any(supports(actor, one) for one in associations)
    return own and state in ENDED_STATES


def may_know_reasons(actor: Actor) -> bool:
    """Tell whether the actor may know why organisers and cities decided as they did."""
    return may_oversee(actor)


def may_note(actor: Actor, cities: Collection[str]) -> bool:
    """Tell whether the actor may note and read how a confirmed pairing goes."""
    return may_organise(actor) or (actor.role == "officer" and actor.city in cities)


def may_know_wishes(actor: Actor, city: str) -> bool:
    """Tell whether the actor may know whom the city wishes for, and its vetoes."""
    return may_oversee(actor) or actor.city == city


def may_read_city_audit(
    actor: Actor, city: str, association: str | None = None
) -> bool:
    """Tell whether the actor may read what was done with the city."""
    return may_oversee(actor) or actor.city == city or supports(actor, association)
