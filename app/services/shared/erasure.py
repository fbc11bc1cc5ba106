"""Forgetting persons: what names them is taken out of texts, wherever it stands.

What is frozen stays as it is: the problem, policy and solution of a run, and the sealed
decision of a release. They could not be checked any more; so the pages ask, beside
every text that comes into them, to name no persons.
"""

import json
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Text, cast, delete, or_, select, true
from sqlalchemy.orm import Session

from app.db import tables
from app.db.tables.base import now

HIDDEN = "[…]"
"""What stands where a person was named; never longer than that, so it always fits."""
_SHORTEST_NAME = 5
_TEXTS: tuple[tuple[type[tables.Base], tuple[str, ...]], ...] = (
    (tables.City, ("needs_text", "population_source", "migrant_share_source")),
    (
        tables.Practice,
        ("title", "summary", "result", "what_went_wrong", "url"),
    ),
    (tables.Round, ("name", "description")),
    (tables.RoundPolicy, ("body",)),
    (tables.Run, ("label",)),
    (tables.Pairing, ("reason", "mentor_text", "learner_text", "body")),
    (tables.CheckIn, ("note",)),
    (tables.Question, ("text", "answer")),
    (tables.Message, ("subject", "text", "error")),
    (tables.Remark, ("text",)),
    (tables.Token, ("name",)),
    (tables.Webhook, ("description",)),
    (tables.Contact, ("function",)),
)
"""Where people write freely, and where what they wrote is shown again."""


def scrub(
    session: Session, email: str | None, name: str | None, ids: Sequence[str]
) -> None:
    """Forget a person: to be called before the account or contact itself is deleted.

    Answers that were kept for repeated requests are deleted if they hold the address,
    the name or an id; so are letters about the account. In texts, the address and the
    full name give way to `HIDDEN`. A name of one word, or a very short one, stays: it
    may well mean something else.

    Args:
        session: In a write transaction.
        email: The person's address.
        name: The person's name.
        ids: Of the account or contact.

    """
    _forget_letters(session, ids)
    forget_answers(session, [one for one in (email, name) if one], ids)
    said = [one for one in (email, name if _is_full(name) else None) if one]
    if said:
        for table, columns in _TEXTS:
            _hide(session, table, columns, said)
        session.flush()


def _is_full(name: str | None) -> bool:
    return name is not None and len(name) >= _SHORTEST_NAME and " " in name.strip()


def _forget_letters(session: Session, accounts: Sequence[str]) -> None:
    """Delete the letters about accounts: an invitation, or a link."""
    table = tables.Message
    session.execute(
        delete(table).where(table.account_id.in_(accounts), table.round_id.is_(None))
    )


def forget_answers(session: Session, said: Sequence[str], ids: Sequence[str]) -> None:
    """Delete the kept answers that hold one of these addresses, names or ids."""
    table = tables.KeptAnswer
    session.execute(delete(table).where(table.account_id.in_(ids)))
    within = [table.body.contains(one, autoescape=True) for one in ids]
    within += [_may_hold(table.body, one) for one in said]
    pattern = _pattern([*said, *ids])
    for row in session.scalars(select(table).where(or_(*within)).with_for_update()):
        if pattern.search(row.body):
            session.delete(row)
    session.flush()


def _hide(
    session: Session,
    table: type[tables.Base],
    columns: Sequence[str],
    said: Sequence[str],
) -> None:
    """Take the address and the name out of some columns of a table."""
    pattern = _pattern(said)
    change = _without_in_json if table is tables.Pairing else _without
    found = [
        _may_hold(getattr(table, column), one) for column in columns for one in said
    ]
    for row in session.scalars(select(table).where(or_(*found)).with_for_update()):
        for column in columns:
            before = getattr(row, column)
            after = change(before, pattern)
            if after != before:
                setattr(row, column, after)
                _touch(session, row)


def _touch(session: Session, row: tables.Base) -> None:
    """Give what has changed a new version and moment, where it has them."""
    if isinstance(row, tables.Practice):
        _touch(session, session.get_one(tables.City, row.city_id))
    elif isinstance(row, tables.City | tables.Round | tables.Pairing):
        row.updated_at = now()


def _may_hold(column: Any, said: str) -> ColumnElement[bool]:  # noqa: ANN401
    """Return a condition that holds at least where the text stands in the column.

    Databases differ in how they compare other letters than those of ASCII, and JSON may
    have them escaped: the longest run without such letters is asked for.
    """
    part = max(re.findall("[A-Za-z0-9]+", said), key=len, default="")
    return cast(column, Text).icontains(part) if part else true()


def _pattern(said: Iterable[str]) -> re.Pattern[str]:
    """Return what finds the texts, in capitals or not, and as no part of another."""
    either = "|".join(form for one in dict.fromkeys(said) for form in _forms(one))
    return re.compile(either, re.IGNORECASE)


def _forms(said: str) -> Iterator[str]:
    """Yield the text with any blanks, and its accents written in either way."""
    for form in ("NFC", "NFD"):
        words = unicodedata.normalize(form, said).split()
        text = r"\s+".join(map(re.escape, words))
        # What an address goes on with makes it another one: jo.an@x.eu, an@x.eu.org.
        address = rf"(?<![\w.+-]){text}(?![\w-]|\.\w)"
        yield address if "@" in said else rf"(?<!\w){text}(?!\w)"


def _without(value: Any, pattern: re.Pattern[str]) -> Any:  # noqa: ANN401 -- any JSON
    """Return a text, or JSON with texts in it, without what the pattern finds."""
    if isinstance(value, dict):
        return {key: _without(one, pattern) for key, one in value.items()}
    if isinstance(value, list):
        return [_without(one, pattern) for one in value]
    return pattern.sub(HIDDEN, value) if isinstance(value, str) else value


def _without_in_json(value: str | None, pattern: re.Pattern[str]) -> str | None:
    """Return the same of a text, which may be JSON with texts in it."""
    try:
        before = json.loads(value or "")
    except json.JSONDecodeError:
        return _without(value, pattern)  # type: ignore[no-any-return]
    after = _without(before, pattern)
    return value if after == before else json.dumps(after, ensure_ascii=False)
