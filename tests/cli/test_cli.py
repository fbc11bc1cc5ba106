"""The terminal, driven as people drive it.

Each kind of command runs as a process of its own once, some of them started as people
start them. What else it does is looked at in this process.
"""

import json
import os
import re
import signal
import socket
import stat
import subprocess
import sys
from urllib.request import Request, urlopen

import pytest
from typer.testing import CliRunner

from app import data
from app.cli import cli
from tests.fixtures.process import COMPAAN, launch, run_compaan

pytestmark = pytest.mark.slow


def run(*arguments, **options):
    return subprocess.run(  # noqa: S603 -- our own program
        [str(part) for part in arguments],
        capture_output=True,
        text=True,
        check=False,
        **options,
    )


def run_here(*arguments, **options):
    """Do the same in this process."""
    done = CliRunner().invoke(cli, [str(one) for one in arguments], **options)
    assert done.exception is None or isinstance(done.exception, SystemExit)
    return subprocess.CompletedProcess(
        arguments, done.exit_code, done.stdout, done.stderr
    )


@pytest.fixture(scope="module")
def problem(tmp_path_factory):
    path = tmp_path_factory.mktemp("demo") / "round.json"
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("COMPAAN_DATABASE_URL", raising=False)
        saved = run_here("demo", "--no-serve", "--save", path)
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


@pytest.fixture
def own_database(tmp_path):
    """Return the environment in which `compaan` has a database of this test."""
    url = f"sqlite:///{tmp_path}/own.db"
    return {**os.environ, "COMPAAN_DATABASE_URL": url}


def test_users_tokens_import_and_export(tmp_path, own_database, monkeypatch):
    def compaan(*arguments):
        return run_compaan(*arguments, env=own_database, cwd=tmp_path)

    def here(*arguments):
        return run_here(*arguments, env=own_database)

    monkeypatch.chdir(tmp_path)
    sheet = tmp_path / "cities.csv"
    wrong = tmp_path / "wrong.csv"
    sheet.write_bytes(
        "name;country;roles;needs\nGent;België;mentor;housing\n"
        "Brugge;Belgiun;learner;housing\n".encode("cp1252")
    )

    added = compaan("user", "add", "o@example.org", "--role", "organiser")
    again = compaan("user", "add", "o@example.org", "--role", "organiser")
    cityless = here("user", "add", "f@example.org", "--role", "officer")
    officer = here(
        "user", "add", "f@example.org", "--role", "officer", "--city", "gent"
    )
    token = compaan("token", "add", "--user", "o@example.org", "--scope", "read")
    nobody = here("token", "add", "--user", "x@example.org")
    looked = here("import", sheet, "--dry-run")
    strict = here("import", sheet, "--all-or-nothing")
    done = compaan("import", sheet, "--wrong", wrong)
    exported = compaan("export")
    as_json = here("export", "--format", "json")
    listed = here("user", "list")

    assert [added.returncode, officer.returncode, token.returncode] == [0, 0, 0]
    assert token.stdout.startswith("cmp_")
    assert len(token.stdout.splitlines()) == 1
    assert (again.returncode, cityless.returncode, nobody.returncode) == (2, 2, 2)
    assert "has an account already" in again.stderr
    assert "Say which city it is of" in cityless.stderr
    assert "`compaan user add` first" in nobody.stderr
    assert (looked.returncode, strict.returncode, done.returncode) == (3, 2, 3)
    assert looked.stdout == "Would be: 1 new, 0 changed, 0 as they were, 1 wrong.\n"
    assert done.stdout == "1 new, 0 changed, 0 as they were, 1 wrong.\n"
    assert "Row 3, country: 'Belgiun' is no country" in done.stderr
    assert "Did you mean Belgium (BE)?" in wrong.read_text("utf-8-sig")
    assert "gent,Gent,BE" in exported.stdout
    assert [one["id"] for one in json.loads(as_json.stdout)["cities"]] == ["gent"]
    assert listed.stdout.splitlines() == [
        "f@example.org\tofficer of gent",
        "o@example.org\torganiser",
    ]
    for shown in (again, cityless, nobody, strict):
        assert "Traceback" not in shown.stderr


