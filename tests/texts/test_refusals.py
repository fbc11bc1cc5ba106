"""Refusals are told in the reader's language, every one of them."""

import ast
import re
from collections.abc import Iterator
from datetime import date, datetime
from functools import cache
from itertools import product
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field, TypeAdapter, ValidationError

import app
import matching
import schemas
from app.errors import every_refusal, meaning
from app.texts.catalogue import words
from app.texts.refusals import refused
from app.texts.refused_texts import PARTS, TEXTS
from schemas import input_errors

FR = words("fr")
MARKED = words("xa")
PLACES = [Path(package.__file__).parent for package in (app, matching, schemas)]
ELSEWHERE = {
    # The terminal speaks English.
    "app/db/schema.py",
    "app/services/background/backup.py",
    "app/settings.py",
    "app/cli",
    "matching/__main__.py",
    # Callers of this function are programs of ours.
    "matching/_solving/assign.py",
    # Other texts than refusals.
    "app/texts",
    "app/api_changes.py",
    "app/data",
}
KINDS = {kind.__name__ for kind in every_refusal()} | {
    "Refusal",
    # Why mail and webhooks did not arrive: pages show that too.
    *("Away", "NotNow", "Refused", "Unclear", "Unsent", "_switch_off"),
}
MESSAGES = {"message", "detail", "suggestion", "error", "reason"}
CONSTANTS = {"NOT_NOW", "WRONG", "NOT_INVITED"}
TABLES = {"_WRONG", "_MORE_CELLS", "_UNREAD", "_MESSAGES"}
SAMPLES = {
    # What stands in an f-string, if it is no number: what a value there looks like.
    "_hint(near)": ["", " Did you mean x?"],
    "_hint(shown)": ["", " Did you mean x (X)?"],
    "hint": ["", " Did you mean `x`?"],
    "_told(errors[0])": ["Row 3, x: 5 is no number."],
    "errors[0].pointer": ["/x"],
    "errors[0].pointer or 'The body'": ["/x", "The body"],
    "errors[0].message": ["Input should be a valid list"],
    "role": ["mentor"],
    "new.side": ["learner"],
    "what": ["language"],
    "why": ["It answered 7."],
    "_reason(error)": ["no answer in time"],
    "enough": ["`write` or `read`"],
    "clash": ["clashes with the bans and the cities' vetoes", "cannot be kept"],
    "_upper(part.title)": ["The pin 1 – 2"],
    "_TITLES.get(name, f'the rule `{name}`')": [
        "the rule `x`",
        "a veto between the two",
    ],
    "says": [
        "The pin 1 – 2 clashes with",
        "The pairing to keep 1 – 2 clashes with the roles",
    ],
}
NEVER = re.compile(
    r"clashes with: |roles the (?:rule|roles)|roles a veto|^(?:{message})?$"
)
"""What no code says: samples that do not go together, and what is no text."""


def spoken(node: ast.AST | None) -> Iterator[str]:
    """Yield a text that stands in the code, filled in with what may stand in it."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield filled(node.value)
    elif isinstance(node, ast.JoinedStr):
        choices = [
            [part.value]
            if isinstance(part, ast.Constant)
            else SAMPLES.get(ast.unparse(part.value), ["7"])
            for part in node.values
        ]
        for parts in product(*choices):
            yield "".join(map(str, parts))
    elif isinstance(node, ast.IfExp):
        yield from spoken(node.body)
        yield from spoken(node.orelse)


def filled(text: str) -> str:
    """Return the template of a `PydanticCustomError` with values in it."""
    for name, value in {"{hint}": "", "{known}": "x, y", "{id}": "x"}.items():
        text = text.replace(name, value)
    return text


def of_module(path: Path) -> Iterator[str]:
    """Yield every text of a module that somebody is refused with."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        match node:
            case ast.Call(func=ast.Name(id=name), args=[first, *rest]):
                yield from spoken(of_call(name, first, rest))
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                yield from of_assignment(name, value)
            case ast.AugAssign(target=ast.Name(id="detail"), value=value):
                base = "Somebody changed it since you read it."
                yield from (f"{base}{text}" for text in spoken(value))
            case ast.keyword(arg=name, value=value) if name in MESSAGES:
                yield from spoken(value)
            case ast.Tuple(elts=[_, _, said]):
                yield from (text for text in spoken(said) if text[-1:] in ".?")


def of_call(name: str, first: ast.AST, rest: list[ast.expr]) -> ast.AST | None:
    if name == "_switch_off":
        return rest[1]
    if name in KINDS or name == "_refuse":
        return first
    if name in {"PydanticCustomError", "WrongCell"} and rest:
        return rest[0]
    return None


def of_assignment(name: str, value: ast.expr) -> Iterator[str]:
    if name in MESSAGES | CONSTANTS:
        yield from spoken(value)
    elif name in TABLES:
        for one in ast.walk(value):
            yield from (text for text in spoken(one) if " " in text)


