"""The board of a round: who can help, what is in the way, for whom it waits."""

from dataclasses import dataclass
from typing import Any

import pytest

from app.pictures.butterfly import butterfly
from app.pictures.lights import lights
from app.services.accounts import accounts
from matching import Policy, Problem, readiness
from schemas import City
from tests.fixtures.cities import city, open_round, register
from tests.web.visitor import Visitor

STRONG, NEEDY = {"strength": 3}, {"need": 2}
NOTHING = {"housing": {"need": 0, "strength": 0}}
GAP = "Gender equality and migrant women: 2 cities need help, there is room for 0."
CITIES = (
    city("ghent", "mentor", name="Ghent", areas={"housing": STRONG}),
    city(
        "liege",
        "mentor",
        name="Liège",
        country="FR",
        mentor_capacity=2,
        areas={"health": STRONG, "housing": STRONG},
    ),
    city("brno", name="Brno", areas={"housing": NEEDY, "gender": NEEDY}),
    city("cork", name="Cork", areas={"housing": {"need": 4}}),
    city("turku", name="Turku", areas={"housing": NEEDY, "gender": NEEDY}),
    city("lodz", name="Łódź", areas={"housing": NEEDY, "health": NEEDY}),
)


def found(policy: Policy | None = None, *cities: dict[str, Any]) -> Any:
    problem = Problem(cities=tuple(City(**one) for one in cities or CITIES))
    return readiness(problem, policy or Policy())


def test_the_butterfly_has_learners_left_and_places_right_the_largest_gap_first():
    picture = butterfly(found().areas)

    assert [
        (row.found.area, row.found.learners, row.found.places, row.gap)
        for row in picture.rows
    ] == [("gender", 2, 0, 2), ("housing", 4, 3, 1), ("health", 1, 2, 0)]
    assert [(row.demand, row.supply) for row in picture.rows] == [
        (50.0, 0.0),
        (100.0, 75.0),
        (25.0, 50.0),
    ]
    assert picture.says == GAP


@pytest.mark.parametrize(
    ("cities", "says"),
    [
        (CITIES[:1] + CITIES[3:4], "There is room for everybody who needs help"),
        ((city("blank", areas=NOTHING),), "No city has said yet what it needs"),
    ],
)
def test_a_butterfly_without_a_gap_says_so(cities, says):
    assert butterfly(found(None, *cities).areas).says.startswith(says)


@dataclass
class Told:
    """A light, as far as the tests compare it."""

    level: str
    helps: int
    paths: list[str]


def told(policy: Policy, *cities: dict[str, Any]) -> list[Told]:
    names = {one["id"]: one["name"] for one in cities}
    return [
        Told(one.level, one.helps, [fix.path for fix in one.fixes])
        for one in lights(found(policy, *cities), policy, names, "trial")
    ]


def test_every_light_leads_to_where_it_is_mended_and_says_how_many_it_helps():
    policy = Policy(rules={"different_country": True})
    cities = (
        city("ghent", "mentor", name="Ghent"),
        city("brno", name="Brno"),
        city("cork", name="Cork", country="IE", areas=NOTHING),
    )

    assert told(policy, *cities) == [
        Told("stop", 1, ["/rounds/trial#take-in"]),  # Brno can go to nobody
        Told("stop", 1, ["/rounds/trial/rules", "/cities/brno"]),
        Told("care", 1, ["/rounds/trial?role=mentor#who", "/rounds/trial#take-in"]),
        Told("care", 1, ["/rounds/trial/rules?relax=different_country"]),
        Told("care", 1, ["/cities/cork/edit"]),
    ]


def test_a_rule_that_could_be_relaxed_leads_to_the_desk_with_that_rule():
    policy = Policy(rules={"different_country": True, "min_score": 99})
    cities = (city("ghent", "mentor", name="Ghent"), city("brno", name="Brno"))

    one = told(Policy(rules={"different_country": True}), *cities)[1:]

    assert Told("care", 1, ["/rounds/trial/rules?relax=different_country"]) in one
    both = [light.paths[0] for light in told(policy, *cities)]
    assert "/rounds/trial/rules?relax=different_country" not in both


@pytest.fixture
def organiser(sqlite_service) -> Visitor:
    open_round(sqlite_service, *CITIES)
    return Visitor(sqlite_service).sign_in("organiser").open("/rounds/trial")


def test_the_board_says_where_it_is_and_what_comes_next(organiser):
    assert "You are here: open." in organiser.text
    assert "Then it is closed: no city joins any more" in organiser.text
    assert GAP in organiser.text
    assert (
        "Gender equality and migrant women 2 4 0 0 2" in organiser.text
    )  # the same as a table
    assert "nobody offers it" in organiser.text


def test_the_board_says_for_whom_the_round_waits(organiser):
    service = organiser.service
    with service.client.app.state.database.write() as session:
        accounts.add_user(session, "a@example.org", "officer", "ghent")
    blank = city("aarhus", "mentor", name="Aarhus", areas=NOTHING)
    register(service, blank)
    service.put("/rounds/trial/participants/aarhus", {})
    with service.client.app.state.database.write() as session:
        accounts.add_user(session, "b@example.org", "officer", "aarhus")
    person = {"email": "c@example.org", "role": "officer", "city": "brno"}
    assert service.post("/accounts", person).status_code == 201
    person = {"email": "d@example.org", "role": "officer", "city": "nowhere"}
    assert service.post("/accounts", person).status_code == 201

    shown = organiser.open("/rounds/trial").text

    waits = shown[shown.index("For whom the round waits") :]
    waits = waits[: waits.index("Proposals")]
    assert "Aarhus profile not finished" in waits
    assert "Brno invited, has not come in yet" in waits
    assert "Cork nobody of it has an account" in waits
    assert "nowhere invited, has not come in yet not in the round yet" in waits
    assert "Ghent" not in waits


