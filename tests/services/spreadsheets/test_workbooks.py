"""Cities in and out of workbooks, and out as GeoJSON."""

import io
import json
import os
import re
import zipfile
from datetime import date, datetime

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook
from openpyxl.chart import BarChart
from openpyxl.styles import PatternFill

from app.db import Database
from app.permissions import TERMINAL
from app.services.cities import profiles
from app.services.spreadsheets import city_sheet, exports, imports
from app.services.spreadsheets.columns import COLUMNS
from schemas import AREA_IDS, City
from tests.fixtures.cities import INCLUCITIES, MECHELEN, city, register
from tests.fixtures.process import run_compaan
from tests.services.spreadsheets.uploads import counts, report, send
from tests.services.spreadsheets.workbook_files import (
    GHENT,
    HEAD,
    XLSX,
    book_of,
    saved,
    upload,
)


def test_cells_are_read_as_spreadsheets_keep_them(service):
    book = Workbook()
    sheet = book.active
    sheet.append(
        ["Name", "Country", "roles", "Population", "population year", "latitude",
         "longitude", "migrant share", "migrant_share_definition", "languages",
         "Need Housing", "strength-health", "needs_text", None, "Remarks"],
    )  # fmt: skip
    sheet.append([])
    sheet.append(
        ["Liège", "Belgique", "learner", 195346.0, date(2020, 1, 1), 50.63, 5.57, 0.32,
         "foreign born", "fr; Dutch", 3, None, 'Rents, "fair"_x000D_\nones'],
    )  # fmt: skip
    sheet["H3"].number_format = "0%"
    sheet.append(
        ["Málaga", "EL", "Mentor + learner", "1 500", None, None, None, "0,5", "other",
         "Spanish", 1, "4"],
    )  # fmt: skip
    sheet["P9"].fill = PatternFill("solid", fgColor="FFFF00")

    done = report(upload(service, saved(book)))

    assert tuple(done["counts"].values()) == (2, 0, 0, 0), done["errors"]
    assert (done["encoding"], done["ignored_columns"]) == ("xlsx", ["Remarks"])
    assert [row["row"] for row in done["rows"]] == [3, 4]
    liege = service.get("/cities/liege").json()
    assert liege["population"] == {"value": 195346, "year": 2020, "source": None}
    assert (liege["latitude"], liege["longitude"]) == (50.63, 5.57)
    assert liege["migrant_share"]["value"] == 0.32
    assert liege["needs_text"] == 'Rents, "fair"\nones'
    malaga = service.get("/cities/malaga").json()
    assert (malaga["country"], malaga["population"]["value"]) == ("GR", 1500)
    assert malaga["migrant_share"]["value"] == 0.5


def test_what_nobody_wrote_is_refused_cell_by_cell(sqlite_service):
    book = Workbook()
    sheet = book.active
    sheet.append([*HEAD, "population", "latitude", "longitude", "remarks"])
    sheet.append([*GHENT, "=1+1", None, None, "=A1"])
    sheet.append(["Lier", "BE", "learner", 2, datetime(2020, 5, 1, 12), 51.1, "#REF!"])  # noqa: DTZ001 -- as in a sheet
    sheet["G3"].data_type = "e"
    sheet.append(["=A2", "BE", "learner", 9, True])
    sheet.append([*GHENT[:3], 3, None, None, None, None, "beside"])

    done = report(upload(sqlite_service, saved(book), "?dry_run=true"))

    found = [(one["row"], one["column"], one["code"]) for one in done["errors"]]
    assert found == [
        (2, "population", "formula"),
        (3, "longitude", "error_value"),
        (3, "population", "whole_number"),
        (4, "name", "formula"),
        (4, "population", "whole_number"),
        (5, "", "too_many_cells"),
    ]
    assert "Paste special" in done["errors"][0]["message"]
    assert done["errors"][0]["value"] == "=1+1"
    assert "'=1+1" in done["wrong_rows"]
    assert tuple(done["counts"].values()) == (0, 0, 0, 4)


