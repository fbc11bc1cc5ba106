"""From the staging to the repairs, as the pages show it."""

import re
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from html import unescape
from html.parser import HTMLParser

import pytest
from sqlalchemy import select

from app.db import tables
from app.pictures.mending import mending
from app.pictures.pair_lines import turn
from app.texts.catalogue import read_in
from app.web.rounds import board
from app.web.rounds.deadlines import time_left
from schemas import Pair, Repair, ScoredPair
from tests.fixtures.cities import (
    FIVE,
    INCLUCITIES,
    PROPOSED,
    add_officer,
    changing,
    city,
    listed,
    pairing,
    released_round,
    say,
    staged_round,
)
from tests.web.visitor import Visitor

NAMES = {one["id"]: one["name"] for one in FIVE}


@pytest.fixture
def organiser(sqlite_service) -> Visitor:
    return Visitor(sqlite_service).sign_in("organiser")


def open_page(visitor: Visitor, page: str, *, phase: str = "staged") -> Visitor:
    make = staged_round if phase == "staged" else released_round
    round_id = make(visitor.service, *FIVE)
    return visitor.open(f"/rounds/{round_id}/{page}")


class _Table(HTMLParser):
    """Reads the rows of the table with a class."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self._name, self._within, self._cell = name, False, False

    def handle_starttag(self, tag, attrs):
        if tag == "table":
            self._within = dict(attrs).get("class") == self._name
        elif self._within and tag == "tr":
            self.rows.append([])
        elif self._within and tag in {"th", "td"}:
            self.rows[-1].append("")
            self._cell = True

    def handle_endtag(self, tag):
        if tag in {"th", "td"}:
            self._cell = False
        elif tag == "table":
            self._within = False

    def handle_data(self, data):
        if self._within and self._cell:
            self.rows[-1][-1] += data


def table(visitor: Visitor, name: str) -> list[list[str]]:
    reader = _Table(name)
    reader.feed(visitor.page.text)
    return [[cell.strip() for cell in row] for row in reader.rows]


# Staging and the release.


def test_the_release_step_counts_as_the_outbox_does(organiser):
    service = organiser.service
    for caller, place in (
        ("amiens", "amiens"),
        ("celje", "celje"),
        ("celje-too", "celje"),
        ("bruges", "bruges"),
    ):
        add_officer(service, place, caller)
    open_page(organiser, "pairings")

    head, *rows, foot = table(organiser, "letters")

    held: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    for one in listed(service, "/rounds/trial/messages"):
        if one["account"]:
            key = one["kind"], one["role"], one["language"]
            held[key].append(one["city"])
    languages = {"en": "English", "fr": "French", "nl": "Dutch"}
    expected = [
        [
            kind,
            role,
            languages[language],
            str(len(places)),
            ", ".join(sorted(set(places))),
        ]
        for (kind, role, language), places in sorted(held.items())
    ]
    summary = service.get("/rounds/trial/outbox").json()
    assert head == ["Message", "To", "Language", "Letters", "Cities"]
    assert rows == expected
    assert len(rows) == 3
    assert foot[3] == str(summary["would_send"]) == "5"
    assert "4 people are told , in 5 messages" in organiser.text
    assert "2 cities have nobody to write to: delft , evora ." in organiser.text


def test_each_kind_of_letter_can_be_read_before_the_release(organiser):
    add_officer(organiser.service, "bruges")
    add_officer(organiser.service, "celje")
    open_page(organiser, "pairings")
    links = re.findall(r'href="(/rounds/trial/outbox\?[^"]+)"', organiser.page.text)

    shown = {}
    for link in map(unescape, links):
        organiser.open(link)
        subjects = re.findall(r"<h3 lang=\"(..)\"><bdi>([^<]*)", organiser.page.text)
        shown[link.partition("?")[2]] = subjects

    kept = defaultdict(list)
    for one in listed(organiser.service, "/rounds/trial/messages"):
        query = "&".join(f"{name}={one[name]}" for name in ("kind", "role", "language"))
        kept[f"state=held&{query}"].append((one["language"], one["subject"]))
    assert shown == {query: kept[query] for query in shown}
    assert set(shown) == {
        "state=held&kind=offer&role=learner&language=en",
        "state=held&kind=offer&role=mentor&language=nl",
    }


def test_a_release_is_refused_with_what_was_typed_and_a_link_to_the_field(organiser):
    open_page(organiser, "pairings")

    organiser.press("Release 3 pairings", answer_by="2020-01-01")

    assert organiser.status == 422
    assert '<a href="#answer_by">' in organiser.page.text
    (form,) = (one for one in organiser.forms() if one.holds("Release 3 pairings"))
    assert form.fields["answer_by"] == ["2020-01-01"]
    organiser.press("Take it out", reason=" ")
    (field,) = re.findall(r'<a href="#(/pairings/[^"]+)">', organiser.page.text)
    assert f'<textarea id="{field}"' in organiser.page.text


# The board.


def states_shown(visitor: Visitor) -> dict[str, int]:
    nav = visitor.page.text.partition('<nav class="states')[2].partition("</nav>")[0]
    found = re.findall(r"show=(\w+).*?<strong>(\d+)</strong>", nav, re.DOTALL)
    return {state: int(number) for state, number in found}


def titles(visitor: Visitor) -> list[str]:
    return re.findall(r'<article class="card pair" id="p-(\w+)">', visitor.page.text)


def test_the_board_tells_how_far_each_pairing_is_and_shows_those_of_a_state(organiser):
    service = organiser.service
    open_page(organiser, "pairings", phase="released")
    first, second, third = (pairing(service, "trial", *pair) for pair in PROPOSED)
    say(service, first, "mentor", "accept")
    for side in ("mentor", "learner"):
        say(service, second, side, "accept")
    say(service, third, "learner", "decline")

    organiser.open("/rounds/trial/pairings")

    assert states_shown(organiser) == {"one_yes": 1, "confirmed": 1, "declined": 1}
    assert titles(organiser) == [first["id"], second["id"]]
    assert "Answers that are in: 3 of 4." in organiser.text
    for one in (first, second):
        assert f'href="/pairings/{one["id"]}/card"' in organiser.page.text
    assert "(13 days left)" in organiser.text
    for state, one in (("one_yes", first), ("confirmed", second)):
        organiser.open(f"/rounds/trial/pairings?show={state}")
        assert titles(organiser) == [one["id"]]
    organiser.open("/rounds/trial/pairings?show=declined")
    assert titles(organiser) == []
    assert "bruges → evora ✕ declined by evora the wrong time" in organiser.text


def test_what_needs_an_organiser_stands_first(organiser):
    open_page(organiser, "pairings", phase="released")
    assert "What needs you now" not in organiser.text
    one = pairing(organiser.service, "trial", "bruges", "evora")
    say(organiser.service, one, "mentor", "decline")

    text = organiser.open("/rounds/trial/pairings").text

    told = "bruges → evora : declined by bruges; evora has no mentor."
    places = [
        text.index(part)
        for part in ("What needs you now", told, "Who has not answered", "What stands")
    ]
    assert places == sorted(places)


def test_many_pairings_are_lines_that_lead_to_where_they_are_decided(
    organiser, monkeypatch
):
    open_page(organiser, "pairings")
    roomy = organiser.page.text
    monkeypatch.setattr(board, "_ROOMY", 2)

    organiser.open("/rounds/trial/pairings")

    assert roomy.count("/dismiss") > 0
    assert "/dismiss" not in organiser.page.text
    assert len(titles(organiser)) == 3
    assert len(organiser.page.text) < len(roomy) / 1.5


def test_the_board_knows_itself_again_until_something_changes(organiser):
    def pulse() -> str:
        page = organiser.open("/rounds/trial/pairings").page.text
        return re.findall(r'data-pulse="(\w+)"', page)[0]

    open_page(organiser, "pairings", phase="released")
    before = pulse()
    assert pulse() == before
    one = pairing(organiser.service, "trial", "amiens", "celje")
    say(organiser.service, one, "mentor", "accept")
    assert pulse() != before


@pytest.mark.parametrize(
    ("left", "english", "french"),
    [
        (timedelta(days=2), "2 days left", "il reste 2 jours"),
        (timedelta(days=13, hours=23), "13 days left", "il reste 13 jours"),
        (timedelta(hours=47), "47 hours left", "il reste 47 heures"),
        (timedelta(hours=1), "1 hour left", "il reste 1 heure"),
        (
            timedelta(minutes=59),
            "less than an hour left",
            "il reste moins d’une heure",
        ),
        (timedelta(0), "the time is over", "le délai est dépassé"),
    ],
)
def test_a_deadline_is_told_in_words(left, english, french):
    at = datetime(2027, 5, 1, 12, tzinfo=UTC)

    assert time_left(at + left, at) == english
    with read_in("fr"):
        assert time_left(at + left, at) == french


# The outbox.


def fail_all(visitor: Visitor, **where: str) -> None:
    table = tables.Message
    with changing(visitor.service) as session:
        asked = select(table).where(table.state == "queued")
        for row in session.scalars(asked.filter_by(**where)):
            row.state, row.error = "failed", "No such mailbox."


def test_all_that_failed_is_sent_again_but_not_what_is_too_late(organiser):
    service = organiser.service
    for name in ("bruges", "celje"):
        add_officer(service, name)
    open_page(organiser, "outbox", phase="released")
    assert "Send all again that failed" not in organiser.buttons()
    fail_all(organiser)
    late = pairing(service, "trial", "bruges", "evora")
    service.post(f"/pairings/{late['id']}/withdraw", {"reason": "x"})

    organiser.open("/rounds/trial/outbox?state=failed")
    assert "3 messages failed." in organiser.text
    organiser.press("Send all again that failed").press_again()

    assert "Those that failed are on their way again." in organiser.text
    offers = [
        (one["city"], one["pairing"] == late["id"], one["state"])
        for one in listed(service, "/rounds/trial/messages")
        if one["kind"] == "offer" and one["account"]
    ]
    assert sorted(offers) == [
        ("bruges", False, "queued"),
        ("bruges", True, "failed"),
        ("celje", False, "queued"),
    ]
    organiser.press("Send all again that failed")
    assert organiser.status == 409
    assert "No message that failed can be sent again." in organiser.text


def test_nothing_is_sent_before_the_release_and_the_page_says_so(organiser):
    add_officer(organiser.service, "bruges")
    open_page(organiser, "outbox")

    assert "Nothing is ever sent before the release." in organiser.text
    sent = listed(organiser.service, "/rounds/trial/messages")
    assert {one["state"] for one in sent} == {"held"}
    assert organiser.open("/rounds/trial/outbox?kind=reminder&state=x").status == 200
    assert "No message is like that." in organiser.text


# Repairs, before and after.


def drawn(
    page: str, ids: dict[str, str]
) -> dict[tuple[str, str], set[tuple[str, str]]]:
    """Return the pairs of each kind in each picture, by (picture, kind)."""
    found = defaultdict(set)
    for picture, svg in re.findall(
        r'aria-labelledby="(way-\d+-\w+)">(.*?)</svg>', page, re.DOTALL
    ):
        for kind, title in re.findall(
            r'<g class="pair-line (\w+)"><title>([^<]*)</title>', svg
        ):
            mentor, learner = unescape(title).split(" → ")
            found[picture, kind].add((ids[mentor], ids[learner]))
    return dict(found)


def both(pairs) -> set[tuple[str, str]]:
    return {(one["mentor"], one["learner"]) for one in pairs}


SPARE = [
    city(name, "mentor", areas={"housing": {"strength": 2 + at}})
    for at, name in enumerate(("ghent", "leuven"))
]
FREE = (*FIVE, *SPARE), {}, ("amiens", "celje"), [0, 0]
FULL = (
    [one.to_dict() for one in INCLUCITIES.cities],
    INCLUCITIES.policy.to_dict(),
    ("fuenlabrada", "livadia"),
    [1],
)


@pytest.mark.parametrize(("cities", "policy", "broken", "undone"), [FREE, FULL])
def test_the_pictures_of_a_repair_have_exactly_the_pairs_that_differ(
    organiser, cities, policy, broken, undone
):
    service = organiser.service
    released_round(service, *cities, policy=policy)
    for one in listed(service, "/rounds/trial/pairings"):
        if (one["mentor"], one["learner"]) == broken:
            say(service, one, "learner", "decline")

    page = organiser.open("/rounds/trial/repairs").page.text

    ids = {one["name"]: one["id"] for one in cities}
    ways = service.get("/rounds/trial/repairs?limit=5").json()["items"]
    assert [len(way["undone"]) for way in ways][: len(undone)] == undone
    expected = {}
    for no, way in enumerate(ways, 1):
        kept = both(way["pairings"]) - both(way["added"])
        ended = both(way["undone"]) | both(way["broken"])
        expected |= {
            (f"way-{no}-before", "kept"): kept,
            (f"way-{no}-before", "removed"): ended,
            (f"way-{no}-after", "kept"): kept,
            (f"way-{no}-after", "added"): both(way["added"]),
        }
    assert drawn(page, ids) == {key: pairs for key, pairs in expected.items() if pairs}
    assert page.count("+ is new") == sum(len(way["added"]) for way in ways)


def scored(mentor: str, learner: str, score: float) -> ScoredPair:
    return ScoredPair(mentor=mentor, learner=learner, score=score)


CHANGE = Repair(
    id="0" * 16,
    changes=2,
    points=-7.5,
    broken=(Pair(mentor="amiens", learner="celje"),),
    undone=(scored("bruges", "evora", 60.0), scored("bruges", "delft", 50.0)),
    added=(scored("bruges", "celje", 40.0), scored("amiens", "evora", 62.5)),
    pairings=(scored("bruges", "celje", 40.0), scored("amiens", "evora", 62.5)),
    unserved=("delft",),
)


def test_a_repair_is_told_in_sentences_of_who_gains_and_who_loses():
    way = mending(CHANGE, NAMES, "released")

    assert way.takeaway == (
        "In short: 2 pairings are new; 2 pairings are undone; "
        "the round loses 7.5 points."
    )
    assert way.gains == (
        "celje: bruges as a mentor (+40.0 points).",
        "evora: amiens instead of bruges (+2.5 points).",
    )
    assert way.losses == ("delft: without bruges (−50.0 points).",)
    assert way.told == (
        "A new offer goes to: amiens, bruges, celje and evora.",
        "That their offer is withdrawn is told to: bruges, delft and evora.",
    )
    assert mending(CHANGE, NAMES, "staged").told == (
        "Nobody is told: the round is staged.",
    )


def test_before_and_after_have_each_city_in_the_same_place():
    pictures = turn([("a", "x")], [("b", "y")], [("b", "z")], _Same(), ["y"])

    spots = [
        {dot.city: (dot.x, dot.y) for dot in (*one.mentors, *one.learners)}
        for one in (pictures.before, pictures.after)
    ]
    alone = [
        {dot.city for dot in (*one.mentors, *one.learners) if dot.alone}
        for one in (pictures.before, pictures.after)
    ]
    assert spots[0] == spots[1]
    assert set(spots[0]) == {"a", "b", "x", "y", "z"}
    assert len(set(spots[0].values())) == 5
    assert alone == [{"b", "y", "z"}, {"y"}]
    for line in (*pictures.before.lines, *pictures.after.lines):
        (x1, y1), (x2, y2) = spots[0][line.mentor.city], spots[0][line.learner.city]
        share = (line.at[0] - x1) / (x2 - x1)
        assert 0.2 < share < 0.8
        assert line.at[1] == pytest.approx(y1 + share * (y2 - y1), abs=0.1)


class _Same(dict):
    """Calls each city by its id."""

    def __missing__(self, key: str) -> str:
        return key


def test_of_a_large_round_only_what_changes_is_drawn():
    kept = [(f"m{n}", f"l{n}") for n in range(200)]

    pictures = turn(kept, [("m0", "x")], [("m1", "x")], _Same())

    pairs = {(line.mentor.city, line.learner.city) for line in pictures.before.lines}
    assert pairs == {("m0", "l0"), ("m1", "l1"), ("m0", "x")}
    assert pictures.hidden == 198


# All of them in every language.

PAGES = (
    "/rounds/trial/pairings",
    "/rounds/trial/outbox",
    "/rounds/trial/repairs",
    "/rounds/trial/report",
    "/rounds/trial/how-we-chose",
    "/ledger",
)
_DATA = re.compile(
    r"<title>.*?</title>|<(?:code|bdi|pre)\b.*?</(?:code|bdi|pre)>|<header.*?</header>"
    r"|<footer.*?</footer>",
    re.DOTALL,
)


def untranslated(page: str) -> set[str]:
    """Return words of the content that no catalogue has, read in the pseudo-locale."""
    main = _DATA.sub(" ", page.partition('<main id="main">')[2].partition("</main>")[0])
    spoken = " ".join(
        re.findall(r'(?:aria-label|title|alt|placeholder|data-told)="([^"]*)"', main)
    )
    text = unescape(f"{re.sub(r'<[^>]*>', ' ', main)} {spoken}")
    while "⟦" in text:
        rest = re.sub(r"⟦[^⟦⟧]*⟧", " ", text)
        if rest == text:
            break
        text = rest
    known = {*NAMES, "Trial", "trial", "Compaan", "Default"}
    return set(re.findall(r"[A-Za-zÀ-ÿ]{2,}", text)) - known


@pytest.mark.parametrize("phase", ["staged", "released"])
def test_no_text_of_these_pages_is_in_one_language_alone(organiser, phase):
    for name in ("bruges", "celje"):
        add_officer(organiser.service, name)
    open_page(organiser, "pairings", phase=phase)
    if phase == "released":
        fail_all(organiser)
        one = pairing(organiser.service, "trial", "bruges", "evora")
        say(organiser.service, one, "mentor", "decline")
    else:
        one = pairing(organiser.service, "trial", "bruges", "evora")
        organiser.service.post(f"/pairings/{one['id']}/dismiss", {"reason": "trial"})
    pages = PAGES if phase == "released" else PAGES[:4]

    found = {
        path: untranslated(organiser.open(f"{path}?lang=xa").page.text)
        for path in pages
    }

    assert found == {path: set() for path in pages}


def test_how_we_chose_is_read_in_the_readers_language(organiser):
    open_page(organiser, "how-we-chose?lang=nl", phase="released")
    dutch = organiser.text

    french = organiser.open("/rounds/trial/how-we-chose?lang=fr").text

    assert "Hoe" in dutch
    assert "Comment nous avons choisi" in french
    assert "Comment nous avons choisi" not in dutch
    assert '<html lang="fr">' in organiser.page.text


HOSTILE = '<script>alert(1)</script> "é" \u202e😀 ' + "x" * 60


def test_names_and_reasons_are_text(organiser):
    service = organiser.service
    hostile = FIVE[0] | {"name": HOSTILE}
    released_round(service, hostile, *FIVE[1:])
    one = pairing(service, "trial", "amiens", "celje")
    service.post(f"/pairings/{one['id']}/withdraw", {"reason": HOSTILE})

    for path in PAGES:
        page = organiser.open(path).page
        assert page.status_code == 200
        assert "<script>alert" not in page.text