def test_cities_are_looked_for_by_a_part_of_their_name_and_taken_in(organiser):
    service = organiser.service
    register(service, *(city(f"city-{at:03}", name=f"Place {at}") for at in range(20)))
    register(service, city("zizkov", name="Žižkov"))

    organiser.open("/rounds/trial")
    assert "There are more: look for a part of the name." in organiser.text
    assert "Žižkov" not in organiser.text
    organiser.press("Look", find="zizk")
    assert "Žižkov" in organiser.text
    organiser.press("Take in", city=["zizkov", "city-001"])

    assert organiser.path == "/rounds/trial"
    listed = service.get("/rounds/trial/participants").json()["items"]
    assert {"zizkov", "city-001"} <= {one["city"] for one in listed}
    assert len(listed) == len(CITIES) + 2
    organiser.press("Take in")
    assert (organiser.status, "Tick the cities" in organiser.text) == (422, True)


def test_an_officer_is_invited_from_the_board_once(organiser):
    organiser.press("Invite", email="a@example.org", city="lodz").press_again()
    assert "The invitation is on its way." in organiser.text
    organiser.press("Invite", email="b@example.org", city="New Place")
    organiser.press("Invite", email="c@example.org", city="r")

    assert organiser.status == 422
    assert "Several cities may be meant" in organiser.text
    (form,) = (one for one in organiser.forms() if one.holds("Invite"))
    assert form.fields["email"] == ["c@example.org"]
    listed = organiser.service.get("/accounts").json()["items"]
    invited = {one["email"]: one["city"] for one in listed if not one["joined_at"]}
    assert invited == {"a@example.org": "lodz", "b@example.org": "new-place"}


def test_participants_are_filtered_by_name_and_role(organiser):
    def shown(query: str) -> list[str]:
        text = organiser.open(f"/rounds/trial?{query}").page.text
        table = text[text.index('id="who"') : text.index('id="take-in"')]
        return [one["name"] for one in CITIES if f"<bdi>{one['name']}</bdi>" in table]

    assert shown("") == [one["name"] for one in CITIES]
    assert shown("who=LO") == ["Łódź"]
    assert shown("role=mentor") == ["Ghent", "Liège"]
    assert shown("at=4") == ["Turku", "Łódź"]
    assert shown("who=nobody") == []
    assert "No city of this name takes part." in organiser.text


def test_an_officer_enters_with_wishes_that_only_it_and_organisers_see(organiser):
    service = organiser.service
    register(service, city("mechelen", "mentor", name="Mechelen"))
    visitor = organiser.sign_in("officer").open("/rounds/trial")
    assert "Say whether Mechelen takes part." in visitor.text

    visitor.open("/rounds/trial/take-part/mechelen").press(
        "Take part",
        roles=["mentor"],
        mentor_capacity="3",
        wish_mentor=["lodz", "Cork", ""],
        veto=["turku"],
    )

    assert visitor.path == "/rounds/trial"
    assert "Mechelen takes part. You may change how" in visitor.text
    one = service.get("/rounds/trial/participants/mechelen").json()
    assert (one["mentor_capacity"], one["learner_demand"]) == (3, 0)
    assert one["wishes"] == [{"role": "mentor", "partners": ["lodz", "cork"]}]
    assert one["vetoes"] == ["turku"]
    visitor.open("/rounds/trial/take-part/mechelen").press("Save", veto=["Nix"])
    assert (visitor.status, "is called “Nix”" in visitor.text) == (422, True)
    (form,) = (one for one in visitor.forms() if one.holds("Save"))
    assert form.fields["wish_mentor"] == ["Łódź", "Cork", ""]
    assert visitor.open("/rounds/trial/take-part/cork").status == 404
    visitor.open("/rounds/trial/take-part/mechelen").press("Leave the round")
    assert "Say whether Mechelen takes part." in visitor.text


def test_a_participation_that_somebody_changed_meanwhile_is_not_lost(organiser):
    organiser.open("/rounds/trial/take-part/ghent")
    theirs = {"mentor_capacity": 5}
    organiser.service.put("/rounds/trial/participants/ghent", theirs, tag="*")

    organiser.press("Save", mentor_capacity="2")

    assert organiser.status == 412
    one = organiser.service.get("/rounds/trial/participants/ghent").json()
    assert one["mentor_capacity"] == 5
    organiser.press("Save")
    one = organiser.service.get("/rounds/trial/participants/ghent").json()
    assert one["mentor_capacity"] == 2


def test_the_list_of_rounds_says_how_many_cities_and_what_is_next(organiser):
    organiser.service.post("/rounds", {"name": "Blank"})

    shown = organiser.open("/rounds").text

    assert "Trial open 6 cities Next: wait for the cities, then close it." in shown
    assert "Blank draft 0 cities Next: take in cities, then open it." in shown
    assert "Begin as a copy of Blank" in shown
    organiser.press("Set up", name="")
    assert (organiser.status, 'href="#name"' in organiser.page.text) == (422, True)


def test_an_empty_draft_says_the_next_step(sqlite_service):
    sqlite_service.post("/rounds", {"name": "Blank"})
    visitor = Visitor(sqlite_service).sign_in("organiser").open("/rounds/blank")

    assert "No city takes part yet." in visitor.text
    assert "Who needs help, and who has room" not in visitor.text
    assert "Every registered city is in the round." in visitor.text
