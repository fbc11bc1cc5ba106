"""People of the network: invited, changed, handed over to, and gone."""

import re
from concurrent.futures import ThreadPoolExecutor
from email import message_from_bytes
from email.policy import default
from threading import Barrier

import httpx2
from fastapi.testclient import TestClient
from sqlalchemy import select

from app.db import Database, tables
from app.outside import mailers
from app.services.accounts import accounts
from app.services.accounts.tokens import add as add_token
from app.services.background import send_mail
from app.settings import Settings
from tests.fixtures.cities import add_officer, changing, city, refusal, register
from tests.fixtures.process import served
from tests.fixtures.service import Service
from tests.web.visitor import Visitor

NEW = "new@example.org"


def another(service) -> Visitor:
    """Return somebody at another browser."""
    client = TestClient(service.client.app, raise_server_exceptions=False)
    return Visitor(Service(service.url, client, service.tokens))


def letters(service, folder) -> dict[str, str]:
    """Deliver what is queued; return the text of each letter by its recipient."""
    post = mailers.mailer(Settings(mail=f"file:{folder}"))
    database = service.client.app.state.database
    send_mail.deliver(database, post, "http://testserver")
    found = {}
    for path in folder.glob("*.eml"):
        letter = message_from_bytes(path.read_bytes(), policy=default)
        found[letter["to"]] = letter.get_body().get_content()
        path.unlink()
    return found


def link_in(letter: str) -> str:
    return re.search(r"http://testserver(/sign-in/link\S+)", letter)[1]


def emails(service) -> dict[str, str]:
    """Return the role of each account by its address."""
    with service.client.app.state.database.read() as session:
        return {row.email: row.role for row in accounts.list_users(session)}


def row_of(service, email):
    with service.client.app.state.database.read() as session:
        return accounts.find_user(session, email)


def test_an_organiser_invites_an_officer_who_comes_in_and_sets_a_name(
    idle_service, tmp_path
):
    service = idle_service
    register(service, city("mechelen", languages=["fr"]))
    visitor = another(service).sign_in("organiser").open("/people")

    visitor.press("Invite", email=" New@Example.org", role="officer", city="mechelen")
    letter = letters(service, tmp_path)[NEW]
    invited = visitor.text
    guest = another(service).open(link_in(letter)).press("Come in")

    assert "The invitation is on its way." in invited
    assert re.search(r"new@example.org officer · mechelen .*?invited", invited)
    assert "mechelen" in letter
    assert "14 jours" in letter
    assert (guest.status, guest.path) == (200, "/account")
    assert "Welcome. You are signed in." in guest.text
    guest.press("Save", name="Ann Peeters", language="nl")
    assert "Het is opgeslagen." in guest.text
    row = row_of(service, NEW)
    assert (row.name, row.language, row.role, row.city_id) == (
        "Ann Peeters",
        "nl",
        "officer",
        "mechelen",
    )
    assert row.invited_by == row_of(service, "organiser@example.org").id
    guest.press("Wachtwoord wijzigen", new="four words are easy")
    guest.open("/account?lang=en")
    assert "You have one." in guest.text
    assert "has been used already" in str(
        refusal_of(service, f"/accounts/{row.id}/invitation")
    )


def refusal_of(service, path):
    answer = service.post(path, {})
    assert refusal(answer)[:2] == (409, "conflict")
    return answer.json()["detail"]


def test_a_second_click_invites_nobody_twice(idle_service, tmp_path):
    service = idle_service
    visitor = another(service).sign_in("organiser").open("/people")

    visitor.press("Invite", email=NEW, role="auditor").press_again()

    assert visitor.status == 200
    assert list(letters(service, tmp_path)) == [NEW]


def test_an_invitation_is_sent_again_and_taken_back(idle_service, tmp_path):
    service = idle_service
    visitor = another(service).sign_in("officer").open("/people")
    visitor.press("Invite", email=NEW)
    first = letters(service, tmp_path)[NEW]
    visitor.open(f"/people/{row_of(service, NEW).id}").press("Invite again")
    second = letters(service, tmp_path)[NEW]

    visitor.press("Close the account")

    assert "The account is closed." in visitor.text
    assert NEW not in emails(service)
    for letter in (first, second):
        assert another(service).open(link_in(letter)).press("Come in").status == 401


def test_a_link_that_went_to_a_wrong_address_is_good_for_nothing_once_it_is_right(
    idle_service, tmp_path
):
    service = idle_service
    visitor = another(service).sign_in("organiser").open("/people")
    visitor.press("Invite", email="wrong@example.org", role="auditor")
    wrong = link_in(letters(service, tmp_path)["wrong@example.org"])
    visitor.open(f"/people/{row_of(service, 'wrong@example.org').id}")

    visitor.press("Save", email=NEW).press("Invite again")
    right = link_in(letters(service, tmp_path)[NEW])

    assert another(service).open(wrong).press("Come in").status == 401
    assert another(service).open(right).press("Come in").path == "/account"


