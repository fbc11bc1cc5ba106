"""Signing in at a provider of identities: a real one, and one that lies."""

import json
import time
import warnings
from base64 import urlsafe_b64decode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from io import BytesIO
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from fastapi.testclient import TestClient
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey
from sqlalchemy import select
from structlog.testing import capture_logs

from app.db import tables
from app.errors import Busy
from app.main import create_app
from app.outside import oidc
from app.services.accounts import accounts
from app.settings import Settings
from schemas import Invitation
from tests.web.visitor import HTML

with warnings.catch_warnings():
    import authlib.deprecate  # noqa: F401 -- it has a filter of its own

    warnings.simplefilter("ignore")
    from oidc_provider_mock import User, app
    from oidc_provider_mock._server import _threaded_server

# The provider, in a thread of ours, uses what its library replaces.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
EMAIL = "organiser@example.org"
INVITED = "invited@example.org"
US = "http://testserver"
CLIENT = "compaan"
KID = "1"


@dataclass
class Provider:
    """A provider of identities, and what it says that is not so.

    Attributes:
        url: Where it is.
        key: What it signs with.
        claims: What an ID token says instead; None: leaves it out.
        signed: Makes an ID token of claims, if it is not signed as it should be.
        said: What it says of itself that is not so.
        left_out: What it does not say of itself.
        instead: What it answers at a path, whatever is asked.
        sent: What came to its end point for tokens.

    """

    url: str = ""
    key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048))
    claims: dict[str, Any] = field(default_factory=dict)
    signed: Callable[[dict[str, Any]], str] | None = None
    said: dict[str, Any] = field(default_factory=dict)
    instead: dict[str, Any] = field(default_factory=dict)
    left_out: set[str] = field(default_factory=set)
    sent: list[dict[str, list[str]]] = field(default_factory=list)

    def id_token(self, claims: dict[str, Any]) -> str:
        told = {**claims, **self.claims}
        told = {name: value for name, value in told.items() if value is not None}
        if self.signed is not None:
            return self.signed(told)
        return jwt.encode({"alg": "RS256", "kid": KID}, told, self.key)

    def between(self, real):
        """Return the real provider, with our key and our claims."""

        def serve(environ, start):
            path = environ["PATH_INFO"]
            if path == "/oauth2/token":
                body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
                environ["wsgi.input"] = BytesIO(body)
                self.sent.append(parse_qs(body.decode()))
            begun = []
            told = json.loads(b"".join(real(environ, lambda *a: begun.append(a))))
            if "id_token" in told:
                payload = told["id_token"].split(".")[1]
                claims = json.loads(decoded(payload))
                told["id_token"] = self.id_token(claims)
            if path == "/jwks":
                told = {"keys": [{**self.key.as_dict(private=False), "kid": KID}]}
            if path == "/.well-known/openid-configuration":
                told |= self.said
                told = {
                    key: one for key, one in told.items() if key not in self.left_out
                }
            told = self.instead.get(path, told)
            content = told if isinstance(told, bytes) else json.dumps(told).encode()
            status, headers = begun[0][:2]
            start(status, [*((n, v) for n, v in headers if n != "Content-Length")])
            return [content]

        def route(environ, start):
            paths = ("/oauth2/token", "/jwks", "/.well-known/openid-configuration")
            if environ["PATH_INFO"] in paths:
                return serve(environ, start)
            return real(environ, start)

        return route


def decoded(part: str) -> bytes:
    return urlsafe_b64decode(part + "=" * (-len(part) % 4))


@pytest.fixture
def provider(monkeypatch) -> Iterator[Provider]:
    """Return a running provider of identities that knows three people."""
    monkeypatch.setenv("AUTHLIB_INSECURE_TRANSPORT", "1")  # of the provider's side
    people = [
        User(sub="known", claims={"email": EMAIL.title(), "email_verified": True}),
        User(sub="invited", claims={"email": INVITED, "email_verified": True}),
        User(sub="doubtful", claims={"email": EMAIL, "email_verified": False}),
        User(sub="silent", claims={"email": EMAIL}),
        User(sub="words", claims={"email": EMAIL, "email_verified": "true"}),
        User(sub="stranger", claims={"email": "x@example.org", "email_verified": True}),
        User(sub="lookalike", claims={"email": "\u212a@x.org", "email_verified": True}),
        User(sub="nobody", claims={}),
    ]
    made = Provider()
    real = app(require_nonce=True, user_claims=people)
    with _threaded_server(made.between(real), poll_interval=0.01) as server:
        made.url = f"http://localhost:{server.server_port}"
        yield made


@dataclass
class Site:
    """Our service, which sends people to the provider."""

    client: TestClient
    provider: Provider
    logged: list[Any]

    def leave(self, to="/rounds"):
        """Press the link; return where the provider is asked."""
        answer = self.client.get(f"/sign-in/oidc?to={to}", follow_redirects=False)
        assert answer.status_code == 303, answer.text
        return answer.headers["location"]

    def agree(self, url, who) -> str:
        """Say yes at the provider; return where it sends the browser back to."""
        answer = httpx2.post(url, data={"sub": who})
        assert answer.status_code == 302, answer.text
        return answer.headers["location"]

    def come(self, back):
        return self.client.get(back, headers=HTML, follow_redirects=False)

    def sign_in(self, who="known"):
        return self.come(self.agree(self.leave(), who))

    def why(self) -> list[str]:
        """Return the reasons for refusals that were logged since it was asked last."""
        lines = [line for line in self.logged if line["event"].startswith("oidc")]
        # Nothing of what the provider tells of a person is in any line.
        assert [line for line in self.logged if "@" in str(line)] == []
        assert {line["event"] for line in lines} <= {"oidc-refused"}
        assert [line for line in lines if len(line) > 3] == []
        self.logged.clear()
        return [line["reason"] for line in lines]

    @property
    def is_in(self) -> bool:
        answer = self.client.get("/account", headers=HTML, follow_redirects=False)
        return answer.status_code == 200


