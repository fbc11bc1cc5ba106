"""The provider and the service, running."""

import warnings
from collections.abc import Iterator

import pytest

from tests.services.accounts.oidc.provider import Provider
from tests.services.accounts.oidc.site import EMAIL, INVITED, Site, open_site

with warnings.catch_warnings():
    import authlib.deprecate  # noqa: F401 -- it has a filter of its own

    warnings.simplefilter("ignore")
    from oidc_provider_mock import User, app
    from oidc_provider_mock._server import _threaded_server


@pytest.fixture
def provider(monkeypatch) -> Iterator[Provider]:
    """Return a running provider of identities that knows several people."""
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


@pytest.fixture
def site(sqlite_service, provider) -> Iterator[Site]:
    with open_site(sqlite_service.url, provider) as made:
        yield made
