"""The parts of docs/ that are made from the code.

`python -m tests.docs.reference` writes them: the settings, the refusals, the events of
webhooks, and the picture of the README. A test fails when one of them is not what the
code says now.
"""

import types
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from app.errors import TYPE_PREFIX, Refusal, every_refusal, meaning
from app.services.log.announcements import _FIELDS, _PATHS, _TYPES
from app.settings import Settings
from schemas import Event, EventData, EventType
from tests.docs import picture

_NOTE = (
    "<!-- Made by `python -m tests.docs.reference`: change the code, not this file. -->"
)
_MEANINGS: Mapping[EventType, str] = {
    "city.created": "A city has been registered.",
    "city.updated": "A city's profile or its practices have changed.",
    "city.deleted": "A city has been deleted.",
    "round.created": "A round has been made.",
    "round.updated": "A round, its policy, its pairings or a deadline has changed.",
    "round.deleted": "A round has been deleted.",
    "round.phase_changed": "A round has gone to another phase.",
    "participant.joined": "A city takes part in a round.",
    "participant.changed": "A city has changed how it takes part in a round.",
    "participant.left": "A city has left a round.",
    "run.finished": "A computation has ended: it succeeded, failed or was cancelled.",
    "pairing.answered": "One side of a pairing has answered.",
    "pairing.confirmed": "Both sides of a pairing have accepted.",
    "pairing.declined": "One side of a pairing has declined.",
    "pairing.expired": "The deadline of a pairing has passed without both answers.",
    "pairing.withdrawn": "A pairing has ended after it was offered.",
    "pairing.dismissed": "A pairing was taken out before it was offered.",
    "erasure.done": "Personal data has been erased.",
    "webhook.ping": "Nothing has happened: somebody tries the webhook.",
}
"""Each type of event in one sentence; `EventType` has no place for it."""


def pages() -> Iterator[tuple[Path, str]]:
    """Yield each file that is made from the code, with what must stand in it."""
    yield Path("docs/settings.md"), settings()
    yield Path("docs/errors.md"), errors()
    yield Path("docs/webhooks.md"), webhooks()
    yield picture.FILE, picture.picture()


def settings() -> str:
    """Return the reference of all settings."""
    rows = [
        (
            f"`COMPAAN_{name.upper()}`",
            _default(field),
            _kind(field),
            " ".join((field.description or "").split()),
        )
        for name, field in Settings.model_fields.items()
    ]
    return _page(
        "Settings",
        "Every setting is an environment variable; all of them may be left out. "
        "[For operators](operators.md) says which ones an installation needs.",
        _table(("variable", "default", "values", "what it does"), rows),
    )


def _default(field: FieldInfo) -> str:
    value = field.default
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    if value is None or value == "":
        return ""
    if isinstance(value, bool):
        return f"`{int(value)}`"
    return f"`{value}`"


def _kind(field: FieldInfo) -> str:
    """Return which values a setting takes."""
    kinds = [field.annotation]
    if isinstance(field.annotation, types.UnionType):
        kinds = [one for one in get_args(field.annotation) if one is not type(None)]
    (kind,) = kinds
    if get_origin(kind) is Literal:
        return ", ".join(f"`{one}`" for one in get_args(kind))
    if kind is bool:
        return "`0`, `1`"
    name = {int: "whole number", float: "number"}.get(kind, "text")  # type: ignore[call-overload]
    return ", ".join([name, *_bounds(field.metadata)])


def _bounds(metadata: Iterable[Any]) -> Iterator[str]:
    for one in metadata:
        for bound, says in (
            ("ge", "{} or more"),
            ("gt", "more than {}"),
            ("le", "at most {}"),
            ("lt", "less than {}"),
        ):
            if hasattr(one, bound):
                yield says.format(getattr(one, bound))


def errors() -> str:
    """Return the reference of all refusals."""
    kinds = sorted(every_refusal(), key=lambda kind: (kind.status, _depth(kind)))
    rows = [
        (f"`{kind.code}`", str(kind.status), meaning(kind), kind.cure) for kind in kinds
    ]
    return _page(
        "Errors",
        "Every refusal is `application/problem+json` (RFC 9457). `code` is one of "
        "these and will not change; `detail` says in words what is wrong, and may "
        "change; `errors` points at each wrong place. `type` is a path of the service, "
        f"`{TYPE_PREFIX}CODE`, with a page that says the same as this table.",
        _table(("code", "status", "what it means", "what to do"), rows),
    )


def _depth(kind: type[Refusal]) -> int:
    return len(kind.__mro__)


def webhooks() -> str:
    """Return the reference of all events."""
    rows = [
        (f"`{kind}`", _MEANINGS[kind], _about(kind), _changed(kind))
        for kind in get_args(EventType)
    ]
    fields = [
        (f"`{path}`", " ".join((field.description or "").split()))
        for path, field in [
            *Event.model_fields.items(),
            *((f"data.{name}", one) for name, one in EventData.model_fields.items()),
        ]
        if path != "data"
    ]
    return _page(
        "Events of webhooks",
        "[For developers](developers.md#webhooks) says how to receive them. The body "
        "of an event is JSON:",
        _table(
            ("field", "what it holds"),
            [(name, says or _SAID[name]) for name, says in fields],
        ),
        "## Types",
        _table(("type", "what has happened", "`data.url`", "`data.fields`"), rows),
    )


_SAID = {
    "`type`": "One of the types below.",
    "`data.id`": "The id of what it is about: the last part of `data.url`.",
}
"""Of the fields that say nothing of themselves in `schemas`."""


def _actions(kind: EventType) -> list[str]:
    return [action for action, made in _TYPES.items() if made == kind]


def _about(kind: EventType) -> str:
    """Return the paths that an event of this type may name."""
    if kind == "webhook.ping":
        paths = ["webhooks/{webhook}"]
    elif kind in {"pairing.confirmed", "pairing.declined"}:
        paths = [_PATHS["pairing"]]
    else:
        paths = [_PATHS[one.partition(".")[0]] for one in _actions(kind)]
    return ", ".join(f"`/api/v1/{path}`" for path in dict.fromkeys(paths))


def _changed(kind: EventType) -> str:
    """Return what `data.fields` may hold."""
    if not kind.endswith((".updated", ".changed")):
        return ""
    named = {field for one in _actions(kind) for field in _FIELDS.get(one, ())}
    others = [f"`{field}`" for field in sorted(named)]
    return ", ".join(["the fields that have changed", *others])


def _page(title: str, *parts: str) -> str:
    return "\n\n".join([_NOTE, f"# {title}", *parts]) + "\n"


def _table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    heads = tuple(heads)
    lines = [heads, ("---",) * len(heads), *rows]
    return "\n".join(
        f"| {' | '.join(cell.replace('|', '&#124;') for cell in line)} |".replace(
            "  ", " "
        )
        for line in lines
    )


def main() -> None:
    """Write all of them."""
    for path, content in pages():
        path.parent.mkdir(exist_ok=True)
        path.write_text(content, "utf-8")


if __name__ == "__main__":
    main()
