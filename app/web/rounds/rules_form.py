"""The form of a policy: what stands in it, and the policy that it says."""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, get_args

from app.errors import InvalidInput
from app.texts.catalogue import here, message
from app.web.forms import field_text
from app.web.rounds.rule_values import CAP_KINDS
from app.web.session import Form
from schemas import (
    Cap,
    Criterion,
    InputError,
    MinLoad,
    Objective,
    Policy,
    Rules,
    Weights,
)

Typed = Mapping[str, str]
"""What stands in the form, by the names of its fields."""

CRITERIA: tuple[Criterion, ...] = get_args(Criterion)
OBJECTIVES: tuple[Objective, ...] = get_args(Objective)
SWITCHES = ("different_country", "shared_language", "no_repeat")
_MOST_CAPS = 40
"""Most caps that stand in the form; more of them stay as they are."""
_BLANK_CAPS = 2
_LARGEST = 1_000_000_000
_SLIDE = 100
"""How far a slider goes, unless a weight is larger."""


@dataclass(frozen=True)
class Field:
    """A field for a number.

    Attributes:
        pointer: Where the number stands in the policy.
        least: The smallest that may be.
        most: The largest.
        wrong: What is said of anything else.
        whole: Whether it has no decimals.

    """

    pointer: str
    least: float
    most: float
    wrong: str
    whole: bool = False


_WEIGHT = message("A weight is a number of 0 or more.")
_WHOLE = message("This is a whole number of 0 or more.")
NUMBERS: dict[str, Field] = {
    **{
        f"weight_{name}": Field(f"weights/{name}", 0, _LARGEST, _WEIGHT)
        for name in CRITERIA
    },
    "left_out_credit": Field(
        "left_out_credit", 0, 1, message("The credit is a number from 0 to 1.")
    ),
    "max_distance_km": Field(
        "rules/max_distance_km",
        0.001,
        _LARGEST,
        message("The distance is a number of kilometres above 0, or empty."),
    ),
    "max_size_ratio": Field(
        "rules/max_size_ratio",
        1,
        _LARGEST,
        message("How many times larger a city may be is a number from 1, or empty."),
    ),
    "min_score": Field(
        "rules/min_score",
        0,
        100,
        message("The lowest score is a number from 0 to 100, or empty."),
    ),
    "min_load": Field("min_load/mentor", 0, _LARGEST, _WHOLE, whole=True),
    **{
        f"cap_{at}_max": Field(f"caps/{at}/max", 0, _LARGEST, _WHOLE, whole=True)
        for at in range(_MOST_CAPS + _BLANK_CAPS)
    },
}


def pointed() -> dict[str, str]:
    """Return the field at each place of a policy, for the links of an error summary."""
    return {field.pointer: name for name, field in NUMBERS.items()} | {
        "weights": f"weight_{CRITERIA[0]}"
    }


def as_typed(policy: Policy) -> dict[str, str]:
    """Return what the form says of a policy."""
    rules, load = policy.rules, policy.min_load
    return {
        "objective": policy.objective,
        **{
            f"weight_{name}": _shown(getattr(policy.weights, name)) for name in CRITERIA
        },
        "left_out_credit": _shown(policy.left_out_credit),
        **{name: "yes" if getattr(rules, name) else "" for name in SWITCHES},
        **{
            name: _shown(getattr(rules, name))
            for name in ("max_distance_km", "max_size_ratio", "min_score")
        },
        "min_load": _shown(load.mentor),
        "only_if_used": "yes" if load.only_if_used else "",
        **{
            name: value
            for at, cap in enumerate(policy.caps[:_MOST_CAPS])
            for name, value in (
                (f"cap_{at}", f"{cap.side} {cap.by} {cap.per}"),
                (f"cap_{at}_max", str(cap.max)),
            )
        },
    }


def _shown(value: float | None) -> str:
    if value is None:
        return ""
    return str(int(value)) if float(value).is_integer() else str(value)


def typed_in(form: Form) -> dict[str, str]:
    """Return what stands in the form that was sent."""
    names = ("objective", *SWITCHES, "only_if_used", "version", "label")
    caps = (f"cap_{at}" for at in range(_MOST_CAPS + _BLANK_CAPS))
    return {name: field_text(form, name) for name in (*names, *NUMBERS, *caps)}


