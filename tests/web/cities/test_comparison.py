"""Cities that are like one, and two cities side by side."""

import re

import pytest

from tests.fixtures.cities import city, register
from tests.web.cities.reading import content, levels, plain


def like_it(slug: str, strength: int, **fields):
    return city(slug, areas={"housing": levels(strength=strength)}, **fields)


def test_cities_like_one_are_strong_where_it_needs_help_and_most_alike_first(network):
    share = {"value": 0.3, "definition": "foreign_born"}
    own = {"population": 100_000, "migrant_share": share, "languages": ["nl"]}
    at = {"latitude": 51.0, "longitude": 4.5}
    practice = {
        "area": "housing",
        "title": "Rent guarantee",
        "what_went_wrong": "Nobody came.",
        "url": "javascript:alert(1)",
    }
    other = {"area": "health", "title": "Not asked for"}
    register(
        network.service,
        city("me", name="Me", areas={"housing": levels(need=4)}, **own, **at),
        like_it("twin", 3, name="Twin", practices=[practice, other], **own, **at),
        like_it("far", 4, name="Far", **own, latitude=38.0, longitude=23.7),
        like_it("weak", 2, name="Weak", **own, **at),
    )

    shown = network.open("/cities/me/like")

    # Łódź and Liège are strong, too, but larger and of unknown people.
    found = re.findall(r'<h3><a href="/cities/([\w-]+)">', shown.page.text)
    assert found[:2] == ["twin", "far"]
    assert set(found) == {"twin", "far", "lodz", "liege", "small"}
    articles = re.findall(r"<article.*?</article>", shown.page.text, re.DOTALL)
    twin, far = map(plain, articles[:2])
    assert "likeness 100.0 of 100" in twin
    assert "In size and people: one city is 1.0 times the other, their shares" in twin
    assert "Both teams work in Dutch." in twin
    assert "They are 0 km apart." in twin
    assert "1 practice in this area" in twin
    assert "Rent guarantee" in twin
    assert "What went wrong: Nobody came." in twin
    assert "Not asked for" not in twin
    assert 'href="javascript:' not in shown.page.text
    assert "could teach others" in far
    assert "It names no practice in this area." in far
    assert re.search(r"They are 2,\d\d\d km apart\.", far)
    assert "/cities/compare?a=me&amp;b=twin" in shown.page.text


def test_one_may_ask_about_another_area_and_is_told_if_nobody_is_strong(network):
    shown = network.open("/cities/mechelen/like?area=education")
    assert "No other city says yet that it is strong in this area." in shown.page.text
    assert "/cities?area=education&amp;side=strength" in shown.page.text
    # Without an area, or with one that is none: where help is needed most.
    for query in ("", "?area=x"):
        shown = network.open(f"/cities/mechelen/like{query}")
        assert re.findall(r"<h2>(.*?)</h2>", shown.page.text) == ["Housing"]
    shown = network.open("/cities/unknown/like")
    assert "This city says of no area that it needs help." in shown.page.text
    assert network.open("/cities/nothing/like").status == 404


def test_two_cities_stand_side_by_side(network):
    shown = network.open("/cities/compare?a=lodz&b=Mechelen")

    assert shown.status == 200
    text = plain(content(shown))
    assert "The two teams share no working language." in text
    assert "They are 1,042 km apart." in text
    assert "Łódź could help in 1 area, Mechelen in 1 area." in text.replace(" ,", ",")
    directions = re.findall(
        r'<section class="card pair">.*?</section>', shown.page.text, re.DOTALL
    )
    first, second = map(plain, directions)
    assert first.startswith("What Łódź could do for Mechelen")
    assert "Housing could teach others much help none named" in first
    assert second.startswith("What Mechelen could do for Łódź")
    assert "Health and mental health some experience a little help" in second
    scores = [
        float(re.search(r"([\d.]+) of the [\d.]+ points", direction).group(1))
        for direction in (first, second)
    ]
    sums = [
        sum(map(float, re.findall(r'x="[\d.]+" width="([\d.]+)"', direction)))
        for direction in directions
    ]
    assert scores == pytest.approx(sums, abs=0.05)
    assert scores[0] > 0
    (twin,) = re.findall(
        r'<details class="twin">.*?</details>', shown.page.text, re.DOTALL
    )
    assert "Housing could teach others; no need no experience; much help" in plain(twin)
    # Bars of the left city grow to the left.
    assert (
        '<rect class="bar-strength" x="0" y="1" width="40" height="5">'
        in shown.page.text
    )
    assert (
        '<rect class="bar-need" x="30" y="8" width="10" height="5">' in shown.page.text
    )
    assert (
        '<rect class="bar-need" x="0" y="8" width="30" height="5">' in shown.page.text
    )


UNCLEAR = [
    ("", 200, "Two cities side by side"),
    ("a=lodz", 200, "Two cities side by side"),
    ("a=lodz&b=zzz", 422, "No city is called “zzz”."),
    ("a=lodz&b=LODZ", 422, "Choose two different cities."),
    ("a=e&b=lodz", 422, "Several cities may be meant by “e”: choose one."),
    ("a=lodz&b=%01%07", 200, "Two cities side by side"),
]


def test_cities_to_compare_may_be_missing_unknown_or_unclear(network):
    for query, status, says in UNCLEAR:
        shown = network.open(f"/cities/compare?{query}")

        assert (shown.status, says in shown.page.text) == (status, True)
        assert "could do for" not in shown.page.text
        (form,) = (one for one in network.forms() if one.holds("Compare"))
        if "a=lodz" in query:
            assert form.fields["a"] == ["Łódź"]
        if "zzz" in query:
            assert form.fields["b"] == ["zzz"]
            assert '<a href="#b">' in shown.page.text
        if "a=e" in query:
            chosen = re.findall(
                r'href="/cities/compare\?(a=\w+&amp;b=lodz)"', shown.page.text
            )
            assert chosen == [
                f"a={one}&amp;b=lodz" for one in ("liege", "mechelen", "small")
            ]