@cache
def raised() -> dict[str, str]:
    """Return every text with the module in which it stands."""
    found = {}
    for folder in PLACES:
        for path in sorted(folder.rglob("*.py")):
            name = str(path.relative_to(folder.parent))
            if not name.startswith(tuple(ELSEWHERE)):
                found |= dict.fromkeys(of_module(path), name)
    return {text: at for text, at in found.items() if not NEVER.search(text)}


def is_told(text: str) -> bool:
    """Tell whether all of a text has a translation, texts within it too."""
    found = refused(text, MARKED)
    return found.startswith("⟦") and found.endswith("⟧")


def test_every_refusal_of_the_code_has_a_translation():
    untold = {text: at for text, at in raised().items() if not is_told(text)}

    assert untold == {}
    assert len(raised()) > 250


def test_the_scan_finds_what_is_raised_in_every_way():
    found = raised()

    for text in (
        "Sign in first.",
        "The round is 7: nothing has been released.",
        "7 is no country: write its code or its name. Did you mean x (X)?",
        "The URL must begin with https://.",
        "This pair stands higher up already: remove one of the two.",
        "The workbook is empty.",
        "This field is required: add it.",
        "A city is never its own partner.",
        "The cell holds an error of the spreadsheet: mend it.",
        "Nobody signs in with this address and this password.",
        "There was no answer within 7 seconds.",
    ):
        assert text in found, text


def test_what_a_refusal_means_and_what_to_do_is_told_too():
    told = [text for kind in every_refusal() for text in (meaning(kind), kind.cure)]

    assert [text for text in told if not is_told(text)] == []


class Form(BaseModel, extra="forbid", allow_inf_nan=False):
    """Each field is refused in the ways in which forms are."""

    text: Annotated[str, Field(min_length=2, max_length=3, pattern="^[a-z]+$")] = "ab"
    letter: Annotated[str, Field(min_length=1, max_length=1)] = "a"
    whole: Annotated[int, Field(ge=1, le=5)] = 1
    share: Annotated[float, Field(gt=0, lt=1)] = 0.5
    on: bool = True
    few: Annotated[list[int], Field(min_length=1, max_length=1)] = [1]
    some: Annotated[tuple[int, ...], Field(min_length=2, max_length=2)] = (1, 2)
    choice: Literal["mentor", "both ways"] = "mentor"
    nothing: None = None


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"text": "a"}, "Écrivez au moins 2 caractères."),
        ({"text": "abcd"}, "Écrivez 3 caractères au plus."),
        ({"letter": ""}, "Écrivez au moins 1 caractère."),
        ({"letter": "ab"}, "Écrivez 1 caractère au plus."),
        ({"text": "A1"}, "Ce texte n’a pas la forme attendue\xa0: '^[a-z]+$'."),
        ({"text": 5}, "Écrivez un texte."),
        ({"whole": 0}, "Écrivez une valeur de 1 au moins."),
        ({"whole": 6}, "Écrivez une valeur de 5 au plus."),
        ({"whole": None}, "Écrivez un nombre entier."),
        ({"whole": 1.5}, "Écrivez un nombre entier, sans décimales."),
        (
            {"whole": "many"},
            "Ce n’est pas un nombre entier\xa0: écrivez des chiffres seulement.",
        ),
        ({"whole": "9" * 5000}, "Ce nombre est trop grand."),
        ({"share": 0}, "Écrivez une valeur supérieure à 0."),
        ({"share": 1}, "Écrivez une valeur inférieure à 1."),
        ({"share": None}, "Écrivez un nombre."),
        ({"share": "half"}, "Ce n’est pas un nombre\xa0: écrivez des chiffres."),
        (
            {"share": float("inf")},
            "Écrivez un nombre fini\u202f; laissez le champ vide s’il est inconnu.",
        ),
        (
            {"on": "perhaps"},
            "Répondez par oui ou par non, rien d’autre (true ou false).",
        ),
        ({"on": None}, "Répondez par oui ou par non (true ou false)."),
        ({"few": 5}, "Écrivez une liste."),
        ({"few": []}, "Indiquez au moins 1 élément\u202f; il y en a 0."),
        ({"few": [1, 2]}, "Indiquez 1 élément au plus\u202f; il y en a 2."),
        ({"some": [1]}, "Indiquez au moins 2 éléments\u202f; il y en a 1."),
        ({"some": [1] * 3}, "Indiquez 2 éléments au plus\u202f; il y en a 3."),
        ({"some": 5}, "Écrivez une liste\xa0: [ … ]."),
        (
            {"choice": "x"},
            "Choisissez une de ces valeurs\xa0: mentor, both ways.",
        ),
        ({"nothing": 5}, "Laissez ce champ vide."),
        (
            {"more": 5},
            ("Ce champ n’existe pas ici\xa0: vérifiez son orthographe ou retirez-le."),
        ),
    ],
)
def test_what_pydantic_finds_is_told(fields: dict[str, Any], told: str):
    with pytest.raises(ValidationError) as found:
        Form.model_validate(fields)
    (error,) = input_errors(found.value.errors())

    assert refused(error.message, FR) == told


