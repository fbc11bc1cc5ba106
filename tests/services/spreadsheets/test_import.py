"""Cities in and out of a spreadsheet, on both databases."""

import csv
import io

import pytest

from app.services.shared.csv_cells import safe, table, unsafe
from app.services.spreadsheets.columns import COLUMNS
from tests.fixtures.cities import INCLUCITIES, MECHELEN, city, refusal, register
from tests.services.spreadsheets.uploads import SMALL, counts, report, send


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "windows-1252", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_any_spreadsheets_csv_is_read(service, encoding, delimiter):
    rows = [
        ["Name", "Country", "roles", "Population", "latitude", "longitude",
         "migrant share", "migrant_share_definition", "languages", "Need Housing",
         "strength-health", "needs_text"],
        ["Liège", "Belgique", "learner", "195.346", "50,63", "5,57", "32%",
         "foreign born", "fr; Dutch", "3", "", 'Rents, "fair"\nones'],
        ["Málaga", "EL", "Mentor + learner", "1 500", "", "", "0,5", "other",
         "Spanish", "1", "4", ""],
    ]  # fmt: skip
    text = table(rows, delimiter)

    done = report(send(service, text.encode(encoding)))

    assert tuple(done["counts"].values()) == (2, 0, 0, 0)
    assert done["delimiter"] == delimiter
    liege = service.get("/cities/liege").json()
    assert liege["name"] == "Liège"
    assert (liege["country"], liege["population"]["value"]) == ("BE", 195_346)
    assert (liege["latitude"], liege["longitude"]) == (50.63, 5.57)
    assert liege["migrant_share"]["value"] == 0.32
    assert liege["migrant_share"]["definition"] == "foreign_born"
    assert liege["languages"] == ["fr", "nl"]
    assert liege["areas"] == {"housing": {"need": 3, "strength": 0}}
    assert liege["needs_text"].splitlines() == ['Rents, "fair"', "ones"]
    malaga = service.get("/cities/malaga").json()
    assert (malaga["country"], malaga["roles"]) == ("GR", ["mentor", "learner"])
    assert (malaga["population"]["value"], malaga["languages"]) == (1500, ["es"])


@pytest.mark.parametrize(
    ("column", "cell", "code", "suggestion"),
    [
        ("country", "Grece", "unknown_country", "GR"),
        ("country", "Belgien!", "unknown_country", "BE"),
        ("country", "XX", "unknown_country", None),
        ("country", "", "missing", None),
        ("name", "", "missing", None),
        ("roles", "mentr", "unknown_role", "mentor"),
        ("population", "12,5", "whole_number", None),
        ("population", "-3", "greater_than_equal", None),
        ("migrant_share", "32", "share", "32%"),
        ("migrant_share", "a third", "number", None),
        ("languages", "Frensh", "unknown_language", "fr"),
        ("need_housing", "7", "less_than_equal", None),
        ("need_housing", "much", "whole_number", None),
        ("latitude", "51", "half_a_place", None),
        ("learner_demand", "2", "places_without_role", None),
        ("needs", "houzing 3", "unknown_area", "housing"),
        (
            "migrant_share_definition",
            "foreign borns",
            "unknown_definition",
            "foreign_born",
        ),
    ],
)
def test_a_wrong_cell_is_named_with_what_was_meant(
    sqlite_service, column, cell, code, suggestion
):
    service = sqlite_service
    good = {
        "id": "good",
        "name": "Good",
        "country": "BE",
        "roles": "mentor",
        "strength_housing": "3",
    } | ({} if column in {"name", "country", "roles"} else {column: ""})
    wrong = good | {"id": "wrong", column: cell}
    text = table([list(good), list(good.values()), list(wrong.values())])

    done = report(send(service, text))

    assert tuple(done["counts"].values()) == (1, 0, 0, 1)
    (error, *_) = [one for one in done["errors"] if one["code"] == code]
    assert error["row"] == 3
    assert error["suggestion"] == suggestion
    assert error["column"] == ("longitude" if column == "latitude" else column)
    listed = service.get("/cities").json()["items"]
    assert [one["id"] for one in listed] == ["good"]


