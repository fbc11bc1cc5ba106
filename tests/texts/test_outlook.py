"""What may still change, in the words of the pages."""

import pytest

from app.texts.catalogue import words
from app.texts.matching import outlook
from app.texts.matching.reasons import how, why_left
from matching import Policy, Problem, drill, match, readiness
from schemas import Alternate, DropOut, Pair, Reason, Relaxation
from tests.fixtures.cities import city, compute, open_round

CITIES = [
    city("ghent", "mentor", name="Ghent", latitude=51.0, longitude=3.7),
    city("arlon", name="Arlon", latitude=49.7, longitude=5.8),
    city("dinant", name="Dinant", latitude=50.3, longitude=4.9),
    city("lille", "mentor", name="Lille", country="FR", latitude=50.6, longitude=3.1),
    city("nice", name="Nice", latitude=43.7, longitude=7.3),
]
PROBLEM = Problem.from_dict({"cities": CITIES})
NAMES = {one.id: one.name for one in PROBLEM.cities}
AREA_NAMES = words("en").area_names()
CAP = {"side": "learner", "by": "country", "per": "round", "max": 1}
PER = {"side": "mentor", "by": "association", "per": "partner", "max": 2}
BANS = [{"mentor": "lille", "learner": one} for one in ("arlon", "dinant", "nice")]


@pytest.mark.parametrize(
    ("share", "word"),
    [(1.0, "Firm"), (0.9, "Firm"), (0.6, "Fairly firm"), (0.31, "Not firm")],
)
def test_firmness_is_a_word_and_a_figure(share, word):
    expected = f"{word}: it stays in {share * 100:.0f}% of the trials."

    assert outlook.how_firm(share) == expected


@pytest.mark.parametrize(
    ("price", "says"),
    [
        (4.46, ": choosing it instead costs the round 4.5 points."),
        (0.01, ": choosing it instead costs the round nothing."),
        (-2.0, ": choosing it instead brings 2.0 points, against the goal."),
        (None, "."),
    ],
)
def test_another_mentor_has_its_price(price, says):
    other = Alternate(mentor="ghent", score=66.04, price=price)

    assert outlook.instead(other, "Ghent") == f"Ghent (66.0 points){says}"


ONE_MORE = "1 more learner gets a mentor"


@pytest.mark.parametrize(
    ("policy", "told"),
    [
        (
            {"rules": {"different_country": True}},
            [f"Allow two cities of one country: {ONE_MORE}, 74.1 points more."],
        ),
        (
            {"rules": {"max_distance_km": 100}},
            [f"Allow up to 115 km: {ONE_MORE}, 74.5 points more."],
        ),
        (
            {"bans": BANS},
            [
                f"Take back ban no. {number} of the policy: {ONE_MORE}, {points} more."
                for number, points in enumerate(
                    ("74.0 points", "74.0 points", "72.2 points"), 1
                )
            ],
        ),
        (
            {"caps": [CAP]},
            [
                (
                    "Change the limit: "
                    f"“Pairings with learners of one country: at most 2”: {ONE_MORE}, "
                    "74.0 points more."
                )
            ],
        ),
        (
            {"min_load": {"mentor": 2, "only_if_used": True}},
            [
                (
                    "Lower the minimum load of mentors to 1: 2 more learners get "
                    "a mentor, 148.5 points more."
                )
            ],
        ),
    ],
)
def test_a_relaxation_is_told_with_what_it_brings(policy, told):
    policy = Policy.from_dict(policy)

    found = match(PROBLEM, policy).relaxations

    assert [outlook.relaxed(one, policy, NAMES) for one in found] == told


