"""What the files at the top promise to who installs, cites or clones the project."""

import re
import tomllib
from fnmatch import fnmatchcase
from pathlib import Path

from packaging.requirements import Requirement

PROJECT = tomllib.loads(Path("pyproject.toml").read_text("utf-8"))
DOCUMENTS = [Path("README.md"), *sorted(Path("docs").rglob("*.md"))]
ADDRESS = "https://joinup.ec.europa.eu/collection/eupl/eupl-text-eupl-12"
MADE = re.compile(
    r"(?:--output|--save|--wrong|-o|>|sqlite:///) ?([\w.-]+\.\w+)\b", re.ASCII
)
"""A file that a command makes in the folder in which it is run."""


def test_building_needs_no_newer_tool_than_the_project_does():
    (tool,) = map(Requirement, PROJECT["build-system"]["requires"])

    # The first that takes a list of packages, which the wheel is made of.
    assert tool.name == "uv_build"
    assert tool.specifier.contains("0.7.20")
    assert not tool.specifier.contains("0.7.19")
    assert tool.specifier.contains("0.99.0")


def test_installing_asks_for_no_versions_that_nothing_needs():
    extras = PROJECT["project"]["optional-dependencies"].values()
    named = [
        *PROJECT["project"]["dependencies"],
        *(one for some in extras for one in some),
    ]

    assert [one for one in named if Requirement(one).specifier] == []


def test_the_licence_is_named_alike_everywhere():
    notice = Path("LICENSE").read_text("utf-8")
    cited = Path("CITATION.cff").read_text("utf-8").splitlines()

    assert PROJECT["project"]["license"] == "EUPL-1.2"
    assert PROJECT["project"]["license-files"] == ["LICENSE"]
    assert "SPDX-License-Identifier: EUPL-1.2" in notice.splitlines()
    assert "Copyright 2026 the Compaan contributors" in notice.splitlines()
    assert ADDRESS in notice.splitlines()
    assert {"license: EUPL-1.2", "  - name: Compaan contributors"} <= set(cited)
    assert f"version: {PROJECT['project']['version']}" in cited


def test_what_the_documents_have_a_reader_make_is_not_committed():
    rules = [
        rule.removeprefix("/")
        for rule in Path(".gitignore").read_text("utf-8").splitlines()
        if rule.startswith("/")
    ]
    made = {
        name
        for document in DOCUMENTS
        for block in re.findall(
            r"```sh\n(.*?)```", document.read_text("utf-8"), re.DOTALL
        )
        for name in MADE.findall(block)
    }

    assert {"cities.csv", "bundle.zip"} <= made
    made |= {"compaan.env", "network.db", "network.db-wal", "network.db-shm"}
    assert {one for one in made if not any(fnmatchcase(one, r) for r in rules)} == set()
