"""How we chose: what anybody may read of a round once it is released.

No veto, no wish, no ban and no city without a partner is told by name.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

import matching
from app.texts.catalogue import Language, Words, message, words
from app.texts.matching import policy
from app.texts.matching.left_out import SECRET, whys
from app.texts.matching.pair import CRITERIA, strongest
from schemas import (
    City,
    Criterion,
    Explanation,
    Pairing,
    Policy,
    Problem,
    Reason,
    Role,
    Solution,
)

_STRONGEST = 3
"""Most criteria that the table names of a pairing."""
_SCORES: Mapping[Criterion, str] = {
    "needs_met": message(
        "Needs met ({points}): the share of the learner’s needs that the mentor’s "
        "strengths cover."
    ),
    "focus": message(
        "Focus ({points}): how alike needs and strengths are in shape; a specialist in "
        "just these areas does best."
    ),
    "evidence": message(
        "Evidence ({points}): the share of the covered needs for which the mentor "
        "names a practice."
    ),
    "language": message("Language ({points}): a shared working language."),
    "context": message(
        "Context ({points}): how alike the cities are in inhabitants and share of "
        "migrants."
    ),
    "proximity": message("Proximity ({points}): how near the cities are."),
    "give_back": message(
        "Give back ({points}): the share of the mentor’s own needs that the learner’s "
        "strengths cover."
    ),
    "practice_text": message(
        "Texts ({points}): words that the learner’s needs and the mentor’s practices "
        "have in common."
    ),
}


@dataclass(frozen=True)
class Section:
    """A heading and what stands below it."""

    heading: str
    sentences: tuple[str, ...]


@dataclass(frozen=True)
class Document:
    """Text of two printed pages at most, and a table with a row per pairing."""

    title: str
    sections: tuple[Section, ...]
    table_heading: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Override:
    """A pairing, by ids, that organisers decided by hand.

    Attributes:
        mentor: Whose id.
        learner: Whose id.
        reason: Theirs, to be published.
        price: Points that the round loses by it, below 0: gains; None: not known.

    """

    mentor: str
    learner: str
    reason: str
    price: float | None


@dataclass(frozen=True)
class Chosen:
    """What was released.

    Attributes:
        round_name: What the round is called.
        released_at: A time that knows its zone.
        policy: How it was matched.
        problem: What was matched.
        solution: What was computed.
        released: The pairs, (mentor id, learner id), that were offered.
        overrides: What was decided by hand.
        dismissed: Proposed pairings that were taken out by hand.
        added: Pairings that a repair put in before the release.
        bundle: SHA-256 of the sealed bundle, in hexadecimal digits.

    """

    round_name: str
    released_at: datetime
    policy: Policy
    problem: Problem
    solution: Solution
    released: tuple[tuple[str, str], ...]
    overrides: tuple[Override, ...]
    dismissed: int
    added: int
    bundle: str


def how_we_chose(chosen: Chosen, language: Language) -> Document:
    """Return in the language how the pairings of a released round were chosen."""
    told = _Told(chosen, words(language))
    say = told.words.say
    return Document(
        title=say("How we chose: {round}", round=chosen.round_name),
        sections=tuple(
            Section(heading, tuple(sentences))
            for heading, sentences in (
                (say("Who took part"), told.took_part()),
                (say("What counts"), told.counts()),
                (say("Hard rules"), told.rules()),
                (say("The aim"), told.aim()),
                (say("What came out"), told.came_out()),
                (say("Decided by hand"), told.by_hand()),
                (say("Who has no partner"), told.left()),
                (say("How to check it"), told.checked()),
            )
        ),
        table_heading=say("The pairings"),
        columns=(
            say("Learning city"),
            say("Mentor city"),
            say("Points of 100"),
            say("Strongest criteria"),
        ),
        rows=tuple(told.rows()),
    )


@dataclass(frozen=True)
class _Told:
    chosen: Chosen
    words: Words

    @cached_property
    def _names(self) -> dict[str, str]:
        return {city.id: city.name for city in self.chosen.problem.cities}

    @cached_property
    def _released(self) -> list[Pairing | Explanation]:
        """The released pairs with their scores; few were not in the solution."""
        chosen = self.chosen
        found = {(one.mentor, one.learner): one for one in chosen.solution.pairings}
        return [
            found.get((mentor, learner))
            or matching.explain(
                chosen.problem, chosen.policy, mentor=mentor, learner=learner
            )
            for mentor, learner in chosen.released
        ]

    def _taking(self, role: Role) -> list[City]:
        return [city for city in self.chosen.problem.cities if city.places(role)]

    def _alone(self, role: Role) -> set[str]:
        """Return the cities with places in this role that were offered nobody."""
        side = 0 if role == "mentor" else 1
        placed = {pair[side] for pair in self.chosen.released}
        return {city.id for city in self._taking(role)} - placed

    def _places(self, role: Role) -> dict[str, str]:
        taking = self._taking(role)
        places = sum(city.places(role) for city in taking)
        return self._numbers(cities=len(taking), places=places)

    def _numbers(self, **values: int) -> dict[str, str]:
        return {name: self.words.number(value) for name, value in values.items()}

    def took_part(self) -> Iterator[str]:
        say, number = self.words.say, self.words.number
        cities = self.chosen.problem.cities
        countries = Counter(self.words.country(city.country) for city in cities)
        yield say(
            "Cities: {number}. Countries: {countries}.",
            number=number(len(cities)),
            countries=self.words.listed(
                [f"{name} ({number(n)})" for name, n in sorted(countries.items())]
            ),
        )
        yield say(
            "Cities that offered to be a mentor: {cities}; learners they can take: "
            "{places}.",
            **self._places("mentor"),
        )
        yield say(
            "Cities that looked for a mentor: {cities}; mentors they wanted: {places}.",
            **self._places("learner"),
        )
        yield say(
            "The pairings were released on {moment}.",
            moment=self.words.moment(self.chosen.released_at),
        )

    def counts(self) -> Iterator[str]:
        say, given = self.words.say, self.chosen.policy
        yield say("Every possible pairing gets up to 100 points:")
        for criterion, points in policy.shares(given, self.words).items():
            yield say(_SCORES[criterion], points=points)
        yield say("What is not known brings no points.")
        if self.chosen.problem.wishes:
            yield say("A wish that comes true adds up to 1 point for each city.")
        yield from policy.credit(given, self.words)

    def rules(self) -> Iterator[str]:
        say, given = self.words.say, self.chosen.policy
        found = list(policy.limits(given, self.words))
        yield from found or [say("None beyond the number of places of each city.")]
        if given.rules.min_score is not None and given.pins:
            yield say("A pairing decided by hand may have fewer points.")
        yield say(
            "Cities could say in confidence with whom they cannot be paired. This is "
            "respected, and not published."
        )

    def aim(self) -> Iterator[str]:
        solution, say = self.chosen.solution, self.words.say
        yield policy.aim(self.chosen.policy, self.words)
        if not solution.gap:
            yield say(
                "It is proven that under these rules no other set of pairings reaches "
                "this aim better."
            )
        elif solution.objective == "total":
            yield self.words.count(
                "The search ended at its limit: another set of pairings may be better, "
                "by {number} point at most.",
                "The search ended at its limit: another set of pairings may be better, "
                "by {number} points at most.",
                solution.gap,
                1,
            )
        else:
            yield say(
                "The search ended at its limit: another set of pairings may be better, "
                "by {gap} at most (learners, places or points, whichever it was "
                "counting).",
                gap=self.words.limit(solution.gap),
            )
        if self.chosen.dismissed or self.chosen.added:
            yield say("Pairings were changed by hand after that: see below.")

    def came_out(self) -> Iterator[str]:
        say, number = self.words.say, self.words.number
        yield say(
            "Pairings: {pairings}. Learning cities with a mentor: {served} of "
            "{learners}.",
            **self._numbers(
                pairings=len(self._released),
                served=len(self._taking("learner")) - len(self._alone("learner")),
                learners=len(self._taking("learner")),
            ),
        )
        scores = [pair.score for pair in self._released]
        if scores:
            yield say(
                "Points of a pairing: {mean} on average, {least} the lowest, {most} "
                "the highest.",
                mean=number(sum(scores) / len(scores), 1),
                least=number(min(scores), 1),
                most=number(max(scores), 1),
            )

    def by_hand(self) -> Iterator[str]:
        chosen, say, number = self.chosen, self.words.say, self.words.number
        decided = list(policy.decisions(chosen.policy, self.words))
        if chosen.dismissed:
            decided.append(
                say(
                    "Proposed pairings that were taken out: {number}.",
                    number=number(chosen.dismissed),
                )
            )
        if chosen.added:
            decided.append(
                say(
                    "Pairings that a repair put in: {number}.",
                    number=number(chosen.added),
                )
            )
        decided += map(self._override, chosen.overrides)
        yield from decided or [say("Nothing: the pairings are as they were computed.")]

    def _override(self, one: Override) -> str:
        decided = self.words.say(
            "{mentor} as the mentor of {learner}: “{reason}”",
            mentor=self._names[one.mentor],
            learner=self._names[one.learner],
            reason=" ".join(one.reason.split()),
        )
        if one.price is None:
            return decided
        return f"{decided} ({self._price(round(one.price, 1))})"

    def _price(self, price: float) -> str:
        if price == 0:
            return self.words.say("The whole round loses nothing by it.")
        if price > 0:
            return self.words.count(
                "The whole round loses {number} point by it.",
                "The whole round loses {number} points by it.",
                price,
                1,
            )
        return self.words.count(
            "The whole round gains {number} point by it.",
            "The whole round gains {number} points by it.",
            -price,
            1,
        )

    def left(self) -> Iterator[str]:
        say = self.words.say
        alone: dict[Role, set[str]] = {
            "mentor": self._alone("mentor"),
            "learner": self._alone("learner"),
        }
        if not any(alone.values()):
            yield say("Nobody: every learner has a mentor, every mentor a learner.")
            return
        yield say(
            "Learning cities without a mentor: {learners}. Mentors without a learner: "
            "{mentors}.",
            **self._numbers(
                learners=len(alone["learner"]), mentors=len(alone["mentor"])
            ),
        )
        partners = Counter[str]()
        for one in self.chosen.solution.unmatched:
            if one.city in alone[one.role]:
                for reason in one.reasons:
                    partners[reason.code] += reason.partners
        found = [
            Reason(code=code, partners=count)
            for code, count in partners.items()
            if count and code not in SECRET
        ]
        if found:
            yield say(
                "Why their possible partners were out of reach, counted for each of "
                "these cities: {reasons}.",
                reasons=whys(found, self.words),
            )

    def checked(self) -> Iterator[str]:
        solution, say = self.chosen.solution, self.words.say
        yield say(
            "Organisers and auditors have a sealed file with all that was computed. "
            "With it and Compaan {version}, “compaan verify” computes it again and "
            "tells whether it is the same, byte for byte.",
            version=solution.versions["compaan"],
        )
        yield say(
            "Fingerprint of the file (SHA-256): {digest}.", digest=self.chosen.bundle
        )
        yield say(
            "Fingerprint of the data: {problem}. Fingerprint of the rules: {policy}.",
            problem=solution.problem_hash,
            policy=solution.policy_hash,
        )

    def rows(self) -> Iterator[tuple[str, ...]]:
        def order(pair: Pairing | Explanation) -> tuple[str, str]:
            return self._names[pair.learner], self._names[pair.mentor]

        for pair in sorted(self._released, key=order):
            best = strongest(pair.contributions, _STRONGEST)
            named = [self.words.say(CRITERIA[part.criterion]) for part in best]
            yield (
                self._names[pair.learner],
                self._names[pair.mentor],
                self.words.number(pair.score, 1),
                self.words.joined(named),
            )
