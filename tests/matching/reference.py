"""The definitions of the engine once more, as plain loops and enumeration."""

import math
from itertools import product

from hypothesis import strategies as st

from schemas import AREA_IDS

WEIGHTS = {
    "needs_met": 35,
    "focus": 30,
    "evidence": 10,
    "language": 10,
    "context": 5,
    "proximity": 5,
    "give_back": 5,
    "practice_text": 0,
}


def level(city, area, kind):
    return city["areas"].get(area, {}).get(kind, 0)


def share_met(helped, helper):
    asked = sum(level(helped, area, "need") for area in AREA_IDS)
    met = sum(
        min(level(helped, area, "need"), level(helper, area, "strength"))
        for area in AREA_IDS
    )
    return met / asked if asked else None


def values(mentor, learner):
    """Each criterion's value by its definition, None where it cannot be known."""
    need = [level(learner, area, "need") for area in AREA_IDS]
    strength = [level(mentor, area, "strength") for area in AREA_IDS]
    met = [min(pair) for pair in zip(need, strength, strict=True)]
    length = math.sqrt(sum(n * n for n in need)) * math.sqrt(
        sum(s * s for s in strength)
    )
    dot = sum(n * s for n, s in zip(need, strength, strict=True))
    proven = {practice["area"] for practice in mentor.get("practices", [])}
    backed = sum(m for area, m in zip(AREA_IDS, met, strict=True) if area in proven)
    tongues = [set(city.get("languages", [])) for city in (mentor, learner)]
    likeness = []
    if mentor.get("population") and learner.get("population"):
        ratio = math.log(mentor["population"] / learner["population"])
        likeness.append(math.exp(-(ratio**2) / (2 * 1.5**2)))
    shares = [city.get("migrant_share") for city in (mentor, learner)]
    if all(shares) and shares[0]["definition"] == shares[1]["definition"]:
        gap = shares[0]["value"] - shares[1]["value"]
        likeness.append(math.exp(-(gap**2) / (2 * 0.15**2)))
    km = None
    if all("latitude" in city for city in (mentor, learner)):
        (a, b), (c, d) = (
            (math.radians(city["latitude"]), math.radians(city["longitude"]))
            for city in (mentor, learner)
        )
        chord = (
            math.sin((a - c) / 2) ** 2
            + math.cos(a) * math.cos(c) * math.sin((b - d) / 2) ** 2
        )
        km = 2 * 6371.0088 * math.asin(math.sqrt(min(1, chord)))
    return {
        "needs_met": share_met(learner, mentor),
        "focus": (dot / length if length else 0) if any(need) else None,
        "evidence": backed / sum(met) if sum(met) else None,
        "language": float(bool(tongues[0] & tongues[1])) if all(tongues) else None,
        "context": sum(likeness) / len(likeness) if likeness else None,
        "proximity": None if km is None else math.exp(-km / 1000),
        "give_back": share_met(mentor, learner),
        "practice_text": None,
    }


def score(mentor, learner):
    return sum(
        WEIGHTS[name] * round(value, 6)
        for name, value in values(mentor, learner).items()
        if value is not None
    )


def beside(problem, credit, mentor, learner):
    """What a pair gains beside its score by the definitions, in micro-points."""
    gained = 0
    for role, city, partner in (
        ("mentor", mentor, learner),
        ("learner", learner, mentor),
    ):
        for wish in problem.wishes:
            if (wish.city, wish.role) == (city, role):
                for rank, wished in enumerate(wish.partners, 1):
                    if wished == partner:
                        gained += round(1_000_000 / rank)
        rounds, unnamed = [], 0
        for one in problem.left_out:
            if (one.city, one.role) == (city, role):
                if one.round is None:
                    unnamed += 1
                elif one.round not in rounds:
                    rounds.append(one.round)
        gained += min(len(rounds) + unnamed, 2) * round(credit * 1_000_000)
    return gained


def assignments(allowed, capacity, demand, pins=()):
    """Every legal set of pairs that holds the pins."""
    free = [
        (i, j)
        for i, j in product(range(len(capacity)), range(len(demand)))
        if allowed[i][j] and (i, j) not in pins
    ]

    def extend(at, given, taken, chosen):
        if at == len(free):
            yield tuple(chosen)
            return
        yield from extend(at + 1, given, taken, chosen)
        i, j = free[at]
        if given[i] and taken[j]:
            given[i] -= 1
            taken[j] -= 1
            yield from extend(at + 1, given, taken, [*chosen, (i, j)])
            given[i] += 1
            taken[j] += 1

    given, taken = list(capacity), list(demand)
    for i, j in pins:
        given[i] -= 1
        taken[j] -= 1
    yield from extend(0, given, taken, list(pins))


def key(objective, worth, demand, pairs, pins=()):
    """What the objective compares, the larger the better; None if not legal for it."""
    if objective != "served" and any(
        worth[i][j] <= 0 for i, j in pairs if (i, j) not in pins
    ):
        return None
    total = sum(worth[i][j] for i, j in pairs)
    if objective == "total":
        return (total,)
    if objective == "served":
        return (len({j for _, j in pairs}), len(pairs), total)
    best = sorted(
        max([worth[i][j] for i, j in pairs if j == learner], default=0)
        for learner in range(len(demand))
        if demand[learner]
    )
    return (best, len(pairs), total)


def best(  # noqa: PLR0913 -- one instance
    objective, worth, allowed, capacity, demand, pins=()
):
    """The best key over all legal assignments."""
    keys = (
        key(objective, worth, demand, pairs, pins)
        for pairs in assignments(allowed, capacity, demand, pins)
    )
    return max(found for found in keys if found is not None)


def _optional(name, strategy):
    return st.one_of(st.just({}), strategy.map(lambda value: {name: value}))


@st.composite
def cities(draw, most=6):
    """Cities with any of their facts missing."""
    made = []
    for at in range(draw(st.integers(0, most))):
        roles = draw(st.sampled_from([["mentor"], ["learner"], ["mentor", "learner"]]))
        levels = st.fixed_dictionaries(
            {"need": st.integers(0, 4), "strength": st.integers(0, 4)}
        )
        areas = st.dictionaries(st.sampled_from(AREA_IDS[:6]), levels, min_size=1)
        city = {
            "id": f"c{at}",
            "name": f"City {at}",
            "country": draw(st.sampled_from(["BE", "FR", "IT"])),
            "roles": roles,
            "areas": draw(areas),
            "languages": draw(
                st.lists(st.sampled_from(["fr", "nl", "it"]), unique=True)
            ),
            "practices": [
                {"area": area, "title": "t"}
                for area in draw(st.lists(st.sampled_from(AREA_IDS[:6]), max_size=3))
            ],
        }
        city |= draw(_optional("population", st.integers(500, 3_000_000)))
        if draw(st.booleans()):
            city["migrant_share"] = {
                "value": draw(st.integers(0, 100)) / 100,
                "definition": draw(st.sampled_from(["foreign_born", "other"])),
            }
        if draw(st.booleans()):
            city["latitude"] = draw(st.integers(-90, 90)) * 1.0
            city["longitude"] = draw(st.integers(-180, 180)) * 1.0
        for field, role in (
            ("mentor_capacity", "mentor"),
            ("learner_demand", "learner"),
        ):
            if role in roles:
                city |= draw(_optional(field, st.integers(0, 2)))
        made.append(city)
    return made
