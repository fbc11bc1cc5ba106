"""Pages: templates filled with values."""

from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from app import data
from app.services import reasons
from app.services.runs import Outcome
from schemas import Contribution

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
_environment.filters["points"] = lambda value: f"{value:.1f}"


def page(template: str, **values: Any) -> str:  # noqa: ANN401 -- what the template takes
    """Return the page as HTML; a value that is missing is an error."""
    return _environment.get_template(template).render(**values)


def solution_page(found: Outcome) -> str:
    """Return the outcome of a run as a page of its own, to read and to print."""
    return page("print.html", **outcome_values(found))


def outcome_values(found: Outcome) -> dict[str, Any]:
    """Return what the templates show of an outcome, in words."""
    names = {city.id: city.name for city in found.problem.cities}
    countries = {city.id: city.country for city in found.problem.cities}
    areas = {area.id: area.labels.en for area in data.policy_areas().items}

    def said(part: Contribution, mentor: str, learner: str) -> str:
        return reasons.sentence(part, names[mentor], names[learner], areas)

    return {
        "found": found,
        "names": names,
        "countries": countries,
        "said": said,
        "strongest": reasons.strongest,
        "why_left": reasons.why_left,
        "warned": reasons.warned,
        "how": reasons.how(found.policy),
    }
