"""Figures for those who run the service, as Prometheus reads them."""

import ipaddress
import time
from collections.abc import Iterator, Mapping

from fastapi import APIRouter, Request, Response
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.errors import NotFound, Unauthenticated
from app.http.deprecation import route_of
from app.http.deps import OptionalApiSession
from app.permissions import may_organise
from app.services.background import backlog

router = APIRouter(include_in_schema=False)
_METHODS = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})


class Metrics:
    """What this process has answered since it began.

    By method, template of the route and status only: nothing tells of a caller, and
    no caller can make up a label.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._answers = Counter(
            "compaan_requests",
            "Requests that were answered.",
            ["method", "route", "status"],
            registry=self.registry,
        )
        self._seconds = Histogram(
            "compaan_request_seconds",
            "Seconds from a request to the end of its answer.",
            ["method", "route"],
            registry=self.registry,
        )

    def count(self, scope: Scope, status: int, seconds: float) -> None:
        """Count a request that has been answered."""
        method = scope["method"] if scope["method"] in _METHODS else "other"
        route = _template(scope)
        self._answers.labels(method, route, status).inc()
        self._seconds.labels(method, route).observe(seconds)


class RequestCounter:
    """Counts every answer."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self.app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve, and count."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began = time.perf_counter()
        status = 500

        async def tell(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, tell)
        finally:
            self._metrics.count(scope, status, time.perf_counter() - began)


def _template(scope: Scope) -> str:
    """Return the path of the route that answered, its parameters not filled in."""
    route = route_of(scope)
    if route is not None:
        return str(route.path_format)
    if scope.get("root_path"):
        return f"{scope['root_path']}/*"
    return scope["path"] if "endpoint" in scope else "none"


class _Backlog(Collector):
    """How much there is in the database, when it is asked."""

    def __init__(self, counts: Mapping[str, Mapping[str, int]]) -> None:
        self._counts = counts

    def collect(self) -> Iterator[GaugeMetricFamily]:
        for name, states in self._counts.items():
            text = f"How many {name} there are."
            family = GaugeMetricFamily(f"compaan_{name}", text, labels=["state"])
            for state, count in states.items():
                family.add_metric([state], count)
            yield family


def _is_near(request: Request) -> bool:
    """Tell whether the request comes from this machine."""
    try:
        host = request.client.host if request.client else ""
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@router.get("/metrics")
def metrics(request: Request, hall: OptionalApiSession) -> Response:
    """Tell the figures, to this machine or to an organiser's token."""
    with hall.read() as (session, actor):
        if not _is_near(request):
            if actor is None:
                raise Unauthenticated(
                    "From another machine, send an organiser's token."
                )
            if not may_organise(actor):
                raise NotFound("There is nothing at /metrics.")
        counts = backlog.counts(session)
    own: Metrics = request.app.state.metrics
    text = generate_latest(own.registry) + generate_latest(_Backlog(counts))
    return Response(text, media_type="text/plain; version=0.0.4; charset=utf-8")
