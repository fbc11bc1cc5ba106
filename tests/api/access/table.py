"""Who may do what: a row for every operation of the OpenAPI document."""

from datetime import timedelta

from app.db.tables.base import now
from app.permissions import TERMINAL
from app.services.decisions import repairs
from app.services.rounds import rounds
from matching import repair
from tests.api.access.world import HOOK, PRACTICE, PROFILE, World
from tests.fixtures.cities import city

# The answers to: nobody; the officer of the city in question, and of another one; the
# association of that city, and another one; auditor, organiser and administrator.
CALLERS = (
    None,
    "officer",
    "stranger",
    "association",
    "elsewhere",
    "auditor",
    "organiser",
    "administrator",
)
ANYBODY = (200,) * 8


def members(done: int) -> tuple[int, ...]:
    return (401, *(done,) * 7)


def organisers(done: int, refused: int = 403) -> tuple[int, ...]:
    return (401, *(refused,) * 4, 403, done, done)


def own_or_organisers(done: int, association: int = 403) -> tuple[int, ...]:
    return (401, done, 403, association, 403, 403, done, done)


def own_or_overseers(association: int = 404) -> tuple[int, ...]:
    return (401, 200, 404, association, 404, 200, 200, 200)


def organisers_alone(done: int) -> tuple[int, ...]:
    """Answers about an object that belongs to the organiser who calls."""
    return (401, *(404,) * 5, done, 404)


def colleagues(done: int, own: int) -> tuple[int, ...]:
    """Answers about a colleague of the city in question, hidden from other cities."""
    return (401, own, 404, own, 404, 403, done, done)


def organisers_know(done: int) -> tuple[int, ...]:
    """Answers about an object that organisers alone see."""
    return (401, *(404,) * 5, done, done)


def of_the_city(
    done: int, association: int = 403, hidden: int = 404
) -> tuple[int, ...]:
    """Answers about an object that partners and auditors do not see."""
    return (401, done, hidden, association, hidden, hidden, done, done)


_UNSEEN = 412
"""To PUT with If-Match what one may not see is answered as if it did not exist."""
READERS = members(200)
OVERSEERS = (401, 404, 404, 404, 404, 200, 200, 200)
NEW = {"name": "Another"}
DESK = {"name": "Desk"}
MATCH = {"cities": [PROFILE, city("b")]}
WHY = {"reason": "A reason."}
YES = {"side": "mentor", "answer": "accept"}
MET = {"fit": "good", "note": None}
DEADLINE = {"answer_by": (now() + timedelta(days=30)).isoformat()}
OVERRIDE = WHY | {"force": [{"mentor": "mechelen", "learner": "third"}]}


def staging(world: World) -> object:
    return {"run": world.runs["closed"]}


def first_repair(world: World) -> object:
    with world.database.read() as session:
        row = rounds.get(session, TERMINAL, "to-repair")
        basis = repairs.basis(session, TERMINAL, row)
    found = repair(
        basis.problem,
        basis.policy,
        basis.pairs,
        gone=basis.gone,
        declined=basis.declined,
        keep=basis.keep,
        limit=1,
    )
    return {"repair": repairs.named(found[0]).id}


