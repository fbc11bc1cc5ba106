"""Text that is made to take long: cells, refusals, and what mail servers say."""

import subprocess
import sys

import pytest

from app.errors import InvalidFile
from app.outside.smtp import _plain
from app.services.spreadsheets import city_row, city_sheet
from app.services.spreadsheets.cell_values import WrongCell
from app.services.spreadsheets.columns import COLUMNS, SHORT, value_of
from app.texts.catalogue import words
from app.texts.refusals import refused

BEFORE_IT_IS_CUT = 60
"""Seconds: wide for what is linear, nothing for what is not."""
READ_CELLS = """
from app.services.spreadsheets.city_row import filled
from app.services.spreadsheets.columns import COLUMNS, SHORT

PIECES = (" ", "a", "1", "1.", ".", ",", ";", "=", ":", "'", "-", "é", "\\u0301\\u0316")
for letters in (4_990, 500_000):
    for piece in PIECES:
        cell = "x" + piece * ((letters - 2) // len(piece)) + "!"
        if letters < 5_000:
            given = [{column.name: cell} for column in (*COLUMNS, *SHORT)]
        else:
            given = [{column.name: cell for column in (*COLUMNS, *SHORT)}]
        for cells in given:
            city, errors = filled(cells, None, "x")
            assert city is None, cell[:20]
            assert errors, cell[:20]
            assert max(len(one.message) for one in errors) < 1_000
            assert max(len(one.value) for one in errors) <= 200
print("done")
"""
TELL_REFUSALS = """
from app.texts.catalogue import words
from app.texts.refusals import refused
from app.texts.refused_texts import PARTS, TEXTS

french = words("fr")
for piece in ("/a: ", "Row 1, x: ", "clashes with ", " as a ", "1, ", " and ", ". "):
    assert refused(piece * 5_000, french)
    assert refused(f"The pin {piece * 5_000}", french)
for template in (*TEXTS, *PARTS)[::25]:
    words = template.replace("{", "").replace("}", "")
    assert refused(f"{words * 50}\\0", french)
print("done")
"""


@pytest.mark.parametrize("work", [READ_CELLS, TELL_REFUSALS], ids=["cells", "refusals"])
def test_no_text_takes_more_than_linear_time(work):
    told = subprocess.run(  # noqa: S603 -- our own
        [sys.executable, "-c", work],
        capture_output=True,
        text=True,
        check=False,
        timeout=BEFORE_IT_IS_CUT,
    )

    assert (told.stdout, told.stderr) == ("done\n", "")


def test_a_file_with_a_cell_of_blanks_is_answered(sqlite_service):
    blanks = "housing 3 ;" + " " * 4_000 + "x"
    file = f"name,country,roles,needs\nAalst,BE,learner,{blanks}\n"

    answer = sqlite_service.call(
        "POST",
        "/cities/import?dry_run=true",
        content=file,
        headers={"Content-Type": "text/csv"},
    )

    (error,) = answer.json()["errors"]
    assert (error["column"], error["code"]) == ("needs", "unknown_area")
    assert error["message"].startswith("'x' is no policy area.")


@pytest.mark.parametrize(
    ("cell", "levels"),
    [
        ("housing 3; education", {"housing": 3, "education": 3}),
        (" housing  :  3 ,education=4", {"housing": 3, "education": 4}),
        ("housing3", {"housing": 3}),
        ("housing 3; ;\n", {"housing": 3}),
        ("housing" + " " * 4_000 + "4", {"housing": 4}),
        ("housing" + " :=" * 1_000 + "4", {"housing": 4}),
    ],
)
def test_areas_with_levels_are_read_whatever_stands_between(cell, levels):
    (needs, _) = SHORT

    assert value_of(needs, cell) == levels


@pytest.mark.parametrize("column", [*COLUMNS, *SHORT], ids=lambda one: one.name)
def test_a_cell_that_is_too_long_is_not_read(column):
    cell = "1" * 5_001
    if not column.name.endswith(("id", "name", "association", "source", "text")):
        with pytest.raises(WrongCell, match="at most 5000 characters"):
            value_of(column, cell)
    else:  # how long a text may be, its field says
        assert value_of(column, cell) == cell


def test_a_long_cell_is_not_repeated_in_full():
    _, (error,) = city_row.filled({"country": "x" * 4_000}, None, "x")

    assert error.message.startswith("'" + "x" * 100 + "…' is no country")


def test_a_header_with_columns_without_end_is_refused():
    header = ",".join(f"x{at}" for at in range(257))

    with pytest.raises(InvalidFile, match="goes on after 256 columns"):
        city_sheet.read(f"name,{header}\n".encode())
    sheet = city_sheet.read(f"name,country{',' * 20_000}\nA,BE\n".encode())
    assert [column.name for column in sheet.columns.values()] == ["name", "country"]


def test_texts_that_hold_texts_are_told_a_few_levels_deep():
    french = words("fr")
    told = refused("Row 1, x: " * 50 + "'x' is no number.", french)

    assert told.startswith("Ligne 1")
    assert told.endswith("Row 1, x: 'x' is no number.")


def test_addresses_are_left_out_of_what_a_mail_server_says():
    said = "no <a@b.example>\r\n here,x@y z@ @ " + "b" * 9_000

    assert _plain(said).startswith("no … … … … bbb")
