"""Staging, release, and what becomes of pairings."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Literal

from client._calls import Calls, as_kept, parsed, path
from client._kept import Kept
from client._transport import Answer
from schemas import (
    AnswerWrite,
    CheckIn,
    CheckIns,
    CheckInWrite,
    Fit,
    Override,
    OverrideWrite,
    PairingExplanation,
    PairingState,
    ReasonCode,
    ReasonWrite,
    ReleaseWrite,
    Repairs,
    RepairWrite,
    Role,
    Round,
    RoundPairing,
    RoundPairings,
    StageWrite,
)

AnyRound = str | Kept[Round]
"""A round by its id; or as it was read: whatever is decided about an older version than
the present one is refused then, as `Stale`."""


class PairingCalls(Calls):
    """What can be decided about a round, and what its cities answer."""

    def stage(self, round: AnyRound, run_id: str) -> Kept[Round]:  # noqa: A002
        """Stage the pairings of a run: they may be edited, and nobody is told."""
        return self._decide(round, "stage", StageWrite(run=run_id))

    def release(
        self,
        round: AnyRound,  # noqa: A002 -- the word of the field
        answer_by: datetime | None = None,
    ) -> Kept[Round]:
        """Offer what is staged: its cities are told.

        Args:
            round: The round.
            answer_by: Until when they answer; else as many days as the round says.

        """
        return self._decide(round, "release", ReleaseWrite(answer_by=answer_by))

    def override(
        self,
        round: AnyRound,  # noqa: A002 -- the word of the field
        decision: OverrideWrite,
        *,
        dry_run: bool = False,
    ) -> Override:
        """Decide otherwise than the staged proposal, at a price."""
        round_id, tag = _named(round)
        query = {"dry_run": str(dry_run).lower()}
        at = path("rounds", round_id, "overrides")
        return parsed(Override, self._do(at, decision, query, tag=tag))

    def repairs(
        self,
        round_id: str,
        *,
        run_id: str | None = None,
        gone: Sequence[str] = (),
        declined: Sequence[tuple[str, str]] = (),
        limit: int = 5,
    ) -> Repairs:
        """Return ways to mend pairings, the one with fewest changes first.

        Args:
            round_id: The round.
            run_id: Whose pairings are mended; else those of the round.
            gone: Cities that leave, besides those that have.
            declined: Mentor and learner of pairings that are declined.
            limit: Most repairs.

        """
        query = {
            "run": run_id,
            "gone": list(gone),
            "declined": [f"{mentor}:{learner}" for mentor, learner in declined],
            "limit": limit,
        }
        return self._get(Repairs, path("rounds", round_id, "repairs"), query)

    def apply_repair(self, round: AnyRound, repair_id: str) -> Kept[Round]:  # noqa: A002
        """Make one of the repairs of a round."""
        return self._decide(round, "repairs", RepairWrite(repair=repair_id))

    def _decide(
        self,
        round: AnyRound,  # noqa: A002
        verb: str,
        how: StageWrite | ReleaseWrite | RepairWrite,
    ) -> Kept[Round]:
        round_id, tag = _named(round)
        answer = self._do(path("rounds", round_id, verb), how, tag=tag)
        return as_kept(Round, answer, path("rounds", round_id))

    def pairings(
        self, round_id: str, *, state: PairingState | None = None
    ) -> Iterator[RoundPairing]:
        """Yield the pairings of a round that the account may see."""
        at = path("rounds", round_id, "pairings")
        return self._pages(RoundPairings, at, {"state": state})

    def pairing(self, pairing_id: str) -> Kept[RoundPairing]:
        """Return a pairing: its state, and what each side has answered."""
        return self._get_kept(RoundPairing, path("pairings", pairing_id))

    def answer(
        self,
        pairing_id: str,
        side: Role,
        answer: Literal["accept", "decline"],
        *,
        reason_code: ReasonCode | None = None,
        text: str | None = None,
    ) -> Kept[RoundPairing]:
        """Accept or decline an offered pairing for one of its two cities.

        Args:
            pairing_id: The pairing.
            side: For which of the two.
            answer: What it says.
            reason_code: Needed to decline; only organisers see it.
            text: In the city's own words; only organisers see it.

        """
        said = AnswerWrite(side=side, answer=answer, reason_code=reason_code, text=text)
        return self._told(pairing_id, self._do(_verb(pairing_id, "answer"), said))

    def dismiss(self, pairing_id: str, reason: str) -> Kept[RoundPairing]:
        """Take a staged pairing out; nobody is told."""
        why = ReasonWrite(reason=reason)
        return self._told(pairing_id, self._do(_verb(pairing_id, "dismiss"), why))

    def withdraw(self, pairing_id: str, reason: str) -> Kept[RoundPairing]:
        """Take back an offered or confirmed pairing; its cities are told."""
        why = ReasonWrite(reason=reason)
        return self._told(pairing_id, self._do(_verb(pairing_id, "withdraw"), why))

    def _told(self, pairing_id: str, answer: Answer) -> Kept[RoundPairing]:
        return as_kept(RoundPairing, answer, path("pairings", pairing_id))

    def explanation(
        self, pairing_id: str, lang: Literal["en", "fr", "nl"] = "en"
    ) -> PairingExplanation:
        """Return why a pairing is proposed: terms that add up, and sentences."""
        at = _verb(pairing_id, "explanation")
        return self._get(PairingExplanation, at, {"lang": lang})

    def check_ins(self, pairing_id: str) -> Iterator[CheckIn]:
        """Yield the signs of life of a pairing, the newest first."""
        return self._pages(CheckIns, _verb(pairing_id, "check-ins"))

    def check_in(
        self, pairing_id: str, *, fit: Fit | None = None, note: str | None = None
    ) -> CheckIn:
        """Tell how a confirmed pairing goes."""
        said = CheckInWrite(fit=fit, note=note)
        return parsed(CheckIn, self._do(_verb(pairing_id, "check-ins"), said))


def _verb(pairing_id: str, verb: str) -> str:
    return path("pairings", pairing_id, verb)


def _named(round: AnyRound) -> tuple[str, str | None]:  # noqa: A002
    """Return the id of a round, and its tag if it was read."""
    if isinstance(round, str):
        return round, None
    return round.value.id, round.tag
