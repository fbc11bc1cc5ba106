"""Routes for tools without an account: the vocabulary, and a matching."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query

from app import data
from app.errors import (
    Busy,
    ComputationDied,
    Infeasible,
    InvalidInput,
    InvalidPolicy,
    NotJson,
    TooLarge,
    TooMany,
    TooManyCities,
    TooSlow,
    WrongType,
)
from app.http.body import CHECKED, Route
from app.http.deps import AnonymousMatchingDep, count_matching, require_json
from app.http.problems import refusals
from schemas import MatchRequest, PolicyAreas, Solution


def router() -> APIRouter:
    """Return the routes; the example of `POST /match` is the real IncluCities round."""
    routes = APIRouter(route_class=Route, tags=["matching"])
    example: dict[str, Any] = data.inclucities().model_dump(
        mode="json", exclude_none=True, exclude_defaults=True
    )

    @routes.get("/policy-areas")
    def list_policy_areas() -> PolicyAreas:
        """List the 17 policy areas with their names in English, French and Dutch."""
        return data.policy_areas()

    @routes.post(
        "/match",
        dependencies=[Depends(count_matching), Depends(require_json)],
        responses=refusals(
            NotJson,
            TooLarge,
            WrongType,
            InvalidInput,
            InvalidPolicy,
            Infeasible,
            TooManyCities,
            TooMany,
            Busy,
            TooSlow,
            ComputationDied,
        ),
        openapi_extra={
            "requestBody": {"content": {"application/json": {"example": example}}}
        },
    )
    def match_cities(
        request: Annotated[MatchRequest, CHECKED],
        stateless: AnonymousMatchingDep,
        trials: Annotated[
            int,
            Query(ge=0, le=1000, description="Trials that tell how firm a pairing is."),
        ] = 0,
    ) -> Solution:
        """Propose the best pairings of these cities, with reasons; nothing is stored.

        No account is needed. The same call gives the same answer. With `trials`, each
        pairing says in which share of them it stays when weights and answers are a
        little different, or a city leaves.
        """
        return stateless.match(request, trials)

    return routes
