"""How every refusal looks, over HTTP and in Python (RFC 9457)."""

from collections.abc import Sequence
from typing import Any

from schemas._wire import Place, Wire
from schemas.bounds import ECHO

_MESSAGES = {
    "missing": "This field is required: add it.",
    "extra_forbidden": "There is no such field here: check its spelling or remove it.",
    "tuple_type": "Write a list: [ … ].",
    "dict_type": "Write an object: { … }.",
    "model_type": "Write an object: { … }.",
    "finite_number": "Write a finite number; leave the field out when it is unknown.",
}


class InputError(Wire):
    """One thing that is wrong with the input."""

    pointer: str
    """RFC 6901, from the root of the body; `?name` and `#name` for query and header."""
    code: str
    message: str


class ProblemDetails(Wire):
    """Why something was refused, and what to do (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    errors: tuple[InputError, ...] = ()


def pointer(place: Place) -> str:
    """Return the JSON pointer (RFC 6901) of a place.

    >>> pointer(("cities", 3, "areas", "a/b"))
    '/cities/3/areas/a~1b'

    """
    return "".join(
        "/" + str(step).replace("~", "~0").replace("/", "~1")
        for step in place
        if step != "[key]"
    )


def input_errors(found: Sequence[Any], strip: int = 0) -> list[InputError]:
    """Turn Pydantic's findings into ours.

    Args:
        found: What `ValidationError.errors()` returns.
        strip: How many leading steps of each place do not belong to the body.

    """
    return [
        InputError(
            pointer=pointer(error["loc"][strip:]),
            code=error["type"],
            message=_MESSAGES.get(error["type"], error["msg"]),
        )
        for error in found
        if error["type"] != ECHO
    ]
