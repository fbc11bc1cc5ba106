"""Rounds and runs."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from client._calls import Calls, as_kept, parsed, path
from client._errors import NotInTime, RunFailed, refusal
from client._kept import Kept
from schemas import (
    AuditEntry,
    AuditLog,
    Change,
    Drill,
    Health,
    HowWeChose,
    Ledger,
    LedgerEntry,
    Participant,
    Participants,
    ParticipationWrite,
    Phase,
    PhaseChange,
    Policy,
    Readiness,
    ReleasedDecision,
    Round,
    RoundNew,
    Rounds,
    Run,
    Runs,
    RunWrite,
    Scenarios,
    Solution,
    WhatIf,
    WhyNot,
)

_WAIT = 10.0
"""Seconds that the service is asked to wait for the end of a run."""
_FIRST_LOOK = 0.2
_LONGEST_LOOK = 5.0


@dataclass(frozen=True)
class Proposal:
    """A run that has found pairings, and what it found."""

    run: Run
    solution: Solution


class RoundCalls(Calls):
    """What can be asked and done about rounds and their runs."""

    def rounds(self) -> Iterator[Round]:
        """Yield the rounds that the account may see, by id."""
        return self._pages(Rounds, path("rounds"))

    def round(self, round_id: str) -> Kept[Round]:
        """Return a round."""
        return self._get_kept(Round, path("rounds", round_id))

    def open_round(self, new: RoundNew) -> Kept[Round]:
        """Set up a round, as a draft, perhaps as a copy of another."""
        answer = self._do(path("rounds"), new)
        return as_kept(Round, answer, path("rounds", parsed(Round, answer).id))

    def move(self, round_id: str, to: Phase, reason: str | None = None) -> Kept[Round]:
        """Bring a round into another phase; a step back needs a reason."""
        change = PhaseChange(to=to, reason=reason)
        at = path("rounds", round_id)
        return as_kept(Round, self._do(path("rounds", round_id, "phase"), change), at)

    def round_log(self, round_id: str) -> Iterator[AuditEntry]:
        """Yield what was done in a round, the newest first."""
        return self._pages(AuditLog, path("rounds", round_id, "audit"))

    def participants(self, round_id: str) -> Iterator[Participant]:
        """Yield the cities of a round, by id."""
        return self._pages(Participants, path("rounds", round_id, "participants"))

    def participant(self, round_id: str, city_id: str) -> Kept[Participant]:
        """Return how a city takes part."""
        at = path("rounds", round_id, "participants", city_id)
        return self._get_kept(Participant, at)

    def enter(
        self, round_id: str, city_id: str, how: ParticipationWrite | None = None
    ) -> Kept[Participant]:
        """Enter a city in a round; what is left out is as in its profile.

        Raises:
            NoPrecondition: If it takes part already.

        """
        at = path("rounds", round_id, "participants", city_id)
        return self._create(Participant, at, how or ParticipationWrite())

    def policy(self, round_id: str) -> Kept[Policy]:
        """Return the policy of a round."""
        return self._get_kept(Policy, path("rounds", round_id, "policy"))

    def set_policy(self, policy: Kept[Policy]) -> Kept[Policy]:
        """Replace the policy of a round that was read.

        Raises:
            Stale: If somebody else has changed it since.

        """
        return self._put(policy)

    def readiness(self, round_id: str) -> Readiness:
        """Return whether a round can be matched, and what stands in the way."""
        return self._get(Readiness, path("rounds", round_id, "readiness"))

    def runs(self, round_id: str) -> Iterator[Run]:
        """Yield the runs of a round, the newest first."""
        return self._pages(Runs, path("rounds", round_id, "runs"))

    def run(self, run_id: str) -> Run:
        """Return how far a run is."""
        return self._get(Run, path("runs", run_id))

    def cancel(self, run_id: str) -> Run:
        """Cancel a run that has not ended; again is no error.

        Raises:
            Conflict: If it has ended.

        """
        return parsed(Run, self._transport.send("DELETE", path("runs", run_id)))

    def start(
        self, round_id: str, *, label: str | None = None, policy: Policy | None = None
    ) -> Run:
        """Start a run over the round as it is now, and do not wait for it.

        Args:
            round_id: The round.
            label: What the run is called.
            policy: Instead of the policy of the round.

        """
        return self._start(round_id, RunWrite(label=label, policy=policy), 0)

    def _start(self, round_id: str, new: RunWrite, wait: float) -> Run:
        at = path("rounds", round_id, "runs")
        return parsed(Run, self._do(at, new, {"wait": wait}))

    def propose(
        self,
        round_id: str,
        *,
        label: str | None = None,
        policy: Policy | None = None,
        within: float = 600.0,
    ) -> Proposal:
        """Have pairings computed for the round as it is now, and wait for them.

        Args:
            round_id: The round.
            label: What the run is called.
            policy: Instead of the policy of the round.
            within: Seconds to wait for the end of the run.

        Raises:
            Infeasible: If the policy cannot be kept.
            RunFailed: If the run fails, or somebody cancels it.
            NotInTime: If it has not ended by then; it goes on.

        """
        until = time.monotonic() + within
        new = RunWrite(label=label, policy=policy)
        run = self._start(round_id, new, min(_WAIT, within))
        return self._proposal(run, until)

    def wait_for(self, run_id: str, *, within: float = 600.0) -> Proposal:
        """Wait for a run that was started; ends as `propose` does."""
        return self._proposal(self.run(run_id), time.monotonic() + within)

    def _proposal(self, run: Run, until: float) -> Proposal:
        pause = _FIRST_LOOK
        while run.state in {"queued", "running"}:
            if time.monotonic() + pause > until:
                raise NotInTime(run)
            time.sleep(pause)
            pause = min(_LONGEST_LOOK, pause * 1.5)
            run = self.run(run.id)
        if run.state == "infeasible" and run.problem is not None:
            raise refusal(run.problem)
        if run.state != "succeeded":
            raise RunFailed(run)
        return Proposal(run, self.solution(run.id))

    def solution(self, run_id: str) -> Solution:
        """Return what a run found.

        Raises:
            Conflict: If it has no solution, or not yet.

        """
        return self._get(Solution, path("runs", run_id, "solution"))

    def bundle(self, run_id: str) -> bytes:
        """Return all that is needed to compute the run again, as a ZIP file."""
        return self._file(path("runs", run_id, "bundle"))

    def what_if(self, run_id: str, change: Change) -> WhatIf:
        """Return what the run would find if something were decided otherwise."""
        return self._ask(WhatIf, path("runs", run_id, "what-if"), change)

    def why_not(self, run_id: str, *, mentor: str, learner: str) -> WhyNot:
        """Return why a pair is not proposed: what forbids it, or what it would cost."""
        query = {"mentor": mentor, "learner": learner}
        return self._get(WhyNot, path("runs", run_id, "why-not"), query)

    def drill(self, run_id: str) -> Drill:
        """Return what happens if a city leaves, for every paired one."""
        return self._get(Drill, path("runs", run_id, "drill"))

    def scenarios(self, round_id: str, runs: Sequence[str]) -> Scenarios:
        """Return where the runs of a round agree, and where they differ."""
        at = path("rounds", round_id, "scenarios")
        return self._get(Scenarios, at, {"run": list(runs)})

    def health(self, round_id: str) -> Health:
        """Return how the pairings of a round are doing."""
        return self._get(Health, path("rounds", round_id, "health"))

    def decision(self, round_id: str) -> ReleasedDecision:
        """Return the hashes of what was released."""
        return self._get(ReleasedDecision, path("rounds", round_id, "decision"))

    def release_bundle(self, round_id: str) -> bytes:
        """Return all that the released decision rests on, as a ZIP file."""
        return self._file(path("rounds", round_id, "bundle"))

    def how_we_chose(self, round_id: str, lang: str = "en") -> HowWeChose:
        """Return in words how the pairings were chosen: `en`, `fr` or `nl`."""
        at = path("rounds", round_id, "how-we-chose")
        return self._get(HowWeChose, at, {"lang": lang})

    def ledger(self) -> Iterator[LedgerEntry]:
        """Yield what each city has given and got in the rounds before."""
        return self._pages(Ledger, path("ledger"))
