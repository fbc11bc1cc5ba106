"""What is to be matched: cities, what they wish, and what was before."""

from collections.abc import Iterable, Sequence
from itertools import chain, islice
from typing import Annotated, Self

from pydantic import Field, model_validator

from schemas._wire import Id, Line, Place, Wire, refuse
from schemas.areas import Role
from schemas.bounds import LONG_LIST, MOST_ERRORS
from schemas.city import City
from schemas.engine.policy import Policy


class Wish(Wire):
    """The partners a city would like, best first, for the role it takes itself."""

    city: Id
    role: Role
    """The role the wishing city takes: a learner wishes for mentors."""
    partners: Annotated[tuple[Id, ...], Field(max_length=50)]


class Veto(Wire):
    """A city that the city will not be paired with, in either role."""

    city: Id
    partner: Id


class PastPairing(Wire):
    """A pairing of an earlier round; its cities need not take part in this one."""

    mentor: Id
    learner: Id
    round: Line | None = None


class LeftOut(Wire):
    """A city that got no partner in an earlier round; it need not take part now."""

    city: Id
    role: Role
    """The role in which it took part and got nobody."""
    round: Line | None = None
    """Entries with the same city, role and round count once, those without a round one
    each."""


def _repeated(keys: Iterable[object]) -> list[int]:
    """Return the positions of keys that have stood before."""
    seen: set[object] = set()
    return [at for at, key in enumerate(keys) if key in seen or seen.add(key)]  # type: ignore[func-returns-value]


class Problem(Wire):
    """Everything a matching depends on besides the policy."""

    cities: Annotated[tuple[City, ...], Field(max_length=100_000), LONG_LIST]
    wishes: Annotated[tuple[Wish, ...], Field(max_length=200_000), LONG_LIST] = ()
    vetoes: Annotated[tuple[Veto, ...], Field(max_length=200_000), LONG_LIST] = ()
    history: Annotated[
        tuple[PastPairing, ...], Field(max_length=1_000_000), LONG_LIST
    ] = ()
    left_out: Annotated[
        tuple[LeftOut, ...], Field(max_length=1_000_000), LONG_LIST
    ] = ()
    """Who got no partner before: counts only where `left_out_credit` is on."""

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        ids = [city.id for city in self.cities]
        errors = chain(
            (
                (("cities", at, "id"), "duplicate", f"`{ids[at]}` is taken already.")
                for at in _repeated(ids)
            ),
            self._wrong_wishes(set(ids)),
            self._wrong_vetoes(set(ids)),
        )
        refuse(*islice(errors, MOST_ERRORS + 1))
        return self

    def _wrong_wishes(self, known: set[str]) -> Iterable[tuple[Place, str, str]]:
        for at, wish in enumerate(self.wishes):
            place: Place = ("wishes", at)
            yield from _unknown(known, (*place, "city"), wish.city)
            for rank, partner in enumerate(wish.partners):
                here: Place = (*place, "partners", rank)
                yield from _unknown(known, here, partner)
                if partner == wish.city:
                    yield here, "itself", "A city is never its own partner."
            for rank in _repeated(wish.partners):
                message = f"`{wish.partners[rank]}` stands higher up already."
                yield (*place, "partners", rank), "duplicate", message
        for at in _repeated((wish.city, wish.role) for wish in self.wishes):
            message = "This city has wishes for this role already: join the two."
            yield ("wishes", at, "city"), "duplicate", message

    def _wrong_vetoes(self, known: set[str]) -> Iterable[tuple[Place, str, str]]:
        for at, veto in enumerate(self.vetoes):
            yield from _unknown(known, ("vetoes", at, "city"), veto.city)
            yield from _unknown(known, ("vetoes", at, "partner"), veto.partner)


def _unknown(
    known: set[str], place: Place, city: str
) -> Sequence[tuple[Place, str, str]]:
    if city in known:
        return []
    return [(place, "unknown_city", f"No city has the id `{city}`.")]


class MatchRequest(Problem):
    """The body of `POST /match`: a problem and, if wanted, a policy."""

    policy: Policy = Policy()

    def problem(self) -> Problem:
        """Return the problem alone."""
        return Problem.model_construct(
            **{field: getattr(self, field) for field in Problem.model_fields}
        )
