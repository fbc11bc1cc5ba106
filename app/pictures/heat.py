"""Every mentor with every learner as a table of scores, a part of it at a time."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import pairwise
from operator import or_

from app.pictures.pairing_map import TOSS_UP
from app.texts.catalogue import here, message, unaccented
from matching import Table
from schemas import Pairing

AT_ONCE = 30
"""Most rows and columns that are shown at once, unless more are asked for."""
MOST_AT_ONCE = 60
_SHADES = 5
_RULES: Mapping[str, tuple[str, str]] = {
    # Letter and name. Who vetoed whom is not everybody's to know, so vetoes and bans
    # have one letter: the pages are shown in committees.
    "different_country": (message("C"), message("the same country")),
    "shared_language": (message("L"), message("no shared working language")),
    "max_distance_km": (message("D"), message("too far apart")),
    "max_size_ratio": (message("S"), message("too different in size")),
    "min_score": (message("M"), message("below the lowest score")),
    "no_repeat": (message("R"), message("partners of an earlier round")),
    "veto": (message("N"), message("not available for each other")),
    "ban": (message("N"), message("not available for each other")),
}


@dataclass(frozen=True)
class Cell:
    """A mentor with a learner.

    Attributes:
        learner: Its id.
        score: 0 to 100.
        shade: 1 to 5, as the score.
        pairing: What is proposed of the two, or None.
        excluded: Letters of the rules that keep them apart, in the reader's language.
        apart: Whether both are the same city.

    """

    learner: str
    score: float
    shade: int
    pairing: Pairing | None
    excluded: str
    apart: bool

    @property
    def is_toss_up(self) -> bool:
        """Tell whether little decides that they are a pair."""
        firmness = self.pairing.firmness if self.pairing else None
        return firmness is not None and firmness < TOSS_UP


@dataclass(frozen=True)
class Part:
    """Some rows or columns that stand together: from where to where, and who."""

    start: int
    stop: int
    first: str
    last: str


@dataclass(frozen=True)
class Heat:
    """A part of the table.

    Attributes:
        rows: Mentors' ids with their cells.
        learners: Ids of the columns.
        legend: Letters of the rules of the whole table, and what they stand for.
        across: The parts of the columns.
        down: The parts of the rows.
        column: Which of them is shown.
        row: Which of them is shown.
        total: Mentors and learners in all.
        outside: How many pairings stand in other parts.

    """

    rows: tuple[tuple[str, tuple[Cell, ...]], ...]
    learners: tuple[str, ...]
    legend: tuple[tuple[str, str], ...]
    across: tuple[Part, ...]
    down: tuple[Part, ...]
    column: int
    row: int
    total: tuple[int, int]
    outside: int
    barred: int
    """How many pairs of the whole table something keeps apart."""


def rule_names(rules: Iterable[str]) -> tuple[str, ...]:
    """Return what these rules mean, each once, in the reader's language."""
    told = here()
    return tuple(dict.fromkeys(told.say(_RULES[rule][1]) for rule in rules))


def heat(  # noqa: PLR0913 -- what is asked for
    table: Table,
    pairings: Sequence[Pairing],
    names: Mapping[str, str],
    *,
    row: int = 0,
    column: int = 0,
    city: str = "",
    at_once: int = AT_ONCE,
) -> Heat:
    """Return a part of the table.

    Mentors stand in the order of their names, learners in that of their mentors: what
    is proposed runs from corner to corner.

    Args:
        table: Scores, and what removes pairs.
        pairings: The proposal.
        names: What the cities are called.
        row: Which part of the mentors, from 0; the last one if there are fewer.
        column: Which part of the learners.
        city: Has the part shown in which this city is, with its partner.
        at_once: Most rows and columns of a part.

    """
    mentors, learners = order(table, pairings, names)
    down, across = parts(mentors, names, at_once), parts(learners, names, at_once)
    if city:
        row, column = _towards(city, pairings, (mentors, learners), (down, across))
    row, column = min(row, len(down) - 1), min(column, len(across) - 1)
    shown = {
        "mentors": mentors[down[row].start : down[row].stop],
        "learners": learners[across[column].start : across[column].stop],
    }
    inside = sum(
        one.mentor in shown["mentors"] and one.learner in shown["learners"]
        for one in pairings
    )
    return Heat(
        rows=tuple(_rows(table, pairings, shown["mentors"], shown["learners"])),
        learners=tuple(shown["learners"]),
        legend=tuple(_legend(table)),
        across=across,
        down=down,
        column=column,
        row=row,
        total=(len(mentors), len(learners)),
        outside=len(pairings) - inside,
        barred=int(reduce(or_, table.removed.values(), table.apart).sum()),
    )


