"""What an explanation rests on."""

from matching import Policy, Problem, explain

MENTOR = {
    "id": "m",
    "name": "M",
    "country": "BE",
    "roles": ["mentor"],
    "population": 300,
    "languages": ["fr", "nl"],
    "areas": {"housing": {"strength": 4}, "health": {"strength": 1, "need": 2}},
    "practices": [{"area": "housing", "title": "Co-housing"}],
}
LEARNER = {
    "id": "l",
    "name": "L",
    "country": "FR",
    "roles": ["learner"],
    "population": 100,
    "languages": ["fr"],
    "areas": {"housing": {"need": 3}, "health": {"need": 2}, "data": {"need": 1}},
}


def test_facts_are_what_each_criterion_saw():
    problem = Problem.from_dict({"cities": [MENTOR, LEARNER]})

    pair = explain(problem, Policy(), mentor="m", learner="l")

    nowhere = [{"city": "m", "field": "latitude"}, {"city": "l", "field": "latitude"}]
    assert {part.criterion: part.facts for part in pair.contributions} == {
        "needs_met": {
            "asked": 6,
            "met": 4,
            "areas": [
                {"area": "housing", "need": 3, "strength": 4},
                {"area": "health", "need": 2, "strength": 1},
                {"area": "data", "need": 1, "strength": 0},
            ],
        },
        "focus": {"areas": ["housing", "health"], "strong_elsewhere": []},
        "evidence": {
            "covered": ["housing", "health"],
            "areas": ["housing"],
            "practices": ["Co-housing"],
        },
        "language": {"shared": ["fr"]},
        "context": {
            "population_ratio": 3.0,
            "share_difference": None,
            "definition": None,
        },
        "proximity": {"missing": nowhere},
        "give_back": {
            "asked": 2,
            "met": 0,
            "areas": [{"area": "health", "need": 2, "strength": 0}],
        },
        "practice_text": {
            "missing": [
                {"city": "l", "field": "needs_text"},
                {"city": "m", "field": "practices"},
            ]
        },
    }
