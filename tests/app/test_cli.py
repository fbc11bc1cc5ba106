"""The terminal, driven as people drive it."""

import json
import os
import signal
import socket
import subprocess
import sys
import sysconfig
from pathlib import Path
from urllib.request import urlopen

import pytest

from app import data

COMPAAN = Path(sysconfig.get_path("scripts")) / "compaan"


def run(*arguments, **options):
    return subprocess.run(  # noqa: S603 -- our own program
        [str(part) for part in arguments],
        capture_output=True,
        text=True,
        check=False,
        **options,
    )


@pytest.fixture
def problem(tmp_path):
    path = tmp_path / "round.json"
    saved = run(COMPAAN, "demo", "--no-serve", "--save", path)
    assert saved.returncode == 0
    return path


def test_demo_prints_the_real_pairs_with_three_reasons_each():
    shown = run(COMPAAN, "demo", "--no-serve")

    assert (shown.returncode, shown.stderr) == (0, "")
    for mentor, learner in (
        ("Brussels (City of)", "Saint-Jean-de-la-Ruelle"),
        ("Mechelen", "Capaci"),
        ("Fuenlabrada", "Livadia"),
        ("Schaerbeek", "Jelgava"),
    ):
        assert f"│ {mentor} " in shown.stdout
        assert f"│ → {learner} " in shown.stdout
    assert "Mechelen is strong in 5 of the 6 areas that Capaci needs" in shown.stdout
    assert "it withdrew: Partinico." in shown.stdout
    assert "\x1b" not in shown.stdout


def test_demo_never_touches_another_database():
    shown = run(
        COMPAAN, "demo", env={**os.environ, "COMPAAN_DATABASE_URL": "sqlite://"}
    )

    assert (shown.returncode, shown.stdout) == (2, "")
    assert "unset COMPAAN_DATABASE_URL" in shown.stderr


def test_demo_says_at_once_that_the_port_is_taken():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        shown = run(COMPAAN, "demo", "--port", taken.getsockname()[1])

    assert (shown.returncode, shown.stdout) == (1, "")
    assert "Choose another port" in shown.stderr


def test_demo_serves_until_it_is_told_to_stop():
    with subprocess.Popen(  # noqa: S603 -- our own program
        [COMPAAN, "demo", "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as server:
        line = next(line for line in server.stdout if "Serving on" in line)
        address = line.split()[2]
        with urlopen(f"{address}/api/v1/policy-areas") as answer:  # noqa: S310 -- ours
            assert len(json.load(answer)["items"]) == 17
        server.send_signal(signal.SIGTERM)
        # Its children hold the same pipe: it ends when the last of them has gone.
        server.stdout.read()
        server.wait(20)

    assert server.returncode in {0, -signal.SIGTERM}


def test_match_and_the_module_give_the_same_bytes(problem, tmp_path):
    output = tmp_path / "solution.json"

    shown = run(COMPAAN, "match", problem)
    module = run(sys.executable, "-m", "matching", problem)
    piped = run(COMPAAN, "match", "-", input=problem.read_text())
    written = run(COMPAAN, "match", problem, "--output", output)

    assert [shown.returncode, module.returncode, written.returncode] == [0, 0, 0]
    assert shown.stdout == module.stdout == piped.stdout == output.read_text()
    pairs = json.loads(shown.stdout)["pairings"]
    assert {(p["mentor"], p["learner"]) for p in pairs} == set(data.real_pairs())


def test_match_takes_another_objective(problem):
    shown = run(COMPAAN, "match", problem, "--objective", "fair")

    assert json.loads(shown.stdout)["objective"] == "fair"


@pytest.mark.parametrize(
    ("content", "code", "says"),
    [
        ('{"cities": [{"id": "x"}]}', 2, "/cities/0/name: This field is required"),
        ('{"cities": [], "policy": {"objective": "x"}}', 2, "/policy/objective: "),
        ("{", 2, "it is not JSON"),
        ("[]", 2, "/: A problem is a JSON object."),
        ("[" * 100_000, 2, "nested too deep"),
    ],
)
def test_match_complains_on_stderr_alone(tmp_path, content, code, says):
    path = tmp_path / "problem.json"
    path.write_text(content)

    shown = run(COMPAAN, "match", path)

    assert (shown.returncode, shown.stdout) == (code, "")
    assert says in shown.stderr
    assert "Traceback" not in shown.stderr


def test_match_tells_what_clashes(problem, tmp_path):
    body = json.loads(problem.read_text())
    body["policy"]["pins"] = [{"mentor": "schaerbeek", "learner": "capaci"}]
    body["vetoes"] = [{"city": "capaci", "partner": "schaerbeek"}]
    clash = tmp_path / "clash.json"
    clash.write_text(json.dumps(body))

    shown = run(COMPAAN, "match", clash)

    assert (shown.returncode, shown.stdout) == (3, "")
    assert shown.stderr == (
        "/policy/pins/0: The pin schaerbeek – capaci clashes with "
        "a veto between the two.\n"
    )


def test_match_needs_files_it_can_read_and_write(problem, tmp_path):
    missing = run(COMPAAN, "match", tmp_path / "nope.json")
    unwritable = run(COMPAAN, "match", problem, "--output", tmp_path / "no/where.json")

    assert [missing.returncode, unwritable.returncode] == [2, 2]
    assert missing.stderr == f"{tmp_path}/nope.json: No such file or directory\n"
    assert unwritable.stderr == f"{tmp_path}/no/where.json: No such file or directory\n"
