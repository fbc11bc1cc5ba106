"""Every document works when a reader pastes it from top to bottom.

All documents are read in one folder, as one person would read them; each has a shell
and servers of its own.
"""

import os
import re
import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url

from tests.docs.blocks import RUN, blocks, documents
from tests.docs.reader import ROOT, clone, read

pytestmark = pytest.mark.slow
DOCUMENTS = [
    path.relative_to(ROOT).as_posix()
    for path in documents(ROOT)
    if any(block.language in RUN for block in blocks(path.read_text("utf-8")))
]
PORTS = ("8000", "8001")
"""The ports that documents name; others may be taken on the machine of the tests."""
POSTGRES = "postgresql://compaan:secret@localhost/compaan"
"""The database that the operators' document makes."""

PATIENT = {"COMPAAN_ANSWER_SECONDS": "600", "COMPAAN_MATCH_SECONDS": "600"}
"""Other tests run at the same time."""
PLACES = {"COMPAAN_PLACES_DIR": os.environ["COMPAAN_PLACES_DIR"]}
"""The file of places is made once for all tests."""


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with clone(tmp_path_factory.mktemp("reader")) as folder:
        for command in (["init", "-q"], ["add", "."]):
            subprocess.run(["git", *command], cwd=folder, check=True)  # noqa: S603, S607
        yield folder


@pytest.fixture
def ports() -> dict[str, str]:
    with ExitStack() as stack:
        free = [
            stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in PORTS
        ]
        return {
            named: str(one.getsockname()[1])
            for named, one in zip(PORTS, free, strict=True)
        }


def empty_database(url: str) -> str:
    """Return the URL of a new, empty database of this server."""
    name = "documents"
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as admin:
        admin.execute(f"DROP DATABASE IF EXISTS {name}")
        admin.execute(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'")
    made = make_url(url).set(drivername="postgresql", database=name)
    return made.render_as_string(hide_password=False)


MADE_TO_KEEP = re.compile(r"migrations/versions/\w+_what_and_why\.py")
"""What a document makes to be committed."""


def new_files(copy: Path) -> list[str]:
    """Return the files that git would offer to commit."""
    git = ["git", "-C", str(copy), "ls-files", "--others", "--exclude-standard"]
    return subprocess.check_output(git, text=True).splitlines()  # noqa: S603 -- ours


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_command_of_a_document_runs_in_the_order_of_reading(
    name: str,
    copy: Path,
    ports: dict[str, str],
    request: pytest.FixtureRequest,
) -> None:
    text = (ROOT / name).read_text("utf-8")
    here = dict(ports)
    if POSTGRES in text:
        here[POSTGRES] = empty_database(request.getfixturevalue("postgres"))
    found = blocks(text)
    for named, own in here.items():
        found = [replace(one, text=one.text.replace(named, own)) for one in found]

    wrong = read(copy, found, {"PORT": ports["8000"], **PATIENT, **PLACES})

    assert wrong == [], "\n\n".join(wrong)
    assert [one for one in new_files(copy) if not MADE_TO_KEEP.match(one)] == []
