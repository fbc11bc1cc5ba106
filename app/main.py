"""Builds the application from the settings; nothing happens at import."""

import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio.to_thread
from fastapi import FastAPI, Request, Response
from starlette.middleware.cors import CORSMiddleware
from starlette.staticfiles import StaticFiles

from app import web
from app.api.accounts import accounts, personal_data
from app.api.cities import cities, contacts, places, spreadsheets
from app.api.mail import outbox
from app.api.operation import metrics, operation
from app.api.pairings import pairings, proposals
from app.api.rounds import overview, rounds
from app.api.runs import anonymous as matching_routes
from app.api.runs import engine_queries, events, runs
from app.api.webhooks import webhooks
from app.compute import child
from app.db import Database
from app.errors import Busy, Forbidden, Refusal, Unauthenticated
from app.http import problems
from app.http.body_limit import BodyLimit
from app.http.border import ConditionalRequests, RateLimit, SecurityHeaders
from app.http.deprecation import Deprecation
from app.http.text_check import TextCheck
from app.log import RequestLog
from app.services.accounts.callers import Callers
from app.services.accounts.last_seen import LastSeen
from app.services.accounts.sign_in import Throttle
from app.services.background.runner import Runner
from app.services.cities.gazetteer import Gazetteer
from app.services.decisions.engine_queries import EngineQueries
from app.services.runs.anonymous import AnonymousMatching
from app.services.runs.stream import RunStream
from app.settings import Settings
from matching import __version__

_DESCRIPTION = """
Compaan proposes which experienced city should mentor which learning city, exactly and
with reasons. `POST /match` needs no account and stores nothing: press *Try it out* and
*Execute* below to match the eight cities of the IncluCities project.

Every refusal is `application/problem+json` (RFC 9457): `errors` points at each place
that is wrong and says what to write there; `type` leads to a page that explains it.

What may change here, what has, and how it is told of: [/api/changes](/api/changes).
"""
_EXPOSED = (
    *("ETag", "Location", "X-Request-ID", "Retry-After", "RateLimit-Policy"),
    *("RateLimit", "Deprecation", "Sunset", "Link"),
)
"""Headers that scripts of other sites may read."""


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    child.warm_up()
    app.state.worker.start()
    app.state.presence.start()
    yield
    await anyio.to_thread.run_sync(app.state.presence.stop)
    await anyio.to_thread.run_sync(app.state.worker.stop)
    app.state.database.close()


def _as_page(request: Request, error: Refusal) -> Response | None:
    return web.refusal_page(request, error) if web.wants_page(request) else None


def equip(app: FastAPI, settings: Settings) -> None:
    """Give the application what its routes work with, in the place of what it has.

    Args:
        app: Made for the same settings, but for the database.
        settings: Where the database is.

    """
    app.state.settings = settings
    app.state.database = Database(settings.database_url)
    app.state.presence = LastSeen(app.state.database)
    app.state.throttle = Throttle()
    app.state.callers = Callers()
    app.state.stopping = threading.Event()
    app.state.worker = Runner(app.state.database, settings)
    app.state.stateless = AnonymousMatching(settings)
    app.state.answers = EngineQueries(settings)
    app.state.following = RunStream(settings.stream_seconds, app.state.stopping)
    app.state.places = Gazetteer(settings.places_dir)


def create_app(settings: Settings) -> FastAPI:
    """Return the application."""
    app = problems.App(
        title="Compaan",
        description=_DESCRIPTION,
        version=__version__,
        openapi_url="/api/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,  # to what the header Host says
        lifespan=_lifespan,
    )
    equip(app, settings)
    app.state.metrics = metrics.Metrics()
    shown = problems.install(app, _as_page)
    # The last one added is the first to see a request.
    app.add_middleware(BodyLimit, settings=settings)
    app.add_middleware(TextCheck, shown=shown)
    app.add_middleware(Deprecation)
    app.add_middleware(ConditionalRequests)
    app.add_middleware(RateLimit, settings=settings, shown=shown, cookie=web.cookie)
    app.add_middleware(
        CORSMiddleware,
        allow_origins=["*"],
        allow_methods=["GET", "HEAD", "POST"],
        allow_headers=["Content-Type", "If-None-Match", "X-Request-ID"],
        expose_headers=_EXPOSED,
    )
    app.add_middleware(SecurityHeaders, settings=settings)
    app.add_middleware(web.PageLanguage)
    app.add_middleware(metrics.RequestCounter, metrics=app.state.metrics)
    app.add_middleware(RequestLog)
    signed_in = problems.refusals(Unauthenticated, Forbidden, Busy)
    app.include_router(matching_routes.router(), prefix="/api/v1")
    app.include_router(spreadsheets.router, prefix="/api/v1", responses=signed_in)
    app.include_router(accounts.router, prefix="/api/v1", responses=signed_in)
    app.include_router(contacts.router, prefix="/api/v1", responses=signed_in)
    app.include_router(personal_data.router, prefix="/api/v1", responses=signed_in)
    app.include_router(cities.router(), prefix="/api/v1", responses=signed_in)
    app.include_router(places.router, prefix="/api/v1", responses=signed_in)
    app.include_router(rounds.router, prefix="/api/v1", responses=signed_in)
    app.include_router(runs.router, prefix="/api/v1", responses=signed_in)
    app.include_router(events.router, prefix="/api/v1", responses=signed_in)
    app.include_router(engine_queries.router, prefix="/api/v1", responses=signed_in)
    app.include_router(proposals.router, prefix="/api/v1", responses=signed_in)
    app.include_router(pairings.router, prefix="/api/v1", responses=signed_in)
    app.include_router(outbox.router, prefix="/api/v1", responses=signed_in)
    app.include_router(webhooks.router, prefix="/api/v1", responses=signed_in)
    app.include_router(overview.router, prefix="/api/v1", responses=signed_in)
    app.include_router(operation.router)
    app.include_router(metrics.router)
    app.include_router(web.router)
    app.mount("/static", StaticFiles(packages=[("app", "static")]))
    app.mount(operation.ASSETS, StaticFiles(packages=[("fastapi_offline", "static")]))
    return app
