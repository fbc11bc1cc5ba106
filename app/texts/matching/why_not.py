"""Why a pair is not proposed, in the language of whoever asks."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from app.texts.catalogue import Language, Words, words
from app.texts.matching.exclusions import excluded
from schemas import City, CityPoints, Difference, ScoredPair, WhyNot

_TOLD = 5
"""Most learners that are named for what they gain, and for what they lose."""


def sentences(found: WhyNot, cities: Iterable[City], language: Language) -> list[str]:
    """Return the answer in plain sentences.

    A veto and a ban are told alike, and never who vetoed: these sentences are shown
    on screens in committees.

    Args:
        found: What the engine says.
        cities: The cities of the problem, for their names.
        language: In which language.

    """
    names = {city.id: city.name for city in cities}
    told = _Told(found, names, words(language))
    if found.proposed:
        return [told.proposed()]
    if found.price is None:
        return [told.impossible(), *dict.fromkeys(told.exclusions())]
    return [*told.against(), *told.costs(), *told.changes()]


@dataclass(frozen=True)
class _Told:
    found: WhyNot
    names: Mapping[str, str]
    words: Words

    @property
    def _pair(self) -> dict[str, str]:
        return {
            "mentor": self.names[self.found.mentor],
            "learner": self.names[self.found.learner],
        }

    def proposed(self) -> str:
        say = self.words.say
        return say("{mentor} is proposed as the mentor of {learner}.", **self._pair)

    def impossible(self) -> str:
        say = self.words.say
        return say("{mentor} cannot be the mentor of {learner}.", **self._pair)

    def against(self) -> Iterator[str]:
        """Yield what keeps the pair apart, though an organiser may decide otherwise."""
        yield from self.exclusions()
        if self.found.excluded_by:
            yield self.words.say("An organiser may still pin this pair.")

    def exclusions(self) -> Iterator[str]:
        for one in self.found.excluded_by:
            yield from excluded(one, self.names, self.words, self._pair)

    def costs(self) -> Iterator[str]:
        found, say, count = self.found, self.words.say, self.words.count
        yield count(
            "As a pair they would get {number} point of the {known} that can be known.",
            "As a pair they would get {number} points of the {known} that can be "
            "known.",
            found.score,
            1,
            known=self.words.number(found.known_weight, 1),
        )
        price = round(found.price or 0, 1)
        if price > 0:
            yield count(
                "It is possible, but the whole round would lose {number} point.",
                "It is possible, but the whole round would lose {number} points.",
                price,
                1,
            )
        elif price == 0:
            yield say("It is possible, and the whole round would lose nothing by it.")
        elif found.excluded_by:
            yield count(
                "The whole round would gain {number} point.",
                "The whole round would gain {number} points.",
                -price,
                1,
            )
        else:
            yield count(
                "The whole round would gain {number} point, but the goal of the round "
                "comes before points.",
                "The whole round would gain {number} points, but the goal of the round "
                "comes before points.",
                -price,
                1,
            )
        lost = found.learners_lost or 0
        if lost > 0:
            yield count(
                "{number} more learner would have no mentor.",
                "{number} more learners would have no mentor.",
                lost,
            )
        elif lost < 0:
            yield count(
                "{number} more learner would have a mentor.",
                "{number} more learners would have a mentor.",
                -lost,
            )

    def changes(self) -> Iterator[str]:
        """Yield who would get whom instead of whom, and what it means for them."""
        difference = self.found.difference
        if difference is None:
            return
        worse, better = difference.losses, difference.gains
        for one in worse[:_TOLD]:
            yield self._change(difference, one, self._loses)
        for one in better[:_TOLD]:
            yield self._change(difference, one, self._gains)
        rest = max(len(worse) - _TOLD, 0) + max(len(better) - _TOLD, 0)
        if rest:
            yield self.words.count(
                "Something would change for {number} more learner.",
                "Something would change for {number} more learners.",
                rest,
            )

    def _loses(self, points: float, **values: str) -> str:
        return self.words.count(
            "{learner} would lose {number} point ({change}).",
            "{learner} would lose {number} points ({change}).",
            -points,
            1,
            **values,
        )

    def _gains(self, points: float, **values: str) -> str:
        return self.words.count(
            "{learner} would gain {number} point ({change}).",
            "{learner} would gain {number} points ({change}).",
            points,
            1,
            **values,
        )

    def _change(
        self, difference: Difference, one: CityPoints, said: Callable[..., str]
    ) -> str:
        new = self._mentors(difference.added, one.city)
        old = self._mentors(difference.removed, one.city)
        say = self.words.say
        if new and old:
            change = say("{new} instead of {old}", new=new, old=old)
        elif new:
            change = say("{new} as a mentor", new=new)
        else:
            change = say("without {old}", old=old)
        return said(one.points, learner=self.names[one.city], change=change)

    def _mentors(self, pairs: Iterable[ScoredPair], learner: str) -> str:
        mentors = [self.names[pair.mentor] for pair in pairs if pair.learner == learner]
        return self.words.listed(mentors)
