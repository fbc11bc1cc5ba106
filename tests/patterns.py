"""Whether a regular expression takes more than linear time on some text.

`re` tries one way through a pattern after the other. It takes more than linear time
where ways double: where a text leads from a place in the pattern both back to that
place and to a later one that it can also stay at, and where what comes after may fail,
so that all ways are tried (Weideman et al., Analyzing matching time behavior of
backtracking regular expression matchers, CIAA 2016: infinite ambiguity).

A place is a character class of the pattern, as in Glushkov's construction. A method
that looks for a match anywhere adds a place before the first that takes anything.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import product
from re import _constants as codes  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

_ALPHABET = frozenset([*map(chr, range(256)), *"łŁ’…\u202f\u2028\u0661\u00e9٣中"])
_MANY = 100
"""A repeat that may go on for longer counts as endless."""
_ANYWHERE = {"search", "sub", "subn", "split", "findall", "finditer"}
_CLASSES = {
    codes.CATEGORY_DIGIT: r"\d",
    codes.CATEGORY_NOT_DIGIT: r"\D",
    codes.CATEGORY_SPACE: r"\s",
    codes.CATEGORY_NOT_SPACE: r"\S",
    codes.CATEGORY_WORD: r"\w",
    codes.CATEGORY_NOT_WORD: r"\W",
}
_CATEGORIES = {
    code: frozenset(filter(re.compile(written).fullmatch, _ALPHABET))
    for code, written in _CLASSES.items()
}
Place = int


@dataclass
class Part:
    """A part of a pattern: which places it begins and ends with, in how many ways."""

    first: Counter[Place] = field(default_factory=Counter)
    last: Counter[Place] = field(default_factory=Counter)
    empty: int = 0
    """In how many ways it takes no letter."""
    sure_last: frozenset[Place] = frozenset()
    """Places after which nothing of it can fail."""
    sure_empty: bool = False
    """Whether it takes no letter without asking for anything."""


@dataclass
class Automaton:
    """The places of a pattern, and the steps between them."""

    flags: int
    letters: list[frozenset[str]] = field(default_factory=list)
    scopes: list[frozenset[int]] = field(default_factory=list)
    """The groups around each place that are left for good."""
    steps: dict[Place, Counter[Place]] = field(default_factory=dict)
    groups: dict[int, Any] = field(default_factory=dict)
    apart: list[Any] = field(default_factory=list)
    """What is looked for ahead or behind: patterns of their own."""
    scope: frozenset[int] = frozenset()
    scopes_made: int = 0

    def place(self, letters: Iterable[str]) -> Part:
        found = frozenset(letters)
        if self.flags & re.IGNORECASE:
            either = {one.lower() for one in found}
            found = frozenset(one for one in _ALPHABET if one.lower() in either)
        self.letters.append(found)
        self.scopes.append(self.scope)
        at = len(self.letters) - 1
        self.steps[at] = Counter()
        return Part(Counter([at]), Counter([at]), sure_last=frozenset([at]))

    def join(self, ends: Mapping[Place, int], begins: Mapping[Place, int]) -> None:
        for (one, ways), (next_, more) in product(ends.items(), begins.items()):
            self.steps[one][next_] += ways * more

    def sequence(self, parts: Iterable[Any]) -> Part:
        whole = Part(empty=1, sure_empty=True)
        for part in parts:
            whole = self.then(whole, self.part(*part))
        return whole

    def then(self, one: Part, two: Part) -> Part:
        self.join(one.last, two.first)
        return Part(
            one.first + _times(two.first, one.empty),
            two.last + _times(one.last, two.empty),
            one.empty * two.empty,
            two.sure_last | (one.sure_last if two.sure_empty else frozenset()),
            one.sure_empty and two.sure_empty,
        )

    def either(self, parts: Iterable[Part]) -> Part:
        whole = Part()
        for part in parts:
            whole = Part(
                whole.first + part.first,
                whole.last + part.last,
                whole.empty + part.empty,
                whole.sure_last | part.sure_last,
                whole.sure_empty or part.sure_empty,
            )
        return whole

    def repeat(self, least: int, most: Any, inside: Any) -> Part:
        nothing = Part(empty=1, sure_empty=True)
        endless = most is codes.MAXREPEAT or most > _MANY
        whole = nothing
        for _ in range(min(least, _MANY)):
            whole = self.then(whole, self.sequence(inside))
        if endless:
            again = self.sequence(inside)
            self.join(again.last, again.first)
            # A loop that takes no letter is left at once.
            return self.then(whole, self.either([_not_empty(again), nothing]))
        for _ in range(most - least):
            may = self.either([_not_empty(self.sequence(inside)), nothing])
            whole = self.then(whole, may)
        return whole

    def apart_from(self, inside: Any) -> Part:
        before, self.scopes_made = self.scope, self.scopes_made + 1
        self.scope = before | {self.scopes_made}
        found = self.sequence(inside)
        self.scope = before
        return found

    def part(self, code: Any, given: Any) -> Part:  # noqa: C901, PLR0911
        match code:
            case codes.LITERAL:
                return self.place(_letter(given))
            case codes.NOT_LITERAL:
                return self.place(_ALPHABET - _letter(given))
            case codes.ANY:
                all_ = self.flags & re.DOTALL
                return self.place(_ALPHABET if all_ else _ALPHABET - {"\n"})
            case codes.IN:
                return self.place(_set(given))
            case codes.BRANCH:
                return self.either([self.sequence(one) for one in given[1]])
            case codes.SUBPATTERN:
                self.groups[given[0]] = given[3]
                return self.sequence(given[3])
            case codes.GROUPREF:
                return self.sequence(self.groups[given])
            case codes.MAX_REPEAT | codes.MIN_REPEAT:
                return self.repeat(*given)
            case codes.POSSESSIVE_REPEAT:
                return self.apart_from([(codes.MAX_REPEAT, given)])
            case codes.ATOMIC_GROUP:
                return self.apart_from(given)
            case codes.AT:
                return Part(empty=1)
            case codes.ASSERT | codes.ASSERT_NOT:
                self.apart.append(given[1])
                return Part(empty=1)
        raise NotImplementedError(code)


def _not_empty(part: Part) -> Part:
    return Part(part.first, part.last, 0, part.sure_last)


def _times(counted: Counter[Place], ways: int) -> Counter[Place]:
    return Counter({at: count * ways for at, count in counted.items() if ways})


def _letter(code: int) -> frozenset[str]:
    return frozenset([chr(code)])


def _set(parts: Iterable[Any]) -> frozenset[str]:
    found: set[str] = set()
    is_other = False
    for code, given in parts:
        if code is codes.NEGATE:
            is_other = True
        elif code is codes.LITERAL:
            found.add(chr(given))
        elif code is codes.RANGE:
            found |= {one for one in _ALPHABET if given[0] <= ord(one) <= given[1]}
        else:
            found |= _CATEGORIES[given]
    return _ALPHABET - found if is_other else frozenset(found)


def doubles(pattern: str | bytes, flags: int = 0, method: str = "search") -> str | None:
    """Return where ways through the pattern double, or None if it is linear.

    Args:
        pattern: The regular expression.
        flags: As `re` takes them.
        method: The function of `re` that it is given to.

    """
    tree = parser.parse(pattern, flags)
    return _doubles(tree, tree.state.flags, method)


def _doubles(tree: Any, flags: int, method: str) -> str | None:
    made = Automaton(flags)
    parts = list(tree)
    is_anchored = (
        parts
        and parts[0][0] is codes.AT
        and parts[0][1] in {codes.AT_BEGINNING, codes.AT_BEGINNING_STRING}
        and not flags & re.MULTILINE
    )
    before = Part(empty=1, sure_empty=True)
    if method in _ANYWHERE and not is_anchored:
        before = made.repeat(0, codes.MAXREPEAT, [(codes.IN, [(codes.NEGATE, None)])])
    whole = made.then(before, made.sequence(parts))
    sure = frozenset() if method == "fullmatch" else whole.sure_last
    for inner in made.apart:
        if found := _doubles(inner, flags, "match"):
            return found
    return _ambiguous(made, sure)


def _ambiguous(made: Automaton, sure: frozenset[Place]) -> str | None:
    after = {one: _reached(made.steps, one) for one in made.steps}
    loops = [one for one in made.steps if one in after[one] and one not in sure]
    for one in loops:
        ring = {two for two in after[one] if one in after[two]}
        if any(made.steps[two][three] > 1 for two in ring for three in ring):
            return f"the repeat at place {one} can be gone round in several ways"
        for other in loops:
            # What is left for good is not tried again from a later place.
            is_left = made.scopes[one] - made.scopes[other]
            if other != one and other in after[one] and not is_left:
                rings = (ring, {two for two in after[other] if other in after[two]})
                if _leads_to_both(made, one, other, rings, after):
                    return f"a text goes round at place {one} and at {other}"
    return None


def _reached(steps: Mapping[Place, Counter[Place]], start: Place) -> set[Place]:
    found: set[Place] = set()
    left = [start]
    while left:
        new = [one for one in steps[left.pop()] if one not in found]
        found.update(new)
        left += new
    return found


def _leads_to_both(
    made: Automaton,
    one: Place,
    other: Place,
    rings: tuple[set[Place], set[Place]],
    after: Mapping[Place, set[Place]],
) -> bool:
    """Tell whether a text leads from one to itself and to the other, which it keeps."""
    way = {at for at in after[one] if at == other or other in after[at]}
    seen = {(one, one, other)}
    left = list(seen)
    while left:
        x, y, z = left.pop()
        for new in product(
            made.steps[x].keys() & rings[0],
            made.steps[y].keys() & way,
            made.steps[z].keys() & rings[1],
        ):
            a, b, c = (made.letters[at] for at in new)
            if new in seen or not (a & b & c):
                continue
            if new == (one, other, other):
                return True
            seen.add(new)
            left.append(new)
    return False
