"""The page that imports a spreadsheet, without a browser."""

from typing import Any

import pytest

from app.services.spreadsheets import exports
from tests.fixtures.cities import city, register
from tests.web.visitor import HTML, Visitor

SHEET = (
    "name;country;roles;needs\nGent;Belgique;mentor;housing\n"
    "Brugge;Belgiun;learner;housing\n"
).encode("cp1252")


@pytest.fixture
def organiser(sqlite_service) -> Visitor:
    register(sqlite_service, city("cork", name="Cork", country="IE"))
    return Visitor(sqlite_service).sign_in("organiser").open("/cities/import")


def send(visitor: Visitor, how: str, content: bytes = SHEET, **more: Any) -> Visitor:
    visitor.page = visitor.service.client.post(
        "/cities/import",
        data={"how": how, **more},
        files={"file": ("cities.csv", content, "text/csv")},
        headers=HTML,
    )
    return visitor


def stored(visitor: Visitor) -> list[str]:
    return [one["id"] for one in visitor.service.get("/cities").json()["items"]]


def press(visitor: Visitor, button: str) -> Visitor:
    """Press a button of the form that keeps the file."""
    form = next(one for one in visitor.forms() if "kept" in one.fields)
    visitor.page = visitor.service.client.post(
        form.action, data=form.sent(button, {}), headers=HTML
    )
    return visitor


def test_a_look_marks_the_wrong_cell_and_stores_nothing(organiser):
    shown = send(organiser, "look")

    assert "1 new, 0 changed, 0 as they were, 1 wrong" in shown.text
    assert "3 Brugge country Belgiun wrong" in shown.text
    assert 'class="cell"><bdi>Belgiun</bdi>' in shown.page.text
    assert stored(organiser) == ["cork"]


def test_what_was_looked_at_is_imported_without_choosing_the_file_again(organiser):
    press(send(organiser, "look"), "Import all, or nothing")
    assert (organiser.status, stored(organiser)) == (422, ["cork"])
    assert "Nothing was stored: rows are wrong" in organiser.text
    assert "3 Brugge country Belgiun wrong" in organiser.text

    press(organiser, "Import the good rows")

    assert (organiser.status, stored(organiser)) == (200, ["cork", "gent"])


def test_the_wrong_rows_are_downloaded_with_what_is_wrong(organiser):
    press(send(organiser, "look"), "Download the wrong rows")

    lines = organiser.page.content.decode("utf-8-sig").splitlines()
    assert "wrong-rows.csv" in organiser.page.headers["content-disposition"]
    assert lines[0] == "name;country;roles;needs;error"
    assert lines[1].startswith("Brugge;Belgiun;learner;housing;")
    assert len(lines) == 2


def test_a_workbook_is_looked_at_likewise(organiser):
    send(organiser, "look", exports.template_workbook())

    assert "0 new, 0 changed, 0 as they were, 0 wrong" in organiser.text


def test_of_many_wrong_rows_the_first_are_shown_on_a_small_page(organiser):
    rows = "".join(f"Place {at};\n" for at in range(1_000))

    send(organiser, "look", f"name;country\n{rows}".encode())

    assert "800 more are in the file of the wrong rows" in organiser.text
    assert organiser.page.text.count('class="cell"') == 200
    assert len(organiser.page.content) < 150_000


@pytest.mark.parametrize("kept", ["", "%%%", "AAAA", "x" * 1000])
def test_what_is_no_kept_file_is_refused(organiser, kept):
    asked = {"how": "good", "kept": kept}
    answer = organiser.service.client.post("/cities/import", data=asked, headers=HTML)

    assert (answer.status_code, stored(organiser)) == (422, ["cork"])


def test_a_file_that_is_no_table_is_told(organiser):
    send(organiser, "look", b"\0\1")

    assert organiser.status == 422
    assert "Nothing was stored" in organiser.text


def test_only_organisers_import(organiser):
    organiser.sign_in("officer")

    assert send(organiser, "good").status == 403
    assert stored(organiser) == ["cork"]
