"""Every regular expression that meets input takes linear time, whatever comes."""

import ast
import importlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from starlette.routing import compile_path

from app.main import create_app
from app.services.shared import erasure
from app.settings import Settings
from app.texts import refusals
from tests.http.routes import routes
from tests.patterns import doubles

ROOT = Path(__file__).parents[1]
PACKAGES = ("app", "schemas", "matching", "client")
METHODS = {"match", "fullmatch", "search", "sub", "subn", "split", "findall"}
METHODS |= {"finditer"}
MADE = {
    # Patterns that are put together while the service runs: what they come to.
    ("app/services/shared/erasure.py", "either"): (
        "search",
        [erasure._pattern(["Ada Lovelace", "jo.an@city.example", "a a a a b"])],  # noqa: SLF001
    ),
    ("app/texts/refusals.py", "_pattern(parts)"): (
        "fullmatch",
        [one for one, _ in [*refusals._texts(), *refusals._parts()]],  # noqa: SLF001
    ),
}


@dataclass(frozen=True)
class Used:
    """A pattern as it stands in a file.

    Attributes:
        file: Where.
        line: In which line.
        method: The function of `re` that looks with it.
        source: How it is written there.
        pattern: What that comes to; None: only known while the service runs.
        flags: As `re` takes them.

    """

    file: str
    line: int
    method: str
    source: str
    pattern: str | bytes | None
    flags: int


def module(file: Path) -> ModuleType:
    parts = file.relative_to(ROOT).with_suffix("").parts
    return importlib.import_module(".".join(parts).removesuffix(".__init__"))


def known(node: ast.expr | None, there: ModuleType) -> Any:
    """Return what an expression comes to in a module, or None if that takes more."""
    if node is None:
        return 0
    try:
        return eval(ast.unparse(node), vars(there))  # noqa: S307 -- our own code
    except NameError:
        return None


def methods(tree: ast.AST, name: str) -> set[str]:
    """Return the methods of a compiled pattern that a file calls."""
    return {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == name
        and node.attr in METHODS
    }


def used_in(file: Path) -> Iterator[Used]:
    """Yield each pattern of a file, once for each method that looks with it."""
    tree = ast.parse(file.read_text())
    names = {
        id(node.value): node.targets[0].id
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }
    for node in ast.walk(tree):
        is_call = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
        if not (is_call and ast.unparse(node.func.value) == "re"):
            continue
        function, (first, *rest) = node.func.attr, node.args
        if function not in METHODS | {"compile"}:
            continue
        given = {one.arg: one.value for one in node.keywords}
        at = {"compile": 0, "sub": 3, "subn": 3, "split": 2}.get(function, 1)
        flags = given.get("flags", rest[at] if len(rest) > at else None)
        looks = {function}
        if function == "compile":  # unknown: it may look anywhere
            looks = methods(tree, names.get(id(node), "")) or {"search"}
        there = module(file)
        for method in sorted(looks):
            yield Used(
                str(file.relative_to(ROOT)),
                node.lineno,
                method,
                ast.unparse(first),
                known(first, there),
                known(flags, there) or 0,
            )


FILES = [
    file
    for package in PACKAGES
    for file in sorted((ROOT / package).rglob("*.py"))
    if re.search(r"^\s*(import re\b|from re\b)", file.read_text(), re.MULTILINE)
]
USED = [one for file in FILES for one in used_in(file)]


@pytest.mark.parametrize("used", USED, ids=lambda one: f"{one.file}:{one.line}")
def test_a_pattern_takes_linear_time(used):
    method, patterns = used.method, [(used.pattern, used.flags)]
    if used.pattern is None:
        method, made = MADE[used.file, used.source]
        patterns = [(one.pattern, one.flags) for one in made]

    found = {
        pattern: why
        for pattern, flags in patterns
        if (why := doubles(pattern, flags, method))
    }

    assert found == {}


def patterns_of(document: Any) -> Iterator[str]:
    """Yield what stands as a `pattern` anywhere in a JSON Schema."""
    if isinstance(document, dict):
        if isinstance(document.get("pattern"), str):
            yield document["pattern"]
        document = list(document.values())
    if isinstance(document, list):
        for one in document:
            yield from patterns_of(one)


def test_a_pattern_of_the_contract_takes_linear_time_for_others_too():
    # Pydantic's own engine is linear; that of a generated client may not be.
    app = create_app(Settings(runs_at_once=0))

    found = set(patterns_of(app.openapi()))

    assert len(found) > 10
    assert {one: doubles(one) for one in found if doubles(one)} == {}
    told = [file for file in FILES if "python-re" in file.read_text()]
    assert told == []  # where Pydantic would be told to use `re`


def test_a_path_is_found_in_linear_time():
    app = create_app(Settings(runs_at_once=0))
    paths = {path for _, path in routes(app)}

    found = {path: compile_path(path)[0].pattern for path in paths}

    assert len(found) > 100
    assert {path for path, one in found.items() if doubles(one, 0, "match")} == set()


@pytest.mark.parametrize(
    ("pattern", "method"),
    [
        (r"\s*(.+?)[\s:=]*([0-9]?)\s*", "fullmatch"),  # needs, before 0.2
        (r"\S*@\S*", "sub"),
        (r"(a+)+b", "match"),
        (r"(a*)*b", "match"),
        (r"(a|a)*b", "match"),
        (r"(a|aa)+$", "match"),
        (r"(\w+\s?)+!", "match"),
        (r"(?:.*,){11}x", "match"),
        (r"a*a*b", "match"),
        (r"(?=a*a*b)", "match"),
        (r"(?i)[a-z]*B*x", "match"),
        (r"x*y", "search"),
        (r"\s+$", "search"),
        (r"<s>(.*?)</s>", "findall"),
        (r"a(?:.*b)?", "sub"),
        (r"a++b", "search"),
        (r"(.+?)b(.+?)c", "fullmatch"),
        (rb"y*z", "search"),
    ],
)
def test_what_is_not_linear_is_seen(pattern, method):
    assert doubles(pattern, 0, method) is not None


@pytest.mark.parametrize(
    ("pattern", "method"),
    [
        (r"x*y", "match"),
        (r"a++b", "match"),
        (r"[\s_-]+", "sub"),
        (r"^\s+", "sub"),
        (r"\s{2,}", "split"),
        (r"\d+\.?\d*", "findall"),
        (r'(?:W/)?("[^"]*")', "findall"),
        (r".+,(.+)", "match"),
        (r"(?>(.+?)b)(.+?)c", "fullmatch"),
        (r"[^@]{1,64}@[a-z-]+(\.[a-z-]+)*$", "fullmatch"),
    ],
)
def test_what_is_linear_is_taken(pattern, method):
    assert doubles(pattern, 0, method) is None
