"""A way to mend a round, in a picture of before and after, and in sentences."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from app.pictures.pair_lines import Turn, turn
from app.texts.catalogue import Words, here, message
from schemas import Pair, Phase, Repair, ScoredPair


@dataclass(frozen=True)
class Mending:
    """What there is to see of a repair.

    Attributes:
        repair: What it is.
        turn: The pictures before and after.
        ended: Pairs that had come to nothing before: no choice of this way.
        takeaway: All in one sentence.
        gains: Who gains, a sentence for each learner.
        losses: Who loses.
        told: Who is written to, in sentences.

    """

    repair: Repair
    turn: Turn
    ended: tuple[tuple[str, str], ...]
    takeaway: str
    gains: tuple[str, ...]
    losses: tuple[str, ...]
    told: tuple[str, ...]


def mending(repair: Repair, names: Mapping[str, str], phase: Phase) -> Mending:
    """Return what there is to see of a repair.

    Args:
        repair: A way to mend.
        names: Of all cities, by id.
        phase: Of the round: nobody is told of what is staged.

    """
    added, undone = _ids(repair.added), _ids(repair.undone)
    ended = _ids(repair.broken)
    kept = [pair for pair in _ids(repair.pairings) if pair not in set(added)]
    words = here()
    changes = list(_changes(repair, names, words))
    return Mending(
        repair=repair,
        turn=turn(kept, (*ended, *undone), added, names, repair.unserved),
        ended=ended,
        takeaway=_takeaway(repair, words),
        gains=tuple(says for points, says in changes if points >= 0),
        losses=tuple(says for points, says in changes if points < 0),
        told=tuple(_told(repair, names, phase, words)),
    )


def _ids(pairs: Iterable[Pair]) -> tuple[tuple[str, str], ...]:
    return tuple((pair.mentor, pair.learner) for pair in pairs)


def points_in_words(points: float, words: Words) -> str:
    """Return what the whole round gains or loses."""
    points = round(points, 1)
    if points == 0:
        return words.say("the round loses nothing")
    if points > 0:
        return words.count(
            "the round gains {number} point",
            "the round gains {number} points",
            points,
            1,
        )
    return words.count(
        "the round loses {number} point",
        "the round loses {number} points",
        -points,
        1,
    )


def _takeaway(repair: Repair, words: Words) -> str:
    new = words.count(
        "{number} pairing is new", "{number} pairings are new", len(repair.added)
    )
    undone = (
        words.count(
            "{number} pairing is undone",
            "{number} pairings are undone",
            len(repair.undone),
        )
        if repair.undone
        else words.say("nothing is undone")
    )
    whole = points_in_words(repair.points, words)
    return words.say("In short: {changes}.", changes=words.joined([new, undone, whole]))


def _changes(
    repair: Repair, names: Mapping[str, str], words: Words
) -> Iterator[tuple[float, str]]:
    """Yield what changes for each learner: its points, and a sentence."""
    learners = {pair.learner for pair in (*repair.added, *repair.undone)}
    for learner in sorted(learners, key=lambda one: names[one]):
        new = [pair for pair in repair.added if pair.learner == learner]
        old = [pair for pair in repair.undone if pair.learner == learner]
        points = round(_sum(new) - _sum(old), 1)
        yield (
            points,
            words.say(
                "{learner}: {changes} ({points}).",
                learner=names[learner],
                changes=_instead(new, old, names, words),
                points=_signed(points, words),
            ),
        )
    lost = {pair.learner for pair in repair.undone}
    for learner in repair.unserved:
        if learner not in lost:
            yield (
                -1,
                words.say("{learner} stays without a mentor.", learner=names[learner]),
            )


def _instead(
    new: list[ScoredPair],
    old: list[ScoredPair],
    names: Mapping[str, str],
    words: Words,
) -> str:
    ours, theirs = (
        words.listed([names[pair.mentor] for pair in some]) for some in (new, old)
    )
    if new and old:
        return words.say("{new} instead of {old}", new=ours, old=theirs)
    if new:
        return words.say("{new} as a mentor", new=ours)
    return words.say("without {old}", old=theirs)


def _sum(pairs: list[ScoredPair]) -> float:
    return sum(pair.score for pair in pairs)


def _signed(points: float, words: Words) -> str:
    says = words.count("{number} point", "{number} points", abs(points), 1)
    return f"{'+' if points > 0 else '−' if points < 0 else ''}{says}"


def _told(
    repair: Repair, names: Mapping[str, str], phase: Phase, words: Words
) -> Iterator[str]:
    if phase == "staged":
        yield words.say("Nobody is told: the round is staged.")
        return
    for pairs, says in (
        (repair.added, message("A new offer goes to: {cities}.")),
        (
            repair.undone,
            message("That their offer is withdrawn is told to: {cities}."),
        ),
    ):
        cities = sorted({names[city] for pair in _ids(pairs) for city in pair})
        if cities:
            yield words.say(says, cities=words.listed(cities))
