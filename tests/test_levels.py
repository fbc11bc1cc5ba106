"""The levels of checks, what they cost, and what the census tells of them."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.census import difference, table
from tests.fixtures.cost import counted, spent
from tests.fixtures.levels import SLOW, too_dear
from tests.fixtures.process import launch, run_compaan

HERE = Path(__file__).parent
BURN = "import time\nwhile time.process_time() < 0.3: pass"


def test_what_is_called_slow_is_there():
    texts = "".join(path.read_text() for path in HERE.rglob("test_*.py"))

    gone = [name for name in SLOW.read_text().split() if f"def {name}(" not in texts]

    assert gone == []


def test_the_dearest_functions_are_called_slow_until_the_others_fit():
    costs = [
        "9.0  tests/a.py",
        "5.0  tests/a.py::test_x[1]",
        "1.5  tests/a.py::test_y[a::b]",
        "1.0  tests/b.py::test_z",
        "0.5  tests/a.py::test_x[2]",
    ]

    assert too_dear(costs, 8) == []
    assert too_dear(costs, 7) == ["test_x"]
    assert too_dear(costs, 1) == ["test_x", "test_y"]


def test_what_children_use_is_counted_while_they_run_and_after():
    before = spent()
    child = subprocess.Popen(  # noqa: S603 -- our own lines
        [sys.executable, "-c", f"{BURN}\nprint(1, flush=True)\ninput()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    child.stdout.readline()
    running = spent() - before
    child.communicate(b"\n")

    assert running > 0.25
    assert spent() - before >= running - 0.05


def test_what_a_server_uses_that_has_left_its_parent_is_counted():
    line = (
        f"{sys.executable} -c '{BURN}\nprint(1, flush=True)\ntime.sleep(60)' & echo $!"
    )
    with subprocess.Popen(["sh", "-c", line], stdout=subprocess.PIPE) as shell:  # noqa: S603, S607 -- our own lines
        pid = int(shell.stdout.readline())
        shell.stdout.readline()
        before = spent()
        with counted(pid):
            during = spent()
        os.kill(pid, signal.SIGKILL)

    assert 0.25 < during - before < 3
    assert spent() >= during - 0.05


def check(name, module="tests/a.py", level="test"):
    return {"name": name, "module": module, "level": level}


def test_a_check_that_has_moved_is_no_difference_and_one_that_is_gone_is():
    before = [check("test_x"), check("test_x", "tests/b.py"), check("test_y")]
    now = [
        check("test_x", "tests/c/a.py"),
        check("test_y", level="quick"),
        check("test_z", level="release"),
    ]

    assert difference(before, before).splitlines()[-1] == "3 before, 3 now"
    assert difference(before, now).splitlines() == [
        "gone: test_x",
        "new: test_z",
        "1 are now of the level quick",
        "0 are now of the level test",
        "0 are now of the level release",
        "3 before, 3 now",
    ]
    assert table(now).splitlines()[-1].split() == ["all", "1", "1", "1", "3"]


@pytest.mark.slow
def test_what_is_forked_ends_as_the_program_does(tmp_path):
    environment = {**os.environ, "COMPAAN_DATABASE_URL": f"sqlite:///{tmp_path}/x.db"}

    wrong = run_compaan("serve", "--port", "x", env=environment)
    server = launch("serve", "--port", "0", env=environment, cwd=tmp_path)
    assert server.stdout.readline().startswith("Serving on ")
    assert Path(f"/proc/{server.pid}/cwd").resolve() == tmp_path
    assert server.poll() is None
    with pytest.raises(subprocess.TimeoutExpired):
        server.wait(0.05)
    began = time.monotonic()
    server.send_signal(signal.SIGTERM)
    said = server.communicate(20)

    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert "Invalid value for '--port'" in wrong.stderr
    assert server.returncode == -signal.SIGTERM
    assert said[0] == ""
    assert time.monotonic() - began < 20
