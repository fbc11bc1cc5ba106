"""`POST /match`: a matching for somebody without an account; nothing is stored."""

import time
from functools import partial

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter

import matching
from app.errors import TooMany, TooManyCities
from app.services.rounds import problem_builder
from app.services.runs.turns import Turns
from app.settings import Settings
from schemas import InputError, MatchRequest, Solution


class AnonymousMatching:
    """Anonymous matchings, held within the limits of the settings.

    Args:
        settings: Where the limits stand.

    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._turns = Turns(settings.match_at_once, settings.match_seconds)
        self._rate = RateLimitItemPerMinute(settings.match_per_minute)
        self._limiter = SlidingWindowCounterRateLimiter(MemoryStorage())

    def match(self, request: MatchRequest, trials: int) -> Solution:
        """Return the solution of the request.

        Args:
            request: Problem and policy.
            trials: Perturbed trials, to tell how firm each pairing is.

        Raises:
            TooManyCities: If the request is larger than the settings allow.
            Busy: If no turn came up in time.
            TooSlow: If the computation took too long.
            ComputationDied: If the computation ended without an answer.
            InvalidProblem, InvalidPolicy, Infeasible: As the engine refuses.

        """
        most = self._settings.match_cities
        if len(request.cities) > most:
            detail = f"At most {most} cities, not {len(request.cities)}."
            raise TooManyCities(
                detail,
                [InputError(pointer="/cities", code="too_long", message=detail)],
            )
        question = partial(
            matching.match, request.problem(), request.policy, trials=trials
        )
        within = partial(problem_builder.refusal, within="/policy")
        return self._turns.ask(question, within)

    def count(self, caller: str) -> None:
        """Count a request, or raise `TooMany`.

        Args:
            caller: The network that it comes from.

        """
        if not self._limiter.hit(self._rate, "match", caller):
            reset = self._limiter.get_window_stats(
                self._rate, "match", caller
            ).reset_time
            detail = f"At most {self._rate.amount} of these requests a minute."
            raise TooMany(detail, retry_after=max(1, round(reset - time.time())))
