"""What `python -m tests.pages_text` writes: all that is read, each time the same."""

import subprocess
import sys

import pytest

from tests.pages_text.reading import read, steady
from tests.pages_text.site import opened
from tests.pages_text.walking import LANGUAGES, ROLES, look, walk

PAGE = """<html><head><title>Round</title><style>p { color: red }</style>
<meta name="description" content="About it"></head><body>
<p>Three <b>cities</b> <a href="/x" title="More">wait</a>.</p><img alt="Map">
<svg><title>Lines</title><text>Ghent <tspan>4</tspan></text></svg>
<script>let hidden</script><nav aria-label="Main"></nav>
<form method="post" action="/rounds">
<input name="name" value="Typed" placeholder="Hint">
<input type="hidden" name="once" value="secret"><textarea name="note">Long</textarea>
<select name="side"><option value="a">One</option>
<option value="b" selected>Two</option>
</select><button>Save</button></form></body></html>"""
SAID = (
    *("Round", "[description] About it", "Three cities", "[title] More", "wait."),
    *("[alt] Map", "Lines", "Ghent 4", "[aria-label] Main", "[placeholder] Hint"),
    *("[value] Typed", "Long", "One", "Two", "Save"),
)
FEW = ["/rounds/late/edit"]


def texts(folder) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): path.read_text("utf-8")
        for path in folder.rglob("*.txt")
    }


def test_all_that_people_read_is_taken_and_nothing_else():
    assert tuple(read(PAGE).lines) == SAID


@pytest.mark.parametrize(
    "word", ["Round", "About", "cities", "More", "Map", "Lines", "Main", "Hint", "Two"]
)
def test_any_word_that_changes_is_seen(word):
    changed = PAGE.replace(word, "Else", 1)

    assert read(changed).lines != read(PAGE).lines


def test_forms_are_found_with_what_stands_in_them():
    (form,) = read(PAGE).forms

    assert form.action == "/rounds"
    assert form.fields == {"name": "Typed", "once": "secret", "note": "", "side": "b"}
    assert form.typed == {"name", "note"}


def test_ids_are_numbered_as_they_appear():
    one, other = "0" * 8 + "a" * 24, "b" * 32

    assert steady(f"{other} {one} {other}") == "<id 1> <id 2> <id 1>"
    assert steady("cmp_abc-def 20 cities") == "<cmp 1> 20 cities"
    assert steady("2026-11-28T12:00:00.009866Z") == "2026-11-28T12:00:00Z"


def test_two_runs_write_the_same_and_a_change_is_seen(tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    with opened(first) as site:
        walk(site, FEW)
    with opened(second) as site:
        walk(site, FEW)
        same = texts(second)
        site.ask("PATCH", "/rounds/late", {"name": "Άλλο"})
        site.enter("organiser")
        look(site, *FEW, "organiser", "fr")
    before, after = texts(first), texts(second)

    assert same == before
    assert {path.split("/")[0] for path in before} == set(ROLES)
    assert {path.split("/")[1] for path in before} == set(LANGUAGES)
    assert "[status] 422" in before["organiser/nl/rounds/late/edit sent wrong.txt"]
    different = [path for path in before if before[path] != after[path]]
    assert different == ["organiser/fr/rounds/late/edit.txt"]


def test_help_says_what_it_does():
    done = subprocess.run(
        [sys.executable, "-m", "tests.pages_text", "--help"],
        capture_output=True,
        text=True,
        check=True,
    )

    assert "OUT/ROLE/LANGUAGE/PATH.txt" in done.stdout
