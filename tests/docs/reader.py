"""A reader who pastes the blocks of a document into one shell, from top to bottom."""

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.docs.blocks import Block, commands, fits, fits_json
from tests.docs.program import RELAY, relayed

ROOT = Path(__file__).parents[2]
_LEFT_OUT = (
    ".git", ".venv", ".venv-bench", ".cache", ".data", ".hypothesis", "*_cache",
)  # fmt: skip
SERVES = re.compile(
    r"(?:[A-Z_]+=\S+ )*"
    r"(?:make demo|\.venv/bin/compaan (?:serve|worker|demo(?!.*--no-serve)))\b"
)
"""Commands that go on until somebody presses Ctrl-C."""
CHECKS = re.compile(
    r"make (?:quick|check|test|release-check|bench)\b"
    r"|\.venv/bin/python -m (?:pytest|tests\.)"
)
"""Commands that are tests, or that other tests call: they are not run from here."""
_BEGUN = "(Serving|Working).on"
"""What they print when they have started."""
_SECONDS = 120


@dataclass(frozen=True)
class Step:
    """What is pasted at once, and what the document shows of its outcome."""

    block: Block
    code: str
    shown: Block | None = None
    printed: str | None = None
    """Of a command in a `console` block."""


@contextmanager
def clone(folder: Path) -> Iterator[Path]:
    """Make a copy of the checkout in which `.venv/bin/compaan` starts at once."""
    copy = folder / "compaan"
    shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(*_LEFT_OUT))
    programs = copy / ".venv" / "bin"
    programs.mkdir(parents=True)
    # For make: all that the recipes install is there.
    for stamp in (".uv", ".run", ".all"):
        (copy / ".venv" / stamp).touch()
    (programs / "python").write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    address = folder / "program"
    (programs / "compaan").write_text(
        RELAY.format(python=sys.executable, address=str(address))
    )
    for program in programs.iterdir():
        program.chmod(0o755)
    with relayed(address):
        yield copy


def steps(found: list[Block]) -> list[Step]:
    """Return what the reader pastes, each with what is shown of its outcome."""
    made: list[Step] = []
    for at, block in enumerate(found):
        after = found[at + 1] if at + 1 < len(found) else None
        shown = after if after and after.language in {"json", "output"} else None
        if block.language == "sh":
            made.append(Step(block, block.text, shown))
        elif block.language == "python":
            code = f".venv/bin/python - <<'END_OF_PYTHON'\n{block.text}END_OF_PYTHON\n"
            made.append(Step(block, code, shown))
        elif block.language == "console":
            made += [
                Step(block, one, printed=printed) for one, printed in commands(block)
            ]
    return made


def read(copy: Path, found: list[Block], environment: Mapping[str, str]) -> list[str]:
    """Paste the blocks into a shell; return what did not go as the document says."""
    results = copy / ".cache" / "steps"
    shutil.rmtree(results, ignore_errors=True)
    results.mkdir(parents=True)
    pasted = steps(found)
    script = results / "script.sh"
    script.write_text(_script(pasted, results))
    home = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    with subprocess.Popen(  # noqa: S603 -- our own documents
        ["bash", str(script)],  # noqa: S607 -- the reader's own
        cwd=copy,
        env={**home, "LANG": "C.UTF-8", **environment},
        stdin=subprocess.DEVNULL,
        start_new_session=True,
    ) as shell:
        try:
            shell.wait(_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(shell.pid, signal.SIGKILL)
            return [f"It takes longer than {_SECONDS} seconds."]
    return [
        told for at, one in enumerate(pasted) for told in _wrong(one, results / f"{at}")
    ]


_NOTED = """\
status=0
set -E
trap 'failed=$?
  case $BASH_COMMAND in "( exit"*) ;; *) echo "$failed $BASH_COMMAND" >&9 ;; esac' ERR
"""
"""Commands that fail are noted in the step's own file, and the session goes on."""
_ENDED = """\
trap - ERR
exec >/dev/null 2>&1
kill $(jobs -p)
wait
"""
"""What still serves is told to stop, as by Ctrl-C."""


def _script(pasted: list[Step], results: Path) -> str:
    """Return the session: each step with streams of its own, and failures noted."""
    lines = [_NOTED]
    for at, one in enumerate(pasted):
        there = shlex.quote(str(results / f"{at}"))
        lines += [
            f"exec >{there}.out 2>{there}.err 9>{there}.failed",
            "(exit $status)",
            *_runnable(one.code, f"{there}.out"),
            "status=$?",
        ]
    return "\n".join([*lines, _ENDED])


def _runnable(code: str, output: str) -> Iterator[str]:
    """Yield the lines of a step as they are run here.

    What serves goes to the background, where the reader takes another terminal; what
    runs the tests is left out.
    """
    for line in code.splitlines():
        if SERVES.match(line):
            yield f"{line} >>{output} 2>&1 &"
            yield (
                f"until [[ $(<{output}) =~ {_BEGUN} ]]; do"
                " kill -0 $! && sleep 0.3 || break; done; kill -0 $!"
            )
        elif not CHECKS.match(line):
            yield line


def _wrong(step: Step, results: Path) -> Iterator[str]:
    """Yield what did not go as the document says."""
    where = f"{step.block.line}: {step.code.strip()}"

    def part(name: str) -> str:
        file = results.with_name(f"{results.name}.{name}")
        return file.read_text("utf-8", "replace") if file.exists() else ""

    if not (results.with_name(f"{results.name}.out")).exists():
        yield f"{where}\nwas not reached"
        return
    came, said, failed = part("out"), part("err"), part("failed")
    if step.printed is not None:
        if not fits(step.printed, came + said):
            yield f"{where}\nprinted\n{came}{said}\ninstead of\n{step.printed}"
        return
    if failed:
        yield f"{where}\nfailed: {failed}{came[-2000:]}{said[-4000:]}"
    if '"/problems/' in came:
        yield f"{where}\nwas refused: {came[-2000:]}"
    if step.shown is not None:
        compare = fits_json if step.shown.language == "json" else fits
        if not compare(step.shown.text, came):
            yield f"{where}\nprinted\n{came}{said}\ninstead of\n{step.shown.text}"