def test_the_first_visible_sheet_with_cities_is_read(service):
    book = Workbook()
    book.active.append(["Cities of the network"])
    hidden = book.create_sheet("Old")
    hidden.append(HEAD)
    hidden.append(["Old", "BE", "learner", 3])
    hidden.sheet_state = "hidden"
    book.create_sheet("Empty")
    sheet = book.create_sheet("New")
    for row in ([], [], HEAD, GHENT):
        sheet.append(row)
    sheet["A2"].value, sheet["B2"].value = None, None
    sheet.merge_cells("A1:D2")
    book.create_chartsheet("Chart").add_chart(BarChart())

    done = report(upload(service, saved(book)))

    assert [(row["row"], row["id"]) for row in done["rows"]] == [(4, "ghent")]


def test_a_workbook_is_told_by_its_bytes(sqlite_service):
    service = sqlite_service
    content = book_of(HEAD, GHENT)

    assert counts(send(service, content, kind="text/csv")) == (1, 0, 0, 0)
    form = {"file": ("cities.csv", content, "application/octet-stream")}
    sent = service.call("POST", "/cities/import", files=form)
    assert counts(sent) == (0, 0, 1, 0)
    text = ",".join(map(str, HEAD)) + "\nLier,BE,learner,2\n"
    assert counts(upload(service, text)) == (1, 0, 0, 0)


WILD = city(
    "wild",
    name='=HYPERLINK("http://x")',
    association="'@SUM(1+1)|x",
    needs_text='-2+3\nand, more; _x000D_ "quoted"',
    longitude=-4.250000000000001,
    latitude=-51.5,
    population={"value": 1234567, "year": 2020, "source": "+x"},
    areas={"housing": {"need": 0, "strength": 0}, "health": {"need": 1}},
)


def test_an_exported_workbook_imports_as_the_same(service):
    register(
        service, WILD, city("s-h", name="'s-Hertogenbosch"), city("e", name="#N/A")
    )
    register(service, *(one.to_dict() for one in INCLUCITIES.cities))

    file = service.get("/cities/export?format=xlsx")
    again = report(upload(service, file.content))

    assert tuple(again["counts"].values()) == (0, 0, 11, 0), again
    assert file.headers["content-type"] == XLSX
    assert re.search(r'filename="cities-.*\.xlsx"', file.headers["content-disposition"])
    only = service.get("/cities/export?format=xlsx&country=IT").content
    assert [row[0] for row in load_workbook(io.BytesIO(only))["Cities"].values] == [
        "id",
        "capaci",
    ]


def test_texts_of_an_exported_workbook_are_never_formulas(sqlite_service):
    register(sqlite_service, WILD)

    content = sqlite_service.get("/cities/export?format=xlsx").content
    book = load_workbook(io.BytesIO(content))
    sheet, columns = book.worksheets

    row = {head.value: cell for head, cell in zip(*sheet.rows, strict=True)}
    assert (row["name"].value, row["name"].data_type) == (WILD["name"], "s")
    assert (row["name"].quotePrefix, row["id"].quotePrefix) == (True, False)
    assert row["population_source"].data_type == "s"
    assert row["population"].value == 1234567
    assert (sheet.title, sheet.freeze_panes, columns.freeze_panes) == (
        "Cities",
        "A2",
        "A2",
    )
    assert list(columns.values)[1:] == [(one.name, one.help) for one in COLUMNS]
    assert b"<f>" not in zipfile.ZipFile(io.BytesIO(content)).read(
        "xl/worksheets/sheet1.xml"
    )


def test_the_template_may_be_a_workbook(sqlite_service):
    file = sqlite_service.get("/cities/import?format=xlsx")
    book = load_workbook(io.BytesIO(file.content))

    assert file.headers["content-type"] == XLSX
    assert list(book["Cities"].values) == [tuple(one.name for one in COLUMNS)]
    filled = {"name": "Ghent", "country": "BE", "roles": "mentor", "need_data": 2}
    book["Cities"].append([filled.get(one.name) for one in COLUMNS])
    assert counts(upload(sqlite_service, saved(book))) == (1, 0, 0, 0)


