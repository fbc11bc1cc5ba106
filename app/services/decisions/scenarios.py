"""Runs of one round side by side."""

from collections.abc import Sequence

from app.services.decisions.engine_queries import EngineQueries
from app.services.decisions.repairs import pairs_of
from app.services.runs.runs import Frozen, Outcome
from schemas import Pair, Policy, ScenarioRow, ScenarioRun, Scenarios, Solution

MOST = 6
"""Most runs that are laid side by side."""


def compare(
    answers: EngineQueries, policy: Policy, found: Sequence[Outcome]
) -> Scenarios:
    """Return in what the runs differ, all of them measured alike.

    Each run had a policy of its own, and points of different weights do not compare:
    here all pairings are scored by the weights of one policy.

    Args:
        answers: Who computes the measures.
        policy: What all of them are measured by; its decisions play no part.
        found: The runs, at least one.

    Raises:
        Busy: As `EngineQueries` does.

    """
    solutions = [one.solution for one in found]
    measured = answers.measured(
        policy.model_copy(update={"pins": (), "bans": ()}),
        [(one.problem, pairs_of(one.solution)) for one in found],
    )
    sets = [set(pairs_of(one)) for one in solutions]
    shared = set.intersection(*sets)
    learners = sorted({learner for pairs in sets for _, learner in pairs})
    return Scenarios(
        runs=tuple(
            ScenarioRun(
                run=one.run.id,
                label=one.run.label,
                objective=one.solution.objective,
                pairings=len(pairs),
                total=figures.total,
                worst_off=figures.worst_off,
                mean=figures.mean,
                learners_served=figures.learners_served,
                firm=_firm(one.solution),
            )
            for one, pairs, figures in zip(found, sets, measured, strict=True)
        ),
        shared=tuple(
            Pair(mentor=mentor, learner=learner)
            for mentor, learner in sorted(shared, key=lambda pair: pair[::-1])
        ),
        differing=tuple(
            row
            for learner in learners
            if len(set((row := _row(learner, sets)).mentors)) > 1
        ),
    )


def points(
    answers: EngineQueries,
    policy: Policy,
    found: Sequence[Outcome],
    compared: Scenarios,
) -> dict[str, tuple[float, ...]]:
    """Return for each learner that differs its best pairing's score in every run.

    Args:
        answers: Who computes the scores.
        policy: As `compare` takes it.
        found: The runs that were compared.
        compared: What came of it.

    Raises:
        Busy: As `EngineQueries` does.

    """
    plain = policy.model_copy(update={"pins": (), "bans": ()})
    tables = [
        answers.scored(Frozen(problem=one.problem, policy=plain)) for one in found
    ]
    return {
        row.learner: tuple(
            max((table.score(mentor, row.learner) for mentor in mentors), default=0.0)
            for table, mentors in zip(tables, row.mentors, strict=True)
        )
        for row in compared.differing
    }


def _row(learner: str, sets: Sequence[set[tuple[str, str]]]) -> ScenarioRow:
    return ScenarioRow(
        learner=learner,
        mentors=tuple(
            tuple(sorted(mentor for mentor, other in pairs if other == learner))
            for pairs in sets
        ),
    )


def _firm(solution: Solution) -> float | None:
    firmness = [one.firmness for one in solution.pairings if one.firmness is not None]
    return sum(firmness) / len(firmness) if firmness else None