def test_wrong_rows_come_back_as_a_file_that_can_be_sent_again(service):
    text = (
        "name;country;roles;needs;Remarks\r\n"
        "Ghent;Belgium;mentor;housing 2;hello\r\n"
        '"Lvov; old";Grece;learner;=1+1;\r\n'
        "Bruges;Belgiun;mentor;housing;\r\n"
    )

    done = report(send(service, text))

    assert tuple(done["counts"].values()) == (1, 0, 0, 2)
    assert done["ignored_columns"] == ["Remarks"]
    back = list(csv.DictReader(io.StringIO(done["wrong_rows"]), delimiter=";"))
    assert [row["name"] for row in back] == ["Lvov; old", "Bruges"]
    assert back[0]["needs"] == "'=1+1"
    assert "Did you mean Greece (GR)?" in back[0]["error"]
    mended = done["wrong_rows"].replace("Grece", "GR").replace("Belgiun", "BE")
    mended = mended.replace("'=1+1", "health 4")
    again = report(send(service, mended))
    assert tuple(again["counts"].values()) == (2, 0, 0, 0)
    assert again["ignored_columns"] == ["Remarks"]


def test_a_dry_run_tells_and_changes_nothing(service):
    register(service, city("ghent", name="Ghent"), city("bruges", name="Bruges"))
    text = (
        "id,name,country,roles,need_housing,strength_housing\n"
        "ghent,Ghent,BE,learner,2,3\nbruges,Bruges,BE,learner,4,3\n"
        "lier,Lier,BE,mentor,,1\nwrong,Wrong,??,mentor,,1\n"
    )

    answer = report(send(service, text, query="?dry_run=true"))
    strict = send(service, text, query="?all_or_nothing=true")

    assert answer["counts"] == {"new": 1, "changed": 1, "same": 1, "wrong": 1}
    assert [(row["id"], row["state"], row["changes"]) for row in answer["rows"]] == [
        ("ghent", "same", []),
        ("bruges", "changed", ["areas"]),
        ("lier", "new", []),
        (None, "wrong", []),
    ]
    assert refusal(strict) == (422, "invalid-rows", ["/5/country"])
    assert [c["id"] for c in service.get("/cities").json()["items"]] == [
        "bruges",
        "ghent",
    ]
    assert service.get("/cities/bruges").headers["etag"] == '"1"'
    assert tuple(report(send(service, text))["counts"].values()) == (1, 1, 1, 1)
    assert service.get("/cities/bruges").headers["etag"] == '"2"'
    assert service.get("/cities/ghent").headers["etag"] == '"1"'


def test_a_column_that_is_missing_leaves_and_a_blank_cell_takes_away(service):
    register(service, MECHELEN)
    text = "id,association,need_education\nmechelen,,\n"

    done = report(send(service, text))

    assert done["rows"][0]["changes"] == ["areas", "association"] or done["rows"][0][
        "changes"
    ] == ["association"]
    now = service.get("/cities/mechelen").json()
    assert now["association"] is None
    assert now["practices"] == MECHELEN["practices"]
    assert now["population"] == MECHELEN["population"]


@pytest.mark.parametrize("delimiter", ["comma", "semicolon", "tab"])
def test_an_export_imports_as_the_same(service, delimiter):
    wild = city(
        "wild",
        name='=HYPERLINK("http://x")',
        association="'@SUM(1+1)|x",
        needs_text='-2+3\nand, more; "quoted"',
        longitude=-4.25,
        latitude=-51.5,
        population={"value": 1234567, "year": 2020, "source": "+x"},
        areas={"housing": {"need": 0, "strength": 0}, "health": {"need": 1}},
    )
    register(service, wild, city("s-h", name="'s-Hertogenbosch"))
    register(service, *(one.to_dict() for one in INCLUCITIES.cities))

    file = service.get(f"/cities/export?format=csv&delimiter={delimiter}")
    again = report(send(service, file.content))

    assert tuple(again["counts"].values()) == (0, 0, 10, 0), again["errors"]
    assert file.headers["content-type"].startswith("text/csv")
    assert "attachment" in file.headers["content-disposition"]
    text = file.content.decode("utf-8-sig")
    mark = {"comma": ",", "semicolon": ";", "tab": "\t"}[delimiter]
    for row in csv.reader(io.StringIO(text), delimiter=mark):
        for cell in row:
            assert cell[:1] not in {"=", "@", "+", "|", "%"}
            assert not cell.startswith("-") or cell[1:2].isdigit()


def test_the_json_export_is_a_body_of_match(service):
    register(service, *(one.to_dict() for one in INCLUCITIES.cities))

    body = service.get("/cities/export?format=json").json()

    assert body == {
        "cities": [
            one.to_dict() for one in sorted(INCLUCITIES.cities, key=lambda c: c.id)
        ]
    }
    assert len(service.post("/match", body).json()["pairings"]) == 4
    only = service.get("/cities/export?format=json&country=IT").json()
    assert [one["id"] for one in only["cities"]] == ["capaci"]


