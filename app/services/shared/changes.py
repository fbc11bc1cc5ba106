"""Two versions of one thing: what differs, and merging a patch into one."""

import json
from collections.abc import Iterator
from typing import Any

from schemas import InputError, pointer

_SHOWN = 80
"""Most characters of a value in a message."""


def differences(now: Any, sent: Any) -> list[InputError]:  # noqa: ANN401 -- any JSON
    """Return where a sent version differs from the present one, a field each."""
    return [
        InputError(
            pointer=pointer(place),
            code="differs",
            message=f"It is {_shown(there)} now; you sent {_shown(here)}.",
        )
        for place, there, here in _differing((), now, sent)
    ]


def _differing(
    place: tuple[str, ...],
    now: Any,  # noqa: ANN401
    sent: Any,  # noqa: ANN401
) -> Iterator[tuple[tuple[str, ...], Any, Any]]:
    if isinstance(now, dict) and isinstance(sent, dict):
        for key in sorted(now.keys() | sent.keys()):
            yield from _differing((*place, key), now.get(key), sent.get(key))
    elif now != sent:
        yield place, now, sent


def _shown(value: Any) -> str:  # noqa: ANN401
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def changed_fields(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """Return the names of the fields that differ, sorted."""
    return sorted(
        key for key in before.keys() | after.keys() if before.get(key) != after.get(key)
    )


def merge(target: Any, patch: Any) -> Any:  # noqa: ANN401 -- any JSON
    """Return the target with a merge patch applied (RFC 7396, section 2).

    >>> merge({"a": 1, "b": {"c": 2, "d": 3}}, {"a": None, "b": {"c": 4}})
    {'b': {'c': 4, 'd': 3}}

    """
    if not isinstance(patch, dict):
        return patch
    merged = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = merge(merged.get(key), value)
    return merged
