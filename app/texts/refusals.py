"""What was refused, in the reader's language.

Refusals are written in English where they are raised, and the API sends them so. Pages
look their text up: whole, or as one of the catalogue's texts with values in it.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache

from app.texts import vocabulary
from app.texts.catalogue import Words
from app.texts.refused_texts import PARTS, TEXTS

_ANY = ".+?"
_NUMBER = r"-?[\d.,]*\d"
_SHAPES = {
    **dict.fromkeys(("number", "most", "more", "all", "least", "there"), _NUMBER),
    **dict.fromkeys(("wanted", "open", "wrong", "row", "at", "limit"), _NUMBER),
    "pointer": r"[/?#][^ ]*|path [^ ]+",
    "cell": "[^:]+",
    "role": "mentor|learner",
}
"""How values look; of other names, anyhow."""
_DEEPEST = 5
"""How many texts may stand in each other; none of ours goes further."""
_MORE = re.compile(r"([\d,]+) more")
_SOME = re.compile(r"(.+) and ([\d,]+ more)", re.DOTALL)
"""How lists end of which only the first ones are named."""
_NAMES: Mapping[str, str] = {
    **dict.fromkeys(("phase", "goal", "ways"), "phase_names"),
    "role": "role_names",
    "member": "account_roles",
    "pairing": "pairing_states",
    "run": "run_states",
    **dict.fromkeys(("area", "areas"), "area_names"),
}
"""What names the codes in values of these names."""


def refused(text: str, told: Words) -> str:
    """Return the text in this language; as it is, if it is not in the catalogue."""
    return _refused(text, told, 0)


def _refused(text: str, told: Words, depth: int) -> str:
    return _said(text, told, _texts(), depth) if depth <= _DEEPEST else text


def _said(text: str, told: Words, known: "Iterable[_Known]", depth: int) -> str:
    for pattern, template in known:
        if found := pattern.fullmatch(text):
            values = {
                name: _value(name, value, told, depth)
                for name, value in found.groupdict().items()
            }
            return told.say(template, **values)
    return text


def _value(name: str, value: str, told: Words, depth: int) -> str:
    """Return a value as it stands in the text of this language.

    Some are texts themselves (`inner`), decisions that clash (`part`, `parts`), codes
    that have a name, or a list of what may be chosen, in quotation marks.
    """
    if name in _NAMES:
        names = _names(told)[_NAMES[name]]
        return told.listed([names.get(one, one) for one in value.split(", ")])
    return _WITHIN.get(name, _as_it_is)(value, told, depth + 1)


def _names(told: Words) -> Mapping[str, Mapping[str, str]]:
    named = vocabulary.named(told) | {"area_names": told.area_names()}
    return {name: of for name, of in named.items() if isinstance(of, Mapping)}


def _as_it_is(value: str, _told: Words, _depth: int) -> str:
    return value


def _part(value: str, told: Words, depth: int) -> str:
    """Return a decision that clashes, also from the beginning of a sentence.

    Or how many more there are.
    """
    if more := _MORE.fullmatch(value):
        number = int(more[1].replace(",", ""))
        return told.count("{number} more", "{number} more", number)
    return _said(value[:1].lower() + value[1:], told, _parts(), depth)


def _every_part(value: str, told: Words, depth: int) -> str:
    return told.listed([_part(one, told, depth) for one in value.split(" and ")])


def _some_names(value: str, told: Words, depth: int) -> str:
    """Return names; where only the first ones stand there, with how many more."""
    if found := _SOME.fullmatch(value):
        return told.listed([*found[1].split(", "), _part(found[2], told, depth)])
    return value


def _choices(value: str, told: Words, depth: int) -> str:
    quoted = re.findall("'([^']*)'", value)
    return ", ".join(quoted) or _refused(value, told, depth)


_WITHIN: Mapping[str, Callable[[str, Words, int], str]] = {
    "inner": _refused,
    "part": _part,
    "parts": _every_part,
    "choices": _choices,
    "names": _some_names,
    "others": _some_names,
}
_Known = tuple[re.Pattern[str], str]


@cache
def _texts() -> list[_Known]:
    return _patterns(TEXTS)


@cache
def _parts() -> list[_Known]:
    return _patterns(PARTS)


def _patterns(texts: Iterable[str]) -> list[_Known]:
    """Return how texts look that were filled in, as they are to be tried.

    First those with a text in them, or others would take its beginning for a value;
    then those with most words.
    """
    found = []
    for text in texts:
        parts = re.split(r"\{(\w+)\}", text)
        order = ("inner" in parts, sum(map(len, parts[::2])))
        found.append((order, re.compile(_pattern(parts), re.DOTALL), text))
    found.sort(key=lambda at: at[0], reverse=True)
    return [(pattern, text) for _, pattern, text in found]


def _pattern(parts: Sequence[str]) -> str:
    """Return how a text looks, of its words and the names of its values in turn.

    From each value that may look anyhow, up to the next one, is a group that is left
    for good (`(?>…)`): the first place where the words after it stand is as good as any
    later one. Otherwise all places of all values would be tried with each other.
    """
    groups, group = [], ""
    for at, part in enumerate(parts):
        if at % 2 == 0:
            # Where it is raised, a text has the apostrophe of typewriters.
            group += re.escape(part).replace("’", "['’]")
            continue
        shape = _SHAPES.get(part, _ANY)
        if shape == _ANY:
            groups.append(group)
            group = ""
        group += f"(?P<{part}>{shape})"
    return "".join(f"(?>{one})" for one in groups) + group