def test_revoked_tokens_are_counted(tmp_path, own_database):
    run_here("user", "add", "o@example.org", "--role", "auditor", env=own_database)
    run_here("token", "add", "--user", "o@example.org", env=own_database)
    revoked = run_compaan(
        *("token", "revoke", "--user", "o@example.org"),
        env=own_database,
        cwd=tmp_path,
    )

    assert (revoked.returncode, revoked.stderr) == (0, "1 revoked.\n")


def test_the_template_needs_no_database(tmp_path):
    shown = run_compaan("export", "--template", "--semicolon", cwd=tmp_path)

    assert shown.stdout.startswith("id;name;country;")
    assert list(tmp_path.iterdir()) == []


def test_serving_an_old_postgres_says_migrate(postgres, tmp_path):
    environment = {**os.environ, "COMPAAN_DATABASE_URL": postgres}

    refused = run_compaan("serve", "--port", "0", env=environment, cwd=tmp_path)
    away = run_compaan(
        "user",
        "list",
        env={**environment, "COMPAAN_DATABASE_URL": "postgresql://u@127.0.0.1:1/x"},
    )

    assert (refused.returncode, refused.stdout) == (2, "")
    assert "run `compaan migrate` first" in refused.stderr
    assert away.returncode == 1
    assert "cannot be reached" in away.stderr
    assert "Traceback" not in away.stderr


def test_migrate_makes_a_database_that_serves(own_database, tmp_path):
    first = run(COMPAAN, "migrate", env=own_database, cwd=tmp_path)
    second = run_compaan("migrate", env=own_database, cwd=tmp_path)

    assert [first.returncode, second.returncode] == [0, 0]
    assert first.stdout == second.stdout == "The database is up to date.\n"


def test_demo_says_at_once_that_the_port_is_taken():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        shown = run_compaan("demo", "--port", taken.getsockname()[1])

    assert (shown.returncode, shown.stdout) == (1, "")
    assert "Choose another port" in shown.stderr


def serve_demo(folder, *arguments, forked=True, **settings):
    """Start the demo in a folder; return the process and what it said."""
    environment = {k: v for k, v in os.environ.items() if k != "COMPAAN_DATABASE_URL"}
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    options = {"cwd": folder, "env": environment | settings, **streams}
    command = ["demo", "--port", "0", *arguments]
    server = (
        launch(*command, **options)
        if forked
        else subprocess.Popen([COMPAAN, *command], text=True, **options)  # noqa: S603 -- our own program
    )
    said = ""
    for line in server.stdout:
        said += line
        if line.startswith("The tokens are"):
            return server, said
    raise AssertionError(said)


def end(server):
    server.send_signal(signal.SIGTERM)
    # Its children hold the same pipe: it ends when the last of them has gone.
    server.stdout.read()
    server.wait(20)
    assert server.returncode in {0, -signal.SIGTERM}
    server.stdout.close()


def fetch(address, token, body=None):
    content = None if body is None else json.dumps(body).encode()
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    with urlopen(Request(address, content, headers)) as answer:  # noqa: S310 -- ours
        return json.load(answer)


def variables(folder):
    """Return what the demo has written down for a shell."""
    file = folder / ".data" / "demo.env"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    lines = file.read_text().splitlines()
    return dict(line.removeprefix("export ").split("=", 1) for line in lines)


