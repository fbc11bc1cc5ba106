"""A round with cities gone or come, and what was decided about them."""

from collections.abc import Collection, Iterable, Mapping

import schemas
from schemas import City, Decision, Pairing, Policy, Problem

Pairs = Collection[tuple[str, str]]
"""(mentor id, learner id) of some pairs."""
AnyPair = tuple[str, str] | schemas.Pair | Pairing | Decision | Mapping[str, str]
"""A mentor's and a learner's id, in whatever form the caller has them."""


def ids(pair: AnyPair) -> tuple[str, ...]:
    """Return the mentor's and the learner's id, as far as the pair has them."""
    if isinstance(pair, schemas.Pair | Pairing | Decision):
        return pair.mentor, pair.learner
    if isinstance(pair, Mapping):
        return tuple(pair[role] for role in ("mentor", "learner") if role in pair)
    return tuple(pair)


def without(problem: Problem, gone: Collection[str]) -> Problem:
    """Return the problem without these cities, and without what names them."""
    if not gone:
        return problem
    return problem.model_copy(
        update={
            "cities": tuple(city for city in problem.cities if city.id not in gone),
            "wishes": tuple(
                wish.model_copy(
                    update={
                        "partners": tuple(
                            one for one in wish.partners if one not in gone
                        )
                    }
                )
                for wish in problem.wishes
                if wish.city not in gone
            ),
            "vetoes": tuple(
                veto
                for veto in problem.vetoes
                if not {veto.city, veto.partner} & set(gone)
            ),
        }
    )


def joined(problem: Problem, cities: Iterable[City]) -> Problem:
    """Return the problem with these cities as well."""
    return problem.model_copy(update={"cities": (*problem.cities, *cities)})


def undecided(policy: Policy, gone: Collection[str], pairs: Pairs = ()) -> Policy:
    """Return the policy without the pins and bans that name these cities or pairs."""

    def stays(mentor: str, learner: str) -> bool:
        return not {mentor, learner} & set(gone) and (mentor, learner) not in pairs

    return policy.model_copy(
        update={
            kind: tuple(
                one for one in getattr(policy, kind) if stays(one.mentor, one.learner)
            )
            for kind in ("pins", "bans")
        }
    )
