"""The list of cities, with its filters, its map and its cards."""

import re
from html import unescape

import pytest

from app.permissions import TERMINAL
from app.services.cities import profiles as stored
from app.web.cities.explorer import SIZES
from schemas import AREA_IDS, City
from tests.fixtures.cities import city, register
from tests.web.cities.reading import cards, content, marks, plain
from tests.web.visitor import HTML

HOSTILE = '<img src=x onerror=alert(1)> "é" \u202e😀 ' + "x" * 150


FITTING = [
    ("", ["liege", "lodz", "mechelen", "small", "unknown"]),
    ("q=LODZ", ["lodz"]),
    ("country=BE", ["liege", "mechelen", "small"]),
    ("role=mentor", ["liege", "lodz"]),
    ("area=housing", ["liege", "lodz", "mechelen", "small"]),
    ("area=housing&side=strength", ["liege", "lodz", "small"]),
    ("area=housing&side=need", ["liege", "mechelen", "small"]),
    ("area=housing&side=need&role=mentor", ["liege"]),
    ("area=housing&role=mentor", ["liege", "lodz"]),
    ("area=health&role=mentor", []),
    ("language=fr", ["liege", "small"]),
    ("language=en", ["lodz"]),
    ("size=-20000", ["small"]),
    ("size=50000-100000", ["mechelen"]),
    ("size=100000-250000", ["liege"]),
    ("size=250000-", ["lodz"]),
    ("size=20000-50000", []),
    ("language=nl&size=-20000&country=BE&q=ville", ["small"]),
    # What a filter cannot be is left out.
    (
        "side=x&area=x&role=x&language=xyz&size=x",
        ["liege", "lodz", "mechelen", "small", "unknown"],
    ),
]


def test_filters_find_the_cities_that_fit(network):
    for query, found in FITTING:
        shown = network.open(f"/cities?{query}")

        assert shown.status == 200
        assert cards(shown) == found, query
        placed = [one for one in found if one in {"lodz", "mechelen"}]
        assert marks(shown) == placed
        if found:
            many = f"{len(found)} {'city' if len(found) == 1 else 'cities'}"
            assert many in shown.text


def test_sizes_leave_no_gap_and_begin_where_the_last_ends():
    bands = list(SIZES.values())

    assert bands[0][0] == 0
    assert bands[-1][1] is None
    assert [one[1] for one in bands[:-1]] == [one[0] for one in bands[1:]]


def test_filters_stay_in_the_form_and_in_the_address(network):
    query = "q=i&country=BE&role=mentor&area=housing&side=strength&language=fr"
    network.open(f"/cities?{query}&size=100000-250000")
    (form,) = (one for one in network.forms() if one.holds("Show"))

    assert form.method == "get"
    assert {name: values[0] for name, values in form.fields.items()} == {
        "q": "i",
        "country": "BE",
        "role": "mentor",
        "area": "housing",
        "side": "strength",
        "language": "fr",
        "size": "100000-250000",
    }
    network.press("Show", q="", size="")
    assert cards(network) == ["liege"]
    assert "q=&" in str(network.page.url)


def test_a_filter_offers_what_there_is_in_the_readers_language(network):
    shown = network.open("/cities?lang=fr&country=MT&language=sv").page.text

    def offered(name: str) -> list[str]:
        (box,) = re.findall(rf'<select id="{name}".*?</select>', shown, re.DOTALL)
        return re.findall(r'<option value="(\w+)"', box)

    # By their French names; what is asked for is there, too, though nobody has it.
    assert offered("country") == ["BE", "FR", "MT", "PL"]
    assert offered("language") == ["en", "fr", "nl", "pl", "sv"]
    assert len(offered("area")) == len(AREA_IDS)


def test_a_card_shows_what_a_city_can_and_needs(network):
    shown = network.open("/cities?q=lodz&area=health").page.text

    (card,) = re.findall(r'<li class="card city-card".*?</li>', shown, re.DOTALL)
    assert "Łódź" in card
    assert "Poland · 670,000 inhabitants · Polish and English" in plain(card)
    assert "Can help in: housing. Needs help in: health and mental health." in card
    housing, health = AREA_IDS.index("housing"), AREA_IDS.index("health")
    assert f'd="M{8 * housing + 1} 16h6v-16h-6z"' in card
    assert f'd="M{8 * health + 1} 16h6v4h-6z"' in card
    assert f'class="chosen" x="{8 * health}"' in card
    assert 'href="/cities/compare?a=lodz"' in card
    own = network.sign_in("officer").open("/cities?q=lodz").page.text
    assert 'href="/cities/compare?a=mechelen&amp;b=lodz"' in own
    assert 'href="/cities/mechelen/like"' in own


def test_pages_of_cities_follow_each_other_and_keep_the_filter(network):
    with network.service.client.app.state.database.write() as session:
        for at in range(55):
            one = city(f"n{at:02}", name=f"Nova {at}", languages=["sv"])
            stored.add(session, TERMINAL, City(**one))

    first = network.open("/cities?language=sv")
    assert cards(first) == [f"n{at:02}" for at in range(50)]
    assert "55 cities fit" in first.page.text
    (more,) = re.findall(r'href="(/cities\?[^"]*cursor[^"]*)"', first.page.text)
    second = network.open(unescape(more))
    assert cards(second) == [f"n{at:02}" for at in range(50, 55)]
    assert "55 cities fit" in second.page.text
    assert "More cities" not in second.page.text
    whole = network.open("/cities").page.text
    without_map = re.sub(r'<svg class="map.*?</svg>', "", whole, flags=re.DOTALL)
    assert len(without_map.encode()) < 150_000


def test_nothing_found_says_what_to_do(network):
    shown = network.open("/cities?q=nowhere")

    assert cards(shown) == []
    assert "No city fits. Leave out a filter" in plain(shown.page.text)
    assert '<svg class="map' not in shown.page.text
    assert re.findall(r'<a href="(/cities)">Show all</a>', content(shown)) == [
        "/cities",
        "/cities",
    ]


def test_without_any_city_everybody_reads_what_comes_next(nobody):
    organiser = nobody.sign_in("organiser").open("/cities").page.text
    assert "Import your spreadsheet, or register the first city." in organiser
    officer = nobody.sign_in("officer").open("/cities").page.text
    assert "The organisers invite cities; come back when they have." in officer
    assert "/cities/import" not in officer


def test_names_are_text_and_keep_their_direction_to_themselves(network):
    register(
        network.service,
        city("hostile", "mentor", name=HOSTILE, latitude=50, longitude=9),
    )

    for path in (
        "/cities",
        "/cities/hostile/like",
        "/cities/mechelen/like",
        "/cities/compare?a=hostile&b=mechelen",
        "/cities/compare?a=%3Cimg&b=%3Cscript%3E",
    ):
        shown = network.open(path)
        assert "<img src=x" not in shown.page.text, path
        assert "<script>" not in shown.page.text, path


@pytest.mark.parametrize("path", ["/cities", "/cities/compare", "/cities/a/like"])
def test_cities_are_for_members(nobody, path):
    answer = nobody.service.client.get(path, headers=HTML, follow_redirects=False)

    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/sign-in?to=/cities")
