"""What every template may say and show, in each language.

* `say("Text with {name}", name=…)` – a text, translated; its values are escaped.
* `count("{number} city", "{number} cities", 3)` – one of two texts, as the number asks.
* `message("Text")` – marks a text that is said later, by `say(it)`.
"""

import secrets
from collections.abc import Callable
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup, escape

from app.texts import ended, vocabulary
from app.texts.catalogue import Language, Words, words
from app.texts.matching import outlook
from app.texts.refusals import refused

LANGUAGE_NAMES = {"en": "English", "fr": "Français", "nl": "Nederlands"}
"""What the languages of the pages call themselves."""


@cache
def environment(language: Language) -> Environment:
    """Return what fills templates in this language."""
    told = words(language)
    made = Environment(
        loader=PackageLoader("app"),
        autoescape=select_autoescape(default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals |= {
        "say": _say(told),
        "count": _count(told),
        "message": lambda text: text,
        "page_language": language,
        "colon": "\u202f:" if language == "fr" else ":",
        "page_languages": LANGUAGE_NAMES,
        "html_lang": "en-XA" if language == "xa" else language,
        "area_names": told.area_names(),
        "country": told.country,
        "language_names": told.languages,
        "listed": told.listed,
        "shortened": told.shortened,
        "firm_word": outlook.firm_word,
        # A key of its own for every form that is shown: a second click does nothing.
        "once": lambda: secrets.token_hex(16),
        **vocabulary.named(told),
    }
    made.filters |= {
        "moment": told.moment,
        "day": told.day,
        "number": told.number,
        "limit": told.limit,
        "percent": told.percent,
        "points": lambda value: told.number(value, 1),
        "reason": lambda text: ended.reason(text, told),
        "refusal": lambda text: refused(text, told),
        "change": lambda value: _change(told, value),
    }
    return made


def _say(told: Words) -> Callable[..., Markup]:
    def say(text: str, /, **values: object) -> Markup:
        return Markup(escape(told.translations.gettext(text))).format(**values)  # noqa: S704 -- escaped, and `format` escapes what it is given

    return say


def _count(told: Words) -> Callable[..., Markup]:
    def count(
        one: str, many: str, number: float, decimals: int = 0, /, **values: object
    ) -> Markup:
        text = told.form(one, many, round(number, decimals))
        shown = told.number(number, decimals)
        return Markup(escape(text)).format(number=shown, **values)  # noqa: S704 -- as above

    return count


def _change(told: Words, value: Any) -> str:  # noqa: ANN401 -- any number
    if not round(value, 1):
        return told.number(0, 1)
    return ("+" if value > 0 else "−") + told.number(abs(value), 1)
