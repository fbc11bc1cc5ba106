"""Privacy: what is kept can be taken along, erased, and is erased in time."""

import io
import json
import threading
import zipfile
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import MetaData, select, text, update
from sqlalchemy.exc import DBAPIError

from app.db import tables
from app.services.personal_data import retention
from app.services.rounds import rounds
from app.services.shared import erasure
from tests.fixtures.cities import (
    FIVE,
    add_officer,
    audited,
    changing,
    city,
    closed_round,
    confirm,
    listed,
    pairing,
    refusal,
    register,
    released_round,
    say,
    staged_round,
)
from tests.fixtures.service import start
from tests.web.visitor import HTML, Visitor

NAME = "Zoë Quackenbosch"
EMAIL = "z.quackenbosch@amiens.example"
SAYS = f"Ask {NAME.upper()} (zoë  quackenbosch) at <{EMAIL.title()}>."
LEFT = "Ask […] ([…]) at <[…]>."
OTHERS = f"Zoë Quackenboschen, Quackenbosch, a{EMAIL} and {EMAIL}.org"
"""What must stay: others have these names and addresses."""


def texts_of(value: object) -> str:
    """Return a value of the database as text, also what is packed in it."""
    if isinstance(value, bytes):
        with zipfile.ZipFile(io.BytesIO(value)) as packed:
            return "".join(packed.read(name).decode() for name in packed.namelist())
    return value if isinstance(value, str) else json.dumps(value, default=str)


def traces(service) -> set[tuple[str, str]]:
    """Return the columns of all tables that hold the name or the address."""
    engine = service.client.app.state.database.engine
    known = MetaData()
    known.reflect(engine)
    with engine.connect() as connection:
        return {
            (table.name, column)
            for table in known.sorted_tables
            for row in connection.execute(table.select()).mappings()
            for column, value in row.items()
            if is_named(texts_of(value))
        }


def is_named(said: str) -> bool:
    plain = said.encode().decode("unicode_escape") if "\\u" in said else said
    found = plain.replace(OTHERS, "").lower()
    return "quackenbosch" in found or EMAIL in found


def account_of(service, caller: str) -> str:
    return service.get("/account", caller).json()["id"]


def invite(service) -> str:
    """Invite the person as an officer of Amiens, and give its name; return its id."""
    new = {"email": EMAIL, "name": NAME, "role": "officer", "city": "amiens"}
    key = {"Idempotency-Key": "once"}
    made = service.call("POST", "/accounts", json=new, headers=key)
    assert made.status_code == 201, made.text
    return made.json()["id"]


def add_contact(service) -> str:
    new = {"name": NAME, "email": EMAIL, "function": f"Deputy of {NAME}"}
    key = {"Idempotency-Key": "twice"}
    made = service.call("POST", "/cities/amiens/contacts", json=new, headers=key)
    assert made.status_code == 201, made.text
    return made.json()["id"]


PRACTICE = {"area": "housing", "title": f"By {NAME}", "summary": SAYS, "result": SAYS}
PRACTICE |= {"what_went_wrong": SAYS, "url": f"mailto:{EMAIL}"}
PROFILE = {
    "needs_text": f"{SAYS} {OTHERS}",
    "population": {"value": 9, "source": SAYS},
    "migrant_share": {"value": 0.1, "definition": "other", "source": SAYS},
    "practices": [PRACTICE],
}
EVERYWHERE = {
    ("account", "email"),
    ("account", "name"),
    ("check_in", "note"),
    ("city", "migrant_share_source"),
    ("city", "needs_text"),
    ("city", "population_source"),
    ("contact", "email"),
    ("contact", "function"),
    ("contact", "name"),
    ("kept_answer", "body"),
    ("message", "text"),
    ("pairing", "mentor_text"),
    ("pairing", "reason"),
    ("practice", "result"),
    ("practice", "summary"),
    ("practice", "title"),
    ("practice", "url"),
    ("practice", "what_went_wrong"),
    ("remark", "text"),
    ("round", "description"),
    ("round", "name"),
    ("round_policy", "body"),
    ("run", "label"),
    ("token", "name"),
    ("webhook", "description"),
}