@pytest.mark.parametrize(
    ("kind", "sent"),
    [
        (datetime, "tomorrow"),
        (datetime, "2027-02-30T10:00"),
        (datetime, []),
        (date, []),
    ],
)
def test_a_day_that_is_none_is_told(kind, sent):
    with pytest.raises(ValidationError) as found:
        TypeAdapter(kind).validate_python(sent)
    (error,) = input_errors(found.value.errors())

    assert is_told(error.message), error.message


ODD = [
    "x",
    "L'Haÿ-les-Roses",
    '"quoted" and {name}',
    "{0} {} %s",
    "a: b; c. d?",
    "\u202e😀\nnew line",
    "<b>&amp;</b>",
]


NUMBERS = (
    *("number", "most", "more", "all", "least", "there"),
    *("wanted", "open", "wrong", "row", "at", "limit"),
)
SHAPED = {
    # What cannot be anything, and what becomes of it.
    **dict.fromkeys(NUMBERS, ("7", "7")),
    "pointer": ("/cities/0", "/cities/0"),
    "cell": ("country", "country"),
    "role": ("learner", "ville apprenante"),
    "phase": ("open", "ouvert"),
    "part": ("The bans", "les binômes exclus"),
    "parts": ("the bans", "les binômes exclus"),
    "choices": ("'a' or 'b'", "a, b"),
}


@pytest.mark.parametrize("template", TEXTS)
def test_each_text_comes_back_as_its_own_translation(template):
    """Whatever stands in it: no text is mistaken for another one."""
    names = re.findall(r"{(\w+)}", template)
    for odd in ODD:
        values = {name: SHAPED.get(name, (odd, odd)) for name in names}
        given, shown = (
            {name: value[at] for name, value in values.items()} for at in (0, 1)
        )

        found = refused(template.replace("’", "'").format(**given), FR)

        assert found == FR.say(template, **shown)


def test_a_text_within_a_text_is_told_too():
    inner = "2 of 5 rows are wrong; nothing was stored. Row 3, country: 'Belgum' is no "
    inner += "country: write its code or its name. Did you mean Belgium (BE)?"

    assert refused(inner, FR) == (
        "2 lignes sur 5 sont fausses\u202f; rien n’a été enregistré. Ligne 3, country"
        "\xa0: 'Belgum' n’est pas un pays\xa0: écrivez son code ou son nom. "
        "Vouliez-vous dire Belgium (BE)\u202f?"
    )


def test_codes_are_told_by_their_names():
    assert refused(
        "From open there is no way to released, only to draft, closed.", FR
    ) == (
        "Depuis la phase «\xa0ouvert\xa0», on ne passe pas à la phase «\xa0publié"
        "\xa0», mais seulement à\xa0: en préparation et clos."
    )
    assert refused("The role officer has no association: leave it out.", FR) == (
        "Le rôle «\xa0référent de ville\xa0» n’a pas d’association\xa0: laissez ce "
        "champ vide."
    )
    assert refused("Jelgava has 1 places as a learner, and would need 2.", FR) == (
        "Jelgava\xa0: places comme ville apprenante, 1\u202f; il en faudrait 2."
    )


def test_what_clashes_is_told_by_its_names():
    clash = "The pin ghent – lille clashes with the rule `x` and the cities' vetoes."

    assert refused(clash, FR) == (
        "Incompatibles\xa0: le binôme imposé ghent – lille, la règle `x` et les vetos "
        "des villes."
    )
    assert [text for text in PARTS if not is_part(text)] == []


def test_of_many_that_clash_the_others_are_counted_in_the_reader_s_language():
    clash = "The bans clashes with the rule `x` and the pin a – b and 1,996 more."
    load = (
        "a, b and 1 more: places that a minimum load of 2 asks for: 80; open to them: "
        "4, with x, y and 1,000 more."
    )

    assert refused(clash, FR) == (
        "Incompatibles\xa0: les binômes exclus, la règle `x`, le binôme imposé a – b "
        "et 1\u202f996 autres."
    )
    assert refused(clash, words("nl")).endswith(" a – b en nog 1.996.")
    assert refused(load, FR) == (
        "a, b et 1 autre\xa0: places que demande une charge minimale de 2\xa0: 80"
        "\u202f; places possibles\xa0: 4, avec x, y et 1\u202f000 autres."
    )


def is_part(text: str) -> bool:
    values = {"number": "3", "pair": "a – b", "rule": "x", "role": "mentor"}
    values["trait"] = "country"
    clash = f"The bans clashes with {text.format(**values)}."
    part = FR.say(text, **values)
    return refused(clash, FR) == f"Incompatibles\xa0: les binômes exclus, {part}."


def test_what_nobody_knows_is_shown_as_it_is():
    assert (
        refused("A text of a newer version {x}", FR) == "A text of a newer version {x}"
    )
