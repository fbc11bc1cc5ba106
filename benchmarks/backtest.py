"""How often the default policy finds the mentor that a learner really had.

Nothing is fitted here: the default weights have reasons.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.markdown import paragraphs
from benchmarks.ranking import Place, interval, place
from matching import Problem, suggest

HISTORY = Path(__file__).with_name("history.json")
WITHIN = (1, 3, 5)
FULL = 4
"""What a network shares is one theme: need and strength in it are of one level."""

KNOWN = ("population", "latitude", "longitude")

Areas = frozenset[str]
Cities = Mapping[str, Mapping[str, Any]]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Pairing:
    """Who mentored whom, in which programme, on what."""

    programme: str
    mentor: str
    learner: str
    areas: Areas


@dataclass(frozen=True)
class Case:
    """A learner that looks for its mentor, and what is known of each candidate.

    Attributes:
        pairing: What happened; only the learner and the areas are told.
        strengths: Areas of each candidate, from other pairings.

    """

    pairing: Pairing
    strengths: Mapping[str, Areas]

    def is_known(self) -> bool:
        """Tell whether anything is left that speaks for the true mentor."""
        return bool(self.strengths[self.pairing.mentor])


def load() -> tuple[list[Pairing], Cities]:
    """Return all pairings, and the facts of each city."""
    stored = json.loads(HISTORY.read_text("utf-8"))
    pairings = [
        Pairing(one["programme"], one["mentor"], learner, frozenset(one["areas"]))
        for one in stored["programmes"]
        for learner in one["learners"]
    ]
    return pairings, stored["cities"]


def leave_one_out(pairing: Pairing, other: Pairing) -> bool:
    """Tell whether `other` may speak for its mentor: any but the pairing itself."""
    return other != pairing


def leave_programme_out(pairing: Pairing, other: Pairing) -> bool:
    """Tell whether `other` may speak for its mentor: only from another programme."""
    return other.programme != pairing.programme


def cases(
    pairings: Sequence[Pairing], may_speak: Callable[[Pairing, Pairing], bool]
) -> Iterator[Case]:
    """Yield a case for each pairing; every mentor there is stands as a candidate."""
    mentors = sorted({pairing.mentor for pairing in pairings})
    for pairing in pairings:
        heard = [other for other in pairings if may_speak(pairing, other)]
        yield Case(
            pairing,
            {
                mentor: Areas().union(*(o.areas for o in heard if o.mentor == mentor))
                for mentor in mentors
                if mentor != pairing.learner
            },
        )


def by_default_policy(case: Case, facts: Cities) -> dict[str, float]:
    """Return each candidate's score by the public API and the default policy."""

    def profile(name: str, kind: str, areas: Areas) -> dict[str, Any]:
        # A city states at least one area; a strength of 0 states nothing.
        levels = {area: {kind: FULL} for area in areas} or {"education": {kind: 0}}
        known = {key: facts[name][key] for key in KNOWN}
        role = "mentor" if kind == "strength" else "learner"
        country = facts[name]["country"]
        fixed = {"id": name, "name": name, "country": country, "roles": [role]}
        return fixed | known | {"areas": levels}

    learner = case.pairing.learner
    mentors = [profile(m, "strength", areas) for m, areas in case.strengths.items()]
    cities = [*mentors, profile(learner, "need", case.pairing.areas)]
    problem = Problem.from_dict({"cities": cities})
    found = suggest(problem, learner, role="mentor", limit=len(mentors))
    return {one.mentor: one.score for one in found}


def by_cosine(case: Case, facts: Cities) -> dict[str, Fraction]:
    """Return each candidate's squared cosine of need and strength, exactly.

    Levels are equal, so they cancel. The square ranks alike, and equals stay equal.
    """
    del facts
    need = case.pairing.areas
    return {
        mentor: Fraction(len(need & areas) ** 2, (len(need) * len(areas)) or 1)
        for mentor, areas in case.strengths.items()
    }


def by_chance(case: Case, facts: Cities) -> dict[str, int]:
    """Return one score for all: the mean over their orders is chance, exactly."""
    del facts
    return dict.fromkeys(case.strengths, 0)


POLICY, COSINE, CHANCE = "default policy", "plain cosine", "chance"
RANKINGS: dict[str, Callable[[Case, Cities], Mapping[str, Any]]] = {
    POLICY: by_default_policy,
    COSINE: by_cosine,
    CHANCE: by_chance,
}
FIGURES: dict[str, Callable[[Place], Fraction]] = {
    "MRR": Place.reciprocal_rank,
    **{f"hits@{most}": partial(Place.hit, within=most) for most in WITHIN},
}


NOTE = """
Ranked are all {mentors} lead cities. Need and strength are the areas of a theme, all of
one level; equals count by the mean over their orders. In brackets the 95 % percentile
bootstrap interval over programmes, because pairings of one network are not independent;
with {programmes} programmes it is rather too narrow than too wide. Chance is exact.

What this evidence is worth: little. It is {cases} pairings of {mentors} mentors, all of
one family of programmes, with themes tagged by us, and a lead is the mentor that cities
joined, not the best there was. *All other pairings* is easy: the other cities of the
network carry its very theme, so the theme alone leaves one to three candidates, and
only the choice among these is hard. *Other programmes only* is nearly impossible: for
{lost} of {cases} nothing is left that speaks for the mentor; the other {known} belong
to networks with two waves, the same mentor with the same theme again. Languages,
practices and shares of migrants are not known, so those criteria are not tested.
hits@10 would be 1 for any ranking of {mentors}. No weight is fitted here; that
`context` weighs little was decided after a look at past programmes, so for that one
criterion this is no blind test.
"""


def _cells(found: Mapping[str, Floats], groups: Sequence[str], name: str) -> str:
    cells = []
    for values in found.values():
        mean, *bounds = (
            # Without the 0.0, a small negative figure would read -0.00.
            f"{round(figure, 2) + 0.0:.2f}"
            for figure in (values.mean(), *interval(values, groups))
        )
        cells.append(mean if name == CHANCE else f"{mean} ({' to '.join(bounds)})")
    return " | ".join(cells)


def main() -> None:
    """Print the table."""
    pairings, facts = load()
    ones = list(cases(pairings, leave_one_out))
    programmes = list(cases(pairings, leave_programme_out))
    known = [case for case in programmes if case.is_known()]
    print(f"| strengths from | ranking | {' | '.join(FIGURES)} |")
    print("|---|---|" + "---|" * len(FIGURES))
    for strengths, chosen in (
        (f"all other pairings ({len(ones)} cases)", ones),
        (f"other programmes only ({len(programmes)} cases)", programmes),
        (f"the same, if the mentor led one ({len(known)} cases)", known),
    ):
        groups = [case.pairing.programme for case in chosen]
        found: dict[str, dict[str, Floats]] = {}
        for name, ranking in RANKINGS.items():
            places = [place(ranking(c, facts), c.pairing.mentor) for c in chosen]
            found[name] = {
                figure: np.array([float(read(at)) for at in places])
                for figure, read in FIGURES.items()
            }
        policy, cosine = found[POLICY], found[COSINE]
        found["policy − cosine"] = {f: policy[f] - cosine[f] for f in FIGURES}
        for name, values in found.items():
            print(f"| {strengths} | {name} | {_cells(values, groups, name)} |")
    note = paragraphs(
        NOTE.format(
            mentors=len({pairing.mentor for pairing in pairings}),
            programmes=len({pairing.programme for pairing in pairings}),
            cases=len(pairings),
            lost=len(programmes) - len(known),
            known=len(known),
        )
    )
    print(f"\n{note}")
