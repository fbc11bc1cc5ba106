"""What a city has told of itself, task by task, and what is still worth telling."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from schemas import AREA_IDS, AreaId, AreaLevels, City

Task = Literal["place", "languages", "role", "areas", "practices", "words", "contacts"]
TASKS: tuple[Task, ...] = get_args(Task)
State = Literal["done", "begun", "open", "unneeded"]
STRONG = 3
"""From this level on a strength is worth a practice that backs it."""
NOTHING_TOLD: Mapping[AreaId, AreaLevels] = {AREA_IDS[0]: AreaLevels()}
"""The areas of a city that has not told of any yet: a profile names at least one, and
one without need and strength says the same as one that is left out."""


@dataclass(frozen=True)
class Fact:
    """A fact that a profile may hold.

    Attributes:
        id: What it is.
        task: The task in which it is filled in.
        there: Whether the profile holds it.
        required: Whether the task is not done without.

    """

    id: str
    task: Task
    there: bool
    required: bool = True


def told_areas(city: City) -> Mapping[AreaId, AreaLevels]:
    """Return the areas that the city itself has told of."""
    return {} if city.areas == NOTHING_TOLD else city.areas


def unproven(city: City) -> list[AreaId]:
    """Return the areas in which the city is strong and names no practice."""
    proven = {practice.area for practice in city.practices}
    return [
        area
        for area in AREA_IDS
        if area in city.areas
        and city.areas[area].strength >= STRONG
        and area not in proven
    ]


def facts(city: City, contacts: int) -> list[Fact]:
    """Return the facts that the profile may hold, in the order of the tasks.

    Args:
        city: With what it tells.
        contacts: How many contact persons it names.

    """
    learns, mentors = (role in city.roles for role in ("learner", "mentor"))
    needs, strengths = bool(city.levels("need")), bool(city.levels("strength"))
    strong = any(one.strength >= STRONG for one in city.areas.values())
    found = [
        Fact("population", "place", city.population is not None),
        Fact("migrant_share", "place", city.migrant_share is not None),
        Fact("coordinates", "place", city.latitude is not None),
        Fact("languages", "languages", bool(city.languages)),
        Fact("role", "role", bool(city.roles)),
        Fact("needs", "areas", needs, learns or not (mentors or strengths)),
        Fact("strengths", "areas", strengths, mentors or not (learns or needs)),
        Fact("words", "words", city.needs_text is not None),
        Fact("contacts", "contacts", contacts > 0),
    ]
    if strong or city.practices:
        found.insert(7, Fact("practices", "practices", not unproven(city)))
    return found


def states(city: City, contacts: int) -> dict[Task, State]:
    """Return the state of each task."""
    found = facts(city, contacts)
    return {task: _state(task, found, city) for task in TASKS}


def _state(task: Task, found: list[Fact], city: City) -> State:
    own = [one for one in found if one.task == task]
    if not own:
        return "unneeded"
    if all(one.there or not one.required for one in own):
        return "done"
    # The name and the country are there from the first.
    is_begun = task == "place" or (task == "practices" and bool(city.practices))
    return "begun" if is_begun or any(one.there for one in own) else "open"
