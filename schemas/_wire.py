"""What every shape on the wire has in common."""

from typing import Annotated, Any

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    StringConstraints,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import (
    InitErrorDetails,
    PydanticCustomError,
    PydanticUseDefault,
    ValidationError,
    core_schema,
)


class Wire(BaseModel):
    """A frozen value; unknown fields are refused, numbers are finite."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        allow_inf_nan=False,
        use_attribute_docstrings=True,
        validate_default=True,
    )

    def to_dict(self) -> dict[str, Any]:
        """Return the value as JSON types, every field present."""
        return self.model_dump(mode="json")


def _is_number(value: object) -> object:
    """Refuse what Pydantic would quietly turn into a number: text and booleans."""
    if isinstance(value, str | bytes | bool):
        raise PydanticCustomError("number", "Write a number, without quotes.")
    return value


def _is_boolean(value: object) -> object:
    if not isinstance(value, bool):
        raise PydanticCustomError("boolean", "Write true or false, without quotes.")
    return value


def _omit_null(value: object) -> object:
    """Treat `null` as if the field had not been sent."""
    if value is None:
        raise PydanticUseDefault
    return value


def _is_on(value: object) -> object:
    """Take `null` for off, as it is for a limit."""
    return False if value is None else _is_boolean(value)


Number = BeforeValidator(_is_number)
Boolean = Annotated[bool, BeforeValidator(_is_boolean)]
Switch = Annotated[bool, BeforeValidator(_is_on, json_schema_input_type=bool | None)]


class _NullIsOmitted:
    """Lets a field with a default take `null`, and says so in the JSON Schema."""

    def __get_pydantic_core_schema__(
        self, source: type[Any], handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        return core_schema.no_info_before_validator_function(
            _omit_null, handler(source)
        )

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        written = handler(schema)
        if handler.mode == "serialization":
            return written
        return {"anyOf": [written, {"type": "null"}]}


NullIsOmitted = _NullIsOmitted()
Place = tuple[str | int, ...]
"""Where in a value something stands: keys and positions, outermost first."""

# PostgreSQL text cannot hold NUL, and neither ids nor names need control characters.
_PRINTABLE = r"^[^\x00-\x1f\x7f-\x9f]+$"
Id = Annotated[str, StringConstraints(min_length=1, max_length=120, pattern=_PRINTABLE)]
Line = Annotated[
    str, StringConstraints(min_length=1, max_length=200, pattern=_PRINTABLE)
]
Text = Annotated[
    str,
    StringConstraints(
        min_length=1, max_length=5000, pattern=r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]+$"
    ),
]
Reason = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True,
        min_length=1,
        max_length=5000,
        pattern=r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]+$",
    ),
]
"""Why somebody decided so: blanks are no reason."""
LanguageCode = Annotated[str, StringConstraints(pattern=r"^[a-z]{2}$")]
Year = Annotated[int, Field(ge=1800, le=2200), Number]


def refuse(*errors: tuple[Place, str, str]) -> None:
    """Raise one error per (place below this field, code, message), if there are any.

    Raises:
        ValidationError: Inside a validator Pydantic merges it with its own findings.

    """
    if errors:
        raise ValidationError.from_exception_data(
            "invalid",
            [
                InitErrorDetails(
                    # A message is no template: braces in it are the caller's text.
                    type=PydanticCustomError(code, "{message}", {"message": message}),
                    loc=place,
                    input=None,
                )
                for place, code, message in errors
            ],
        )
