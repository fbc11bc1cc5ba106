"""One language: its sentences, numbers, lists and names.

English stands in the code; the catalogues under `app/locale` have the others.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from gettext import GNUTranslations, NullTranslations
from importlib.resources import files
from io import BytesIO
from typing import Literal, get_args

from babel import Locale
from babel.dates import format_datetime
from babel.lists import format_list
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal

from app import data

Language = Literal["en", "fr", "nl"]
LANGUAGES: tuple[Language, ...] = get_args(Language)
_LOCALES = {"en": Locale("en", "GB"), "fr": Locale("fr"), "nl": Locale("nl")}
_SEMICOLON = {"en": "; ", "fr": "\u202f; ", "nl": "; "}
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
        # The languages' own rules count decimals, gettext's whole numbers only.
        form = 1 if self.locale.plural_form(rounded) == "one" else 2
        text = self.translations.ngettext(one, many, form)
        return text.format(number=self.number(number, decimals), **values)

    def number(self, value: float, decimals: int = 0) -> str:
        """Return the number as people of this language write it."""
        pattern = "#,##0" + ("." + "0" * decimals if decimals else "")
        return format_decimal(value, format=pattern, locale=self.locale)

    def limit(self, value: float) -> str:
        """Return the number as somebody has set it: no more decimals than it has."""
        return format_decimal(value, format="#,##0.###", locale=self.locale)

    def listed(self, words: Sequence[str]) -> str:
        """Return the words as a list in a sentence."""
        return format_list(words, locale=self.locale)

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
        names: dict[str, str] = {
            area.id: getattr(area.labels, self.locale.language)
            for area in data.policy_areas().items
        }
        return [within(names[one]) for one in ids]

    def moment(self, at: datetime) -> str:
        """Return the time, which knows its zone, in words: day, hour, and UTC."""
        at = at.astimezone(UTC)
        first = self.locale.language == "fr" and at.day == 1
        day = "d'er'" if first else "d"
        date = format_datetime(at, f"EEEE {day} MMMM y", locale=self.locale)
        time = format_datetime(at, "HH:mm", locale=self.locale)
        return self.say("{date} at {time} UTC", date=date, time=time)

    def country(self, code: str) -> str:
        """Return the name of a country."""
        return str(self.locale.territories.get(code, code))

    def languages(self, codes: Iterable[str]) -> str:
        """Return the names of languages as a list in a sentence."""
        known = self.locale.languages
        return self.listed([str(known.get(code, code)) for code in codes])


def within(name: str) -> str:
    """Return a name with a small first letter, unless it begins with an acronym."""
    return name if name[1:2].isupper() else name[:1].lower() + name[1:]


def language(code: str) -> Language | None:
    """Return the language with this code, or None if there are no words in it."""
    return next((one for one in LANGUAGES if one == code), None)


@cache
def words(chosen: Language) -> Words:
    """Return how things are said in the language."""
    return Words(_LOCALES[chosen], _translations(chosen))


def _translations(chosen: Language) -> NullTranslations:
    if chosen == "en":
        return NullTranslations()
    place = files("app").joinpath("locale", chosen, "LC_MESSAGES", "compaan.po")
    compiled = BytesIO()
    with place.open("rb") as written:
        write_mo(compiled, read_po(written, chosen))
    compiled.seek(0)
    return GNUTranslations(compiled)
