"""What a route may ask for."""

from typing import Annotated

from fastapi import Depends, Request

from app.errors import WrongType
from app.services.stateless import Stateless


async def _stateless(request: Request) -> Stateless:
    service: Stateless = request.app.state.stateless
    return service


async def _caller(request: Request) -> str:
    return request.client.host if request.client else "unknown"


async def says_json(request: Request) -> None:
    """Refuse a body that is not declared as JSON."""
    given = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    main, _, sub = given.partition("/")
    if main != "application" or (sub != "json" and not sub.endswith("+json")):
        said = f"not {given}" if given else "and this one is not declared"
        raise WrongType(f"The body must be application/json, {said[:100]}.")


StatelessService = Annotated[Stateless, Depends(_stateless)]
Caller = Annotated[str, Depends(_caller)]