def name_everywhere(service) -> None:
    """Write the person into every text that is not frozen, as callers can."""
    pin = {"mentor": "amiens", "learner": "celje", "reason": SAYS}
    add_officer(service, "celje")
    round_id, run = closed_round(service, *FIVE)
    where = f"/rounds/{round_id}"
    back = {"to": "open", "reason": SAYS}
    named = {"name": f"Round of {NAME}", "description": SAYS}
    hook = {"url": "https://hooks.example/", "description": SAYS}
    calls = [
        # First of all: what stands in texts from here on is in no frozen problem.
        service.post(f"{where}/runs", {"label": f"Of {NAME}"}),
        service.post("/webhooks", hook),
        service.post("/account/tokens", {"name": f"For {NAME}"}, "celje"),
        service.put("/cities/amiens", FIVE[0] | PROFILE, "*"),
        service.put(where, named, "*"),
        service.post(f"{where}/phase", back),
        service.post(f"{where}/phase", {"to": "closed"}),
        service.put(f"{where}/policy", {"pins": [pin]}, "*"),
        service.post(f"{where}/stage", {"run": run}),
        service.post(f"{where}/release", {}),
    ]
    one, other, third = (
        pairing(service, round_id, *pair)
        for pair in (("amiens", "celje"), ("bruges", "delft"), ("bruges", "evora"))
    )
    confirm(service, one)
    note, no = {"note": SAYS}, {"side": "mentor", "answer": "decline", "text": SAYS}
    calls += [
        service.post(f"/pairings/{one['id']}/check-ins", note, "celje"),
        service.post(f"/pairings/{other['id']}/answer", no | {"reason_code": "other"}),
        service.post(f"/pairings/{third['id']}/withdraw", {"reason": SAYS}),
    ]
    assert [call.text for call in calls if not call.is_success] == []


def test_an_erased_person_leaves_no_trace(idle_service, capfd):
    service = idle_service
    name_everywhere(service)
    account, contact = invite(service), add_contact(service)
    before = traces(service)

    erased = service.delete(f"/cities/amiens/contacts/{contact}")
    closed = service.delete(f"/accounts/{account}")

    assert (erased.status_code, closed.status_code) == (204, 204)
    assert before == EVERYWHERE
    assert traces(service) == set()
    out, err = capfd.readouterr()
    assert "/api/v1/accounts" in out + err
    assert not is_named(out + err)
    amiens = service.get("/cities/amiens").json()
    assert amiens["needs_text"] == f"{LEFT} {OTHERS}"
    assert amiens["practices"][0]["title"] == "By […]"
    assert service.get("/rounds/trial").json()["name"] == "Round of […]"
    log = listed(service, "/rounds/trial/audit")
    moved = [one["details"] for one in log if one["action"] == "round.moved"]
    assert [one.get("reason") for one in moved] == [None, LEFT, None, None]


def test_what_is_frozen_in_a_run_and_its_release_stays_as_it_can_be_checked(
    idle_service,
):
    service = idle_service
    cities = (FIVE[0] | PROFILE, *FIVE[1:])
    round_id = staged_round(
        service,
        *cities,
        policy={"bans": [{"mentor": "amiens", "learner": "evora", "reason": SAYS}]},
    )
    service.post(f"/rounds/{round_id}/release", {})
    contact = add_contact(service)
    sealed = service.get(f"/rounds/{round_id}/bundle").content

    service.delete(f"/cities/amiens/contacts/{contact}")

    assert traces(service) == {
        ("run", "problem"),
        ("run", "policy"),
        ("solution", "body"),
        ("decision", "bundle"),
    }
    assert service.get(f"/rounds/{round_id}/bundle").content == sealed
    one = pairing(service, round_id, "amiens", "celje")
    told = service.get(f"/pairings/{one['id']}/explanation?lang=en").text
    assert ("By […]" in told, is_named(told)) == (True, False)


def test_a_city_that_is_deleted_takes_its_contact_persons_along(idle_service):
    register(idle_service, city("amiens"), city("bruges", needs_text=SAYS))
    add_contact(idle_service)

    assert idle_service.delete("/cities/amiens").status_code == 204

    assert traces(idle_service) == set()
    assert idle_service.get("/cities/bruges").json()["needs_text"] == LEFT


