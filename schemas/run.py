"""Runs: computations that are followed, and their outcome."""

from datetime import datetime
from typing import Literal

from schemas._wire import Line, Wire
from schemas.engine.policy import Policy
from schemas.page import Page
from schemas.refusal import ProblemDetails

RunState = Literal[
    "queued", "running", "succeeded", "infeasible", "failed", "cancelled"
]


class RunWrite(Wire):
    """What to compute: the round as it is now, under its own or another policy."""

    label: Line | None = None
    policy: Policy | None = None
    """Null: the policy of the round."""


class Progress(Wire):
    """How far the computation is."""

    step: str | None
    done: int
    of: int


class Run(Wire):
    """One reproducible computation over a frozen copy of the round."""

    id: str
    round: str
    label: str | None
    state: RunState
    progress: Progress
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    attempt: int
    problem_hash: str
    policy_hash: str
    problem: ProblemDetails | None
    """Why there is no solution, if there is none."""


class Runs(Page[Run]):
    """The runs of a round, the newest first."""
