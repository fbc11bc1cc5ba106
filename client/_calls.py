"""The few ways in which the service is asked."""

import json
import uuid
from collections.abc import Iterator, Mapping
from typing import TypeVar
from urllib.parse import quote, urlsplit

from pydantic import BaseModel, ValidationError

from client._errors import NoPrecondition, NotFound, Stale, Unreadable
from client._kept import Kept
from client._transport import Answer, Query, Transport
from schemas import Page

T = TypeVar("T", bound=BaseModel)
API = "/api/v1"
_JSON = {"Content-Type": "application/json"}
_MERGE_PATCH = {"Content-Type": "application/merge-patch+json"}


def path(*steps: str) -> str:
    """Return the path of something, whatever its id is made of."""
    return "/".join((API, *(quote(step, safe="") for step in steps)))


class Calls:
    """What every part of the client is made of."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def _get(self, kind: type[T], at: str, query: Query | None = None) -> T:
        return parsed(kind, self._transport.send("GET", at, query))

    def _get_kept(self, kind: type[T], at: str) -> Kept[T]:
        return as_kept(kind, self._transport.send("GET", at), at)

    def _file(self, at: str, query: Query | None = None) -> bytes:
        return self._transport.send("GET", at, query).body

    def _pages(
        self, kind: type[Page[T]], at: str, query: Query | None = None
    ) -> Iterator[T]:
        """Yield all things of a list; a page is asked for when it is needed."""
        page = self._get(kind, at, query)
        yield from page.items
        while page.next is not None:
            url = urlsplit(page.next)
            if url.scheme or url.netloc or not url.path.startswith(f"{API}/"):
                raise Unreadable(f"The next page is elsewhere: {page.next[:200]}.")
            page = self._get(kind, page.next)
            yield from page.items

    def _ask(
        self, kind: type[T], at: str, body: BaseModel, query: Query | None = None
    ) -> T:
        """POST something that changes nothing."""
        return parsed(
            kind, self._transport.send("POST", at, query, _written(body), _JSON)
        )

    def _do(
        self,
        at: str,
        body: bytes | BaseModel | None,
        query: Query | None = None,
        *,
        tag: str | None = None,
        content_type: str = "application/json",
    ) -> Answer:
        """POST something that is done once, however often it has to be sent."""
        headers = {"Idempotency-Key": uuid.uuid4().hex}
        if body is not None:
            headers["Content-Type"] = content_type
        if tag is not None:
            headers["If-Match"] = tag
        content = _written(body) if isinstance(body, BaseModel) else body
        return self._transport.send("POST", at, query, content, headers)

    def _put(self, kept: Kept[T]) -> Kept[T]:
        """Replace what was read."""
        body = _written(kept.value)
        return self._change("PUT", kept, body, _JSON)

    def _patch(self, kept: Kept[T], patch: Mapping[str, object]) -> Kept[T]:
        """Change some fields of what was read (RFC 7396)."""
        return self._change("PATCH", kept, json.dumps(patch).encode(), _MERGE_PATCH)

    def _change(
        self, method: str, kept: Kept[T], body: bytes, headers: Mapping[str, str]
    ) -> Kept[T]:
        kind = type(kept.value)
        headers = {**headers, "If-Match": kept.tag}
        try:
            answer = self._transport.send(method, kept.path, None, body, headers)
        except Stale as refused:
            # A stale change is refused with the fields in which what is there differs
            # from what was sent: none, if it is ours, and its answer was lost.
            if not refused.repeated or refused.problem.errors:
                raise
            try:
                return self._get_kept(kind, kept.path)
            except NotFound:  # somebody has deleted it
                raise refused from None
        return as_kept(kind, answer, kept.path)

    def _create(self, kind: type[T], at: str, body: BaseModel) -> Kept[T]:
        """PUT something where nothing is yet."""
        content = _written(body)
        try:
            return as_kept(
                kind, self._transport.send("PUT", at, None, content, _JSON), at
            )
        except NoPrecondition as refused:
            if not refused.repeated:
                raise
            there = self._get_kept(kind, at)
            if not _says(there.value, body):
                raise
            return there  # it is ours, and its answer was lost

    def _delete(self, kept: Kept[T]) -> None:
        try:
            headers = {"If-Match": kept.tag}
            self._transport.send("DELETE", kept.path, headers=headers)
        except NotFound as refused:
            if not refused.repeated:
                raise


def _says(there: BaseModel, sent: BaseModel) -> bool:
    """Tell whether everything that was sent is there; None leaves it to the service."""
    found = there.model_dump(mode="json")
    said = sent.model_dump(mode="json", exclude_unset=True, exclude_none=True)
    return all(found.get(name) == value for name, value in said.items())


def _written(body: BaseModel) -> bytes:
    """Return what was said, and nothing that was left out: the service fills it in."""
    return body.model_dump_json(exclude_unset=True).encode()


def parsed(kind: type[T], answer: Answer) -> T:
    """Return the answer as a value; fields of a newer service are left out."""
    try:
        return kind.model_validate_json(answer.body, extra="ignore")
    except ValidationError as error:
        raise Unreadable(
            f"{answer.path} answers something else than {kind.__name__}: is the client "
            "older than the service?"
        ) from error


def as_kept(kind: type[T], answer: Answer, at: str) -> Kept[T]:
    """Return the answer as a value with its tag."""
    if not answer.tag:
        raise Unreadable(f"{answer.path} answers without an ETag.")
    return Kept(parsed(kind, answer), answer.tag, at)
