"""Signing in at a provider of identities: a real one, and one that lies."""

import json
import time
import warnings
from base64 import urlsafe_b64decode
from collections.abc import Callable, Iterator
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

from app import oidc
from app.db import models
from app.errors import Busy
from app.main import create_app
from app.services import accounts
from app.settings import Settings
from schemas import Invitation
from tests.app.visitor import HTML

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
        hidden: Whether the address is told at the end point for it alone.
        said: What it says of itself that is not so.
        instead: What it answers at a path, whatever is asked.
        sent: What came to its end point for tokens.

    """

    url: str = ""
    key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048))
    claims: dict[str, Any] = field(default_factory=dict)
    signed: Callable[[dict[str, Any]], str] | None = None
    said: dict[str, Any] = field(default_factory=dict)
    instead: dict[str, Any] = field(default_factory=dict)
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

    @property
    def is_in(self) -> bool:
        answer = self.client.get("/account", headers=HTML, follow_redirects=False)
        return answer.status_code == 200


def settings_for(database: str, issuer: str) -> Settings:
    return Settings(
        database_url=database,
        public_url=US,
        runs_at_once=0,
        oidc_issuer=issuer,
        oidc_client_id=CLIENT,
        oidc_client_secret="worth nothing",  # noqa: S106
        oidc_name="City Hall",
    )


@pytest.fixture
def site(sqlite_service, provider) -> Iterator[Site]:
    settings = settings_for(sqlite_service.url, provider.url)
    with TestClient(create_app(settings)) as client:
        yield Site(client, provider)


def refused(site, answer) -> bool:
    """Tell whether nobody was let in, and the page says what to do."""
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
    "who", ["doubtful", "silent", "words", "stranger", "lookalike", "nobody"]
)
def test_only_a_verified_address_of_an_account_comes_in(site, who):
    with site.client.app.state.database.write() as session:
        accounts.add_user(session, "k@x.org", "auditor")

    answer = site.sign_in(who)

    assert answer.status_code == 401
    assert "Ask an organiser of the network for an invitation" in answer.text
    assert not site.is_in
    with site.client.app.state.database.read() as session:
        assert session.scalars(select(models.Login)).all() == []


def test_an_address_that_is_told_elsewhere_counts_too(site):
    site.provider.claims = {"email": None, "email_verified": None}

    assert site.sign_in().status_code == 303
    assert site.is_in


def test_an_address_of_somebody_else_does_not_count(site):
    site.provider.claims = {"email": None, "email_verified": None, "sub": "another"}

    assert site.sign_in().status_code == 401
    assert not site.is_in


def test_another_state_is_refused(site):
    back = site.agree(site.leave(), "known")
    state = parse_qs(urlsplit(back).query)["state"][0]

    for wrong in ("", "x" * len(state), state[:-1] + "é"):
        site.leave()
        assert refused(site, site.come(back.replace(state, wrong)))
    assert site.provider.sent == []


def test_a_browser_that_did_not_leave_does_not_come_back(site):
    back = site.agree(site.leave(), "known")
    site.client.cookies.clear()

    assert refused(site, site.come(back))
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
        assert refused(site, site.come(back))
    later = time.time() + oidc.KEPT_SECONDS + 1
    monkeypatch.setattr(time, "time", lambda: later)
    site.client.cookies.clear()
    site.client.cookies.set("compaan-oidc", kept)
    assert refused(site, site.come(back))


@pytest.mark.parametrize(
    "claims",
    [
        {"nonce": "another"},
        {"nonce": None},
        {"aud": "another"},
        {"aud": None},
        {"iss": "https://evil.example"},
        {"iss": None},
        {"exp": 1_700_000_000},
        {"exp": None},
        {"sub": None},
        {"azp": "another"},
    ],
)
def test_an_id_token_for_somebody_else_is_refused(site, claims):
    site.provider.claims = claims

    assert refused(site, site.sign_in())


def with_another_key(claims):
    return jwt.encode({"alg": "RS256"}, claims, RSAKey.generate_key(2048))


def with_no_signature(claims):
    body = jwt.encode({"alg": "RS256"}, claims, RSAKey.generate_key(2048))
    return f"eyJhbGciOiJub25lIn0.{body.split('.')[1]}."


@pytest.mark.parametrize("signed", [with_another_key, with_no_signature, lambda _: "x"])
def test_a_forged_id_token_is_refused(site, signed):
    site.provider.signed = signed

    assert refused(site, site.sign_in())


def test_an_id_token_signed_with_a_shared_secret_is_refused(site):
    # What everybody knows, used as if it were a secret.
    public = OctKey.import_key(json.dumps(site.provider.key.as_dict(private=False)))
    site.provider.signed = lambda claims: jwt.encode({"alg": "HS256"}, claims, public)

    assert refused(site, site.sign_in())


def test_a_code_works_once(site):
    url = site.leave()
    kept = site.client.cookies["compaan-oidc"]
    back = site.agree(url, "known")
    assert site.come(back).status_code == 303
    assert site.is_in
    site.client.cookies.clear()

    site.client.cookies.set("compaan-oidc", kept)
    again = site.come(back)

    assert refused(site, again)
    assert len(site.provider.sent) == 2


def test_somebody_who_says_no_is_led_back(site):
    answer = httpx2.post(site.leave(), data={"action": "deny"})

    assert refused(site, site.come(answer.headers["location"]))


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
