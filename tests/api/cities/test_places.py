"""Finding a city by its name."""

import threading

import pytest

from app.compute import child
from app.outside import places
from app.services.cities.gazetteer import Gazetteer

MADE = {"geonameid": 1, "name": "Ægir", "countrycode": "IS", "population": 0}
MADE |= {"latitude": 1.5, "longitude": -2.5, "alternatenames": ["Єгір", "埃吉爾"]}
ELSEWHERE = MADE | {"geonameid": 2, "countrycode": "US"}


@pytest.fixture
def two(monkeypatch):
    """Have GeoNames know two places; count how often it is read."""
    read = []

    def stream():
        read.append(1)
        yield from (MADE, ELSEWHERE)

    monkeypatch.setattr(places, "_stream", stream)
    return read


def first(service, q, **more):
    items = service.get("/places", "officer", params={"q": q} | more).json()["items"]
    return (items[0]["name"], items[0]["country"]) if items else None


@pytest.mark.parametrize(
    ("place", "names"),
    [
        (("Livadeiá", "GR"), ("Livadia", "Livadeia", "Λιβαδειά")),
        (("Liège", "BE"), ("Liège", "liege", "Luik", "Lüttich")),
        (("Brussels", "BE"), ("Brussel", "Bruxelles", "BRUSSELS")),
        (("Łódź", "PL"), ("Lodz", "łódź")),
        (("Köln", "DE"), ("Köln", "Koeln", "Cologne")),
        (("Kyiv", "UA"), ("Kyiv", "Kiev", "Київ")),
        (("The Hague", "NL"), ("Den Haag", "'s-Gravenhage", "’s gravenhage")),
    ],
)
def test_a_city_is_found_without_accents_and_in_any_language(
    sqlite_service, place, names
):
    assert {name: first(sqlite_service, name) for name in names} == dict.fromkeys(
        names, place
    )


def test_what_is_told_of_a_place(sqlite_service):
    found = sqlite_service.get("/places?q=Partinico&country=IT", "auditor").json()

    assert found == {
        "items": [
            {
                "geonames_id": 2523871,
                "name": "Partinico",
                "country": "IT",
                "latitude": 38.04657,
                "longitude": 13.11785,
                "population": {"value": 28708, "source": "GeoNames", "year": None},
            }
        ]
    }


def test_whole_names_come_first_then_the_largest(sqlite_service):
    items = sqlite_service.get("/places?q=Saint-Denis").json()["items"]

    names = [one["name"] for one in items]
    people = [one["population"]["value"] for one in items[1:]]
    assert (len(items), names[0]) == (8, "Saint-Denis")
    assert people == sorted(people, reverse=True)
    found = sqlite_service.get("/places?q=Pau").json()["items"][:4]
    assert [(one["name"], one["country"]) for one in found] == [
        ("Pau", "FR"),
        ("Pau", "ES"),
        ("Pau", "IT"),
        ("Pavlohrad", "UA"),
    ]
    assert first(sqlite_service, "Cologne", country="IT") == ("Cologne", "IT")
    assert first(sqlite_service, "Livadia", country="EL") == ("Livadeiá", "GR")


@pytest.mark.parametrize(
    "q", ["", "e", "é ", "%", "_%", "'; DROP TABLE place; --", "\x01", "😀", "x" * 200]
)
def test_what_is_no_name_finds_nothing(sqlite_service, q):
    answer = sqlite_service.get("/places", params={"q": q})

    assert (answer.status_code, answer.json()) == (200, {"items": []})


@pytest.mark.parametrize("asked", ["q=Lodz&country=Poland", "", "q=" + "x" * 201])
def test_what_cannot_be_asked_is_refused(sqlite_service, asked):
    assert sqlite_service.get(f"/places?{asked}").status_code == 422


def test_several_at_once_make_one_file(two, tmp_path):
    place = tmp_path / "new" / places.file_name()
    threads = [threading.Thread(target=places.build, args=(place,)) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()

    assert len(two) == 1
    assert {one.suffix for one in place.parent.iterdir()} == {".db", ".lock"}
    found = Gazetteer(str(place.parent))
    (only,) = found.search("aegir")
    assert only.to_dict() == {
        "geonames_id": 1,
        "name": "Ægir",
        "country": "IS",
        "latitude": 1.5,
        "longitude": -2.5,
        "population": None,
    }
    assert found.search("єгір") == (only,)
    assert (found.get(1), found.get(2), found.get(1 << 70)) == (only, None, None)


def test_an_older_file_goes_and_a_broken_attempt_leaves_nothing(
    two, tmp_path, monkeypatch
):
    place = tmp_path / places.file_name()
    (tmp_path / "places-0-1.0.db").touch()
    with monkeypatch.context() as broken:
        broken.setattr(places, "_keys", lambda _: [(1, 2)])
        with pytest.raises(Exception):  # noqa: B017, PT011 -- whatever it is
            places.build(place)
    assert {one.suffix for one in tmp_path.iterdir()} == {".db", ".lock"}
    assert not place.exists()

    places.build(place)

    assert [one.name for one in tmp_path.glob("*.db")] == [place.name]
    assert len(two) == 2


def test_while_it_is_made_callers_are_told_to_wait(
    sqlite_service, tmp_path, monkeypatch
):
    go_on = threading.Event()

    def slow(question, _seconds):
        go_on.wait(10)
        question()

    monkeypatch.setattr(child, "run", slow)
    monkeypatch.setattr(places, "_stream", lambda: iter([MADE]))
    slow_places = Gazetteer(str(tmp_path), wait=0.05)
    sqlite_service.client.app.state.places = slow_places

    busy = sqlite_service.get("/places?q=aegir")
    go_on.set()
    slow_places.prepare().join(10)
    done = sqlite_service.get("/places?q=aegir")

    assert (busy.status_code, busy.headers["retry-after"]) == (503, "5")
    assert [one["name"] for one in done.json()["items"]] == ["Ægir"]


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("Den Haag", "Den Haag"),
        ("den haag", "The Hague"),
        ("Den Ha", "The Hague"),
        ("THE HAGUE", "The Hague"),
        ("", "The Hague"),
    ],
)
def test_a_city_may_go_by_the_name_that_was_typed(sqlite_service, typed, name):
    found: Gazetteer = sqlite_service.client.app.state.places
    (hague, *_) = found.search("Den Haag")

    assert found.name_of(hague, typed) == name
