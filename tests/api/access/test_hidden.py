"""What is not everybody's is hidden from those whom it does not concern."""

from itertools import product

from app.db import tables
from app.permissions import TERMINAL
from app.services.decisions import participants, phases
from app.services.rounds import rounds
from schemas import ParticipationWrite
from tests.api.access.table import CALLERS
from tests.api.access.world import ASKED, FURTHER, OPERATIONS, World, find_organiser
from tests.fixtures.database import ON_SQLITE


def test_a_draft_is_hidden_from_those_who_take_no_part(world):
    def rounds_of(role):
        headers = {"Authorization": f"Bearer {world.tokens[role]}"}
        listed = world.client.get("/api/v1/rounds", headers=headers).json()["items"]
        read = world.client.get("/api/v1/rounds/a-draft", headers=headers).status_code
        return [one["id"] for one in listed if one["id"] not in FURTHER], read

    assert rounds_of("organiser") == rounds_of("auditor") == (["a-draft", "r"], 200)
    assert rounds_of("officer") == (["r"], 404)
    with world.database.write() as session:
        draft = rounds.get(session, TERMINAL, "a-draft")
        participants.put(session, TERMINAL, draft, "mechelen", ParticipationWrite())
    assert rounds_of("officer") == (["a-draft", "r"], 200)
    assert rounds_of("stranger") == (["r"], 404)


def test_wishes_and_vetoes_are_for_organisers_and_the_city_itself(world):
    with world.database.write() as session:
        participants.put(
            session,
            TERMINAL,
            rounds.get(session, TERMINAL, "r"),
            "mechelen",
            ParticipationWrite(vetoes=("other",)),
        )

    def vetoes(role):
        headers = {"Authorization": f"Bearer {world.tokens[role]}"}
        one = "/api/v1/rounds/r/participants/mechelen"
        read = world.client.get(one, headers=headers).json()
        listed = world.client.get(one.removesuffix("/mechelen"), headers=headers)
        assert listed.json()["items"][0] == read
        return read["vetoes"], read["wishes"]

    for role in ("organiser", "auditor", "administrator", "officer"):
        assert vetoes(role) == (["other"], [])
    assert vetoes("stranger") == (None, None)


def test_an_officer_enters_and_leaves_while_the_round_is_open_only(world):
    def enter():
        return world.call(
            "PUT /api/v1/rounds/{round_id}/participants/{city_id}", "officer", {}
        ).status_code

    assert enter() == 200
    with world.database.write() as session:
        phases.move(
            session, TERMINAL, rounds.get(session, TERMINAL, "r"), "closed", None
        )
    assert enter() == 403


# A mark for each confidential field, and the callers who may read it.
OWN = {"officer", "auditor", "organiser", "administrator"}
ALL_SEEING = {"auditor", "organiser", "administrator"}
ORGANISING = {"organiser", "administrator"}
SECRETS: dict[str, set[str]] = {
    "MARK-draft": ALL_SEEING,
    "MARK-policy": ALL_SEEING,
    "MARK-dismissed": ALL_SEEING,
    "MARK-declined": ALL_SEEING,
    "MARK-note": OWN,
    "MARK-letter": ALL_SEEING,
    "MARK-contact": {"officer", "association", *ORGANISING},
    "colleague@example.org": {"officer", "association", *ALL_SEEING},
    "MARK-token": {"organiser"},
    "MARK-browser": {"organiser"},
    "mark-hook.example": ORGANISING,
    "MARK-answer": set(),
}


def mark(world: World) -> None:
    """Write each mark into its field, by the API or straight into the database."""

    def call(method: str, path: str, body: object):
        answer = world.client.request(
            method,
            f"/api/v1{path}",
            json=body,
            headers={
                "Authorization": f"Bearer {world.tokens['organiser']}",
                "If-Match": "*",
            },
        )
        assert answer.is_success, answer.text
        return answer.json()

    pair = {"mentor": "mechelen", "learner": "third", "reason": "MARK-policy"}
    call("PATCH", "/rounds/a-draft", {"description": "MARK-draft"})
    call("PUT", "/rounds/closed/policy", {"bans": [pair]})
    staged, agreed = world.pairings["staged"], world.pairings["confirmed"]
    call("POST", f"/pairings/{staged}/dismiss", {"reason": "MARK-dismissed"})
    call("POST", f"/pairings/{agreed}/check-ins", {"fit": None, "note": "MARK-note"})
    no = {"side": "mentor", "answer": "decline", "reason_code": "other"}
    offered = world.pairings["offered"]
    call("POST", f"/pairings/{offered}/answer", no | {"text": "MARK-declined"})
    call("POST", "/cities/mechelen/contacts", {"name": "MARK-contact"})
    call("POST", "/webhooks", {"url": "https://mark-hook.example/"})
    with world.database.write() as session:
        message = session.get_one(tables.Message, world.ids["message_id"])
        message.text += "MARK-letter"
        token = session.get_one(tables.Token, world.ids["token_id"])
        token.name = "MARK-token"
        session.get_one(tables.Login, world.ids["sign_in_id"]).browser = "MARK-browser"
        account = session.get_one(tables.Account, find_organiser(session))
        account.password = "MARK-answer"  # noqa: S105 -- nobody reads a hash


# These are computed for each answer, which takes long: they are called once.
COMPUTED = (
    "/repairs",
    "/drill",
    "/why-not",
    "/readiness",
    "/suggestions",
    "/scenarios",
)


def everything_read(world: World, caller: str | None) -> str:
    """Return the answers to every GET that this caller can send, as one text."""
    everywhere = {
        "round_id": ["r", "a-draft", *FURTHER],
        "pairing_id": [*world.pairings.values()],
        "city_id": ["mechelen", "third"],
        "run_id": [world.ids["run_id"], *world.runs.values()],
    }
    answers = []
    for operation in OPERATIONS:
        method, path = (operation + ASKED.get(operation, "")).split(" ")
        if method != "GET" or "events" in path:  # a stream tells what the run does
            continue
        places = {} if path.partition("?")[0].endswith(COMPUTED) else everywhere
        known = dict.fromkeys((*places, *world.ids))
        names = [name for name in known if f"{{{name}}}" in path]
        choices = [places.get(name, [world.ids.get(name, "")]) for name in names]
        for chosen in product(*choices):
            url = path
            for name, value in zip(names, chosen, strict=True):
                url = url.replace(f"{{{name}}}", value)
            answers.append(world.get(url, caller))
    return "\n".join(answers)


@ON_SQLITE
def test_the_api_tells_each_what_is_theirs_and_nobody_else(make_world):
    world = make_world()
    mark(world)

    texts = {caller: everything_read(world, caller) for caller in CALLERS}

    found = {
        secret: {caller for caller, text in texts.items() if secret in text}
        for secret in SECRETS
    }
    assert found == SECRETS
