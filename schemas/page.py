"""Lists: one page at a time."""

from typing import Generic, TypeVar

from schemas._wire import Wire

T = TypeVar("T")


class Page(Wire, Generic[T]):
    """Some of the things, and where the next ones are."""

    items: tuple[T, ...]
    next: str | None = None
    """The relative URL of the next page; null on the last one."""
