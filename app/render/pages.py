"""Pages: templates filled with values."""

import secrets
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from app import data
from app.services import reasons
from app.services.runs import Outcome
from app.services.words import outlook, pair
from app.services.words.catalogue import Language, words
from app.services.words.why_not import sentences
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
    "default-src 'none'; style-src 'self'; img-src 'self' data:; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""What a page of ours may load: our own style, and nothing that runs."""

_environment = Environment(
    loader=PackageLoader("app.render"),
    autoescape=select_autoescape(default=True),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_environment.globals["area_names"] = {
    area.id: area.labels.en for area in data.policy_areas().items
}
_environment.globals["criteria"] = {
    "needs_met": "Needs met",
    "focus": "Focus",
    "evidence": "Evidence",
    "language": "Language",
    "context": "Context",
    "proximity": "Proximity",
    "give_back": "Give back",
    "practice_text": "Texts",
}
# A key of its own for every form that is shown: a second click does nothing more.
_environment.globals["once"] = lambda: secrets.token_hex(16)
_environment.globals["firm_word"] = outlook.firm_word
_environment.filters["moment"] = words("en").moment
_environment.filters["points"] = lambda value: f"{value:.1f}"
_environment.filters["change"] = lambda value: (
    f"{value:+.1f}".replace("-", "−") if round(value, 1) else "0.0"
)


def page(template: str, **values: Any) -> str:  # noqa: ANN401 -- what the template takes
    """Return the page as HTML; a value that is missing is an error."""
    return _environment.get_template(template).render(**values)


def solution_page(found: Outcome) -> str:
    """Return the outcome of a run as a page of its own, to read and to print."""
    return page("print.html", **outcome_values(found), asks=False)


def chosen_page(text: HowWeChose) -> str:
    """Return how the pairings of a round were chosen as a page, also to print."""
    return page("chosen.html", text=text)


def outcome_values(found: Outcome) -> dict[str, Any]:
    """Return what the templates show of an outcome, in words."""
    policy = found.policy
    values = _cities_values(found)
    names = values["names"]
    return values | {
        "strongest": reasons.strongest,
        "why_left": reasons.why_left,
        "warned": lambda one: reasons.warned(one, policy, names),
        "how": reasons.how(policy),
        "how_firm": outlook.how_firm,
        "beside": lambda one: pair.beside(one, names[one.city], "en"),
        "instead": lambda other: outlook.instead(other, names[other.mentor]),
        "relaxed": lambda one: outlook.relaxed(one, policy, names),
    }


def why_not_values(found: Outcome, answer: WhyNot | None) -> dict[str, Any]:
    """Return what the page shows of why a pair is not proposed."""
    values = _cities_values(found)
    names = values["names"]
    told, changes = [], []
    if answer is not None:
        told = sentences(answer, found.problem.cities, "en")
        changes = _changes(answer.difference, names) if not answer.proposed else []
    return values | {"answer": answer, "told": told, "changes": changes}


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
            one, values["names"], reasons.AREA_NAMES
        ),
    }


def readiness_values(
    found: Readiness, policy: Policy, names: dict[str, str]
) -> dict[str, Any]:
    """Return what the templates show of a round's readiness, in words."""
    return {
        "readiness": found,
        "relaxations": [
            outlook.relaxed(one, policy, names) for one in found.relaxations
        ],
        "shortage": outlook.short(found.shortage, names) if found.shortage else None,
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
