"""The privacy notice and the register."""

import pytest

from tests.fixtures.service import start
from tests.web.visitor import Visitor


@pytest.fixture
def responsible(_copy_sqlite):
    answer = {
        "controller": "The Network, Brussels",
        "controller_mail": "p@network.example",
    }
    yield from start(_copy_sqlite(), runs_at_once=0, **answer)


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