def cap_rows(typed: Typed) -> list[dict[str, str]]:
    """Return the rows for caps: those that are filled in, and some more."""
    rows = [
        {
            "at": str(at),
            "kind": typed.get(f"cap_{at}", ""),
            "max": typed.get(f"cap_{at}_max", ""),
        }
        for at in range(_MOST_CAPS + _BLANK_CAPS)
    ]
    used = max((at for at, row in enumerate(rows, 1) if row["max"]), default=0)
    return rows[: used + _BLANK_CAPS]


def sliders(typed: Typed) -> list[dict[str, str]]:
    """Return the sliders: each goes as far as its weight asks for, in steps that fit.

    A browser moves a slider to the nearest step: a weight of 32.5 would become 33.
    """
    values = [_number(typed.get(f"weight_{name}", "")) or 0 for name in CRITERIA]
    most = max(_SLIDE, *(math.ceil(value) for value in values))
    whole = all(float(value).is_integer() for value in values)
    return [
        {
            "criterion": name,
            "value": typed.get(f"weight_{name}", ""),
            "most": str(most),
            "step": "1" if whole else "any",
        }
        for name in CRITERIA
    ]


def policy_of(typed: Typed, base: Policy) -> Policy:
    """Return the policy that the form says.

    Args:
        typed: What stands in the form.
        base: What it does not say stands here: pins, bans, the seed.

    Raises:
        InvalidInput: With all fields that are no numbers, or not such as they may be.

    """
    errors: list[InputError] = []
    values = {name: _read(name, typed.get(name, ""), errors) for name in NUMBERS}
    weights = {name: values[f"weight_{name}"] or 0 for name in CRITERIA}
    told = here()
    if not errors and not any(weights.values()):
        errors.append(
            _error("weights", told.say("Give one criterion at least some weight."))
        )
    if typed.get("objective") not in OBJECTIVES:
        errors.append(_error("objective", told.say("Choose what is looked for.")))
    if errors:
        raise InvalidInput(errors[0].message, errors)
    fields: dict[str, Any] = {
        "objective": typed["objective"],
        "weights": Weights(**weights),
        "left_out_credit": values["left_out_credit"] or 0,
        "rules": Rules(
            **{name: typed.get(name) == "yes" for name in SWITCHES},
            **{
                name: values[name]
                for name in ("max_distance_km", "max_size_ratio", "min_score")
            },
        ),
        "min_load": MinLoad(
            mentor=int(values["min_load"] or 0),
            only_if_used=typed.get("only_if_used") == "yes",
        ),
        "caps": (*_caps(typed, values), *base.caps[_MOST_CAPS:]),
    }
    return base.model_copy(update=fields)


def _caps(typed: Typed, values: Mapping[str, float | None]) -> Iterator[Cap]:
    """Yield the caps whose number is filled in."""
    for at in range(_MOST_CAPS + _BLANK_CAPS):
        most, kind = values[f"cap_{at}_max"], typed.get(f"cap_{at}", "")
        if most is not None and kind in CAP_KINDS:
            parts = dict(zip(("side", "by", "per"), kind.split(), strict=True))
            yield Cap.model_validate(parts | {"max": int(most)})


def _read(name: str, typed: str, errors: list[InputError]) -> float | None:
    """Return the number in a field, None if it is blank; note what is wrong."""
    if not typed:
        return None
    field = NUMBERS[name]
    if name == "max_distance_km" and re.fullmatch(r"\d{1,3}([., \u202f]\d{3})+", typed):
        typed = re.sub(r"\D", "", typed)  # 1.500 km are no kilometre and a half
    value = _number(typed)
    fits = value is not None and field.least <= value <= field.most
    if value is None or not fits or (field.whole and not value.is_integer()):
        errors.append(_error(field.pointer, here().say(field.wrong)))
    return value


def _number(typed: str) -> float | None:
    """Return the number, with a decimal comma or a point; None if it is none."""
    plain = re.sub(r"[ \u202f]", "", typed).replace(",", ".")
    if not re.fullmatch(r"\d{1,12}(\.\d{1,12})?", plain):
        return None
    return float(plain)


def _error(pointer: str, says: str) -> InputError:
    return InputError(pointer=f"/{pointer}", code="value", message=says)
