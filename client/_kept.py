"""What the service holds, with the version that was read."""

from dataclasses import dataclass, replace
from typing import Any, Generic, Self, TypeVar

from pydantic import BaseModel

T = TypeVar("T", bound=BaseModel)


@dataclass(frozen=True)
class Kept(Generic[T]):
    """A value that the service holds, and the tag of the version that was read.

    To change it, hand it back with other fields:
    `network.save(city.with_(name="Gand"))`. If somebody else has changed it in between,
    that raises `Stale`: nothing is lost.
    """

    value: T
    tag: str
    """The ETag."""
    path: str
    """Where it is, below the address of the service."""

    def with_(self, **fields: Any) -> Self:  # noqa: ANN401 -- any field of the value
        """Return the same with other values in some fields, checked like any value.

        Raises:
            pydantic.ValidationError: If a field may not be so.

        """
        said = self.value.model_dump() | fields
        return replace(self, value=type(self.value).model_validate(said))
