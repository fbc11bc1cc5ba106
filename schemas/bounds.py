"""Where checking a value ends: once enough of it is wrong."""

from collections.abc import Iterator
from itertools import takewhile
from typing import Any

from pydantic import GetCoreSchemaHandler, ValidationError
from pydantic_core import PydanticCustomError, PydanticKnownError, core_schema

MOST_ERRORS = 100
"""Most errors of one value that anybody is told."""
ECHO = "default_factory_not_called"
"""The type of an error that follows from another one, and that nobody is told."""


class ErrorCount:
    """Counts the wrong items of one value: the `context` of its validation.

    Without it, whatever is wrong is found, however much that is.
    """

    def __init__(self) -> None:
        self.found = 0

    def is_open(self, _item: object = None) -> bool:
        """Tell whether one more item is to be looked at."""
        return self.found <= MOST_ERRORS

    def check(
        self, item: object, validate: core_schema.ValidatorFunctionWrapHandler
    ) -> Any:  # noqa: ANN401 -- whatever the list holds
        """Return the item, and count what is wrong with it."""
        before = self.found
        try:
            return validate(item)
        except ValidationError as error:
            # Of a list within the item, the errors have been counted already.
            found = error.errors(
                include_url=False, include_context=False, include_input=False
            )
            self.found = before + sum(one["type"] != ECHO for one in found)
            raise


class _LongList:
    """Metadata of a tuple: what is in it is looked at until too much is wrong.

    Write it after the `Field` that says how long the tuple may be.
    """

    def __get_pydantic_core_schema__(
        self, source: type[Any], handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        within = handler(source)
        if within["type"] != "tuple":
            raise TypeError("LONG_LIST stands directly after a tuple and its Field.")
        (item,) = within["items_schema"]
        most = within.get("max_length")
        counted = core_schema.with_info_wrap_validator_function(_check_item, item)

        def check(
            value: object,
            validate: core_schema.ValidatorFunctionWrapHandler,
            info: core_schema.ValidationInfo[Any],
        ) -> Any:  # noqa: ANN401
            if not isinstance(info.context, ErrorCount) or not isinstance(value, list):
                return validate(value)
            if most is not None and len(value) > most:
                length = {"max_length": most, "actual_length": len(value)}
                raise PydanticKnownError("too_long", {"field_type": "Tuple"} | length)
            return _check_some(value, validate, info.context)

        return core_schema.json_or_python_schema(
            within,  # what we have stored ourselves, to read it back at full speed
            core_schema.with_info_wrap_validator_function(
                check, {**within, "items_schema": [counted]}
            ),
        )


def _check_item(
    item: object,
    validate: core_schema.ValidatorFunctionWrapHandler,
    info: core_schema.ValidationInfo[Any],
) -> Any:  # noqa: ANN401
    if isinstance(info.context, ErrorCount):
        return info.context.check(item, validate)
    return validate(item)


def _check_some(
    value: list[object],
    validate: core_schema.ValidatorFunctionWrapHandler,
    count: ErrorCount,
) -> Any:  # noqa: ANN401
    items: Iterator[object] = takewhile(count.is_open, value)
    found = validate(items)
    if not count.is_open():
        # Part of the list was not looked at: never take it for the whole.
        raise PydanticCustomError("too_many_errors", "Too much else is wrong.")
    return found


LONG_LIST = _LongList()
