"""A city as others see it, and all its answers to check."""

from fastapi import APIRouter
from fastapi.responses import HTMLResponse
from sqlalchemy.orm import Session

from app.permissions import Actor, may_edit_city, may_read_city_audit
from app.pictures.levels import Bars, bars
from app.services.cities import completeness, contacts, profiles
from app.services.shared.rows import CityRow, ContactRow
from app.web.cities.profile import editable, mine, titles
from app.web.cities.profile_form import LABELS, label
from app.web.layout import show
from app.web.session import PageSession
from schemas import AREA_IDS, City

router = APIRouter(include_in_schema=False)


def picture(city: City) -> Bars:
    """Return the needs and strengths of a city, area by area as forms have them."""
    told = city.areas
    return bars(
        {
            area: (told[area].need, told[area].strength)
            for area in AREA_IDS
            if area in told and (told[area].need or told[area].strength)
        }
    )


def _known_contacts(
    session: Session, actor: Actor, row: CityRow
) -> list[ContactRow] | None:
    """Return the city's contact persons; None if they are not the visitor's to see."""
    if not contacts.may_see(session, actor, row):
        return None
    return list(contacts.of_city(session, actor, row.id))


@router.get("/cities/{city_id}")
def show_city(tx: PageSession, city_id: str, saved: str = "") -> HTMLResponse:
    """Show a city as others see it."""
    with tx.read() as (session, actor):
        row = profiles.get(session, city_id)
        city = profiles.as_city(row)
        return show(
            "cities/city.html",
            actor,
            "cities",
            city=city,
            bars=picture(city),
            updated_at=row.updated_at,
            may_edit=may_edit_city(actor, city_id),
            may_read_log=may_read_city_audit(actor, city_id, row.association),
            contacts=_known_contacts(session, actor, row),
            saved=bool(saved),
        )


@router.get("/cities/{city_id}/edit/check")
def check_city(tx: PageSession, city_id: str) -> HTMLResponse:
    """Show all that was answered, with what leads back to each answer."""
    with tx.read() as (session, actor):
        row = editable(session, actor, city_id)
        city = profiles.as_city(row)
        found = contacts.of_city(session, actor, city_id)
        return show(
            "cities/city_check.html",
            actor,
            mine(actor, city_id),
            city=city,
            bars=picture(city),
            titles=titles(),
            states=completeness.states(city, len(found)),
            labels={name: label(name) for name in LABELS},
            contacts=found,
        )
