"""Prices of pairs against solving anew."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matching import Infeasible, Policy, Problem, match, prices
from tests.matching import rounds
from tests.matching.answering.answers import priced

SOLID = settings(derandomize=True, deadline=None, max_examples=40)


def forced(table, base, mentor, learner):
    """The price of a pair by enumeration, None where no assignment has it."""
    if (mentor, learner) not in table.worth:
        return None
    best = table.best([(mentor, learner)])
    return None if best is None else (base - best[-1]) / rounds.MICRO


@pytest.mark.parametrize("objective", ["total", "served", "fair"])
@pytest.mark.parametrize("limited", [False, True])
@SOLID
@given(data=st.data())
def test_prices_are_what_enumeration_loses_by_the_pair(objective, limited, data):
    cities = data.draw(rounds.rounds())
    policy = {
        "objective": objective,
        "rules": {"min_score": data.draw(st.sampled_from([None, 40]))},
        "left_out_credit": data.draw(rounds.credit),
    }
    if limited:
        policy |= {"caps": data.draw(rounds.caps), "min_load": data.draw(rounds.loads)}
    table = rounds.table(cities, data.draw(rounds.left_out(cities)), **policy)
    best = table.best()
    if best is None:
        with pytest.raises(Infeasible):
            prices(table.problem, table.policy)
        return

    found = prices(table.problem, table.policy)

    # A pin overrides the lowest score, and so does being forced.
    assert priced(found) == {
        pair: forced(table, best[-1], *pair)
        for pair in ((m, one) for m in found.mentors for one in found.learners)
    }
    told = {
        (other.mentor, pair.learner): other.price
        for pair in match(table.problem, table.policy).pairings
        for other in pair.alternates
    }
    assert told == {pair: priced(found)[pair] for pair in told}


@pytest.mark.parametrize("objective", ["total", "served"])
def test_prices_of_a_larger_round_are_those_of_hundreds_of_pins(objective):
    random = np.random.default_rng(4)
    areas = ["housing", "health", "language", "culture", "data", "finance"]

    def city(role, kind, at):
        some = random.choice(areas, 3, replace=False)
        levels = {str(area): {kind: int(random.integers(1, 5))} for area in some}
        places = {
            f"{'mentor_capacity' if role == 'mentor' else 'learner_demand'}": int(
                random.integers(1, 3)
            )
        }
        country = str(random.choice(["BE", "FR", "IT", "GR"]))
        return {
            "id": f"{role}{at:02}",
            "name": role,
            "country": country,
            "roles": [role],
            "areas": levels,
        } | places

    cities = [city("mentor", "strength", at) for at in range(14)]
    cities += [city("learner", "need", at) for at in range(16)]
    rules = {"different_country": True}
    pins = [{"mentor": "mentor03", "learner": "learner06"}]
    wishes = [
        {"city": "learner02", "role": "learner", "partners": ["mentor07", "mentor01"]}
    ]
    problem = Problem.from_dict({"cities": cities, "wishes": wishes})
    base = Policy.from_dict({"objective": objective, "rules": rules, "pins": pins})
    value = match(problem, base).measures.value

    found = priced(prices(problem, base))

    wanted = {}
    for mentor, learner in found:
        pin = {"mentor": mentor, "learner": learner}
        more = pins if pin in pins else [*pins, pin]
        try:
            now = match(
                problem,
                base.model_copy(update={"pins": Policy.from_dict({"pins": more}).pins}),
            )
        except Infeasible:
            wanted[mentor, learner] = None
        else:
            wanted[mentor, learner] = round(value - now.measures.value, 6)
    assert found == wanted
    assert len({price for price in found.values() if price}) > 50
