"""The log is only added to, and read by those who oversee the network."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from tests.fixtures.cities import city, listed, refusal, register
from tests.services.personal_data.traces import account_of
from tests.web.visitor import Visitor


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

    entries = ("The city was registered. · Amiens", "was opened.")
    assert (page.status, *(one in page.text for one in entries)) == (200, True, True)
    page.press("Show", account=organiser)
    assert [one in page.text for one in entries] == [True, False]
    assert Visitor(sqlite_service).sign_in("officer").open("/audit").status == 404
