"""`python -m matching problem.json`: body and answer of `POST /match`, offline."""

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from pydantic import BaseModel

from matching._answering.match import match
from matching._errors import Infeasible, InvalidPolicy, InvalidProblem, Refused
from matching._input import Policy, Problem

WRONG_INPUT = 2
INFEASIBLE = 3
STDIN = Path("-")


Work = Callable[[Problem, Policy], BaseModel | str]
"""Answers a question about a round."""


def read(text: bytes, objective: str | None = None) -> tuple[Problem, Policy]:
    """Return the problem and the policy in a body of `POST /match`.

    Args:
        text: The body.
        objective: What to maximise, over the body's own.

    Raises:
        ValueError: If the body is not JSON in UTF-8.
        InvalidProblem: Also for the policy in it, with pointers from the body's root.

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
    except InvalidPolicy as error:
        raise _from_root(error) from None
    return problem, policy


def _from_root(error: Refused) -> Refused:
    """Return the refusal with pointers from the root of the body."""
    return type(error)(
        [
            (f"/policy{at}" if _in_policy(at) else at, code, message)
            for at, code, message in error.errors
        ]
    )


def _in_policy(pointer: str) -> bool:
    return pointer[1:].partition("/")[0] in Policy.model_fields


def answer(source: Path, objective: str | None, target: Path | None, work: Work) -> int:
    """Answer a question about a file, or complain on stderr; return the exit code.

    Args:
        source: The body of `POST /match`; `-` is standard input.
        objective: What to maximise, over the body's own.
        target: Where the answer goes; None: standard output.
        work: What answers: a value, which is written as JSON, or a text.

    Returns:
        0, 2 if something is wrong with the files or their content, 3 if no assignment
        keeps all pins, bans, vetoes, rules, limits and places.

    """
    try:
        text = sys.stdin.buffer.read() if source == STDIN else source.read_bytes()
        found = work(*read(text, objective))
        write(target, found if isinstance(found, str) else pretty(_json(found)))
    except Infeasible as error:
        return _complain(_from_root(error), INFEASIBLE)
    except (InvalidProblem, InvalidPolicy) as error:
        return _complain(_from_root(error), WRONG_INPUT)
    except OSError as error:
        sys.stderr.write(f"{error.filename}: {error.strerror}\n")
        return WRONG_INPUT
    except ValueError as error:
        sys.stderr.write(f"{source}: {error}\n")
        return WRONG_INPUT
    return 0


def _json(value: BaseModel) -> Any:  # noqa: ANN401 -- any JSON
    return value.model_dump(mode="json")


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
    """Read the command line and `answer`."""
    parser = argparse.ArgumentParser(prog="python -m matching", description=__doc__)
    parser.add_argument("problem", type=Path, help="a body of POST /match; - is stdin")
    parser.add_argument("--objective", help="total, served, fair or stable")
    parser.add_argument("--output", type=Path, help="where the solution goes")
    parser.add_argument(
        "--trials", type=int, default=0, help="trials that tell how firm a pairing is"
    )
    given = parser.parse_args(arguments)
    return answer(
        given.problem,
        given.objective,
        given.output,
        lambda problem, policy: match(problem, policy, trials=given.trials),
    )


if __name__ == "__main__":
    sys.exit(main())
