"""What the documents say is so: commands, options, settings, paths and links exist."""

import importlib.util
import re
from itertools import pairwise
from pathlib import Path

import pytest
from typer.main import get_command

from app.cli import cli
from app.services.runs.example import example
from app.settings import Settings
from tests.docs import picture
from tests.docs.blocks import NOT_RUN, RUN, SHOWN, Block, blocks, documents
from tests.docs.reader import ROOT, SERVES
from tests.docs.reference import pages

TEXTS = {
    path.relative_to(ROOT).as_posix(): path.read_text("utf-8")
    for path in documents(ROOT)
}
ALL = "\n".join(TEXTS.values())
EVERY_BLOCK = [(name, one) for name, text in TEXTS.items() for one in blocks(text)]
RECIPES = set(
    re.findall(r"^([a-z-]+):.*##", Path("Makefile").read_text(), re.MULTILINE)
)
_FOLDERS = "app|benchmarks|client|docs|matching|migrations|schemas|tests"


def of_kind(*languages: str) -> list[tuple[str, Block]]:
    return [(name, one) for name, one in EVERY_BLOCK if one.language in languages]


def test_what_is_made_from_the_code_is_what_the_code_says():
    for path, content in pages():
        assert (ROOT / path).read_text("utf-8") == content, (
            f"{path}: run `python -m tests.docs.reference`"
        )


def test_the_picture_is_small_and_loads_nothing():
    drawn = (ROOT / picture.FILE).read_text("utf-8")

    assert len(drawn) < 40_000
    assert "prefers-color-scheme: dark" in drawn
    assert re.findall(r"(?:href|src|url)\b", drawn) == ["url"]  # the hatch of the card
    (words,) = re.findall(rf'<img src="{picture.FILE}".*alt="(.*)"', ALL)
    for one in example().solution.pairings:
        assert f"{one.score:.1f}" in words


def test_the_first_documents_are_short():
    assert len(TEXTS["README.md"].splitlines()) <= 120
    assert len(TEXTS["CONTRIBUTING.md"].splitlines()) <= 100


def test_every_setting_says_what_it_is_for():
    assert [
        name for name, field in Settings.model_fields.items() if not field.description
    ] == []


@pytest.mark.parametrize(
    "name", sorted(set(re.findall(r"COMPAAN_([A-Z_]+[A-Z])\b", ALL)))
)
def test_a_setting_that_is_told_of_exists(name):
    assert name.lower() in Settings.model_fields


def test_every_command_is_in_the_documents():
    missing = []
    for name, command in get_command(cli).commands.items():
        parts = getattr(command, "commands", None)
        wanted = [f"compaan {name} {part}" for part in parts or ()] or [
            f"compaan {name}"
        ]
        missing += [one for one in wanted if f".venv/bin/{one}" not in ALL]

    assert missing == []


def test_commands_in_the_documents_exist_with_their_options():
    known = get_command(cli).commands
    found = re.findall(r"\bcompaan ([a-z][^#\n|`]+)", ALL)
    lines = [line for line in found if line.split()[0] in known]
    assert len(lines) > 30
    for line in lines:
        words = line.split()
        command = known[words[0]]
        if hasattr(command, "commands") and len(words) > 1:
            command = command.commands.get(words[1], command)
        options = {
            name for p in command.params for name in (*p.opts, *p.secondary_opts)
        }
        assert {word for word in words if word.startswith("--")} <= options, line


def test_recipes_modules_and_paths_that_are_named_exist():
    named = set(re.findall(r"(?:`|^)make ([a-z-]+)", ALL, re.MULTILINE))
    modules = set(re.findall(r"python -m ([\w.]+)", ALL))
    paths = set(re.findall(rf"(?:`| )((?:{_FOLDERS})/[\w./*-]*)", ALL))

    assert named - RECIPES == set()
    assert [one for one in modules if importlib.util.find_spec(one) is None] == []
    assert [one for one in paths if not list(ROOT.glob(one.rstrip("/.")))] == []


def test_every_link_leads_somewhere():
    for name, text in TEXTS.items():
        for link in re.findall(r"\]\(([^)\s]+)\)", text):
            if link.startswith("https://"):
                continue
            path, _, heading = link.partition("#")
            target = (ROOT / name).parent / path if path else ROOT / name
            assert target.is_file(), f"{name}: {link}"
            if heading:
                assert heading in _anchors(target.read_text("utf-8")), f"{name}: {link}"


def _anchors(text: str) -> set[str]:
    """Return what headings are linked by: lower case, without marks, with dashes."""
    return {
        re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        for heading in re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    }


def test_every_document_is_named_where_reading_begins():
    for name in TEXTS:
        if name.startswith("docs/") and name != "docs/README.md":
            assert f"({name})" in TEXTS["README.md"], name
            assert f"({Path(name).name})" in TEXTS["docs/README.md"], name


# The blocks themselves.


def test_every_block_has_a_language_that_says_whether_it_is_run():
    assert {block.language for _, block in EVERY_BLOCK} <= RUN | SHOWN | NOT_RUN
    for name, text in TEXTS.items():
        found = blocks(text)
        assert text.count("```") == 2 * len(found), name
        for before, after in pairwise([Block("", "", 0), *found]):
            assert after.language not in SHOWN or before.language in {"sh", "python"}, (
                f"{name}: nothing has printed what line {after.line} shows"
            )


def test_nothing_that_could_be_run_hides_in_a_block_that_is_not():
    for name, block in of_kind(*NOT_RUN):
        found = re.findall(
            r"^(?:\$ |\.venv/|make |curl |python|compaan |export ).*",
            block.text,
            re.MULTILINE,
        )
        assert not found, f"{name}:{block.line}: {found}"
    assert len(of_kind(*NOT_RUN)) <= 5


def test_commands_can_be_pasted_into_any_shell():
    """The shell of macOS takes `# …` for a command, and `?` for a pattern."""
    for name, block in of_kind("sh"):
        if "<<" in block.text:
            continue
        plain = re.sub(r"'[^']*'|\"(?:[^\"\\]|\\.)*\"", "", block.text, flags=re.DOTALL)
        assert "#" not in plain, f"{name}:{block.line}"
        assert not re.search(r"(?<!\$)\?", plain), f"{name}:{block.line}"


def test_what_serves_stands_last_and_leaves_nothing_to_the_next_terminal():
    for name, text in TEXTS.items():
        found = [block for block in blocks(text) if block.language in {"sh", "console"}]
        for at, block in enumerate(found):
            *before, last = block.text.strip().splitlines()
            assert not any(map(SERVES.match, before)), f"{name}:{block.line}"
            if not SERVES.match(last):
                continue
            # A new terminal knows no variable that an earlier one has set.
            after = "\n".join(block.text for block in found[at + 1 :])
            used = set(re.findall(r"\$\{?([A-Z][A-Z_]*)", after))
            made = set(re.findall(r"\b([A-Z][A-Z_]*)=", after))
            if ". .data/demo.env" in after:
                made |= {"API", "RUN", "TOKEN", "OFFICER"}
            assert used <= made, f"{name}:{block.line}: {used - made}"


def test_ten_lines_of_python_list_cities_and_run_a_round():
    (lines,) = [one.text for _, one in of_kind("python") if "import httpx" in one.text]

    assert len([line for line in lines.splitlines() if line.strip()]) <= 10
