"""The round `trial` of five cities, and what the API tells of its pairings."""

from tests.fixtures.cities import city
from tests.web.visitor import Visitor

NEEDS = {"health": {"need": 3, "strength": 0}, "housing": {"need": 2, "strength": 0}}
MEETS = {"health": {"need": 0, "strength": 4}, "housing": {"need": 0, "strength": 3}}
CITIES = (
    city("mechelen", "mentor", name="Mechelen", languages=["nl", "en"], areas=MEETS),
    city("ghent", "mentor", name="Ghent"),
    city("liege", "mentor", name="Liège"),
    city("brno", name="Brno", country="CZ", areas=NEEDS),
    city("cork", name="Cork", country="IE"),
)
MECHELENS, LIEGES = "Mechelen → Brno", "Liège → Cork"


def pairing(visitor: Visitor, title: str) -> str:
    """Return the path of the newest pairing with this title."""
    mentor, learner = title.lower().replace("è", "e").split(" → ")
    (found,) = (
        one["id"]
        for one in visitor.service.get("/rounds/trial/pairings").json()["items"]
        if (one["mentor"], one["learner"]) == (mentor, learner)
    )
    return f"/pairings/{found}"


def states(visitor: Visitor) -> dict[str, str]:
    found = visitor.service.get("/rounds/trial/pairings").json()["items"]
    return {f"{one['mentor']} {one['learner']}": one["state"] for one in found}
