"""Pages and forms of organisers are refused to everybody else."""

import pytest
from sqlalchemy import func, select

from app.db import tables
from tests.web.rounds.forms.trial import LIEGES, pairing, states
from tests.web.visitor import HTML, Visitor


def count(visitor: Visitor, table: type) -> int:
    with visitor.service.client.app.state.database.read() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


GETS = ("edit", "copy", "scenarios", "pairings", "override", "repairs", "outbox")
GETTING = {"Show", "Compare"}
"""Buttons that change nothing."""
OVERSEERS = ("scenarios?run={run}", "pairings", "repairs", "outbox")


@pytest.mark.parametrize("phase", ["staged", "released"])
def test_pages_of_organisers_are_not_there_for_others(request, phase):
    visitor = request.getfixturevalue(phase)
    run = visitor.service.get("/rounds/trial").json()["staged_run"]
    visitor.sign_in("officer")
    for name in GETS:
        assert visitor.open(f"/rounds/trial/{name}").status == 404, name
    assert visitor.open("/ledger").status == 404
    path = pairing(visitor, LIEGES)
    assert visitor.open(path).status == (200 if phase == "released" else 404)
    assert visitor.open("/rounds/trial/bundle.zip").status == 404

    visitor.sign_in("auditor")

    for name in OVERSEERS:
        visitor.open(f"/rounds/trial/{name}".format(run=run))
        assert (visitor.status, set(visitor.buttons()) <= GETTING) == (200, True), name
    for name in ("edit", "copy", "override"):
        assert visitor.open(f"/rounds/trial/{name}").status == 404, name
    assert visitor.open(path).buttons() == []
    assert visitor.open("/rounds/trial").buttons() == ["Compare those ticked"]


@pytest.mark.parametrize("role", ["officer", "auditor"])
@pytest.mark.parametrize("phase", ["staged", "released"])
def test_forms_of_organisers_are_refused_to_others(request, phase, role):
    visitor = request.getfixturevalue(phase)
    service = visitor.service
    run = service.get("/rounds/trial").json()["staged_run"]
    version = service.get("/rounds/trial").headers["etag"].strip('"')
    message = service.get("/rounds/trial/messages").json()["items"][0]["id"]
    other = pairing(visitor, LIEGES)
    visitor.sign_in(role)
    before = count(visitor, tables.Audit), count(visitor, tables.Message)

    for path, sent in (
        ("/rounds/trial/edit", {"name": "X", "answer_days": "9", "version": version}),
        ("/rounds/trial/copy", {"name": "X"}),
        ("/rounds/trial/phase", {"to": "closed", "reason": "x"}),
        ("/rounds/trial/runs", {}),
        (f"/runs/{run}/stage", {}),
        ("/rounds/trial/release", {"version": version}),
        ("/rounds/trial/override", {"mentor": "ghent", "learner": "brno"}),
        ("/rounds/trial/repairs", {"repair": "0" * 16}),
        ("/rounds/trial/reminders", {}),
        (f"{other}/dismiss", {"reason": "x"}),
        (f"{other}/withdraw", {"reason": "x"}),
        (f"{other}/deadline", {"answer_by": "2030-01-01"}),
        (f"{other}/answer", {"side": "mentor", "answer": "accept"}),
        (f"{other}/check-ins", {"note": "x"}),
        (f"/messages/{message}/test", {}),
        (f"/messages/{message}/send-again", {}),
    ):
        answer = service.client.post(path, data=sent, headers=HTML)
        assert answer.status_code in {403, 404}, (path, answer.text)
    after = count(visitor, tables.Audit), count(visitor, tables.Message)
    assert after == before


def test_forms_of_other_sites_decide_nothing(staged):
    path, fields = "/rounds/trial/release", {"version": "1"}
    foreign = HTML | {"Sec-Fetch-Site": "cross-site"}

    answer = staged.service.client.post(path, data=fields, headers=foreign)

    assert answer.status_code == 403
    assert set(states(staged).values()) == {"staged"}
