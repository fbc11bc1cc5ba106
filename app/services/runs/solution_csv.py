"""What a run found, as a table for a spreadsheet."""

from collections.abc import Sequence
from typing import Any, get_args

from app.services.runs.runs import Outcome
from app.services.shared.csv_cells import table
from schemas import Criterion

_CRITERIA: tuple[str, ...] = get_args(Criterion)
_HEAD = (
    "learner_id",
    "learner",
    "mentor_id",
    "mentor",
    "score",
    "known_weight",
    "pinned",
    *(f"points_{criterion}" for criterion in _CRITERIA),
    "unmatched_role",
    "missing_places",
    "reasons",
)


def solution_csv(found: Outcome) -> str:
    """Return a row for each pairing, then one for each city that is left out."""
    names = {city.id: city.name for city in found.problem.cities}
    rows: list[Sequence[Any]] = [_HEAD]
    for pair in found.solution.pairings:
        points = {part.criterion: part.points for part in pair.contributions}
        rows.append(
            (
                pair.learner,
                names[pair.learner],
                pair.mentor,
                names[pair.mentor],
                pair.score,
                pair.known_weight,
                "yes" if pair.pinned else "no",
                *(points.get(criterion, "") for criterion in _CRITERIA),  # type: ignore[call-overload]
                "",
                "",
                "",
            )
        )
    for left in found.solution.unmatched:
        city = (left.city, names[left.city])
        sides = (*city, "", "") if left.role == "learner" else ("", "", *city)
        reasons = "; ".join(f"{why.code} ({why.partners})" for why in left.reasons)
        blank = [""] * (3 + len(_CRITERIA))
        rows.append((*sides, *blank, left.role, left.missing, reasons))
    return table(rows)
