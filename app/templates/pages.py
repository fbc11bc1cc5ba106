"""Pages: templates filled with values."""

from typing import Any

from app.pictures.butterfly import butterfly
from app.pictures.card import card
from app.pictures.lights import lights
from app.services.runs.runs import Outcome
from app.templates.environment import environment
from app.texts.catalogue import Language, here, read_in, reading
from app.texts.matching import outlook, pair, reasons
from app.texts.matching.why_not import sentences
from schemas import (
    Contribution,
    Difference,
    Drill,
    Explanation,
    HowWeChose,
    Override,
    Policy,
    Problem,
    Readiness,
    WhyNot,
)

STYLED = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
    "img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""What a page of ours may load: our own style and modules; nothing from elsewhere."""


def page(template: str, **values: Any) -> str:  # noqa: ANN401 -- what the template takes
    """Return the page as HTML; a value that is missing is an error."""
    return environment(reading()).get_template(template).render(**values)


def solution_page(found: Outcome) -> str:
    """Return the outcome of a run as a page of its own, to read and to print."""
    return page("runs/print.html", **outcome_values(found))


def chosen_page(text: HowWeChose, language: Language) -> str:
    """Return how the pairings of a round were chosen as a page, also to print."""
    with read_in(language):
        return page("runs/chosen.html", text=text)


def outcome_values(found: Outcome) -> dict[str, Any]:
    """Return what the templates show of an outcome, in words."""
    policy = found.policy
    values = _cities_values(found)
    names = values["names"]
    return values | {
        "strongest": reasons.strongest,
        "whys": lambda left: here().joined(
            [reasons.why_left(one) for one in left.reasons]
        ),
        "warned": lambda one: reasons.warned(one, policy, names),
        "how": reasons.how(policy),
        "how_firm": outlook.how_firm,
        "beside": lambda one: pair.beside(one, names[one.city], reading()),
        "instead": lambda other: outlook.instead(other, names[other.mentor]),
        "relaxed": lambda one: outlook.relaxed(one, policy, names),
    }


def why_not_values(found: Outcome, answer: WhyNot | None) -> dict[str, Any]:
    """Return what the page shows of why a pair is not proposed."""
    values = _cities_values(found)
    names = values["names"]
    if answer is None:
        return values | {"answer": None, "told": [], "changes": [], "card": None}
    cities = {city.id: city for city in found.problem.cities}
    mentor, learner = cities[answer.mentor], cities[answer.learner]
    return values | {
        "answer": answer,
        "told": sentences(answer, found.problem.cities, reading()),
        "changes": [] if answer.proposed else _changes(answer.difference, names),
        "card": card(answer, mentor, learner, reading()),
    }


def _changes(
    difference: Difference | None, names: dict[str, str]
) -> list[dict[str, Any]]:
    """Return who would have whom instead of whom, by the learners' names."""
    if difference is None:
        return []
    points = {one.city: one.points for one in (*difference.gains, *difference.losses)}
    sides = {"then": difference.added, "now": difference.removed}
    learners = {pair.learner for pairs in sides.values() for pair in pairs}
    return [
        {
            "learner": names[learner],
            "points": points.get(learner, 0.0),
            **{
                side: [names[pair.mentor] for pair in pairs if pair.learner == learner]
                for side, pairs in sides.items()
            },
        }
        for learner in sorted(learners, key=lambda learner: names[learner])
    ]


def explanation_values(
    why: Explanation, mentor: str, learner: str, language: Language
) -> dict[str, Any]:
    """Return what the page of a pairing shows of where its score comes from.

    Args:
        why: The pairing with its contributions.
        mentor: The mentor's name.
        learner: The learner's name.
        language: Of the sentences.

    """
    return {
        "why": why,
        "language": language,
        "sentences": pair.explained(why, mentor, learner, language),
        "said": lambda part, *_: pair.sentence(part, mentor, learner, language),
    }


def override_values(problem: Problem, priced: Override | None) -> dict[str, Any]:
    """Return what the page shows of a decision, and of its price once it is known."""
    cities = sorted(problem.cities, key=lambda city: city.name)
    names = {city.id: city.name for city in cities}
    return {
        "names": names,
        "mentors": [city for city in cities if city.mentor_capacity],
        "learners": [city for city in cities if city.learner_demand],
        "priced": priced,
        "changes": _changes(priced.difference, names) if priced else [],
    }


def drill_values(found: Outcome, drill: Drill) -> dict[str, Any]:
    """Return what the page shows of the cities that may leave."""
    values = _cities_values(found)
    return values | {
        "drill": drill,
        "fragile": sum(one.fragile for one in drill.items),
        "if_it_left": lambda one: outlook.if_it_left(
            one, values["names"], here().area_names()
        ),
    }


def readiness_values(
    found: Readiness, policy: Policy, names: dict[str, str], round_id: str
) -> dict[str, Any]:
    """Return what the templates show of a round's readiness, in words."""
    return {
        "readiness": found,
        "butterfly": butterfly(found.areas),
        "lights": lights(found, policy, names, round_id),
    }


def _cities_values(found: Outcome) -> dict[str, Any]:
    """Return what all pages about a run show of its cities."""
    cities = sorted(found.problem.cities, key=lambda city: city.name)
    names = {city.id: city.name for city in cities}

    def said(part: Contribution, mentor: str, learner: str) -> str:
        return reasons.sentence(part, names[mentor], names[learner])

    return {
        "found": found,
        "names": names,
        "countries": {city.id: city.country for city in cities},
        "mentors": [city for city in cities if city.mentor_capacity],
        "learners": [city for city in cities if city.learner_demand],
        "said": said,
    }
