"""Problem and Policy as Python callers make them: refusals in our own words."""

from collections.abc import Iterator, Mapping
from typing import Any, Self

from pydantic import ValidationError

import schemas
from matching._errors import Finding, InvalidPolicy, InvalidProblem


def findings(error: ValidationError) -> Iterator[Finding]:
    """Yield what Pydantic found, in our own words."""
    for one in error.errors(include_url=False, include_input=False):
        for e in schemas.input_errors([one]):
            yield e.pointer, e.code, e.message


def _is_object(data: object) -> bool:
    return isinstance(data, Mapping) and all(isinstance(key, str) for key in data)


class Problem(schemas.Problem):
    """What is to be matched: cities, wishes, vetoes and history.

    Raises:
        InvalidProblem: With a JSON pointer for everything that is wrong.

    Examples:
        >>> Problem.from_dict({"cities": []}).cities
        ()
        >>> Problem.from_dict({"cities": [{"id": "x"}]})
        Traceback (most recent call last):
        ...
        matching._errors.InvalidProblem: /cities/0/name: This field is required: ...

    """

    def __init__(self, /, **fields: Any) -> None:  # noqa: ANN401 -- whatever was sent
        try:
            super().__init__(**fields)
        except ValidationError as error:
            raise InvalidProblem(findings(error)) from None

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Return the problem that this JSON object describes."""
        if not _is_object(data):
            raise InvalidProblem([("", "object", "A problem is a JSON object.")])
        return cls(**data)


class Policy(schemas.Policy):
    """How it is to be matched; every field may be left out.

    Raises:
        InvalidPolicy: With a JSON pointer for everything that is wrong.

    Examples:
        >>> Policy(objective="fair").weights.needs_met
        35.0
        >>> Policy(objective="best")
        Traceback (most recent call last):
        ...
        matching._errors.InvalidPolicy: /objective: Input should be 'total', ...

    """

    def __init__(self, /, **fields: Any) -> None:  # noqa: ANN401 -- whatever was sent
        try:
            super().__init__(**fields)
        except ValidationError as error:
            raise InvalidPolicy(findings(error)) from None

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Return the policy that this JSON object describes."""
        if not _is_object(data):
            raise InvalidPolicy([("", "object", "A policy is a JSON object.")])
        return cls(**data)
