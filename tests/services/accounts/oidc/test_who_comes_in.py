"""Who comes in by a provider of identities: which addresses count."""

from hashlib import sha256
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from sqlalchemy import select
from structlog.testing import capture_logs

from app.db import tables
from app.outside import oidc
from app.services.accounts import accounts
from schemas import Invitation
from tests.services.accounts.oidc.provider import decoded
from tests.services.accounts.oidc.site import (
    EMAIL,
    INVITED,
    US,
    open_site,
    refused,
    settings_for,
)
from tests.web.visitor import HTML

# The provider, in a thread of ours, uses what its library replaces.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def test_a_known_address_comes_in_with_pkce_state_and_nonce(site):
    assert "Sign in with City Hall" in site.client.get("/sign-in").text
    url = site.leave("/cities")
    asked = parse_qs(urlsplit(url).query)
    back = site.agree(url, "known")

    answer = site.come(back)

    assert (answer.status_code, answer.headers["location"]) == (303, "/cities")
    assert site.is_in
    assert asked["code_challenge_method"] == ["S256"]
    assert asked["redirect_uri"] == [f"{US}/sign-in/oidc/back"]
    assert asked["scope"] == ["openid email"]
    assert all(len(asked[name][0]) >= 43 for name in ("state", "nonce"))
    (sent,) = site.provider.sent
    (verifier,) = sent["code_verifier"]
    digest = sha256(verifier.encode()).digest()
    assert decoded(asked["code_challenge"][0]) == digest
    assert "with the account of your work" in site.client.get("/account").text


def test_an_invited_person_comes_in_the_first_time(site):
    with site.client.app.state.database.write() as session:
        who = accounts.as_actor(accounts.find_user(session, EMAIL))
        accounts.invite(session, who, Invitation(email=INVITED, role="auditor"))

    answer = site.sign_in("invited")

    assert answer.headers["location"] == "/account?done=welcome"
    assert site.is_in
    with site.client.app.state.database.read() as session:
        assert accounts.find_user(session, INVITED).joined_at is not None


@pytest.mark.parametrize(
    ("who", "reason"),
    [
        ("doubtful", "email_not_verified"),
        ("silent", "email_not_confirmed"),
        ("words", "email_not_confirmed"),
        ("stranger", "no_account"),
        ("lookalike", "email_unreadable"),
        ("nobody", "no_email"),
    ],
)
def test_only_a_verified_address_of_an_account_comes_in(site, who, reason):
    with site.client.app.state.database.write() as session:
        accounts.add_user(session, "k@x.org", "auditor")

    answer = site.sign_in(who)

    assert site.why() == [reason]
    assert answer.status_code == 401
    assert "Ask an organiser of the network for an invitation" in answer.text
    assert not site.is_in
    with site.client.app.state.database.read() as session:
        assert session.scalars(select(tables.Login)).all() == []


def test_an_address_that_is_told_elsewhere_counts_too(site):
    site.provider.claims = {"email": None, "email_verified": None}

    assert site.sign_in().status_code == 303
    assert site.is_in


def test_an_address_of_somebody_else_does_not_count(site):
    site.provider.claims = {"email": None, "email_verified": None, "sub": "another"}

    assert site.sign_in().status_code == 401
    assert site.why() == ["no_email"]
    assert not site.is_in


def test_somebody_who_says_no_is_led_back(site):
    answer = httpx2.post(site.leave(), data={"action": "deny"})

    assert refused(site, site.come(answer.headers["location"]), "access_denied")
    assert site.provider.sent == []


# The addresses of providers that do not send `email_verified: true`.

YES = [True, "true", "True", 1, "1"]
NO = [False, "false", 0, "0", "", "perhaps", [True], 1.5, {}]


@pytest.mark.parametrize(
    ("trust", "claims", "reason"),
    [
        ("1", {}, None),
        ("1", {"email_verified": None}, None),
        ("1", {"email": None, "preferred_username": EMAIL, "upn": EMAIL}, "no_email"),
        *(("1", {"email_verified": yes}, None) for yes in YES),
        *(("1", {"email_verified": no}, "email_not_verified") for no in NO),
        ("0", {}, "email_not_confirmed"),
        ("0", {"xms_edov": True}, "email_not_confirmed"),
        ("xms_edov", {}, "email_not_confirmed"),
        ("xms_edov", {"email_verified": True}, None),
        *(("xms_edov", {"xms_edov": yes}, None) for yes in YES),
        *(("xms_edov", {"xms_edov": no}, "email_not_verified") for no in NO),
        ("xms_edov", {"xms_edov": 1, "email_verified": False}, "email_not_verified"),
        ("xms_edov", {"xms_edov": 0, "email_verified": True}, "email_not_verified"),
        ("email_verified", {"email_verified": "true"}, None),
    ],
    ids=str,
)
def test_an_address_is_certain_as_the_operator_says(trust, claims, reason):
    settings = settings_for("sqlite://", "https://id.example", oidc_trust_email=trust)
    told = {"sub": "a", "email": EMAIL} | claims

    with capture_logs() as lines:
        found = oidc._confirmed_email(settings, [told])  # noqa: SLF001

    assert found == (None if reason else EMAIL)
    assert [line["reason"] for line in lines] == ([reason] if reason else [])


@pytest.mark.parametrize("trust", ["1", "true", "xms_edov"])
def test_somebody_of_entra_comes_in_where_it_is_trusted(
    sqlite_service, provider, trust
):
    provider.claims = {"preferred_username": EMAIL, "xms_edov": "1"}
    wanted = {"oidc_trust_email": trust}
    with open_site(sqlite_service.url, provider, **wanted) as site:
        assert site.sign_in("silent").status_code == 303
        assert site.is_in
        assert site.why() == []


def test_a_no_counts_wherever_the_provider_says_it(sqlite_service, provider):
    # The address is told at the end point for it alone.
    wanted = {"oidc_trust_email": "1"}
    with open_site(sqlite_service.url, provider, **wanted) as site:
        for who, verified in (("doubtful", None), ("silent", False)):
            provider.claims = {"email": None, "email_verified": verified}
            assert site.sign_in(who).status_code == 401
            assert site.why() == ["email_not_verified"]
        provider.claims = {"email": None}
        assert site.sign_in("silent").status_code == 303


def test_a_provider_without_an_end_point_for_addresses_has_none(site):
    site.provider.claims = {"email": None, "email_verified": None}
    site.provider.left_out = {"userinfo_endpoint"}

    assert site.sign_in().status_code == 401
    assert site.why() == ["no_email"]


def test_without_a_provider_there_is_no_such_way(sqlite_service):
    client = sqlite_service.client

    assert "/sign-in/oidc" not in client.get("/sign-in").text
    for path in ("/sign-in/oidc", oidc.BACK):
        assert client.get(path, headers=HTML).status_code == 404
