"""What the documents tell is so."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from typer.main import get_command

from app.cli import cli
from app.demonstration import prepare
from app.settings import Settings
from tests.fixtures.process import served

README = Path("README.md").read_text("utf-8")
TEXTS = README + Path("CONTRIBUTING.md").read_text("utf-8")


def test_every_command_is_in_the_readme():
    missing = []
    for name, command in get_command(cli).commands.items():
        parts = getattr(command, "commands", None)
        wanted = [f"compaan {name} {part}" for part in parts or ()] or [
            f"compaan {name}"
        ]
        told = README.replace("compaan match`", "compaan match ")
        missing += [one for one in wanted if one not in told]

    assert missing in ([], ["compaan user list"])


def test_commands_in_the_readme_exist_with_their_options():
    known = get_command(cli).commands
    for line in re.findall(
        r"^(?:\.venv/bin/)?compaan ([^#\n|]+)", README, re.MULTILINE
    ):
        words = line.split()
        command = known[words[0]]
        if hasattr(command, "commands"):
            command = command.commands[words[1]]
        options = {
            name for p in command.params for name in (*p.opts, *p.secondary_opts)
        }
        assert {word for word in words if word.startswith("--")} <= options, line


def test_the_lines_of_python_list_cities_and_run_a_round(tmp_path):
    (lines,) = re.findall(r"```python\n(import os\n.*?)```", README, re.DOTALL)
    assert len([line for line in lines.splitlines() if line.strip()]) <= 10
    url = f"sqlite:///{tmp_path}/demo.db"
    shown = prepare(Settings(database_url=url))

    with served(url, {"organiser": shown.organiser}) as server:
        done = subprocess.run(  # noqa: S603 -- our own lines
            [
                sys.executable,
                "-c",
                lines.replace("http://127.0.0.1:8000", server.address),
            ],
            env={"TOKEN": shown.organiser},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    assert done.stderr == ""
    assert "'Mechelen'" in done.stdout
    assert "mechelen mentors capaci: 62.2 points" in done.stdout


@pytest.mark.parametrize(
    "name", sorted(set(re.findall(r"COMPAAN_([A-Z_]+[A-Z])", TEXTS)))
)
def test_a_setting_that_is_told_of_exists(name):
    assert name.lower() in Settings.model_fields
