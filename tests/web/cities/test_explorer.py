"""The front page with its example, and cities to look through."""

import re
from html import unescape

import pytest

from app.permissions import TERMINAL
from app.services.cities import profiles as stored
from app.services.runs.example import example, why
from app.texts.matching import pair
from app.web.cities.explorer import SIZES
from schemas import AREA_IDS, City
from tests.fixtures.cities import city, compute, open_round, register
from tests.web.visitor import HTML, Visitor

HOSTILE = '<img src=x onerror=alert(1)> "é" \u202e😀 ' + "x" * 150
PAIRS = {
    ("brussels", "saint-jean-de-la-ruelle"),
    ("mechelen", "capaci"),
    ("fuenlabrada", "livadia"),
    ("schaerbeek", "jelgava"),
}


@pytest.fixture
def nobody(sqlite_service) -> Visitor:
    return Visitor(sqlite_service)


def levels(need: int = 0, strength: int = 0) -> dict[str, int]:
    return {"need": need, "strength": strength}


def content(visitor: Visitor) -> str:
    """Return the page between its navigation and its foot."""
    text = visitor.page.text
    return text[text.index('<main id="main">') : text.index("</main>")]


def buttons(visitor: Visitor) -> list[str]:
    """Return where the buttons of the page lead."""
    return re.findall(r'<a class="button[^"]*" href="([^"]+)"', content(visitor))


def cards(visitor: Visitor) -> list[str]:
    return re.findall(r'data-city="([\w-]+)"', visitor.page.text)


def marks(visitor: Visitor) -> list[str]:
    return re.findall(r'data-mark="([\w-]+)"', visitor.page.text)


def plain(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())


def test_the_front_page_shows_the_example_to_everybody(nobody):
    register(nobody.service, city("secret", name="A network of its own"))

    nobody.open("/")

    assert nobody.status == 200
    arcs = re.findall(
        r'class="arc-link" href="/demo/([\w-]+)/([\w-]+)"', nobody.page.text
    )
    assert set(arcs) == PAIRS
    assert len(arcs) == 4
    assert "Left before the round: <bdi>Partinico</bdi> (Italy)" in nobody.page.text
    assert (
        nobody.page.text.count("ring-gone") == 1 + 1
    )  # the city, and what a ring means
    assert "no proof of quality: only 24 sets of pairs" in nobody.page.text
    assert "network of its own" not in nobody.page.text
    for one in example().solution.pairings:
        assert f'<td class="number">{one.score:.1f}</td>' in nobody.page.text


def test_the_example_is_matched_once(nobody, monkeypatch):
    nobody.open("/")
    monkeypatch.setattr("matching.match", None)

    assert nobody.open("/").status == 200
    assert example() is example()
    assert {(p.mentor, p.learner) for p in example().solution.pairings} == PAIRS
    assert all(p.firmness is not None for p in example().solution.pairings)


@pytest.mark.parametrize(
    ("role", "doors"),
    [
        (None, ["/sign-in?to=/rounds", "/sign-in?to=/cities", "/api/docs"]),
        (
            "officer",
            [
                "/rounds",
                "/cities/mechelen/edit",
                "/cities/mechelen/like",
                "/api/docs",
            ],
        ),
        ("organiser", ["/rounds", "/cities/import", "/cities", "/api/docs"]),
        ("auditor", ["/rounds", "/cities", "/api/docs"]),
    ],
)
def test_the_doors_lead_everybody_on(nobody, role, doors):
    if role:
        nobody.sign_in(role)

    assert buttons(nobody.open("/")) == doors
    assert "waits for your answer" not in nobody.page.text


def test_an_officer_is_led_to_an_open_offer(nobody):
    needs, meets = {"health": levels(need=3)}, {"health": levels(strength=4)}
    service = nobody.service
    round_id = open_round(
        service,
        city("mechelen", "mentor", areas=meets),
        city("brno", areas=needs),
        city("cork", "mentor", areas=meets),
        city("ghent", areas=needs),
    )
    run = compute(service, round_id)
    for path, sent in (
        ("phase", {"to": "closed"}),
        ("stage", {"run": run}),
        ("release", {}),
    ):
        answer = service.post(f"/rounds/{round_id}/{path}", sent)
        assert answer.is_success, answer.text
    (own,) = (
        one["id"]
        for one in service.get(f"/rounds/{round_id}/pairings").json()["items"]
        if one["mentor"] == "mechelen"
    )
    nobody.sign_in("officer").open("/")

    assert re.findall(r'href="(/pairings/\w+)"', nobody.page.text) == [
        f"/pairings/{own}"
    ]
    assert "1 pairing waits for your answer." in nobody.page.text
    answered = {"side": "mentor", "answer": "accept"}
    service.post(f"/pairings/{own}/answer", answered, "officer")
    assert "/pairings/" not in nobody.open("/").page.text
    assert "/pairings/" not in nobody.sign_in("organiser").open("/").page.text


