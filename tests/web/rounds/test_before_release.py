"""Before a release: its letters are counted and read, its form is filled in."""

import re
from collections import defaultdict
from html import unescape
from html.parser import HTMLParser

from tests.fixtures.cities import add_officer, listed
from tests.web.rounds.five import open_page
from tests.web.visitor import Visitor


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

    stored = defaultdict(list)
    for one in listed(organiser.service, "/rounds/trial/messages"):
        query = "&".join(f"{name}={one[name]}" for name in ("kind", "role", "language"))
        stored[f"state=held&{query}"].append((one["language"], one["subject"]))
    assert shown == {query: stored[query] for query in shown}
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