@pytest.mark.parametrize("name", ["Zoë", "A B", "Quackenbosch", None])
def test_a_name_that_may_mean_something_else_stays_in_texts(sqlite_service, name):
    said = f"Zoë A B Quackenbosch, {EMAIL}"
    register(sqlite_service, city("amiens", needs_text=said))

    with changing(sqlite_service) as session:
        erasure.scrub(session, EMAIL, name, [])

    told = sqlite_service.get("/cities/amiens").json()["needs_text"]
    assert told == "Zoë A B Quackenbosch, […]"


def test_accents_and_blanks_may_be_written_in_either_way(idle_service):
    said = "Zoe\u0308\n Quackenbosch; Ευγενία Παππά; eυγενία παππά"
    register(idle_service, city("amiens", needs_text=said))

    with changing(idle_service) as session:
        erasure.scrub(session, None, NAME, [])
        erasure.scrub(session, None, "Ευγενία Παππά", [])

    told = idle_service.get("/cities/amiens").json()["needs_text"]
    assert told == "[…]; […]; eυγενία παππά"  # the last one begins with a Latin e


def test_an_erasure_is_a_change_of_what_it_changes(sqlite_service):
    register(sqlite_service, city("amiens", practices=[PRACTICE]), city("bruges"))
    before = {one: sqlite_service.get(f"/cities/{one}") for one in ("amiens", "bruges")}
    since = datetime.now(UTC).isoformat()

    with changing(sqlite_service) as session:
        erasure.scrub(session, EMAIL, NAME, [])

    found = sqlite_service.get("/cities", params={"updated_since": since}).json()
    assert [one["id"] for one in found["items"]] == ["amiens"]
    after = {one: sqlite_service.get(f"/cities/{one}") for one in before}
    same = {
        one
        for one in before
        if after[one].headers["etag"] == before[one].headers["etag"]
    }
    assert same == {"bruges"}


# Taking along.


def test_everybody_takes_along_what_is_kept_of_the_own_account(idle_service):
    service = idle_service
    for one in ("amiens", "celje"):
        add_officer(service, one)
    round_id = released_round(service, *FIVE)
    one = pairing(service, round_id, "amiens", "celje")
    other = pairing(service, round_id, "bruges", "delft")
    confirm(service, one)
    no = {"side": "mentor", "answer": "decline", "text": "No.", "reason_code": "other"}
    service.post(f"/pairings/{other['id']}/answer", no)  # by an organiser
    say(service, one, "mentor", "accept", "amiens")  # again: changes nothing
    check_in = service.post(
        f"/pairings/{one['id']}/check-ins", {"note": "Met."}, "celje"
    )
    service.post(f"/pairings/{one['id']}/check-ins", {"note": "Not mine."}, "amiens")
    mine = {"name": "C", "email": "celje@example.org"}
    service.post("/cities/celje/contacts", mine, "celje")
    service.post("/cities/celje/contacts", {"name": "Somebody else"}, "celje")
    secret = service.post("/account/tokens", {"name": "Mine"}, "celje").json()["token"]

    answer = service.get("/account/export", "celje")

    found = answer.json()
    assert answer.headers["content-disposition"] == (
        'attachment; filename="compaan-data.json"'
    )
    assert found["account"] == service.get("/account", "celje").json()
    assert found["tokens"] == service.get("/account/tokens", "celje").json()["items"]
    assert [contact["name"] for contact in found["contacts"]] == ["C"]
    assert found["check_ins"] == [check_in.json()]
    assert found["answers"] == []
    assert {entry["action"] for entry in found["log"]} == {
        "account.opened",
        "contact.added",
        "pairing.noted",
        "token.made",
    }
    offers = listed(service, f"/rounds/{round_id}/messages")
    assert sorted(letter["subject"] for letter in found["letters"]) == sorted(
        one["subject"] for one in offers if one["city"] == "celje"
    )
    assert secret not in answer.text
    assert service.get("/account/export", None).status_code == 401
    by_organiser = service.get("/account/export").json()
    assert [(one["side"], one["text"]) for one in by_organiser["answers"]] == [
        ("mentor", None),
        ("learner", None),
        ("mentor", "No."),
    ]


