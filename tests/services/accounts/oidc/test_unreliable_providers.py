"""Providers that are away, answer nonsense or have another name."""

from urllib.parse import parse_qs, urlsplit

import pytest

from app.errors import Busy
from app.outside import oidc
from tests.services.accounts.oidc.site import refused, settings_for

# The provider, in a thread of ours, uses what its library replaces.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def test_what_no_provider_says_is_not_logged(site):
    url = site.leave()
    state = parse_qs(urlsplit(url).query)["state"][0]

    back = f"{oidc.BACK}?state={state}&error=ada@example.org"

    assert refused(site, site.come(back), "other_error")


def test_a_provider_with_another_name_is_not_trusted(site):
    site.provider.said = {"issuer": "https://evil.example"}

    answer = site.client.get("/sign-in/oidc", follow_redirects=False)

    assert answer.status_code == 503
    assert "has another name than is set" in answer.text


_DEEP = b"[" * 100_000
_STRANGE = [[], 7, "x", None, b"", b"\xff\x00", _DEEP, b"NaN", b"9" * 5000]


def test_a_provider_that_says_nonsense_of_itself_is_told(site):
    answers = []
    for nonsense in _STRANGE:
        site.provider.instead = {"/.well-known/openid-configuration": nonsense}
        answers.append(site.client.get("/sign-in/oidc", follow_redirects=False))
    site.provider.instead = {}
    for nonsense in (7, None, [], {}, "\ud800", "https://\ud800", "http://[", "\x00"):
        site.provider.said = {"authorization_endpoint": nonsense}
        answers.append(site.client.get("/sign-in/oidc", follow_redirects=False))

    assert {answer.status_code for answer in answers} == {503}
    assert all("does not answer as it should" in answer.text for answer in answers)


def test_a_provider_that_answers_nonsense_lets_nobody_in(site):
    strange = [*_STRANGE, {"keys": 7}, {"keys": [7]}, {"id_token": 7}, {"error": []}]
    statuses = set()
    for path in ("/oauth2/token", "/jwks"):
        for nonsense in strange:
            site.provider.instead = {path: nonsense}
            statuses.add(site.sign_in().status_code)

    assert statuses == {401, 503}
    assert not site.is_in


def test_a_claim_that_makes_no_sense_is_no_mistake_of_ours(site):
    vouched = {"email_verified": True}
    for claims in (
        {"exp": 1e999},
        {"exp": "x"},
        {"iat": -1e999},
        {"iat": 10**400},
        {"aud": {}},
        {"sub": []},
        {"azp": []},
        {"email": 7},
        {"email": "a\x00@example.org"} | vouched,
        {"email": "a\ud800@example.org"} | vouched,
        {"email": "x" * 100_000} | vouched,
    ):
        site.provider.claims = claims
        assert site.sign_in().status_code in {303, 401, 503}, claims


def test_a_provider_that_is_away_is_told():
    settings = settings_for("sqlite://", "http://127.0.0.1:1")

    with pytest.raises(Busy, match="does not answer as it should"):
        oidc.begin(settings, "/")
