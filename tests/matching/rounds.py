"""Small rounds in which everything can be enumerated, and their legal assignments."""

import json
from itertools import combinations

from hypothesis import strategies as st

from matching import Policy, Problem, explain
from tests.matching import reference

MICRO = 1_000_000
COUNTRIES = ["BE", "FR", "IT"]
# Two of them lie in one country each, the third in two: the groups need not nest.
ASSOCIATIONS = [None, "north", "south", "across"]


@st.composite
def rounds(draw, mentors=3, learners=3, most=2):
    """Cities with places, some in both roles, all in countries and associations."""
    cities = []
    for role, count in (("mentor", mentors), ("learner", learners)):
        for at in range(draw(st.integers(1, count))):
            roles = [role]
            if role == "mentor" and draw(st.integers(0, 4)) == 0:
                roles = ["mentor", "learner"]
            levels = st.fixed_dictionaries(
                {"need": st.integers(0, 4), "strength": st.integers(0, 4)}
            )
            areas = st.dictionaries(
                st.sampled_from(reference.AREA_IDS[:3]), levels, min_size=1
            )
            association = draw(st.sampled_from(ASSOCIATIONS))
            made = {
                "id": f"{role[0]}{at}",
                "name": f"{role} {at}",
                "country": draw(st.sampled_from(COUNTRIES)),
                "roles": roles,
                "areas": draw(areas),
                "languages": draw(st.lists(st.sampled_from(["fr", "nl"]), unique=True)),
            }
            if association:
                made["association"] = association
            for field, one in (
                ("mentor_capacity", "mentor"),
                ("learner_demand", "learner"),
            ):
                if one in roles:
                    made[field] = draw(st.integers(1, most))
            cities.append(made)
    return cities


caps = st.lists(
    st.fixed_dictionaries(
        {
            "side": st.sampled_from(["mentor", "learner"]),
            "by": st.sampled_from(["country", "association"]),
            "per": st.sampled_from(["round", "partner"]),
            "max": st.integers(0, 2),
        }
    ),
    max_size=3,
)
loads = st.fixed_dictionaries(
    {"mentor": st.integers(0, 2), "only_if_used": st.booleans()}
)


def covered_city(name, role, covered, **more):
    """A city whose pairs score ten points for each level that is covered.

    A learner has five areas of its own, the first, second, … learner those from 0, 5, …
    on; `covered` says how many of its ten levels a mentor covers, learner by learner.
    Scores are such if `needs_met` alone has weight.
    """
    kind = "strength" if role == "mentor" else "need"
    areas = {
        area: {kind: min(max(levels - 2 * step, 0), 2)}
        for at, levels in enumerate(covered)
        for step, area in enumerate(reference.AREA_IDS[5 * at : 5 * at + 5])
    }
    one = {"id": name, "name": name, "country": "BE", "roles": [role], "areas": areas}
    return one | more


def left_out(cities):
    """Cities of the round, and one that is not in it, that had nobody before."""
    return st.lists(
        st.fixed_dictionaries(
            {
                "city": st.sampled_from([*(one["id"] for one in cities), "elsewhere"]),
                "role": st.sampled_from(["mentor", "learner"]),
                "round": st.sampled_from(["2021", "2022", "2023", None]),
            }
        ),
        max_size=8,
    )


credit = st.sampled_from([0, 0.000001, 0.25, 1])
ONLY_NEEDS = dict.fromkeys(reference.WEIGHTS, 0) | {"needs_met": 1}


class Table:
    """A round as plain Python: scores, who may be paired, every legal assignment."""

    def __init__(self, problem, policy):
        self.problem, self.policy = problem, policy
        by_id = {city.id: city for city in problem.cities}
        self.city = by_id
        self.capacity = {i: c.mentor_capacity for i, c in by_id.items()}
        self.demand = {i: c.learner_demand for i, c in by_id.items()}
        self.mentors = sorted(i for i in by_id if self.capacity[i])
        self.learners = sorted(i for i in by_id if self.demand[i])
        self.score, self.worth, self.allowed = {}, {}, set()
        for mentor in self.mentors:
            for learner in self.learners:
                if mentor != learner:
                    pair = explain(problem, policy, mentor=mentor, learner=learner)
                    score = round(pair.score * MICRO)
                    self.score[mentor, learner] = score
                    self.worth[mentor, learner] = score + reference.beside(
                        problem, policy.left_out_credit, mentor, learner
                    )
                    if not pair.excluded_by:
                        self.allowed.add((mentor, learner))
        self.pins = {(pin.mentor, pin.learner) for pin in policy.pins}

    def assignments(self, extra=()):
        """Yield every set of pairs that keeps places, pins, caps and loads."""
        must = self.pins | set(extra)
        free = sorted(self.allowed - must)
        for size in range(len(free) + 1):
            for some in combinations(free, size):
                pairs = must | set(some)
                if self.is_legal(pairs):
                    yield pairs

    def is_legal(self, pairs):
        load = dict.fromkeys(self.mentors, 0)
        taken = dict.fromkeys(self.learners, 0)
        for mentor, learner in pairs:
            load[mentor] += 1
            taken[learner] += 1
        if any(load[i] > self.capacity[i] for i in load):
            return False
        if any(taken[i] > self.demand[i] for i in taken):
            return False
        least = self.policy.min_load
        for count in load.values():
            if count < least.mentor and not (least.only_if_used and not count):
                return False
        return all(self._keeps(cap, pairs) for cap in self.policy.caps)

    def _keeps(self, cap, pairs):
        counts = {}
        for mentor, learner in pairs:
            own, partner = (
                (mentor, learner) if cap.side == "mentor" else (learner, mentor)
            )
            group = getattr(self.city[own], cap.by)
            if group is not None:
                key = group, partner if cap.per == "partner" else None
                counts[key] = counts.get(key, 0) + 1
        return all(count <= cap.max for count in counts.values())

    def value(self, pairs):
        return sum(self.worth[pair] for pair in pairs)

    def key(self, pairs, objective=None):
        """What the objective compares, the larger the better."""
        objective = objective or self.policy.objective
        if objective == "total":
            return (self.value(pairs),)
        if objective == "served":
            return (len({one for _, one in pairs}), len(pairs), self.value(pairs))
        best = sorted(
            max([self.worth[p] for p in pairs if p[1] == one], default=0)
            for one in self.learners
        )
        places = sum(self.worth[p] > 0 or p in self.pins for p in pairs)
        return (best, places, self.value(pairs))

    def best(self, extra=()):
        """The best legal assignment's key, or None if there is none."""
        return max(map(self.key, self.assignments(extra)), default=None)


def pairs_of(solution):
    return {(pair.mentor, pair.learner) for pair in solution.pairings}


def table(cities, left_out=(), **policy):
    problem = Problem.from_dict({"cities": cities, "left_out": list(left_out)})
    return Table(problem, Policy.from_dict(json.loads(json.dumps(policy))))