def test_organisers_hand_out_what_is_kept_of_others(sqlite_service):
    officer = account_of(sqlite_service, "officer")
    where = f"/accounts/{officer}/export"

    found = {
        caller: sqlite_service.get(where, caller).status_code
        for caller in ("organiser", "administrator", "officer", "auditor", None)
    }

    told = sqlite_service.get(where).json()
    own = sqlite_service.get("/account/export", "officer").json()
    assert found == {
        "organiser": 200,
        "administrator": 200,
        "officer": 200,
        "auditor": 404,
        None: 401,
    }
    assert told | {"made_at": own["made_at"]} == own
    assert refusal(sqlite_service.get(f"/accounts/{'0' * 32}/export"))[0] == 404


def test_the_page_of_the_notice_gives_the_file(sqlite_service):
    page = Visitor(sqlite_service).sign_in("officer").open("/privacy")

    file = sqlite_service.client.get("/privacy/data.json", headers=HTML)

    assert 'href="/privacy/data.json"' in page.page.text
    assert file.headers["content-type"] == "application/json"
    assert file.json()["account"]["email"] == "officer@example.org"
    ways = [one["way"] for one in file.json()["sign_ins"]]
    assert ways == ["token"]


# The retention clock.


def let_pass(service, **values) -> None:
    """Move the moment at which the round was archived."""
    with changing(service) as session:
        session.execute(update(tables.Round).values(**values))


def months_ago(months: int) -> datetime:
    return rounds.months_after(datetime.now(UTC), -months)


@pytest.fixture
def archived(idle_service):
    """A round in the archive with letters, a note, a decline and reasons."""
    service = idle_service
    service.round = staged_round(service, *FIVE)
    where = f"/rounds/{service.round}"
    back = {"to": "closed", "reason": "The committee."}
    staged = service.get(where).json()["staged_run"]
    service.post(f"{where}/phase", back)
    service.post(f"{where}/stage", {"run": staged})
    service.post(f"{where}/release", {})
    one, other, third = (
        pairing(service, service.round, *pair)
        for pair in (("amiens", "celje"), ("bruges", "delft"), ("bruges", "evora"))
    )
    confirm(service, one)
    service.post(f"/pairings/{one['id']}/check-ins", {"note": "Met.", "fit": "good"})
    no = {"side": "learner", "answer": "decline", "text": "No.", "reason_code": "topic"}
    service.post(f"/pairings/{other['id']}/answer", no)
    service.post(f"/pairings/{third['id']}/withdraw", {"reason": "It is off."})
    service.post(f"{where}/phase", {"to": "archived"})
    return service


def kept(service) -> dict[str, object]:
    """Return the texts of the round, and what is to stay of it."""
    found = listed(service, f"/rounds/{service.round}/pairings")
    one = next(one for one in found if one["state"] == "confirmed")
    notes = service.get(f"/pairings/{one['id']}/check-ins").json()["items"]
    log = listed(service, f"/rounds/{service.round}/audit")
    fields = ("reason", "mentor_text", "learner_text")
    return {
        "texts": sorted(one[field] for one in found for field in fields if one[field]),
        "letters": len(listed(service, f"/rounds/{service.round}/messages")),
        "notes": [(note["fit"], note["note"]) for note in notes],
        "said": [text for one in log if (text := one["details"].get("reason"))],
        "states": sorted(one["state"] for one in found),
        "codes": [one["reason_code"] for one in found if one["reason_code"]],
    }


TEXTS = ["It is off.", "No."]
STAYS = {"states": ["confirmed", "declined", "withdrawn"], "codes": ["topic"]}


def test_a_round_loses_its_texts_when_their_time_is_over(archived):
    database = archived.client.app.state.database
    before = kept(archived)
    told = archived.get(f"/rounds/{archived.round}").json()
    let_pass(archived, archived_at=months_ago(24) + timedelta(hours=1))
    retention.enforce(database)
    still = kept(archived)
    let_pass(archived, archived_at=months_ago(24) - timedelta(hours=1))
    count = audited(archived)

    retention.enforce(database)
    retention.enforce(database)

    assert before == still
    assert before.pop("letters") > 0
    assert before == STAYS | {
        "texts": TEXTS,
        "notes": [("good", "Met.")],
        "said": ["The committee."],
    }
    assert kept(archived) == STAYS | {
        "texts": [],
        "letters": 0,
        "notes": [("good", None)],
        "said": [],
    }
    after = archived.get(f"/rounds/{archived.round}").json()
    assert told["released_at"] < told["archived_at"] <= told["updated_at"]
    assert (told["retention_months"], told["cleared_at"]) == (24, None)
    assert after["cleared_at"] > after["texts_until"]
    log = listed(archived, f"/rounds/{archived.round}/audit")
    assert (log[0]["action"], log[0]["account"], log[0]["details"]) == (
        "round.cleared",
        None,
        {},
    )
    assert audited(archived) == count + 1