def test_an_officer_hands_over_and_goes_when_the_successor_comes(
    idle_service, tmp_path
):
    service = idle_service
    giver = another(service).sign_in("officer").open("/people")
    giver.press("Invite", email=NEW, hand_over="yes")
    link = link_in(letters(service, tmp_path)[NEW])
    successor = another(service).open(link)
    before = giver.open("/account").status, emails(service)["officer@example.org"]

    successor.press("Come in")

    assert before == (200, "officer")
    assert successor.path == "/account"
    assert "officer@example.org" not in emails(service)
    assert giver.open("/account").path == "/sign-in"
    assert refusal(service.get("/cities", "officer"))[:2] == (401, "unauthenticated")
    row = row_of(service, NEW)
    assert (row.role, row.city_id) == ("officer", "mechelen")
    with service.client.app.state.database.read() as session:
        told = session.scalars(
            select(tables.Audit.action).order_by(tables.Audit.id)
        ).all()
    assert told[-3:] == ["account.signed_in", "account.closed", "account.took_over"]


def test_whoever_has_risen_meanwhile_is_not_closed_by_a_successor(
    idle_service, tmp_path
):
    service = idle_service
    giver = another(service).sign_in("officer").open("/people")
    giver.press("Invite", email=NEW, hand_over="yes")
    link = link_in(letters(service, tmp_path)[NEW])
    with changing(service) as session:
        row = accounts.find_user(session, "officer@example.org")
        row.role, row.city_id = "organiser", None

    another(service).open(link).press("Come in")

    assert emails(service)["officer@example.org"] == "organiser"


def test_what_the_form_offers_is_what_the_role_may(idle_service):
    service = idle_service
    register(service, city("gent", association="VVSG"), city("lyon", association="AMF"))
    with changing(service) as session:
        row = accounts.add_user(session, "a@vvsg.example", "association", None, "VVSG")
        service.tokens["association"] = add_token(session, row)

    def offered(role):
        page = another(service).sign_in(role).open("/people").page.text
        roles = re.search(r'<select id="role".*?</select>', page, re.DOTALL)
        places = re.search(r'<select id="city".*?</select>', page, re.DOTALL)
        return [
            re.findall(r'value="(\w+)"', found[0]) if found else None
            for found in (roles, places)
        ]

    assert offered("administrator") == [
        ["auditor", "officer", "association", "organiser", "administrator"],
        ["gent", "lyon"],
    ]
    assert offered("organiser")[0] == ["auditor", "officer", "association", "organiser"]
    assert offered("association") == [None, ["gent"]]
    assert offered("officer") == [None, None]
    assert another(service).sign_in("auditor").open("/people").buttons() == []


def test_an_association_invites_for_its_own_cities_alone(idle_service, tmp_path):
    service = idle_service
    register(service, city("gent", association="VVSG"), city("lyon", association="AMF"))
    with changing(service) as session:
        row = accounts.add_user(session, "a@vvsg.example", "association", None, "VVSG")
        service.tokens["association"] = add_token(session, row)
    visitor = another(service).sign_in("association")

    visitor.open("/people").press("Invite", email=NEW, city="gent")
    ours = visitor.status
    visitor.open("/people").press("Invite", email="x@example.org", city="lyon")

    assert (ours, visitor.status) == (200, 403)
    assert list(letters(service, tmp_path)) == [NEW]


def test_a_form_that_is_wrong_says_so_and_keeps_its_words(idle_service):
    visitor = another(idle_service).sign_in("organiser").open("/people")

    visitor.press("Invite", email=NEW, name="Ann", role="officer")
    form = next(form for form in visitor.forms() if form.holds("Invite"))

    assert visitor.status == 422
    assert "Say which city it is of." in visitor.text
    assert (form.fields["email"], form.fields["name"]) == ([NEW], ["Ann"])
    visitor.press("Invite", email="officer@example.org", city="")
    assert NEW not in emails(idle_service)


def test_an_organiser_changes_a_role_and_it_counts_at_once(service):
    add_officer(service, "gent")
    officer = another(service).sign_in("gent")
    row = row_of(service, "gent@example.org")
    visitor = another(service).sign_in("organiser").open(f"/people/{row.id}")

    visitor.press("Save", role="auditor", new_city="")

    assert "It is saved" in visitor.text
    assert emails(service)["gent@example.org"] == "auditor"
    assert officer.open("/cities/gent/edit").status == 404