def test_demo_stores_the_round_once_and_serves_it(tmp_path):
    runs = []
    for forked in (False, True):
        server, said = serve_demo(tmp_path, forked=forked)
        address = re.search(r"Serving on (\S+)", said)[1]
        run_id = re.search(r"/runs/(\w+)", said)[1]
        organiser, officer = re.findall(r"(cmp_\S+) +\(", said)
        found = fetch(f"{address}/api/v1/runs/{run_id}/solution", organiser)
        pairs = {(pair["mentor"], pair["learner"]) for pair in found["pairings"]}
        assert pairs == set(data.real_pairs())
        assert len(fetch(f"{address}/api/v1/cities", officer)["items"]) == 8
        rounds = fetch(f"{address}/api/v1/rounds", officer)["items"]
        assert [one["id"] for one in rounds] == ["inclucities"]
        assert variables(tmp_path) == {
            "API": f"{address}/api/v1",
            "RUN": run_id,
            "TOKEN": organiser,
            "OFFICER": officer,
        }
        runs.append(run_id)
        end(server)

    assert runs[0] == runs[1]
    assert [path.name for path in tmp_path.iterdir()] == [".data"]


def test_demo_begins_again_when_asked_and_touches_no_other_database(tmp_path):
    others = {
        "COMPAAN_DATABASE_URL": f"sqlite:///{tmp_path}/other.db",
        "COMPAAN_MAIL": f"file:{tmp_path}/letters",
    }
    said, runs = [], []
    for arguments in ((), (), ("--fresh",)):
        server, told = serve_demo(tmp_path, *arguments, **others)
        found = variables(tmp_path)
        asked = f"{found['API']}/rounds/inclucities"
        if not said:
            fetch(f"{asked}/phase", found["TOKEN"], {"to": "closed"})
            fetch(f"{asked}/stage", found["TOKEN"], {"run": found["RUN"]})
            fetch(f"{asked}/release", found["TOKEN"], {})
        said.append("The round is as you left it: released. To begin again" in told)
        runs.append(found["RUN"])
        end(server)

    assert said == [False, True, False]
    assert runs[0] == runs[1] != runs[2]
    assert [path.name for path in tmp_path.iterdir()] == [".data"]


def test_match_and_the_module_give_the_same_bytes(problem, tmp_path):
    output = tmp_path / "solution.json"

    shown = run(COMPAAN, "match", problem)
    module = run(sys.executable, "-m", "matching", problem)
    piped = run(COMPAAN, "match", "-", input=problem.read_text())
    written = run_here("match", problem, "--output", output)

    assert [shown.returncode, module.returncode, written.returncode] == [0, 0, 0]
    assert shown.stdout == module.stdout == piped.stdout == output.read_text()
    pairs = json.loads(shown.stdout)["pairings"]
    assert {(p["mentor"], p["learner"]) for p in pairs} == set(data.real_pairs())


def test_match_complains_on_stderr_alone(tmp_path):
    path = tmp_path / "problem.json"
    path.write_text('{"cities": [{"id": "x"}]}')

    shown = run_compaan("match", path)

    assert (shown.returncode, shown.stdout) == (2, "")
    assert "/cities/0/name: This field is required" in shown.stderr
    assert "Traceback" not in shown.stderr


def test_match_tells_what_clashes(problem, tmp_path):
    body = json.loads(problem.read_text())
    body["policy"]["pins"] = [{"mentor": "schaerbeek", "learner": "capaci"}]
    body["vetoes"] = [{"city": "capaci", "partner": "schaerbeek"}]
    clash = tmp_path / "clash.json"
    clash.write_text(json.dumps(body))

    shown = run_here("match", clash)

    assert (shown.returncode, shown.stdout) == (3, "")
    assert shown.stderr == (
        "/policy/pins/0: The pin schaerbeek – capaci clashes with "
        "a veto between the two.\n"
    )


def test_match_needs_files_it_can_read_and_write(problem, tmp_path):
    missing = run_here("match", tmp_path / "nope.json")
    unwritable = run_here("match", problem, "--output", tmp_path / "no/where.json")

    assert [missing.returncode, unwritable.returncode] == [2, 2]
    assert missing.stderr == f"{tmp_path}/nope.json: No such file or directory\n"
    assert unwritable.stderr == f"{tmp_path}/no/where.json: No such file or directory\n"