@pytest.mark.parametrize(
    ("mentor", "learner"), [("mechelen", "capaci"), ("fuenlabrada", "livadia")]
)
def test_the_reasons_of_the_example_are_public_and_add_up(nobody, mentor, learner):
    names = {one.id: one.name for one in example().problem.cities}
    known = {one.id: one for one in example().problem.cities}
    reasons = why(known[mentor], known[learner])

    for tongue in ("en", "fr", "nl"):
        shown = nobody.open(f"/demo/{mentor}/{learner}?lang={tongue}")
        assert shown.status == 200
        for said in pair.explained(reasons, names[mentor], names[learner], tongue):
            assert f"<li>{said}</li>" in unescape(shown.page.text), said
    nobody.open(f"/demo/{mentor}/{learner}?lang=en")
    widths = re.findall(
        r'class="bar-\w+" x="[\d.]+" width="([\d.]+)"', nobody.page.text
    )
    assert sum(map(float, widths)) == pytest.approx(reasons.score)
    assert (
        f"{reasons.score:.1f} of the {reasons.known_weight:.1f} points"
        in nobody.page.text
    )
    assert "The program proposes this pairing" in nobody.page.text


def test_a_pair_that_is_not_proposed_is_told_so_and_no_other_pair_is_known(nobody):
    shown = nobody.open("/demo/mechelen/jelgava")

    assert "The program does not propose this pair" in shown.page.text
    links = re.findall(r'href="/demo/([\w-]+)/([\w-]+)"', shown.page.text)
    assert len(set(links)) == 15
    assert ("mechelen", "jelgava") not in links
    for path in ("/demo/capaci/mechelen", "/demo/mechelen/partinico", "/demo/x/y"):
        assert nobody.open(path).status == 404


@pytest.fixture
def network(sqlite_service) -> Visitor:
    """Return an organiser who looks through some cities."""
    register(
        sqlite_service,
        city(
            "lodz",
            "mentor",
            name="Łódź",
            country="PL",
            languages=["pl", "en"],
            population=670_000,
            latitude=51.8,
            longitude=19.5,
            areas={"housing": levels(strength=4), "health": levels(need=1)},
        ),
        city(
            "mechelen",
            name="Mechelen",
            languages=["nl"],
            population=87_000,
            latitude=51.0,
            longitude=4.5,
            areas={"housing": levels(need=3), "health": levels(strength=2)},
        ),
        city(
            "liege",
            "mentor",
            name="Liège",
            languages=["fr"],
            population=195_000,
            areas={"housing": levels(need=1, strength=3)},
        ),
        city("small", name="Smallville", population=19_999, languages=["nl", "fr"]),
        city("unknown", name="Unknown", country="FR", areas={"health": levels()}),
    )
    return Visitor(sqlite_service).sign_in("organiser")


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
    for asked, found in FITTING:
        shown = network.open(f"/cities?{asked}")

        assert shown.status == 200
        assert cards(shown) == found, asked
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
    asked = "q=i&country=BE&role=mentor&area=housing&side=strength&language=fr"
    network.open(f"/cities?{asked}&size=100000-250000")
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
    for asked in ("", "?area=x"):
        shown = network.open(f"/cities/mechelen/like{asked}")
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
    ways = re.findall(
        r'<section class="card pair">.*?</section>', shown.page.text, re.DOTALL
    )
    there, back = map(plain, ways)
    assert there.startswith("What Łódź could do for Mechelen")
    assert "Housing could teach others much help none named" in there
    assert back.startswith("What Mechelen could do for Łódź")
    assert "Health and mental health some experience a little help" in back
    scores = [
        float(re.search(r"([\d.]+) of the [\d.]+ points", way).group(1))
        for way in (there, back)
    ]
    sums = [
        sum(map(float, re.findall(r'x="[\d.]+" width="([\d.]+)"', way))) for way in ways
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
    for asked, status, says in UNCLEAR:
        shown = network.open(f"/cities/compare?{asked}")

        assert (shown.status, says in shown.page.text) == (status, True)
        assert "could do for" not in shown.page.text
        (form,) = (one for one in network.forms() if one.holds("Compare"))
        if "a=lodz" in asked:
            assert form.fields["a"] == ["Łódź"]
        if "zzz" in asked:
            assert form.fields["b"] == ["zzz"]
            assert '<a href="#b">' in shown.page.text
        if "a=e" in asked:
            chosen = re.findall(
                r'href="/cities/compare\?(a=\w+&amp;b=lodz)"', shown.page.text
            )
            assert chosen == [
                f"a={one}&amp;b=lodz" for one in ("liege", "mechelen", "small")
            ]


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
