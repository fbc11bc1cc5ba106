"""A round with cities gone or come, and what was decided about them."""

import re
from collections.abc import Collection, Iterable, Mapping

import schemas
from matching._errors import Refused
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


Origin = Mapping[str, str]
"""Where each pin and ban of a changed policy stands in what the caller gave."""


def redecided(
    policy: Policy,
    *,
    gone: Collection[str] = (),
    lifted: Pairs = (),
    pins: Mapping[tuple[str, str], str] | None = None,
    bans: Mapping[tuple[str, str], str] | None = None,
) -> tuple[Policy, Origin]:
    """Return the policy with other pins and bans, and where each of them comes from.

    Args:
        policy: The caller's.
        gone: Cities: what names them is dropped.
        lifted: Pairs of which nothing is decided any more.
        pins: Pairs to pin besides, and where the caller gave each.
        bans: Pairs to ban, likewise.

    """
    origin: dict[str, str] = {}
    update = {}
    for kind, more in (("pins", pins or {}), ("bans", bans or {})):
        decisions: list[Decision] = []
        for at, one in enumerate(getattr(policy, kind)):
            pair = one.mentor, one.learner
            if not {*pair} & {*gone} and pair not in lifted:
                origin[f"/{kind}/{len(decisions)}"] = f"/{kind}/{at}"
                decisions.append(one)
        there = {(one.mentor, one.learner) for one in decisions}
        for pair, place in more.items():
            if pair not in there:
                origin[f"/{kind}/{len(decisions)}"] = place
                decisions.append(Decision(mentor=pair[0], learner=pair[1]))
        update[kind] = tuple(decisions)
    return policy.model_copy(update=update), origin


_DECISION = re.compile(r"^/(pins|bans)/\d+")


def placed(pointer: str, origin: Origin) -> str:
    """Return where the caller gave what stands there in the changed policy."""
    return _DECISION.sub(lambda at: origin.get(at[0], at[0]), pointer)


def retold(error: Refused, origin: Origin) -> Refused:
    """Return the refusal with pointers into what the caller gave."""
    return type(error)(
        [(placed(at, origin), code, message) for at, code, message in error.errors]
    )