@pytest.mark.parametrize(
    ("rule", "to", "says"),
    [
        ("shared_language", None, "Allow pairs without a shared language"),
        ("max_distance_km", None, "Drop the limit on distance"),
        ("max_size_ratio", 5.5, "Allow one city to be 5.5 times the other"),
        ("min_score", 30.0, "Accept pairs from 30 points"),
        ("no_repeat", None, "Allow partners of earlier rounds again"),
        ("pins/0", None, "Give up the pin Ghent – Arlon"),
        (
            "caps/0",
            None,
            "Drop the limit “Mentors of one association for each learner: at most 2”",
        ),
        ("min_load", None, "Drop the minimum load of mentors"),
    ],
)
def test_every_relaxation_has_words(rule, to, says):
    pins = [{"mentor": "ghent", "learner": "arlon"}]
    policy = Policy.from_dict({"pins": pins, "caps": [PER]})
    found = Relaxation(rule=rule, to=to, learners_gained=2, points=-1.04)

    told = outlook.relaxed(found, policy, NAMES)

    assert told == f"{says}: 2 more learners get a mentor, 1.0 points fewer."


def test_a_shortage_is_told_in_names():
    shared = readiness(PROBLEM, Policy()).shortage
    barred = readiness(PROBLEM, Policy.from_dict({"rules": {"max_distance_km": 1}}))

    assert outlook.short(shared, NAMES) == (
        "3 learners share 2 mentors with 2 places (Ghent and Lille): 1 must stay "
        "without a mentor. These learners: Arlon, Dinant and Nice."
    )
    assert outlook.short(barred.shortage, NAMES) == (
        "3 learners can go to no mentor at all. These learners: Arlon, Dinant and Nice."
    )


def test_a_city_that_leaves_is_told_by_what_it_breaks():
    found = drill(PROBLEM, Policy())

    assert [outlook.if_it_left(one, NAMES, AREA_NAMES) for one in found.items] == [
        "Fragile: Dinant stays without a mentor.",
        "Fragile: Arlon stays without a mentor.",
        "It can be mended with 1 new pairing.",
        "It can be mended with 1 new pairing.",
    ]
    lost = DropOut(
        city="ghent",
        broken=(),
        added=(),
        points=0,
        unserved=("arlon", "nice"),
        areas=("housing", "data"),
        keeps_policy=True,
        fragile=True,
    )
    broken = lost.model_copy(
        update={"keeps_policy": False, "areas": (), "unserved": ("nice",)}
    )
    assert outlook.if_it_left(broken, NAMES, AREA_NAMES) == (
        "Fragile: nothing keeps the limits of the round; Nice stays without a mentor."
    )
    assert outlook.if_it_left(lost, NAMES, AREA_NAMES) == (
        "Fragile: Arlon and Nice stay without a mentor; no mentor is left who is "
        "strong in housing; data and evidence."
    )
    idle = lost.model_copy(
        update={
            "broken": (Pair(mentor="ghent", learner="arlon"),),
            "unserved": (),
            "areas": (),
        }
    )
    assert outlook.if_it_left(idle, NAMES, AREA_NAMES) == (
        "Nobody else loses a mentor."
    )


def test_limits_of_the_policy_are_told():
    policy = Policy.from_dict({"caps": [CAP, PER], "min_load": {"mentor": 1}})
    used = Policy.from_dict({"min_load": {"mentor": 2, "only_if_used": True}})

    assert how(policy)[1:] == [
        "Pairings with learners of one country: at most 1.",
        "Mentors of one association for each learner: at most 2.",
        "Learners of each mentor: at least 1.",
    ]
    assert how(used)[1:] == ["Learners of each mentor that gets any: at least 2."]
    assert [
        why_left(Reason(code=code, partners=2))
        for code in ("no_partner", "caps", "min_load")
    ] == [
        "2 would bring no points",
        "2 are in a group that has reached its limit",
        "2 cannot be used without breaking the minimum load",
    ]


def test_the_pages_show_what_would_help(sqlite_service):
    round_id = open_round(
        sqlite_service, *CITIES, policy={"rules": {"different_country": True}}
    )
    run = compute(sqlite_service, round_id)
    printed = sqlite_service.get(f"/runs/{run}/solution.html").text

    help_ = "Allow two cities of one country: 1 more learner gets a mentor"
    assert help_ in printed
    assert "<form" not in printed
    assert "why-not" not in printed