def settings_for(database: str, issuer: str, **settings: str) -> Settings:
    return Settings(
        database_url=database,
        public_url=US,
        runs_at_once=0,
        oidc_issuer=issuer,
        oidc_client_id=CLIENT,
        oidc_client_secret="worth nothing",  # noqa: S106
        oidc_name="City Hall",
        **settings,
    )


@contextmanager
def open_site(url, provider, **settings) -> Iterator[Site]:
    made = settings_for(url, provider.url, **settings)
    with TestClient(create_app(made)) as client, capture_logs() as logged:
        yield Site(client, provider, logged)


@pytest.fixture
def site(sqlite_service, provider) -> Iterator[Site]:
    with open_site(sqlite_service.url, provider) as made:
        yield made


def refused(site, answer, *reasons) -> bool:
    """Tell whether nobody was let in, the page says what to do, and the log why."""
    assert site.why() == list(reasons)
    assert not site.is_in
    assert answer.headers["content-type"].startswith("text/html")
    return answer.status_code == 401 and oidc.NOT_NOW in answer.text


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
    kept = site.client.cookies["compaan-oidc"]
    body = kept.split(".")[1]
    claims = json.loads(decoded(body))
    assert claims["to"] == "/rounds"
    another = OctKey.import_key(b"some other key of thirty-two bytes")
    forged = jwt.encode({"alg": "HS256"}, claims, another)
    assert forged.count(".") == kept.count(".")
    unsigned = f"eyJhbGciOiJub25lIn0.{body}."

    for wrong in (forged, unsigned, "nonsense"):
        site.client.cookies.clear()
        site.client.cookies.set("compaan-oidc", wrong)
        assert refused(site, site.come(back), "not_begun")
    later = time.time() + oidc.KEPT_SECONDS + 1
    monkeypatch.setattr(time, "time", lambda: later)
    site.client.cookies.clear()
    site.client.cookies.set("compaan-oidc", kept)
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
    kept = site.client.cookies["compaan-oidc"]
    back = site.agree(url, "known")
    assert site.come(back).status_code == 303
    assert site.is_in
    site.client.cookies.clear()

    site.client.cookies.set("compaan-oidc", kept)
    again = site.come(back)

    assert refused(site, again, "invalid_grant")
    assert len(site.provider.sent) == 2


def test_somebody_who_says_no_is_led_back(site):
    answer = httpx2.post(site.leave(), data={"action": "deny"})

    assert refused(site, site.come(answer.headers["location"]), "access_denied")
    assert site.provider.sent == []


def test_what_no_provider_says_is_not_logged(site):
    url = site.leave()
    state = parse_qs(urlsplit(url).query)["state"][0]

    back = f"{oidc.BACK}?state={state}&error=ada@example.org"

    assert refused(site, site.come(back), "other_error")


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
        found = oidc._confirmed(settings, [told])  # noqa: SLF001

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


def test_a_provider_with_another_name_is_not_trusted(site):
    site.provider.said = {"issuer": "https://evil.example"}

    answer = site.client.get("/sign-in/oidc", follow_redirects=False)

    assert answer.status_code == 503
    assert "has another name than is set" in answer.text


_DEEP = b"[" * 100_000
_STRANGE = [[], 7, "x", None, b"", b"\xff\x00", _DEEP, b"NaN", b"9" * 5000]


def test_a_provider_that_says_nonsense_of_itself_is_told(site):
    answers = []
    for told in _STRANGE:
        site.provider.instead = {"/.well-known/openid-configuration": told}
        answers.append(site.client.get("/sign-in/oidc", follow_redirects=False))
    site.provider.instead = {}
    for told in (7, None, [], {}, "\ud800", "https://\ud800", "http://[", "\x00"):
        site.provider.said = {"authorization_endpoint": told}
        answers.append(site.client.get("/sign-in/oidc", follow_redirects=False))

    assert {answer.status_code for answer in answers} == {503}
    assert all("does not answer as it should" in answer.text for answer in answers)


def test_a_provider_that_answers_nonsense_lets_nobody_in(site):
    strange = [*_STRANGE, {"keys": 7}, {"keys": [7]}, {"id_token": 7}, {"error": []}]
    statuses = set()
    for path in ("/oauth2/token", "/jwks"):
        for told in strange:
            site.provider.instead = {path: told}
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


def test_without_a_provider_there_is_no_such_way(sqlite_service):
    client = sqlite_service.client

    assert "/sign-in/oidc" not in client.get("/sign-in").text
    for path in ("/sign-in/oidc", oidc.BACK):
        assert client.get(path, headers=HTML).status_code == 404