def test_two_who_change_one_account_do_not_overwrite_each_other(service):
    add_officer(service, "gent")
    where = f"/people/{row_of(service, 'gent@example.org').id}"
    first = another(service).sign_in("organiser").open(where)
    second = another(service).sign_in("administrator").open(where)

    first.press("Save", name="First")
    second.press("Save", name="Second")

    assert (first.status, second.status) == (200, 412)
    assert row_of(service, "gent@example.org").name == "First"
    form = next(form for form in second.forms() if form.holds("Save"))
    assert form.fields["name"] == ["Second"]


def test_an_organiser_makes_no_administrator_and_closes_none(service):
    visitor = another(service).sign_in("organiser").open("/people")
    admin = row_of(service, "administrator@example.org")

    visitor.press("Invite", email=NEW, role="administrator")
    invited = visitor.status
    visitor.open(f"/people/{admin.id}")

    assert invited == 403
    assert visitor.buttons() == []
    closed = visitor.service.client.post(
        f"/people/{admin.id}/close", data={"version": admin.version}
    )
    assert closed.status_code == 403
    assert emails(service)["administrator@example.org"] == "administrator"


def test_closing_the_own_account_is_asked_twice(service):
    visitor = another(service).sign_in("officer").open("/account/close")
    assert emails(service)["officer@example.org"] == "officer"

    visitor.press("Close my account")

    assert (visitor.status, visitor.path) == (200, "/")
    assert "officer@example.org" not in emails(service)
    assert visitor.open("/account").path == "/sign-in"


# The last administrator.


def test_the_last_administrator_stays(service):
    visitor = another(service).sign_in("administrator").open("/account/close")
    row = row_of(service, "administrator@example.org")

    visitor.press("Close my account")
    closed = visitor.status, visitor.text
    visitor.open(f"/people/{row.id}").press("Save", role="auditor")

    assert closed[0] == 409
    assert "This is the last administrator: make another one first." in closed[1]
    assert visitor.status == 409
    assert emails(service)["administrator@example.org"] == "administrator"


def demoted(account, other):
    return "PATCH", f"/accounts/{account}", {"role": "auditor"}, other


def closed(account, other):
    return "DELETE", f"/accounts/{account}", None, other


def closed_by_itself(account, _other):
    return "DELETE", "/account", None, account


WAYS = (
    (demoted, demoted),
    (closed, closed),
    (closed_by_itself, closed_by_itself),
    (closed, demoted),
)


def test_two_administrators_at_once_leave_one(accounts_of):
    url, tokens = accounts_of
    database = Database(url)
    with served(url, tokens) as one, served(url, tokens) as two:
        for at, (first, second) in enumerate(WAYS * 2):
            made = two_administrators(database, at)
            a, b = made
            statuses = at_once([(one, first(a, b), made), (two, second(b, a), made)])
            assert len(administrators(database)) == 1, statuses
            assert sorted(status < 300 for status in statuses) == [False, True]
            assert set(statuses) <= {200, 204, 401, 403, 409}
    database.close()


def administrators(database) -> list[str]:
    with database.read() as session:
        found = accounts.list_users(session)
        return [row.id for row in found if row.role == "administrator"]


def two_administrators(database, at) -> dict[str, str]:
    """Leave two new administrators and no other; return their tokens by their ids."""
    with database.write() as session:
        for row in accounts.list_users(session):
            if row.role == "administrator":
                session.delete(row)
        made = [
            accounts.add_user(session, f"{name}{at}@example.org", "administrator")
            for name in "ab"
        ]
        return {row.id: add_token(session, row) for row in made}


def at_once(calls) -> list[int]:
    gate = Barrier(len(calls))

    def send(server, call, pair):
        method, path, body, who = call
        headers = {"Authorization": f"Bearer {pair[who]}", "If-Match": "*"}
        with httpx2.Client(base_url=f"{server.address}/api/v1", timeout=60) as client:
            client.get("/policy-areas")
            gate.wait(30)
            return client.request(method, path, json=body, headers=headers).status_code

    with ThreadPoolExecutor(len(calls)) as pool:
        return [done.result() for done in [pool.submit(send, *call) for call in calls]]


def test_what_is_no_address_is_told_in_words(sqlite_service):
    for wrong in ("jan", "jan@", "@city.be", "jan peeters@city.be", "jan@city.be\n.x"):
        answer = sqlite_service.post("/accounts", {"email": wrong, "role": "auditor"})

        assert refusal(answer)[:2] == (422, "invalid-input")
        (error,) = answer.json()["errors"]
        assert (error["pointer"], error["code"], error["message"]) == (
            "/email",
            "email",
            "Write an e-mail address, like jan.peeters@city.example.",
        )
