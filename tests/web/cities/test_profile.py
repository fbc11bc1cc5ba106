"""A city registers, and tells of itself task by task: without a browser."""

import re
from html.parser import HTMLParser

import pytest

from app.pictures.levels import bars
from app.services.cities import completeness
from schemas import AREA_IDS, City
from tests.fixtures.cities import city, register
from tests.web.visitor import Visitor

LIST, ON = "Save and return to the tasks", "Save and go on"
EDIT = "/cities/mechelen/edit"
HOSTILE = '<img src=x onerror=alert(1)> "é" \u202e😀 ' + "x" * 150


@pytest.fixture
def officer(sqlite_service) -> Visitor:
    """Return the officer of a city that is not registered yet."""
    return Visitor(sqlite_service).sign_in("officer")


@pytest.fixture
def registered(sqlite_service) -> Visitor:
    """Return the same, registered."""
    register(sqlite_service, city("mechelen", "mentor"))
    return Visitor(sqlite_service).sign_in("officer")


def stored(visitor: Visitor) -> dict:
    return visitor.service.get("/cities/mechelen").json()


def version(visitor: Visitor) -> str:
    return visitor.service.get("/cities/mechelen").headers["etag"]


class _Links(HTMLParser):
    """Notes the ids of a page, and where the links of its summary lead."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.wanted: list[str] = []
        self._depth = 0
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.ids |= {given["id"]} if "id" in given else set()
        if given.get("role") == "alert" or (self._depth and tag == "div"):
            self._depth += 1
        if self._depth and tag == "a":
            self.wanted.append(given["href"].removeprefix("#"))

    def handle_endtag(self, tag):
        if self._depth and tag == "div":
            self._depth -= 1


# Choosing the city.


def test_a_city_is_chosen_by_typing_and_then_is_stored(officer):
    officer.open(EDIT).press("Search", q="Lodz")
    assert officer.status == 200
    assert "Łódź Poland · 639,890 inhabitants" in officer.text
    officer.press("Go on")
    assert "GeoNames suggests these figures." in officer.text
    form = next(one for one in officer.forms() if one.holds("Register the city"))
    assert form.fields["name"] == ["Łódź"]

    officer.press("Register the city", population="640.000", population_year="2024")

    assert (officer.status, officer.path) == (200, EDIT)
    assert (
        stored(officer)
        == City(
            id="mechelen",
            name="Łódź",
            country="PL",
            latitude=51.77058,
            longitude=19.47395,
            population={"value": 640_000, "year": 2024, "source": "GeoNames"},
            roles=(),
            areas={"education": {"need": 0, "strength": 0}},
        ).to_dict()
    )


def test_a_city_that_is_not_in_the_list_is_written(officer):
    officer.open(f"{EDIT}?q=Nowhereville")
    assert "No city found" in officer.text
    officer.press("Go on")
    form = next(one for one in officer.forms() if one.holds("Register the city"))
    assert form.fields["name"] == ["Nowhereville"]
    officer.press("Register the city", country="BE")
    assert stored(officer)["name"] == "Nowhereville"


def test_who_may_not_change_the_city_sees_none_of_its_tasks(registered):
    tasks = ("", *completeness.TASKS, "practices/new", "check")
    pages = [f"{EDIT}/{task}".rstrip("/") for task in tasks]
    registered.sign_in("auditor")

    assert {registered.open(page).status for page in pages} == {404}
    sent = {"name": "X", "country": "BE", "seen": ""}
    told = registered.service.client.post(f"{EDIT}/place", data=sent)
    assert (told.status_code, stored(registered)["name"]) == (404, "mechelen")


def test_tasks_of_a_city_that_is_not_registered_lead_to_choosing_it(officer):
    assert officer.open(f"{EDIT}/role").path == EDIT
    assert "Which city is it?" in officer.text


def test_one_name_is_registered_once(sqlite_service):
    register(sqlite_service, city("gent"))
    page = Visitor(sqlite_service).sign_in("organiser").open("/cities/new?place=0")

    page.press("Register the city", name="Gent", country="BE", association="VVSG")

    assert page.status == 409
    assert "a city is registered under this name already" in page.text
    form = next(one for one in page.forms() if one.holds("Register the city"))
    assert form.fields["association"] == ["VVSG"]


def test_the_page_is_told_of_places_in_its_language(officer):
    client = officer.service.client
    found = client.get("/places.json?q=den haag&lang=nl").json()["items"]
    assert found[0] == {
        "id": 2747373,
        "name": "The Hague",
        "says": "Nederland, 474.292 inwoners",
    }
    client.cookies.clear()
    assert client.get("/places.json?q=den haag").status_code == 401


# The tasks.


def test_every_task_saves_by_itself_and_leads_on(officer):
    officer.open(f"{EDIT}?place=0").press("Register the city", name="M", country="BE")
    officer.open(f"{EDIT}/place?lang=fr")
    share = {"migrant_share": "33,5", "migrant_share_definition": "foreign_born"}
    place = {"latitude": "51,03", "longitude": "4,48"}
    officer.press("Enregistrer et continuer", population="1 234 567", **share | place)
    assert officer.path == f"{EDIT}/languages"
    officer.open(f"{EDIT}/languages?lang=en")
    officer.press(ON, languages=["nl", "ar"], other_languages="Türkisch, nl")
    assert officer.path == f"{EDIT}/role"
    # Places without the role do not count.
    officer.press(ON, roles="mentor", mentor_capacity="2", learner_demand="3")
    assert officer.path == f"{EDIT}/areas"
    officer.press(ON, need_housing="3", strength_data="4", none_health="1")
    assert officer.path == f"{EDIT}/practices"
    assert "You are strong here: which practice shows it? Data" in officer.text
    officer.open(f"{EDIT}/words").press(ON, needs_text="a\r\nb")
    assert officer.path == f"{EDIT}/contacts"

    told = stored(officer)
    assert told["population"] == {"value": 1_234_567, "year": None, "source": None}
    assert told["migrant_share"]["value"] == 0.335
    assert (told["latitude"], told["longitude"]) == (51.03, 4.48)
    assert told["languages"] == ["nl", "ar", "tr"]
    assert (told["roles"], told["mentor_capacity"], told["learner_demand"]) == (
        ["mentor"],
        2,
        0,
    )
    assert told["areas"] == {
        "data": {"need": 0, "strength": 4},
        "health": {"need": 0, "strength": 0},
        "housing": {"need": 3, "strength": 0},
    }
    assert told["needs_text"] == "a\nb"


def test_a_role_brings_its_places(registered):
    registered.open(f"{EDIT}/role").press(LIST, roles=["mentor", "learner"])
    both = stored(registered)
    registered.open(f"{EDIT}/role").press(LIST, roles=["learner"], learner_demand="3")
    one = stored(registered)

    assert (both["mentor_capacity"], both["learner_demand"]) == (1, 1)
    assert (one["mentor_capacity"], one["learner_demand"]) == (0, 3)


def test_all_can_be_taken_back(registered):
    registered.open(f"{EDIT}/areas").press(
        LIST, need_housing="", strength_housing="", none_housing=""
    )
    registered.open(f"{EDIT}/role").press(LIST, roles=[])

    assert stored(registered)["areas"] == {"education": {"need": 0, "strength": 0}}
    assert stored(registered)["roles"] == []
    page = registered.open(f"{EDIT}/areas").page.text
    assert re.findall("<input[^>]* checked", page) == []


@pytest.mark.parametrize(
    ("task", "typed", "fields"),
    [
        (
            "place",
            {"name": "", "population": "many", "latitude": "91", "longitude": "1"},
            {"name", "population", "latitude"},
        ),
        ("place", {"latitude": "1"}, {"longitude"}),
        (
            "place",
            {"migrant_share": "101"},
            {"migrant_share", "migrant_share_definition"},
        ),
        ("place", {"migrant_share": "5"}, {"migrant_share_definition"}),
        ("place", {"population_year": "1"}, {"population_year", "population"}),
        ("languages", {"other_languages": "Klingonisch"}, {"languages"}),
        ("role", {"mentor_capacity": "x"}, {"mentor_capacity"}),
        ("areas", {"need_data": "9"}, {"need_data"}),
        ("words", {"needs_text": "x" * 5001}, {"needs_text"}),
    ],
)
def test_what_is_wrong_is_said_once_and_leads_to_its_field(
    registered, task, typed, fields
):
    before = version(registered)
    registered.open(f"{EDIT}/{task}?lang=fr").press("Enregistrer et continuer", **typed)

    found = _Links(registered.page.text)
    assert (registered.status, {*found.wanted}) == (422, fields)
    assert {*found.wanted} <= found.ids
    form = next(one for one in registered.forms() if "seen" in one.fields)
    kept = {name: (form.fields[name] or [""])[0] for name in typed}
    assert kept == (typed if task != "areas" else {"need_data": ""})
    assert version(registered) == before
    registered.service.client.cookies.clear()


def test_two_who_change_one_task_lose_nothing(registered):
    first = Visitor(registered.service).open(f"{EDIT}/place")
    second = Visitor(registered.service).open(f"{EDIT}/place")
    third = Visitor(registered.service).open(f"{EDIT}/words")

    first.press(LIST, population="90000")
    second.press(LIST, association="VVSG")

    assert second.status == 412
    assert "Inhabitants : now it says 90,000" in second.text
    assert "Association : now it says nothing" in second.text
    form = next(one for one in second.forms() if "seen" in one.fields)
    assert form.fields["association"] == ["VVSG"]
    assert stored(second)["association"] is None
    second.press(LIST)  # what stands there holds
    assert (second.status, stored(second)["association"]) == (200, "VVSG")
    assert stored(second)["population"] is None
    third.press(LIST, needs_text="Another task.")
    assert (third.status, stored(third)["needs_text"]) == (200, "Another task.")


def test_practices_are_added_changed_and_deleted(registered):
    registered.open(f"{EDIT}/practices")
    assert "which practice shows it? Housing Add a practice" in registered.text
    registered.open(f"{EDIT}/practices/new?area=housing")
    registered.press("Add the practice", title="", year="x")
    assert registered.status == 422
    assert "Title: give the practice one" in registered.text
    registered.press("Add the practice", title="Guarantee", year="2021")
    registered.press_again()  # a second click adds nothing
    assert "which practice shows it" not in registered.text
    (added,) = registered.service.get("/cities/mechelen/practices").json()["items"]
    assert (added["area"], added["title"], added["year"]) == (
        "housing",
        "Guarantee",
        2021,
    )

    page = f"{EDIT}/practices/{added['id']}"
    first = Visitor(registered.service).open(page)
    second = Visitor(registered.service).open(page)
    first.press("Save the practice", what_went_wrong="Nobody knew of it.")
    second.press("Save the practice", title="Rent guarantee")
    assert second.status == 412
    assert "What went wrong: now it says Nobody knew of it." in second.text
    second.press("Save the practice", what_went_wrong="Few knew.")
    assert stored(second)["practices"] == [
        {
            "area": "housing",
            "title": "Rent guarantee",
            "summary": None,
            "result": None,
            "what_went_wrong": "Few knew.",
            "url": None,
            "language": None,
            "year": 2021,
        }
    ]
    second.open(f"{EDIT}/practices").press("Delete Rent guarantee")
    assert stored(second)["practices"] == []


def test_the_answers_are_checked_and_lead_back_to_their_fields(registered):
    page = registered.open(f"{EDIT}/check").page.text
    links = set(re.findall(rf'href="({EDIT}/[^"]+)"', page))

    assert registered.status == 200
    for link in links:
        path, _, field = link.partition("#")
        answer = registered.open(path)
        assert answer.status == 200
        assert not field or f'id="{field}"' in answer.page.text, link
    assert {link.partition("#")[0] for link in links} == {
        f"{EDIT}/{task}" for task in completeness.TASKS
    }


@pytest.mark.parametrize("task", ["", "/place", "/areas", "/practices", "/check"])
def test_hostile_words_are_text(sqlite_service, task):
    practice = {"area": "housing", "title": HOSTILE, "url": "javascript:alert(1)"}
    told = {"name": HOSTILE, "association": HOSTILE, "needs_text": HOSTILE}
    register(sqlite_service, city("mechelen", "mentor", practices=[practice], **told))
    visitor = Visitor(sqlite_service).sign_in("officer")

    for page in (EDIT + task, "/cities/mechelen"):
        text = visitor.open(page).page.text
        assert visitor.status == 200
        assert "<img src=x" not in text
        assert 'href="javascript' not in text
    assert HOSTILE in visitor.text


# How far it is.


def profile(**told) -> City:
    blank = {"roles": [], "areas": {"education": {"need": 0, "strength": 0}}}
    return City(**city("x", **blank | told))


WHOLE = {
    "population": 5,
    "migrant_share": {"value": 0.1, "definition": "other"},
    "latitude": 1,
    "longitude": 2,
    "languages": ["nl"],
    "roles": ["mentor"],
    "areas": {"data": {"need": 1, "strength": 3}},
    "practices": [{"area": "data", "title": "T"}],
    "needs_text": "x",
}


def test_how_far_each_task_is():
    def states(contacts=0, **told):
        return [*completeness.states(profile(**told), contacts).values()]

    def missing(**told):
        return [one.id for one in completeness.facts(profile(**told), 0)]

    nothing = ["begun", "open", "open", "open", "unneeded", "open", "open"]
    assert states() == nothing
    assert states(1, **WHOLE) == ["done"] * 7
    without = {k: v for k, v in WHOLE.items() if k not in {"practices", "latitude"}}
    without.pop("longitude")
    assert states(1, **without) == [
        *("begun", "done", "done", "done", "open", "done", "done"),
    ]
    only_need = {"areas": {"data": {"need": 1, "strength": 0}}}
    assert states(roles=["mentor"], **only_need)[3] == "begun"
    assert states(roles=["learner"], **only_need)[3] == "done"
    assert len(missing()) == 9
    assert len(missing(**WHOLE)) == 10


def test_the_list_says_what_is_still_worth_adding_and_why(registered):
    text = registered.open(EDIT).text

    assert "3 of 10 things are told" in text
    assert "Needs and strengths ✓ done Good practices ○ not yet" in text
    assert (
        "A practice for each strength of 3 or 4 It shows that you have done it" in text
    )
    page = registered.page.text
    assert (page.count('class="told"'), page.count('class="untold"')) == (3, 7)


# What others see.


def test_bars_are_as_long_as_levels_say():
    picture = bars({"housing": (2, 3), "data": (0, 4), "health": (4, 0)})

    lengths = [
        (one.area, picture.middle - one.left, one.right - picture.middle)
        for one in picture.items
    ]
    unit = picture.unit
    assert lengths == [
        ("housing", 2 * unit, 3 * unit),
        ("data", 0, 4 * unit),
        ("health", 4 * unit, 0),
    ]
    assert picture.strongest == ["data", "housing"]
    assert picture.neediest == ["health", "housing"]
    assert 8 * unit < picture.width
    tops = [one.top for one in picture.items]
    assert tops == sorted({*tops})
    assert max(tops) + picture.thick <= picture.height


def test_others_see_figures_with_their_sources_and_the_picture_twice(registered):
    service = registered.service
    areas = {one: {"need": 1, "strength": 0} for one in AREA_IDS[:2]}
    areas["data"] = {"need": 0, "strength": 4}
    figures = {
        "population": {"value": 87_000, "year": 2023, "source": "Statbel"},
        "migrant_share": {"value": 0.335, "definition": "foreign_born", "year": 2022},
    }
    told = city("mechelen", "mentor", areas=areas, name="Mechelen", **figures)
    assert service.put("/cities/mechelen", told, "*").is_success

    text = registered.open("/cities/mechelen?lang=nl").text

    assert "Inwoners 87.000 (2023) Statbel" in text
    assert "33,5%, in het buitenland geboren (2022)" in text
    assert (
        "Mechelen kan vooral helpen met: Data en onderbouwing. Ze heeft vooral hulp "
        "nodig bij: Onderwijs en opleiding, Huisvesting."
    ) in text
    row = "Data en onderbouwing 0 geen behoefte 4 kan anderen lesgeven"
    assert row in text
    widths = re.findall(
        r'class="bar-strength" [^>]*width="(\d+)"', registered.page.text
    )
    assert widths == ["0", "0", str(4 * bars({}).unit)]
    service.client.cookies.clear()