texts = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=20)
unprintable = "".join(map(chr, [*range(9), 11, 12, *range(14, 32), 127]))
sources = st.none() | st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters=unprintable),
    min_size=1,
    max_size=20,
)
years = st.none() | st.integers(1800, 2200)
levels = st.fixed_dictionaries(
    {"need": st.integers(0, 4), "strength": st.integers(0, 4)}
)
drawn_cities = st.builds(
    dict,
    id=st.from_regex(r"[a-z0-9-]{1,63}", fullmatch=True).filter(
        lambda slug: slug not in {"import", "export"}
    ),
    name=texts,
    country=st.sampled_from(["BE", "GR", "PL", "GB"]),
    association=st.none() | texts,
    population=st.none()
    | st.fixed_dictionaries(
        {"value": st.integers(1, 10**8), "year": years, "source": sources}
    ),
    migrant_share=st.none()
    | st.fixed_dictionaries(
        {
            "value": st.floats(0, 1),
            "definition": st.sampled_from(["foreign_born", "other"]),
            "year": years,
            "source": sources,
        }
    ),
    languages=st.lists(st.sampled_from(["nl", "fr", "de"]), unique=True),
    roles=st.just(["mentor", "learner"]),
    mentor_capacity=st.integers(0, 10_000),
    areas=st.dictionaries(st.sampled_from(AREA_IDS), levels, min_size=1),
    needs_text=sources,
)
places = st.just({}) | st.fixed_dictionaries(
    {"latitude": st.floats(-90, 90), "longitude": st.floats(-180, 180)}
)


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    phases=[Phase.explicit, Phase.generate],
)
@given(
    profile=drawn_cities, place=places, kind=st.sampled_from(["xlsx", ",", ";", "\t"])
)
def test_whatever_a_city_says_comes_back_as_it_was(empty, profile, place, kind):
    with empty.read() as session:  # what is written in it is thrown away
        row = profiles.add(session, TERMINAL, City(**profile, **place))
        content = (
            exports.export_workbook([row])
            if kind == "xlsx"
            else exports.export_table([row], kind).encode()
        )
        (planned,) = imports.plan(session, city_sheet.read(content))

    assert (planned.state, planned.changes, planned.errors) == ("same", [], [])


@pytest.fixture
def empty(_copy_sqlite):
    database = Database(_copy_sqlite())
    yield database
    database.close()


def test_the_geojson_is_a_map(service):
    register(service, MECHELEN, city("nowhere"))

    file = service.get("/cities/export?format=geojson")
    mechelen, nowhere = file.json()["features"]

    assert file.headers["content-type"] == "application/geo+json"
    assert file.json()["type"] == "FeatureCollection"
    apart = ("id", "latitude", "longitude")
    assert mechelen == {
        "type": "Feature",
        "id": "mechelen",
        "geometry": {"type": "Point", "coordinates": [4.47762, 51.02574]},
        "properties": {key: MECHELEN[key] for key in MECHELEN if key not in apart},
    }
    assert (nowhere["id"], nowhere["geometry"]) == ("nowhere", None)


def test_the_terminal_takes_and_gives_workbooks(tmp_path):
    environment = os.environ | {"COMPAAN_DATABASE_URL": f"sqlite:///{tmp_path}/own.db"}

    def compaan(*arguments):
        done = run_compaan(*arguments, env=environment)
        assert done.returncode == 0, done.stderr
        return done.stdout

    (tmp_path / "in.xlsx").write_bytes(book_of(HEAD, GHENT))

    assert "1 new" in compaan("import", tmp_path / "in.xlsx")
    compaan("export", "--format", "xlsx", "--output", tmp_path / "out.xlsx")
    places = json.loads(compaan("export", "--format", "geojson"))

    assert [one["id"] for one in places["features"]] == ["ghent"]
    (row,) = city_sheet.read((tmp_path / "out.xlsx").read_bytes()).rows
    assert row.cells[:3] == ["ghent", "Ghent", "BE"]