def test_a_round_says_how_long_its_texts_are_kept(archived):
    archived.post("/rounds", {"name": "Short", "retention_months": 1})
    assert archived.get("/rounds/short").json()["texts_until"] is None
    archived.post("/rounds/short/phase", {"to": "archived"})
    day = datetime(2027, 1, 31, 12, tzinfo=UTC)
    let_pass(archived, archived_at=day)

    ends = [
        archived.get(f"/rounds/{one}").json()["texts_until"]
        for one in ("short", "trial")
    ]

    assert ends == ["2027-02-28T12:00:00Z", "2029-01-31T12:00:00Z"]
    for months in (0, 121, "24", 1.5):
        new = {"name": "Wrong", "retention_months": months}
        wrong = refusal(archived.post("/rounds", new))
        assert wrong == (422, "invalid-input", ["/retention_months"])


def test_the_form_of_a_round_sets_it(sqlite_service):
    sqlite_service.post("/rounds", {"name": "Trial"})
    page = Visitor(sqlite_service).sign_in("organiser").open("/rounds/trial/edit")

    page.press("Save", retention_months="6")

    assert sqlite_service.get("/rounds/trial").json()["retention_months"] == 6
    assert (
        page.open("/rounds/trial/edit").press("Save", retention_months="x").status
        == 422
    )


def test_workers_that_clear_at_the_same_moment_do_it_once(archived):
    database = archived.client.app.state.database
    add_contact_long_ago(archived, "delft", months=25)
    let_pass(archived, archived_at=months_ago(25), cleared_at=None)
    count = audited(archived)
    barrier, failed = threading.Barrier(4), []

    def work() -> None:
        barrier.wait()
        try:
            retention.enforce(database)
        except Exception as error:  # noqa: BLE001 -- a thread tells nobody
            failed.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failed == []
    assert kept(archived)["texts"] == []
    assert audited(archived) == count + 2


def add_contact_long_ago(service, city_id: str, *, months: int) -> None:
    new = {"name": f"Desk of {city_id}"}
    made = service.post(f"/cities/{city_id}/contacts", new).json()["id"]
    with changing(service) as session:
        row = session.get_one(tables.Contact, made)
        row.updated_at = months_ago(months)


def test_contact_persons_whom_nobody_confirms_are_erased(archived):
    register(archived, city("alone"), city("fresh"))
    for one, months in (("alone", 25), ("fresh", 23), ("delft", 25)):
        add_contact_long_ago(archived, one, months=months)
    database = archived.client.app.state.database

    def left() -> list[str]:
        with database.read() as session:
            return sorted(session.scalars(select(tables.Contact.city_id)))

    retention.enforce(database)
    first = left()
    let_pass(archived, archived_at=months_ago(25))
    retention.enforce(database)

    assert (first, left()) == (["delft", "fresh"], ["fresh"])
    log = listed(archived, "/cities/alone/audit")
    assert (log[0]["action"], log[0]["account"]) == ("contact.erased", None)


def test_sign_ins_and_links_that_are_over_are_forgotten(idle_service):
    Visitor(idle_service).sign_in("officer")
    now = datetime.now(UTC)
    with changing(idle_service) as session:
        (login,) = session.scalars(select(tables.Login))
        for name, ends in (("old", -1), ("new", 1)):
            ends_at = now + timedelta(minutes=ends)
            link = tables.Link(
                digest=name, account_id=login.account_id, expires_at=ends_at
            )
            session.add(link)
        login.expires_at = now - timedelta(seconds=1)

    retention.enforce(idle_service.client.app.state.database)

    with changing(idle_service) as session:
        assert session.scalars(select(tables.Login)).all() == []
        assert session.scalars(select(tables.Link.digest)).all() == ["new"]


