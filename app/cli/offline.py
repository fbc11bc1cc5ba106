"""Commands that take a body of POST /match: no server, no database, no limits.

They end with 0, with 2 if something is wrong with the input, and with 3 if no
assignment keeps all pins, bans, vetoes, rules and places.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

if TYPE_CHECKING:
    from schemas import Policy, Problem, Repairs, Solution, WhatIf, WhyNot

_SEPARATOR = "\n"
"""Joins the two ids of a pair; no id has a control character."""
_PAIRS = ("--force", "--ban", "--decline")


class _CommandWithPairs(TyperCommand):
    """A command with options of two words that may be repeated.

    Typer knows options of two words, and options that may be repeated, but none that
    are both: the two words are joined into one before it sees them.
    """

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401 -- Typer's own
        """Take the two words of each pair as one."""
        return super().parse_args(ctx, list(_joined(args)))


def _joined(arguments: Iterable[str]) -> Iterator[str]:
    rest = iter(arguments)
    for argument in rest:
        yield argument
        if argument in _PAIRS:
            words = [word for _, word in zip(range(2), rest, strict=False)]
            if words:
                yield _SEPARATOR.join(words)


def _checked_pair(text: str) -> str:
    if _SEPARATOR not in text:
        raise typer.BadParameter("write the ids of a mentor and of a learner.")
    return text


def _pairs(given: list[str] | None) -> list[tuple[str, str]]:
    """Return the pairs, (mentor, learner)."""
    found = (text.split(_SEPARATOR) for text in given or ())
    return [(mentor, learner) for mentor, learner in found]


offline = typer.Typer()

Body = Annotated[Path, typer.Argument(help="A body of POST /match; - is stdin.")]
Objective = Annotated[
    str | None, typer.Option(help="total, served, fair or stable, over the file's own.")
]
Output = Annotated[
    Path | None, typer.Option(help="Where the answer goes; else stdout.")
]
CityIds = list[str] | None


def _pair_option(says: str) -> Any:  # noqa: ANN401 -- as Typer has it
    return typer.Option(metavar="MENTOR LEARNER", parser=_checked_pair, help=says)


@offline.command()
def match(
    problem: Body,
    *,
    objective: Objective = None,
    trials: Annotated[
        int,
        typer.Option(
            help="Trials that tell how firm a pairing is.", min=0, max=100_000
        ),
    ] = 0,
    output: Output = None,
) -> None:
    """Match the cities of a file: body and answer of POST /match."""
    from matching import match as solve  # noqa: PLC0415
    from matching.__main__ import answer  # noqa: PLC0415 -- see the package

    def work(problem: "Problem", policy: "Policy") -> "Solution":
        return solve(problem, policy, trials=trials)

    raise typer.Exit(answer(problem, objective, output, work))


@offline.command("what-if", cls=_CommandWithPairs)
def what_if(  # noqa: PLR0913 -- the options
    problem: Body,
    *,
    force: Annotated[list[str] | None, _pair_option("This pair must be.")] = None,
    ban: Annotated[list[str] | None, _pair_option("This pair must not be.")] = None,
    remove: Annotated[CityIds, typer.Option(metavar="CITY", help="It leaves.")] = None,
    objective: Objective = None,
    output: Output = None,
) -> None:
    """Tell what would be different if something were decided otherwise."""
    from app.compute import engine  # noqa: PLC0415
    from matching.__main__ import answer  # noqa: PLC0415 -- see the package
    from schemas import Change, Pair  # noqa: PLC0415

    def pairs(given: list[str] | None) -> tuple[Pair, ...]:
        return tuple(Pair(mentor=one, learner=other) for one, other in _pairs(given))

    def work(problem: "Problem", policy: "Policy") -> "WhatIf":
        change = Change(force=pairs(force), ban=pairs(ban), remove=tuple(remove or ()))
        return engine.what_if(problem, policy, change)

    raise typer.Exit(answer(problem, objective, output, work))


@offline.command("why-not")
def why_not(  # noqa: PLR0913 -- the options
    problem: Body,
    mentor: Annotated[str, typer.Argument(help="Its id.")],
    learner: Annotated[str, typer.Argument(help="Its id.")],
    *,
    lang: Annotated[str, typer.Option(help="en, fr or nl.")] = "en",
    facts: Annotated[bool, typer.Option("--json", help="The facts instead.")] = False,
    objective: Objective = None,
) -> None:
    """Tell why a pair is not proposed: what forbids it, or what it would cost."""
    import matching  # noqa: PLC0415 -- see the package
    from app.texts.catalogue import supported_language  # noqa: PLC0415
    from app.texts.matching.why_not import sentences  # noqa: PLC0415
    from matching.__main__ import answer  # noqa: PLC0415

    wanted = supported_language(lang)
    if wanted is None:
        raise typer.BadParameter("there are en, fr and nl.", param_hint="--lang")

    def work(problem: "Problem", policy: "Policy") -> "WhyNot | str":
        found = matching.why_not(problem, policy, mentor=mentor, learner=learner)
        if facts:
            return found
        return "\n".join(sentences(found, problem.cities, wanted)) + "\n"

    raise typer.Exit(answer(problem, objective, None, work))


@offline.command(cls=_CommandWithPairs)
def repair(  # noqa: PLR0913 -- the options
    problem: Body,
    solution: Annotated[Path, typer.Argument(help="What `compaan match` answered.")],
    *,
    gone: Annotated[CityIds, typer.Option(metavar="CITY", help="It has left.")] = None,
    decline: Annotated[
        list[str] | None, _pair_option("These do not want each other.")
    ] = None,
    limit: Annotated[int, typer.Option(help="Most repairs.", min=1)] = 5,
    output: Output = None,
) -> None:
    """List ways to mend the pairings of a solution, with fewest changes first."""
    import matching  # noqa: PLC0415 -- see the package
    from matching.__main__ import answer  # noqa: PLC0415
    from schemas import Repairs  # noqa: PLC0415

    standing = _solution(solution)

    def work(problem: "Problem", policy: "Policy") -> "Repairs":
        found = matching.repair(
            problem,
            policy,
            standing.pairings,
            gone=gone or (),
            declined=_pairs(decline),
            limit=limit,
        )
        return Repairs(items=tuple(found))

    raise typer.Exit(answer(problem, None, output, work))


def _solution(source: Path) -> "Solution":
    """Return the solution in a file, or say what is wrong with it and leave."""
    from pydantic import ValidationError  # noqa: PLC0415 -- see the package

    from matching.__main__ import WRONG_INPUT  # noqa: PLC0415
    from schemas import Solution, input_errors  # noqa: PLC0415

    try:
        return Solution.model_validate_json(source.read_bytes())
    except OSError as error:
        messages = [f"{source}: {error.strerror}"]
    except ValidationError as error:
        found = input_errors(error.errors(include_url=False, include_input=False))
        messages = [f"{source}{one.pointer}: {one.message}" for one in found]
    typer.echo("\n".join(messages), err=True)
    raise typer.Exit(WRONG_INPUT)


@offline.command()
def verify(
    file: Annotated[Path, typer.Argument(help="What GET /runs/{id}/bundle answered.")],
) -> None:
    """Compute the run of a sealed bundle again.

    0: byte for byte the same, 1: different, 2: no bundle, or one that was changed,
    3: computed with other versions; the differences are printed.
    """
    from app.services.runs import bundle  # noqa: PLC0415 -- see the package

    try:
        code, lines = bundle.verify(bundle.unseal(file.read_bytes()))
    except OSError as error:
        code, lines = bundle.BROKEN, [f"{file}: {error.strerror}"]
    except bundle.Broken as error:
        code, lines = bundle.BROKEN, [f"{file}: {error}"]
    typer.echo("\n".join(lines), err=code == bundle.BROKEN)
    raise typer.Exit(code)


@offline.command()
def drill(problem: Body, *, objective: Objective = None, output: Output = None) -> None:
    """Tell for every paired city what happens if it leaves, fragile ones first."""
    import matching  # noqa: PLC0415 -- see the package
    from matching.__main__ import answer  # noqa: PLC0415

    raise typer.Exit(answer(problem, objective, output, matching.drill))