TABLE: dict[str, tuple[tuple[int, ...], object]] = {
    "GET /api/v1/webhooks": (organisers_know(200), None),
    "POST /api/v1/webhooks": (organisers(201), HOOK),
    "GET /api/v1/webhooks/{webhook_id}": (organisers_know(200), None),
    "PATCH /api/v1/webhooks/{webhook_id}": (organisers_know(200), {"active": False}),
    "DELETE /api/v1/webhooks/{webhook_id}": (organisers_know(204), None),
    "POST /api/v1/webhooks/{webhook_id}/secret": (organisers_know(200), None),
    "POST /api/v1/webhooks/{webhook_id}/ping": (organisers_know(202), None),
    "GET /api/v1/webhooks/{webhook_id}/deliveries": (organisers_know(200), None),
    "GET /api/v1/webhooks/{webhook_id}/deliveries/{delivery_id}": (
        organisers_know(200),
        None,
    ),
    "POST /api/v1/webhooks/{webhook_id}/deliveries/{delivery_id}/replay": (
        organisers_know(202),
        None,
    ),
    "GET /api/v1/cities/{city_id}/contacts": (of_the_city(200, 200), None),
    "POST /api/v1/cities/{city_id}/contacts": (of_the_city(201), DESK),
    "GET /api/v1/cities/{city_id}/contacts/{contact_id}": (
        of_the_city(200, 200),
        None,
    ),
    "PUT /api/v1/cities/{city_id}/contacts/{contact_id}": (
        of_the_city(200, hidden=_UNSEEN),
        DESK,
    ),
    "DELETE /api/v1/cities/{city_id}/contacts/{contact_id}": (of_the_city(204), None),
    "GET /api/v1/account/export": (members(200), None),
    "GET /api/v1/accounts/{account_id}/export": (organisers_know(200), None),
    "GET /api/v1/audit": (OVERSEERS, None),
    "GET /api/v1/account": (READERS, None),
    "PATCH /api/v1/account": (members(200), {"name": "Another"}),
    # The administrator is the last one.
    "DELETE /api/v1/account": ((*members(204)[:-1], 409), None),
    "PUT /api/v1/account/password": (members(204), {"new": "four words in a row"}),
    "GET /api/v1/account/sign-ins": (READERS, None),
    "DELETE /api/v1/account/sign-ins": (members(204), None),
    "DELETE /api/v1/account/sign-ins/{sign_in_id}": (organisers_alone(204), None),
    "GET /api/v1/account/tokens": (READERS, None),
    "POST /api/v1/account/tokens": (members(201), {"name": "T"}),
    "DELETE /api/v1/account/tokens/{token_id}": (organisers_alone(204), None),
    "GET /api/v1/accounts": (READERS, None),
    "POST /api/v1/accounts": (
        own_or_organisers(201, association=201),
        {"email": "new@example.org", "role": "officer", "city": "mechelen"},
    ),
    "GET /api/v1/accounts/{account_id}": (own_or_overseers(association=200), None),
    "PATCH /api/v1/accounts/{account_id}": (colleagues(200, 403), {"name": "Another"}),
    "DELETE /api/v1/accounts/{account_id}": (colleagues(204, 403), None),
    "POST /api/v1/accounts/{account_id}/invitation": (colleagues(202, 202), None),
    "GET /api/v1/policy-areas": (ANYBODY, None),
    "POST /api/v1/match": (ANYBODY, MATCH),
    "GET /api/v1/cities": (READERS, None),
    "POST /api/v1/cities": (organisers(201), city("new")),
    "GET /api/v1/cities/import": (READERS, None),
    "POST /api/v1/cities/import": (
        organisers(200),
        "name,country,roles,needs\nGhent,BE,learner,housing\n",
    ),
    "GET /api/v1/cities/export": (READERS, None),
    "GET /api/v1/cities/{city_id}": (READERS, None),
    "PUT /api/v1/cities/{city_id}": (own_or_organisers(200), PROFILE | NEW),
    "PATCH /api/v1/cities/{city_id}": (own_or_organisers(200), NEW),
    "DELETE /api/v1/cities/{city_id}": (organisers(204), None),
    "GET /api/v1/cities/{city_id}/suggestions": (READERS, None),
    "GET /api/v1/cities/{city_id}/audit": (own_or_overseers(association=200), None),
    "GET /api/v1/places": (READERS, None),
    "GET /api/v1/cities/{city_id}/practices": (READERS, None),
    "POST /api/v1/cities/{city_id}/practices": (own_or_organisers(201), PRACTICE),
    "GET /api/v1/cities/{city_id}/practices/{practice_id}": (READERS, None),
    "PUT /api/v1/cities/{city_id}/practices/{practice_id}": (
        own_or_organisers(200),
        PRACTICE | {"title": "Another"},
    ),
    "DELETE /api/v1/cities/{city_id}/practices/{practice_id}": (
        own_or_organisers(204),
        None,
    ),
    "GET /api/v1/rounds": (READERS, None),
    "POST /api/v1/rounds": (organisers(201), NEW),
    "GET /api/v1/rounds/{round_id}": (READERS, None),
    "PUT /api/v1/rounds/{round_id}": (organisers(200), NEW),
    "PATCH /api/v1/rounds/{round_id}": (organisers(200), NEW),
    "DELETE /api/v1/rounds/{round_id}": (organisers(204, 404), None),
    "POST /api/v1/rounds/{round_id}/phase": (organisers(200), {"to": "closed"}),
    "GET /api/v1/rounds/{round_id}/participants": (READERS, None),
    "GET /api/v1/rounds/{round_id}/participants/{city_id}": (READERS, None),
    "PUT /api/v1/rounds/{round_id}/participants/{city_id}": (
        own_or_organisers(200),
        {"mentor_capacity": 2},
    ),
    "DELETE /api/v1/rounds/{round_id}/participants/{city_id}": (
        own_or_organisers(204),
        None,
    ),
    "GET /api/v1/rounds/{round_id}/policy": (OVERSEERS, None),
    "PUT /api/v1/rounds/{round_id}/policy": (
        organisers(200, _UNSEEN),
        {"objective": "fair"},
    ),
    "GET /api/v1/rounds/{round_id}/readiness": (OVERSEERS, None),
    "GET /api/v1/rounds/{round_id}/audit": (OVERSEERS, None),
    "GET /api/v1/rounds/{round_id}/runs": (OVERSEERS, None),
    "POST /api/v1/rounds/{round_id}/runs": (organisers(202), {}),
    "GET /api/v1/runs/{run_id}": (OVERSEERS, None),
    "DELETE /api/v1/runs/{run_id}": (organisers(200, 404), None),
    "GET /api/v1/runs/{run_id}/solution": (OVERSEERS, None),
    "GET /api/v1/runs/{run_id}/solution.csv": (OVERSEERS, None),
    "GET /api/v1/runs/{run_id}/solution.html": (OVERSEERS, None),
    "GET /api/v1/runs/{run_id}/bundle": (OVERSEERS, None),
    "POST /api/v1/runs/{run_id}/what-if": (OVERSEERS, {"remove": ["other"]}),
    "GET /api/v1/runs/{run_id}/why-not": (OVERSEERS, None),
    "GET /api/v1/runs/{run_id}/drill": (OVERSEERS, None),
    "GET /api/v1/runs/{run_id}/events": (OVERSEERS, None),
    "GET /api/v1/rounds/{round_id}/repairs": (OVERSEERS, None),
    "POST /api/v1/rounds/{round_id}/repairs": (organisers(200), first_repair),
    "POST /api/v1/rounds/{round_id}/stage": (organisers(200), staging),
    "POST /api/v1/rounds/{round_id}/overrides": (organisers(200), OVERRIDE),
    "POST /api/v1/rounds/{round_id}/release": (organisers(200), {}),
    "GET /api/v1/rounds/{round_id}/pairings": (READERS, None),
    "GET /api/v1/pairings/{pairing_id}": (READERS, None),
    "PATCH /api/v1/pairings/{pairing_id}": (organisers(200), DEADLINE),
    "GET /api/v1/pairings/{pairing_id}/explanation": (READERS, None),
    "POST /api/v1/pairings/{pairing_id}/answer": (own_or_organisers(200), YES),
    "POST /api/v1/pairings/{pairing_id}/dismiss": (organisers(200, 404), WHY),
    "POST /api/v1/pairings/{pairing_id}/withdraw": (organisers(200), WHY),
    "GET /api/v1/pairings/{pairing_id}/check-ins": (own_or_overseers(), None),
    "POST /api/v1/pairings/{pairing_id}/check-ins": (own_or_organisers(201), MET),
    "GET /api/v1/rounds/{round_id}/outbox": (OVERSEERS, None),
    "GET /api/v1/rounds/{round_id}/messages": (OVERSEERS, None),
    "POST /api/v1/rounds/{round_id}/reminders": (organisers(200), None),
    "GET /api/v1/messages/{message_id}": (OVERSEERS, None),
    "POST /api/v1/messages/{message_id}/test": (organisers(202, 404), None),
    "POST /api/v1/messages/{message_id}/send-again": (organisers(202, 404), None),
    "GET /api/v1/rounds/{round_id}/health": (OVERSEERS, None),
    "GET /api/v1/rounds/{round_id}/scenarios": (OVERSEERS, None),
    "GET /api/v1/ledger": (OVERSEERS, None),
    "GET /api/v1/rounds/{round_id}/decision": (READERS, None),
    "GET /api/v1/rounds/{round_id}/bundle": (OVERSEERS, None),
    "GET /api/v1/rounds/{round_id}/how-we-chose": (READERS, None),
    "GET /api/v1/rounds/{round_id}/how-we-chose.html": (READERS, None),
}
STORE_NOTHING = ("GET ", "POST /api/v1/match", "POST /api/v1/runs/{run_id}/what-if")