# The log.


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit SET account_id = NULL",
        "DELETE FROM audit",
        "DELETE FROM audit WHERE id = (SELECT min(id) FROM audit)",
    ],
)
def test_the_log_is_only_added_to(idle_service, statement):
    register(idle_service, city("amiens"))
    before = listed(idle_service, "/audit")

    engine = idle_service.client.app.state.database.engine
    with pytest.raises(DBAPIError, match="only added to"), engine.begin() as there:
        there.execute(text(statement))

    assert listed(idle_service, "/audit") == before


def test_the_log_of_the_network_is_read_by_those_who_oversee_it(idle_service):
    register(idle_service, *(city(f"c{at}") for at in range(3)))
    organiser = account_of(idle_service, "organiser")

    by_one = idle_service.get("/audit", params={"account": organiser, "limit": 2})
    rest = idle_service.get(by_one.json()["next"].removeprefix("/api/v1"))

    found = [one["city"] for one in (*by_one.json()["items"], *rest.json()["items"])]
    assert found == ["c2", "c1", "c0"]
    everything = listed(idle_service, "/audit", "auditor")
    assert [one["action"] for one in everything][3:] == ["account.opened"] * 4
    for caller, status in (("officer", 404), (None, 401)):
        assert refusal(idle_service.get("/audit", caller))[0] == status
    wrong = refusal(idle_service.get("/audit", params={"account": "x"}))
    assert wrong == (422, "invalid-input", ["?account"])


def test_the_page_of_the_log_names_cities_and_filters(sqlite_service):
    register(sqlite_service, city("amiens", name="Amiens"))
    organiser = account_of(sqlite_service, "organiser")
    page = Visitor(sqlite_service).sign_in("auditor").open("/audit")

    said = ("The city was registered. · Amiens", "was opened.")
    assert (page.status, *(one in page.text for one in said)) == (200, True, True)
    page.press("Show", account=organiser)
    assert [one in page.text for one in said] == [True, False]
    assert Visitor(sqlite_service).sign_in("officer").open("/audit").status == 404


# The notice.


@pytest.fixture
def responsible(_copy_sqlite):
    said = {
        "controller": "The Network, Brussels",
        "controller_mail": "p@network.example",
    }
    yield from start(_copy_sqlite(), runs_at_once=0, **said)


@pytest.mark.parametrize(
    ("language", "title", "who"),
    [
        ("en", "What Compaan keeps of you, and why", "Responsible for your data"),
        ("fr", "Ce que Compaan conserve sur vous", "Responsable de vos données "),
        ("nl", "Wat Compaan over u bewaart", "Verantwoordelijk voor uw gegevens"),
    ],
)
def test_anybody_reads_the_notice_in_three_languages(responsible, language, title, who):
    page = Visitor(responsible).open(f"/privacy?lang={language}")

    assert page.status == 200
    assert title in page.text
    assert f"{who}: The Network, Brussels." in page.text
    assert 'href="mailto:p@network.example"' in page.page.text
    assert f'<html lang="{language}">' in page.page.text


def test_pages_are_in_the_language_of_the_account_once_it_is_signed_in(responsible):
    responsible.call(
        "PATCH",
        "/account",
        "officer",
        json={"language": "nl"},
        headers={"If-Match": "*"},
    )
    visitor = Visitor(responsible).sign_in("officer")

    assert '<html lang="nl">' in visitor.open("/privacy").page.text
    assert '<html lang="en">' in visitor.open("/privacy?lang=en").page.text
    # Whoever has chosen a language keeps it.
    responsible.client.post("/sign-in", data={"token": responsible.tokens["officer"]})
    assert '<html lang="en">' in visitor.open("/privacy").page.text


def test_without_a_controller_the_notice_says_so(sqlite_service):
    page = Visitor(sqlite_service).open("/privacy")

    assert "has not said yet who is responsible" in page.text


def test_anybody_reads_the_register(responsible):
    page = Visitor(responsible).open("/privacy/register")

    assert page.status == 200
    assert "Controller The Network, Brussels Contact p@network.example" in page.text
    for purpose in ("Accounts", "Contact persons", "Rounds", "Log of what was done"):
        assert purpose in page.text
