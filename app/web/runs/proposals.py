"""What the pages of a proposal show: three looks, a list, and other partners."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from app.compute.engine import Tabled
from app.pictures import heat
from app.pictures.columns import columns
from app.pictures.moves import moves
from app.pictures.pairing_map import TOSS_UP, Tie, pairing_map
from app.pictures.slopes import slopes
from app.services.runs.runs import Outcome
from app.texts.catalogue import here, message, unaccented
from matching import Table
from schemas import City, Pairing, Role, Scenarios

Look = Literal["map", "columns", "table"]
LOOKS: tuple[Look, ...] = get_args(Look)
_AT_ONCE = 10
"""Most pairings of the list that stand on one page with their reasons."""
_AIMS = {
    "total": message("most points"),
    "served": message("most learners served"),
    "fair": message("best for the worst off"),
    "stable": message("stable"),
}
_SAME = 0.05
"""Points that are told as no change."""


@dataclass(frozen=True)
class View:
    """Which look at a proposal, and which part of it.

    Attributes:
        look: Which of the three.
        page: Of the list of pairings, from 1.
        row: Part of the mentors in the table, from 1.
        column: Part of the learners.
        city: Whose part of the table is shown, if any; it goes before the two.
        size: Most rows and columns of the table at once.

    """

    look: Look = "columns"
    page: int = 1
    row: int = 1
    column: int = 1
    city: str = ""
    size: int = heat.AT_ONCE

    @classmethod
    def of(cls, **said: str) -> "View":
        """Return what an address says; what makes no sense in it plays no part."""
        look: Look = next((one for one in LOOKS if one == said["look"]), "columns")
        size = heat.MOST_AT_ONCE if said["size"] == "all" else heat.AT_ONCE
        numbers = {name: _number(said[name]) for name in ("page", "row", "column")}
        return cls(look=look, city=said["city"], size=size, **numbers)


def _number(text: str) -> int:
    return max(1, int(text)) if text.isdecimal() and len(text) < 6 else 1  # noqa: PLR2004 -- enough parts


def look_values(found: Outcome, view: View, table: Table | None) -> dict[str, Any]:
    """Return what one look at a proposal shows, and a page of the list.

    Args:
        found: The proposal.
        view: Which look, and which part.
        table: Scores of all pairs, for the look that shows them.

    """
    pairings, cities = found.solution.pairings, found.problem.cities
    names = {city.id: city.name for city in cities}
    pages = -(-len(pairings) // _AT_ONCE) or 1
    page = min(view.page, pages)
    start = (page - 1) * _AT_ONCE
    tried = [one.firmness for one in pairings if one.firmness is not None]
    return {
        "view": view,
        "looks": LOOKS,
        "best": max(pairings, key=lambda one: one.score, default=None),
        "tried": bool(tried),
        "toss_ups": sum(share < TOSS_UP for share in tried),
        "picture": _picture(found, view, table, names),
        "listed_pairings": by_name(pairings, names)[start : start + _AT_ONCE],
        "page": page,
        "pages": pages,
        "all_cities": sorted(cities, key=lambda city: unaccented(city.name)),
    }


def by_name(pairings: Sequence[Pairing], names: dict[str, str]) -> list[Pairing]:
    """Return the pairings by the names of their learners, then of their mentors."""
    return sorted(
        pairings,
        key=lambda one: (unaccented(names[one.learner]), unaccented(names[one.mentor])),
    )


def _picture(
    found: Outcome, view: View, table: Table | None, names: dict[str, str]
) -> Any:  # noqa: ANN401 -- a picture of its own for each look
    pairings = found.solution.pairings
    if view.look == "map":
        return _map(found, names)
    if view.look == "table" and table is not None:
        return heat.heat(
            table,
            pairings,
            names,
            row=view.row - 1,
            column=view.column - 1,
            city=view.city,
            at_once=view.size,
        )
    return columns(found.problem.cities, pairings)


def _map(found: Outcome, names: dict[str, str]) -> Any:  # noqa: ANN401 -- as above
    run, pairings = found.run.id, found.solution.pairings
    paired = {one for pair in pairings for one in (pair.mentor, pair.learner)}
    lonely = {one.city for one in found.solution.unmatched} - paired
    ties = [
        Tie(
            mentor=one.mentor,
            learner=one.learner,
            score=one.score,
            firmness=one.firmness,
            href=f"/runs/{run}/pairs/{one.mentor}/{one.learner}",
        )
        for one in by_name(pairings, names)
    ]
    return pairing_map(found.problem.cities, ties, lonely)


def moves_values(
    found: Outcome, city: City | None, role: Role, tabled: Tabled | None
) -> dict[str, Any]:
    """Return what the page shows of the partners that a city could have.

    Args:
        found: The proposal.
        city: Whose partners; None: it is still to be chosen.
        role: In which role it is asked about.
        tabled: Scores of all pairs with their prices.

    """
    cities = sorted(found.problem.cities, key=lambda one: unaccented(one.name))
    known = {one.id: one for one in cities}
    shown = None
    if city is not None and tabled is not None:
        pairings = found.solution.pairings
        shown = moves(city, role, tabled.table, tabled.prices, pairings, known)
    return {
        "found": found,
        "names": {one.id: one.name for one in cities},
        "mentors": [one for one in cities if one.mentor_capacity],
        "learners": [one for one in cities if one.learner_demand],
        "city": city,
        "role": role,
        "moves": shown,
        "priced": tabled is not None and tabled.prices is not None,
    }


@dataclass(frozen=True)
class Apart:
    """In what one proposal differs from the one that all are compared with."""

    rank: int
    run: str
    changed: int
    gaining: int
    losing: int
    total: float
    worst_off: float | None
    served: str


NO_SCENARIOS: dict[str, Any] = {
    "compared": None,
    "points": None,
    "picture": None,
    "best": None,
    "base": None,
    "apart_from": [],
    "aims": {},
}
"""What the page of scenarios shows where nothing is compared."""


def scenario_values(
    compared: Scenarios,
    points: Mapping[str, Sequence[float]],
    names: Mapping[str, str],
    staged: str | None,
) -> dict[str, Any]:
    """Return what the page shows of proposals side by side.

    Args:
        compared: In what they differ.
        points: For each learner that differs its score in every proposal.
        names: What the cities are called; those that are gone are called by their ids.
        staged: The run that is staged, if any: with it the others are compared.

    """
    told, ids = here(), [one.run for one in compared.runs]
    base = ids.index(staged) if staged in ids else 0
    known = {one: names.get(one, one) for one in points}
    return {
        "compared": compared,
        "points": points,
        "picture": slopes(points, known) if points else None,
        "best": {
            name: _best(compared, name) if len(ids) > 1 else set()
            for name in ("total", "worst_off")
        },
        "base": base + 1,
        "apart_from": [
            _apart(compared, points, base, at) for at in range(len(ids)) if at != base
        ],
        "aims": {code: told.say(text) for code, text in _AIMS.items()},
    }


def _best(compared: Scenarios, name: str) -> set[str]:
    """Return the runs that are best at this measure; none if all are alike."""
    figures = {one.run: getattr(one, name) or 0.0 for one in compared.runs}
    most = max(figures.values())
    best = {run for run, value in figures.items() if most - value < _SAME}
    return best if len(best) < len(figures) else set()


def _apart(
    compared: Scenarios, points: Mapping[str, Sequence[float]], base: int, at: int
) -> Apart:
    mine, theirs = compared.runs[at], compared.runs[base]
    changed = [
        row for row in compared.differing if row.mentors[at] != row.mentors[base]
    ]
    changes = [points[row.learner][at] - points[row.learner][base] for row in changed]
    both = mine.worst_off is not None and theirs.worst_off is not None
    served = mine.learners_served - theirs.learners_served
    return Apart(
        rank=at + 1,
        run=mine.run,
        changed=len(changed),
        gaining=sum(one > _SAME for one in changes),
        losing=sum(one < -_SAME for one in changes),
        total=mine.total - theirs.total,
        worst_off=mine.worst_off - theirs.worst_off if both else None,  # type: ignore[operator]
        served=("+" if served > 0 else "−" if served else "") + str(abs(served)),
    )
