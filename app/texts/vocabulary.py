"""What the codes of the contract are called where people read them."""

from collections.abc import Mapping
from typing import Any

from app.texts.catalogue import Words, message
from app.texts.matching.pair import CRITERIA

_ROLES: Mapping[str, str] = {
    "mentor": message("mentor"),
    "learner": message("learner"),
}
_ACCOUNT_ROLES: Mapping[str, str] = {
    "administrator": message("administrator"),
    "organiser": message("organiser"),
    "association": message("association"),
    "officer": message("officer"),
    "auditor": message("auditor"),
}
_PHASES: Mapping[str, str] = {
    "draft": message("draft"),
    "open": message("open"),
    "closed": message("closed"),
    "staged": message("staged"),
    "released": message("released"),
    "archived": message("archived"),
}
_PAIRING_STATES: Mapping[str, str] = {
    "staged": message("staged"),
    "offered": message("offered"),
    "confirmed": message("confirmed"),
    "declined": message("declined"),
    "expired": message("expired"),
    "withdrawn": message("withdrawn"),
    "dismissed": message("taken out"),
}
_RUN_STATES: Mapping[str, str] = {
    "queued": message("queued"),
    "running": message("running"),
    "succeeded": message("finished"),
    "infeasible": message("impossible"),
    "failed": message("failed"),
    "cancelled": message("stopped"),
}
_DEFINITIONS: Mapping[str, str] = {
    "foreign_born": message("born abroad"),
    "foreign_citizens": message("citizens of another country"),
    "third_country_nationals": message("citizens of a country outside the EU"),
    "foreign_origin": message("of foreign origin"),
    "migration_background": message("with a migration background"),
    "ethnic_minority": message("of an ethnic minority"),
    "other": message("counted otherwise"),
}
_NEED: tuple[str, ...] = (
    message("no need"),
    message("a little help"),
    message("some help"),
    message("much help"),
    message("very much help"),
)
_STRENGTH: tuple[str, ...] = (
    message("no experience"),
    message("first steps"),
    message("some experience"),
    message("strong"),
    message("could teach others"),
)


def named(told: Words) -> dict[str, Mapping[str, str] | list[str]]:
    """Return what templates call things: maps from code to name, lists by level."""
    maps: Mapping[str, Mapping[Any, str]] = {
        "criteria": CRITERIA,
        "role_names": _ROLES,
        "account_roles": _ACCOUNT_ROLES,
        "phase_names": _PHASES,
        "pairing_states": _PAIRING_STATES,
        "run_states": _RUN_STATES,
        "definition_names": _DEFINITIONS,
    }
    lists = {"need_words": _NEED, "strength_words": _STRENGTH}
    return {
        **{
            name: {code: told.say(text) for code, text in texts.items()}
            for name, texts in maps.items()
        },
        **{name: [told.say(text) for text in texts] for name, texts in lists.items()},
    }
