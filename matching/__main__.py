"""`python -m matching problem.json`: body and answer of `POST /match`, offline."""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import NamedTemporaryFile

from matching._answering.match import match
from matching._errors import Infeasible, InvalidPolicy, InvalidProblem, Refused
from matching._input import Policy, Problem
from schemas import Solution

WRONG_INPUT = 2
INFEASIBLE = 3
STDIN = Path("-")


def solve(text: bytes, objective: str | None = None) -> Solution:
    """Return the solution of a body of `POST /match`.

    Args:
        text: The body.
        objective: What to maximise, over the body's own.

    Raises:
        ValueError: If the body is not JSON in UTF-8.
        InvalidProblem: Also for the policy in it, with pointers from the body's root.
        Infeasible: Likewise.

    """
    try:
        body = json.loads(text.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise ValueError("it is not UTF-8") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"it is not JSON: {error}") from None
    except RecursionError:
        raise ValueError("it is nested too deep") from None
    given = body.pop("policy", None) if isinstance(body, dict) else None
    problem = Problem.from_dict(body)
    try:
        policy = Policy.from_dict({} if given is None else given)
        if objective is not None:
            policy = Policy.from_dict(policy.to_dict() | {"objective": objective})
        return match(problem, policy)
    except (InvalidPolicy, Infeasible) as error:
        raise type(error)(
            [(f"/policy{at}", code, message) for at, code, message in error.errors]
        ) from None


def run(source: Path, objective: str | None, target: Path | None) -> int:
    """Match a file, write the solution or complain on stderr; return the exit code.

    Args:
        source: The body of `POST /match`; `-` is standard input.
        objective: What to maximise, over the body's own.
        target: Where the solution goes; None: standard output.

    Returns:
        0, 2 if something is wrong with the files or their content, 3 if no assignment
        keeps all pins, bans, vetoes, rules and places.

    """
    try:
        text = sys.stdin.buffer.read() if source == STDIN else source.read_bytes()
        solution = solve(text, objective)
        write(target, pretty(solution.to_dict()))
    except Infeasible as error:
        return _complain(error, INFEASIBLE)
    except (InvalidProblem, InvalidPolicy) as error:
        return _complain(error, WRONG_INPUT)
    except OSError as error:
        sys.stderr.write(f"{error.filename}: {error.strerror}\n")
        return WRONG_INPUT
    except ValueError as error:
        sys.stderr.write(f"{source}: {error}\n")
        return WRONG_INPUT
    return 0


def pretty(value: object) -> str:
    """Return JSON for people and for tools: the same bytes for the same value."""
    return json.dumps(value, ensure_ascii=False, indent=2) + "\n"


def write(target: Path | None, text: str) -> None:
    """Write a whole file or nothing of it; None is standard output.

    Raises:
        OSError: If the file cannot be written.

    """
    if target is None:
        sys.stdout.buffer.write(text.encode())
        return
    if target.exists() and not target.is_file():  # /dev/stdout and the like
        target.write_text(text, "utf-8")
        return
    try:
        with NamedTemporaryFile(
            "w", encoding="utf-8", dir=target.parent, prefix=".", delete=False
        ) as part:
            part.write(text)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(target)) from None
    Path(part.name).chmod(0o666 & ~_umask())
    Path(part.name).replace(target)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _complain(error: Refused, code: int) -> int:
    for pointer, _, message in error.errors:
        sys.stderr.write(f"{pointer or '/'}: {message}\n")
    return code


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the command line and `run`."""
    parser = argparse.ArgumentParser(prog="python -m matching", description=__doc__)
    parser.add_argument("problem", type=Path, help="a body of POST /match; - is stdin")
    parser.add_argument("--objective", help="total, served or fair")
    parser.add_argument("--output", type=Path, help="where the solution goes")
    given = parser.parse_args(arguments)
    return run(given.problem, given.objective, given.output)


if __name__ == "__main__":
    sys.exit(main())