def order(
    table: Table, pairings: Sequence[Pairing], names: Mapping[str, str]
) -> tuple[list[str], list[str]]:
    """Return mentors by name, and learners by their first mentor, then by name."""
    mentors = sorted(table.mentors, key=lambda one: (unaccented(names[one]), one))
    rank = {one: at for at, one in enumerate(mentors)}
    first: dict[str, int] = {}
    for one in pairings:
        at = rank[one.mentor]
        first[one.learner] = min(at, first.get(one.learner, at))
    learners = sorted(
        table.learners,
        key=lambda one: (first.get(one, len(mentors)), unaccented(names[one]), one),
    )
    return mentors, learners


def parts(
    ids: Sequence[str], names: Mapping[str, str], at_once: int
) -> tuple[Part, ...]:
    """Return parts of nearly one size, each no larger than allowed; at least one."""
    count = max(1, -(-len(ids) // at_once))
    cuts = [len(ids) * at // count for at in range(count + 1)]
    return tuple(
        Part(
            start,
            stop,
            names[ids[start]] if start < stop else "",
            names[ids[stop - 1]] if start < stop else "",
        )
        for start, stop in pairwise(cuts)
    )


def _towards(
    city: str,
    pairings: Sequence[Pairing],
    sides: tuple[Sequence[str], Sequence[str]],
    cut: tuple[Sequence[Part], Sequence[Part]],
) -> tuple[int, int]:
    """Return the part in which the city is; with its partner, if it has one."""
    pair = next((one for one in pairings if city in {one.mentor, one.learner}), None)
    wanted = (pair.mentor, pair.learner) if pair else (city, city)
    found = []
    for one, ids, pieces in zip(wanted, sides, cut, strict=True):
        at = ids.index(one) if one in ids else 0
        found.append(next(n for n, part in enumerate(pieces) if at < max(1, part.stop)))
    return found[0], found[1]


def _rows(
    table: Table,
    pairings: Sequence[Pairing],
    mentors: Sequence[str],
    learners: Sequence[str],
) -> Iterator[tuple[str, tuple[Cell, ...]]]:
    row = {one: at for at, one in enumerate(table.mentors)}
    column = {one: at for at, one in enumerate(table.learners)}
    chosen = {(one.mentor, one.learner): one for one in pairings}
    letters = _letters(table)
    for mentor in mentors:
        at = row[mentor]
        scores, apart = table.scores[at].tolist(), table.apart[at].tolist()
        removed = {rule: mask[at].tolist() for rule, mask in table.removed.items()}
        cells = []
        for learner in learners:
            place = column[learner]
            score = scores[place]
            rules = (letters[rule] for rule, mask in removed.items() if mask[place])
            cells.append(
                Cell(
                    learner=learner,
                    score=score,
                    shade=min(_SHADES, 1 + int(score * _SHADES / 100)),
                    pairing=chosen.get((mentor, learner)),
                    excluded="".join(dict.fromkeys(rules)),
                    apart=apart[place],
                )
            )
        yield mentor, tuple(cells)


def _letters(table: Table) -> dict[str, str]:
    told = here()
    return {rule: told.say(_RULES[rule][0]) for rule in table.removed}


def _legend(table: Table) -> Iterable[tuple[str, str]]:
    """Return the letters that stand in the table, each once, with what they mean."""
    told = here()
    seen = {_RULES[rule]: None for rule, mask in table.removed.items() if mask.any()}
    return [(told.say(letter), told.say(name)) for letter, name in seen]
