"""The log in words: what each entry says, without names of persons."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from app.texts import vocabulary
from app.texts.catalogue import Words, forms, message
from schemas import AuditEntry

ACTIONS: Mapping[str, str] = {
    "account.changed": message("Account {of} was changed."),
    "account.closed": message("Account {of} was closed and erased."),
    "account.invited": message("Account {of} was invited."),
    "account.opened": message("Account {of} was opened."),
    "account.signed_in": message("Somebody signed in {way}."),
    "account.signed_out": message("A browser was signed out."),
    "account.took_over": message("The city was handed over; account {of} is closed."),
    "city.changed": message("The profile of the city was changed."),
    "city.created": message("The city was registered."),
    "city.deleted": message("The city was deleted."),
    "contact.added": message("A contact person was added."),
    "contact.changed": message("A contact person was changed or confirmed."),
    "contact.erased": message("A contact person was erased."),
    "message.sent_again": message("A message was sent again."),
    "message.tested": message("A message was sent as a test."),
    "pairing.answered": message("The {side} answered on {pair}: {answer}."),
    "pairing.asked": message("A question was asked about {pair}."),
    "pairing.deadline_set": message("A new deadline was set for {pair}."),
    "pairing.dismissed": message("{pair} was taken out of the proposal."),
    "pairing.expired": message("{pair} was not answered in time."),
    "pairing.noted": message("It was noted how {pair} goes."),
    "pairing.question_answered": message("A question about {pair} was answered."),
    "pairing.withdrawn": message("{pair} was withdrawn."),
    "participant.changed": message("How the city takes part was changed."),
    "participant.joined": message("The city joined the round."),
    "participant.left": message("The city left the round."),
    "policy.changed": message("The rules of the round were changed."),
    "practice.changed": message("A practice of the city was changed."),
    "practice.created": message("A practice of the city was added."),
    "practice.deleted": message("A practice of the city was deleted."),
    "round.changed": message("The round was changed."),
    "round.cleared": message("The texts of the round were erased: their time is over."),
    "round.copied": message("The round was made as a copy of another one."),
    "round.created": message("The round was set up."),
    "round.deleted": message("The draft of the round was deleted."),
    "round.moved": message("The round went from “{before}” to “{to}”."),
    "round.overridden": message("The proposal was changed by hand."),
    "round.released": message("The round was released."),
    "round.reminded": message("Cities were reminded."),
    "round.repaired": message("Pairings were mended by a repair."),
    "round.staged": message("A proposal was staged."),
    "run.cancelled": message("A run was stopped."),
    "run.started": message("A run was started."),
    "token.made": message("A token was made that may {scope}."),
    "token.revoked": message("A token was revoked."),
    "webhook.changed": message("A webhook was changed."),
    "webhook.created": message("A webhook was added."),
    "webhook.deleted": message("A webhook was deleted."),
    "webhook.gave_up": message("A webhook was switched off: it took nothing."),
    "webhook.pinged": message("A ping was sent to a webhook."),
    "webhook.replayed": message("A delivery of a webhook was sent again."),
    "webhook.secret_changed": message("A webhook got a new secret."),
}
"""What was done, by the action's code."""
SCOPES: Mapping[str, str] = {
    "read": message("read what its owner may read"),
    "cities:write": message("read, and change cities and their contact persons"),
    "rounds:write": message("read, and change rounds, runs and pairings"),
    "write": message("do everything that its owner may do"),
}
"""What a token may do, by its scope."""
_WAYS: Mapping[str, str] = {
    "password": message("with a password"),
    "link": message("with a link by e-mail"),
    "token": message("with a token"),
    "oidc": message("with the account of your work"),
}
_ANSWERS: Mapping[str, str] = {
    "accepted": message("yes"),
    "declined": message("no"),
    "pending": message("taken back"),
}
_COUNTED: Mapping[str, tuple[str, str]] = {
    "pairings": forms("{number} pairing", "{number} pairings"),
    "messages": forms("{number} message", "{number} messages"),
    "browsers": forms("{number} browser", "{number} browsers"),
    "decisions_dropped": forms(
        "{number} decision by hand was dropped",
        "{number} decisions by hand were dropped",
    ),
}
_PAIRS: Mapping[str, str] = {
    "forced": message("Forced: {pairs}"),
    "banned": message("Banned: {pairs}"),
    "undone": message("Undone: {pairs}"),
    "added": message("Added: {pairs}"),
}
_SHORT = 8
"""How many characters of an account's number are shown."""


def sentence(entry: AuditEntry, told: Words, names: Mapping[str, str]) -> str:
    """Return what was done; the code of what a newer version did.

    Args:
        entry: What was done.
        told: The language.
        names: Of cities, by id.

    """
    text = ACTIONS.get(entry.action)
    if text is None:
        return entry.action
    return told.say(text, **_values(entry.details, told, names))


def _values(
    details: Mapping[str, Any], told: Words, names: Mapping[str, str]
) -> dict[str, str]:
    """Return what may stand in a sentence; a dash for what the entry does not say."""
    named = vocabulary.named(told)
    phases, roles = named["phase_names"], named["role_names"]
    return {
        "of": str(details.get("of", "–"))[:_SHORT],
        "way": _word(details.get("way"), _WAYS, told),
        "scope": _word(details.get("scope"), SCOPES, told),
        "answer": _word(details.get("answer"), _ANSWERS, told),
        "side": _of(roles, details.get("side")),
        "before": _of(phases, details.get("before")),
        "to": _of(phases, details.get("to")),
        "pair": _pair((details.get("mentor"), details.get("learner")), names),
    }


def _word(code: object, known: Mapping[str, str], told: Words) -> str:
    text = known.get(str(code))
    return str(code or "–") if text is None else told.say(text)


def _of(names: Any, code: object) -> str:  # noqa: ANN401 -- a map of `vocabulary.named`
    return str(names.get(code, code or "–"))


def _pair(ids: Sequence[Any], names: Mapping[str, str]) -> str:
    return " → ".join(str(names.get(one, one or "–")) for one in ids)


def more(entry: AuditEntry, told: Words, names: Mapping[str, str]) -> Iterator[str]:
    """Yield what else the entry says: how many, which pairs, why."""
    details = entry.details
    for key, (one, many) in _COUNTED.items():
        if number := details.get(key):
            yield told.count(one, many, number)
    for key, text in _PAIRS.items():
        pairs = [_pair(_ids(pair), names) for pair in details.get(key) or ()]
        if pairs:
            yield told.say(text, pairs=told.joined(pairs))
    if price := details.get("price"):
        yield told.count(
            "Price for the round: {number} point",
            "Price for the round: {number} points",
            price,
            1,
        )
    if reason := details.get("reason"):
        yield told.say("Reason: {reason}", reason=str(reason))


def _ids(pair: Any) -> Sequence[Any]:  # noqa: ANN401 -- as the entry has it
    """Return mentor and learner of a pair, which is a list or an object."""
    return (pair.get("mentor"), pair.get("learner")) if isinstance(pair, dict) else pair
