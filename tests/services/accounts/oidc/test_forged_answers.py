"""States, codes and ID tokens that are forged, stolen or used twice."""

import json
import time
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

from app.outside import oidc
from tests.services.accounts.oidc.provider import decoded
from tests.services.accounts.oidc.site import refused

# The provider, in a thread of ours, uses what its library replaces.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def test_another_state_is_refused(site):
    back = site.agree(site.leave(), "known")
    state = parse_qs(urlsplit(back).query)["state"][0]

    for wrong in ("", "x" * len(state), state[:-1] + "é"):
        site.leave()
        assert refused(site, site.come(back.replace(state, wrong)), "other_state")
    assert site.provider.sent == []


def test_a_browser_that_did_not_leave_does_not_come_back(site):
    back = site.agree(site.leave(), "known")
    site.client.cookies.clear()

    assert refused(site, site.come(back), "not_begun")
    assert site.provider.sent == []


def test_what_a_browser_keeps_cannot_be_made_up_and_ends(site, monkeypatch):
    back = site.agree(site.leave(), "known")
    cookie = site.client.cookies["compaan-oidc"]
    body = cookie.split(".")[1]
    claims = json.loads(decoded(body))
    assert claims["to"] == "/rounds"
    another = OctKey.import_key(b"some other key of thirty-two bytes")
    forged = jwt.encode({"alg": "HS256"}, claims, another)
    assert forged.count(".") == cookie.count(".")
    unsigned = f"eyJhbGciOiJub25lIn0.{body}."

    for wrong in (forged, unsigned, "nonsense"):
        site.client.cookies.clear()
        site.client.cookies.set("compaan-oidc", wrong)
        assert refused(site, site.come(back), "not_begun")
    later = time.time() + oidc.KEPT_SECONDS + 1
    monkeypatch.setattr(time, "time", lambda: later)
    site.client.cookies.clear()
    site.client.cookies.set("compaan-oidc", cookie)
    assert refused(site, site.come(back), "not_begun")


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"nonce": "another"}, "invalid_claim nonce"),
        ({"nonce": None}, "missing_claim nonce"),
        ({"aud": "another"}, "invalid_claim aud"),
        ({"aud": None}, "missing_claim aud"),
        ({"iss": "https://evil.example"}, "invalid_claim iss"),
        ({"iss": None}, "missing_claim iss"),
        ({"exp": 1_700_000_000}, "expired_token exp"),
        ({"exp": None}, "missing_claim exp"),
        ({"sub": None}, "missing_claim sub"),
        ({"azp": "another"}, "invalid_claim azp"),
    ],
)
def test_an_id_token_for_somebody_else_is_refused(site, claims, reason):
    site.provider.claims = claims

    assert refused(site, site.sign_in(), reason)


def with_another_key(claims):
    return jwt.encode({"alg": "RS256"}, claims, RSAKey.generate_key(2048))


def with_no_signature(claims):
    body = jwt.encode({"alg": "RS256"}, claims, RSAKey.generate_key(2048))
    return f"eyJhbGciOiJub25lIn0.{body.split('.')[1]}."


def with_nonsense(_claims):
    return "x"


def with_a_number(_claims):
    return 5


@pytest.mark.parametrize(
    ("signed", "reason"),
    [
        (with_another_key, "bad_signature"),
        (with_no_signature, "unsupported_algorithm"),
        (with_nonsense, "decode_error"),
        (with_a_number, "decode_error"),
    ],
)
def test_a_forged_id_token_is_refused(site, signed, reason):
    site.provider.signed = signed

    assert refused(site, site.sign_in(), reason)


def test_an_id_token_signed_with_a_shared_secret_is_refused(site):
    # What everybody knows, used as if it were a secret.
    public = OctKey.import_key(json.dumps(site.provider.key.as_dict(private=False)))
    site.provider.signed = lambda claims: jwt.encode({"alg": "HS256"}, claims, public)

    assert refused(site, site.sign_in(), "unsupported_algorithm")


def test_a_code_works_once(site):
    url = site.leave()
    cookie = site.client.cookies["compaan-oidc"]
    back = site.agree(url, "known")
    assert site.come(back).status_code == 303
    assert site.is_in
    site.client.cookies.clear()

    site.client.cookies.set("compaan-oidc", cookie)
    again = site.come(back)

    assert refused(site, again, "invalid_grant")
    assert len(site.provider.sent) == 2
