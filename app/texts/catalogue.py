"""One language: its sentences, numbers, lists and names.

English stands in the code and in the templates; the catalogues under `app/locale` have
the others. Whoever reads a page is told in the language of `here()`.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from gettext import GNUTranslations, NullTranslations
from importlib.resources import files
from io import BytesIO
from typing import Literal, get_args
from unicodedata import combining, normalize

from babel import Locale
from babel.dates import format_date, format_datetime
from babel.lists import format_list
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal

from app import data
from schemas import AccountLanguage

LANGUAGES: tuple[AccountLanguage, ...] = get_args(AccountLanguage)
Language = Literal["en", "fr", "nl", "xa"]
"""A language; `xa` is English with marks: what is not translated stands out."""
_LOCALES = {
    "en": Locale("en", "GB"),
    "fr": Locale("fr"),
    "nl": Locale("nl"),
    "xa": Locale("en", "GB"),
}
_reading: ContextVar[Language] = ContextVar("reading", default="en")
_SEMICOLON = {"en": "; ", "fr": "\u202f; ", "nl": "; "}
_NO_COUNTRIES = {"EU", "EZ", "UN", "XA", "XB", "ZZ", "QO"}
"""Codes of two letters that name no country."""
_SHOWN = 3
"""Most areas or titles in one sentence."""


def message(text: str) -> str:
    """Return the text; marked like this, it is said later and has its translations."""
    return text


def forms(one: str, many: str) -> tuple[str, str]:
    """Return what is said of one and of more, marked like a `message`."""
    return one, many


@dataclass(frozen=True)
class Words:
    """How things are said in one language."""

    locale: Locale
    translations: NullTranslations

    def say(self, text: str, /, **values: str) -> str:
        """Return the text with its values, in this language."""
        return self.translations.gettext(text).format(**values)

    def count(
        self, one: str, many: str, number: float, decimals: int = 0, /, **values: str
    ) -> str:
        """Return one of two texts, as the number in it asks for.

        Args:
            one: What is said of one.
            many: What is said of more.
            number: What `{number}` in the text becomes.
            decimals: With how many decimals: English says 1 point, but 1.0 points.
            values: What else stands in the text.

        """
        rounded = round(Decimal(str(number)), decimals)
        text = self.form(one, many, rounded)
        return text.format(number=self.number(number, decimals), **values)

    def form(self, one: str, many: str, number: float | Decimal) -> str:
        """Return which of two texts the number asks for, in this language."""
        # The languages' own rules count decimals, gettext's whole numbers only.
        form = 1 if self.locale.plural_form(number) == "one" else 2
        return self.translations.ngettext(one, many, form)

    def number(self, value: float, decimals: int = 0) -> str:
        """Return the number as people of this language write it."""
        pattern = "#,##0" + ("." + "0" * decimals if decimals else "")
        return format_decimal(value, format=pattern, locale=self.locale)

    def limit(self, value: float) -> str:
        """Return the number as somebody has set it: no more decimals than it has."""
        return format_decimal(value, format="#,##0.###", locale=self.locale)

    def listed(self, words: Sequence[str]) -> str:
        """Return the words as a list in a sentence."""
        found = format_list(words, locale=self.locale)
        return f"⟦{found}⟧" if isinstance(self.translations, _Marks) else found

    def joined(self, words: Sequence[str]) -> str:
        """Return the words between semicolons: they may hold "and" themselves."""
        return _SEMICOLON[self.locale.language].join(words)

    def shortened(self, words: Sequence[str]) -> str:
        """Return the first words between semicolons, the other ones counted."""
        shown = list(words[:_SHOWN])
        if len(words) > _SHOWN:
            rest = len(words) - _SHOWN
            shown.append(self.count("{number} more", "{number} more", rest))
        return self.joined(shown)

    def areas(self, ids: Iterable[str]) -> list[str]:
        """Return the names of policy areas as they stand within a sentence."""
        names = self.area_names()
        return [within(names[one]) for one in ids]

    def area_names(self) -> dict[str, str]:
        """Return what the policy areas are called, by id."""
        return {
            area.id: self.named(getattr(area.labels, self.locale.language))
            for area in data.policy_areas().items
        }

    def named(self, name: str) -> str:
        """Return a name that was looked up in this language."""
        marks = isinstance(self.translations, _Marks)
        return self.translations.gettext(name) if marks else name

    def moment(self, at: datetime) -> str:
        """Return the time, which knows its zone, in words: day, hour, and UTC."""
        at = at.astimezone(UTC)
        first = self.locale.language == "fr" and at.day == 1
        day = "d'er'" if first else "d"
        date = format_datetime(at, f"EEEE {day} MMMM y", locale=self.locale)
        time = format_datetime(at, "HH:mm", locale=self.locale)
        return self.say("{date} at {time} UTC", date=date, time=time)

    def day(self, at: datetime) -> str:
        """Return the day of the time, which knows its zone, by UTC: 3 May 2027."""
        at = at.astimezone(UTC)
        first = self.locale.language == "fr" and at.day == 1
        day = "d'er'" if first else "d"
        return self.named(format_date(at, f"{day} MMMM y", locale=self.locale))

    def percent(self, share: float, decimals: int = 0) -> str:
        """Return a share of 0 to 1 in percent."""
        pattern = "#,##0" + ("." + "0" * decimals if decimals else "")
        space = {"fr": "\u202f", "nl": ""}.get(self.locale.language, "")
        return (
            format_decimal(share * 100, format=pattern, locale=self.locale)
            + space
            + "%"
        )

    def country(self, code: str) -> str:
        """Return the name of a country."""
        return self.named(str(self.locale.territories.get(code, code)))

    def countries(self) -> dict[str, str]:
        """Return the names of all countries by their codes, in their order."""
        found = {
            code: self.country(code)
            for code in map(str, self.locale.territories)
            if re.fullmatch("[A-Z]{2}", code) and code not in _NO_COUNTRIES
        }
        return dict(sorted(found.items(), key=lambda item: unaccented(item[1])))

    def languages(self, codes: Iterable[str]) -> str:
        """Return the names of languages as a list in a sentence."""
        return self.listed([self.language(code) for code in codes])

    def language(self, code: str) -> str:
        """Return the name of a language as it stands within a sentence."""
        return self.named(str(self.locale.languages.get(code, code)))


def within(name: str) -> str:
    """Return a name with a small first letter, unless it begins with an acronym."""
    return name if name[1:2].isupper() else name[:1].lower() + name[1:]


def unaccented(name: str) -> str:
    """Return what a name is sorted by: without case and marks."""
    return "".join(
        letter for letter in normalize("NFKD", name.casefold()) if not combining(letter)
    )


def supported_language(code: str) -> AccountLanguage | None:
    """Return the language with this code, or None if there are no words in it."""
    return next((one for one in LANGUAGES if one == code), None)


@cache
def words(chosen: Language) -> Words:
    """Return how things are said in the language."""
    return Words(_LOCALES[chosen], _translations(chosen))


def here() -> Words:
    """Return how things are said to whoever reads now; in the terminal, in English."""
    return words(_reading.get())


def reading() -> Language:
    """Return the language of whoever reads now."""
    return _reading.get()


@contextmanager
def read_in(chosen: Language) -> Iterator[None]:
    """Say things in the language until the block ends."""
    before = _reading.set(chosen)
    try:
        yield
    finally:
        _reading.reset(before)


class _Marks(NullTranslations):
    """Puts each text between brackets, and accents on it."""

    _ACCENTS = str.maketrans("aeiouyAEIOUY", "áéíóúýÁÉÍÓÚÝ")

    def gettext(self, message: str) -> str:
        parts = re.split(r"(\{\w*\})", message)
        parts[::2] = [part.translate(self._ACCENTS) for part in parts[::2]]
        return f"⟦{''.join(parts)}⟧"

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return self.gettext(msgid1 if n == 1 else msgid2)


def _translations(chosen: Language) -> NullTranslations:
    if chosen == "en":
        return NullTranslations()
    if chosen == "xa":
        return _Marks()
    found = NullTranslations()
    folder = files("app").joinpath("locale", chosen, "LC_MESSAGES")
    for place in folder.iterdir():
        compiled = BytesIO()
        with place.open("rb") as written:
            write_mo(compiled, read_po(written, chosen))
        compiled.seek(0)
        room = GNUTranslations(compiled)
        room.add_fallback(found)
        found = room
    return found
