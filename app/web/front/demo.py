"""The IncluCities round, for anybody: its map, and why each pair is one."""

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from app.errors import NotFound
from app.pictures.pairing_map import PairingMap, Tie, pairing_map
from app.services.runs.example import Example, example, why
from app.templates.pages import explanation_values
from app.texts.catalogue import reading
from app.web.layout import show
from app.web.session import OptionalPageSession
from schemas import City

router = APIRouter(include_in_schema=False)


def picture(found: Example) -> PairingMap:
    """Return the map of the example: every arc leads to the reasons of its pairing."""
    ties = [
        Tie(
            mentor=one.mentor,
            learner=one.learner,
            score=one.score,
            firmness=one.firmness,
            href=f"/demo/{one.mentor}/{one.learner}",
        )
        for one in found.solution.pairings
    ]
    return pairing_map(
        (*found.problem.cities, *found.withdrawn),
        ties,
        {one.city for one in found.solution.unmatched},
        {city.id for city in found.withdrawn},
        is_half=True,
    )


def _among(cities: list[City], wanted: str) -> City:
    for city in cities:
        if city.id == wanted:
            return city
    raise NotFound("The example has no such pair.")


@router.get("/demo/{mentor_id}/{learner_id}")
def show_pair(
    guest: OptionalPageSession, mentor_id: str, learner_id: str
) -> HTMLResponse:
    """Show where the score of a pair of the example comes from, to anybody."""
    found = example()
    mentor = _among(found.with_role("mentor"), mentor_id)
    learner = _among(found.with_role("learner"), learner_id)
    needed = {area for area, levels in learner.areas.items() if levels.need}
    with guest.read() as (_session, actor):
        return show(
            "front/demo.html",
            actor,
            "",
            mentor=mentor,
            learner=learner,
            pairing=found.pairing(mentor.id, learner.id),
            practices=[one for one in mentor.practices if one.area in needed],
            mentors=found.with_role("mentor"),
            learners=found.with_role("learner"),
            is_as_made=found.is_as_made,
            **explanation_values(
                why(mentor, learner), mentor.name, learner.name, reading()
            ),
        )
