"""Two cities that tell all, little or nothing, and a policy with everything in it."""

from itertools import product

from matching import Policy, Problem, explain
from schemas import Reason, Unmatched
from tests.fixtures.cities import city

FULL = [
    city(
        "ghent",
        "mentor",
        name="Ghent",
        languages=["nl", "en", "fr"],
        latitude=51.05,
        longitude=3.72,
        population=262_000,
        migrant_share={"value": 0.41, "definition": "foreign_origin"},
        areas={
            "housing": {"strength": 4},
            "lgbtqi": {"strength": 3},
            "health": {"need": 2},
        },
        practices=[
            {
                "area": "housing",
                "title": "Keys first",
                "summary": "housing for families",
                "language": "en",
            }
        ],
    ),
    city(
        "ieper",
        name="Ieper",
        languages=["fr", "en"],
        latitude=50.85,
        longitude=2.88,
        population=35_000,
        migrant_share={"value": 0.1, "definition": "foreign_origin"},
        areas={
            "housing": {"need": 3},
            "lgbtqi": {"need": 2},
            "gender": {"need": 1},
            "health": {"strength": 3},
        },
        needs_text="housing for families",
    ),
]
BARE = [
    city(
        "ghent",
        "mentor",
        name="Ghent",
        languages=["nl"],
        areas={"housing": {"strength": 4}, "health": {"need": 1}},
    ),
    city("ieper", name="Ieper", languages=["fr"], areas={"data": {"need": 3}}),
]
EMPTY = [
    city("ghent", "mentor", name="Ghent", areas={"housing": {}}),
    city("ieper", name="Ieper", areas={"data": {}}),
]
TEXTS_TOO = Policy.from_dict({"weights": {"practice_text": 5}})


def pair_of(cities, policy=TEXTS_TOO, **problem):
    whole = Problem.from_dict({"cities": cities} | problem)
    return explain(whole, policy, mentor="ghent", learner="ieper")


def unmatched(role, considered, **partners):
    return Unmatched(
        city="ieper",
        role=role,
        missing=1,
        partners_considered=considered,
        reasons=tuple(
            Reason(code=code, partners=number) for code, number in partners.items()
        ),
    )


EVERYTHING = Policy.from_dict(
    {
        "objective": "fair",
        "left_out_credit": 0.25,
        "weights": {"practice_text": 3},
        "rules": {
            "different_country": True,
            "shared_language": True,
            "max_distance_km": 1500.5,
            "max_size_ratio": 10,
            "min_score": 20,
            "no_repeat": True,
        },
        "caps": [
            {"side": side, "by": by, "per": per, "max": 1000}
            for side, by, per in product(
                ("mentor", "learner"), ("country", "association"), ("round", "partner")
            )
        ],
        "min_load": {"mentor": 1},
        "pins": [{"mentor": "ghent", "learner": "ieper", "reason": "A secret."}],
        "bans": [{"mentor": "ghent", "learner": "lier", "reason": "A scandal."}],
    }
)