def test_the_template_has_help_and_may_be_filled_in_below_it(service):
    file = service.get("/cities/import?delimiter=semicolon")
    head, helps = csv.reader(
        io.StringIO(file.content.decode("utf-8-sig")), delimiter=";"
    )

    assert head == [column.name for column in COLUMNS]
    assert all(len(line) > 10 for line in helps)
    filled = file.content.decode("utf-8-sig") + ";".join(
        {
            "name": "Ghent",
            "country": "BE",
            "roles": "mentor",
            "strength_housing": "3",
        }.get(name, "")
        for name in head
    )
    assert counts(send(service, filled)) == (1, 0, 0, 0)
    assert counts(send(service, file.content)) == (0, 0, 0, 0)


def test_a_form_may_carry_the_file(service):
    answer = service.call(
        "POST",
        "/cities/import",
        files={"file": ("x.csv", SMALL + "Ghent,BE,learner,3\n", "text/csv")},
    )

    assert counts(answer) == (1, 0, 0, 0)
    none = service.call("POST", "/cities/import", files={"file": (None, "x")})
    assert refusal(none)[1] == "invalid-file"


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "invalid-file"),
        (b" \n\n", "invalid-file"),
        (b"\0\0\0", "invalid-file"),
        (b"name\0,country\nx,y\n", "invalid-file"),
        (b"hello world", "invalid-file"),
        (b"\xff\xfe\x00", "invalid-file"),
        (b"name,country\n\x81\x8d,BE\n", "invalid-file"),
        (b'name,country\n"open,BE\n', "invalid-file"),
        (b'name,country\n"a"b,BE\n', "invalid-file"),
        (b"name,name,country\na,b,c\n", "invalid-file"),
        (b"name,country,need_houzing\na,BE,1\n", "invalid-file"),
        (b"country,roles\nBE,mentor\n", "invalid-file"),
        (b'{"name": "x"}', "invalid-file"),
        (b"PK\x03\x04\x14\x00\x00\x00", "invalid-file"),
        (b"name,country,roles\nx,BE,mentor,more\n", "invalid-rows"),
        (b"name,country,roles\nx,BE,mentor\n", "invalid-rows"),
        (b"name,country,roles,needs\n!!!,BE,learner,housing\n", "invalid-rows"),
        (b"name,country,roles,needs\nimport,BE,learner,housing\n", "invalid-rows"),
        (
            b"name,country,roles,needs\n" + b"x" * 300 + b",BE,learner,housing\n",
            "invalid-rows",
        ),
    ],
)
def test_what_is_no_table_of_cities_is_refused(sqlite_service, content, told):
    service = sqlite_service
    status, code, _ = refusal(send(service, content))

    assert (status, code) == (422, told)
    assert service.get("/cities").json()["items"] == []


def test_rows_that_are_the_same_city_are_wrong(service):
    text = SMALL + "Ghent,BE,learner,3\nBruges,BE,learner,3\nghent,BE,learner,2\n"

    done = report(send(service, text))

    assert tuple(done["counts"].values()) == (2, 0, 0, 1)
    assert (
        done["errors"][0]["message"] == "Row 2 is the same city: keep one of the two."
    )


def test_a_file_that_is_too_large_or_of_another_kind_is_refused(service):
    assert refusal(send(service, b"x" * (10 * 2**20 + 1)))[1] == "too-large"
    assert refusal(send(service, SMALL, kind="application/json"))[0] == 415


def test_one_key_imports_once(service):
    text = SMALL + "Ghent,BE,learner,3\n"

    def once():
        return service.call(
            "POST",
            "/cities/import",
            content=text.encode(),
            headers={"Content-Type": "text/csv", "Idempotency-Key": "file-1"},
        )

    assert counts(once()) == counts(once()) == (1, 0, 0, 0)
    assert counts(send(service, text)) == (0, 0, 1, 0)


def test_cells_come_back_as_they_were():
    wild = [
        "=1",
        "'=1",
        "''=1",
        "+",
        "-",
        "@x|y",
        "'s-H",
        "'",
        "",
        "\t=1",
        "|a|b",
        "-1,5",
        "\\|",
        "=\\|",
        "%",
    ]

    for cell in wild:
        assert unsafe(safe_through_csv(cell)) == cell


def safe_through_csv(cell):
    (row,) = csv.reader(io.StringIO(table([[cell, "x"]]), newline=""))
    assert row[0][:1] not in {"=", "+", "@", "|", "%", "\t"}
    assert safe(cell) in {cell, f"'{cell}"}
    return row[0]
