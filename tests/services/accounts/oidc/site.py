"""Our service, which sends people to the provider, and how it refuses them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx2
from fastapi.testclient import TestClient
from structlog.testing import capture_logs

from app.main import create_app
from app.outside import oidc
from app.settings import Settings
from tests.services.accounts.oidc.provider import Provider
from tests.web.visitor import HTML

EMAIL = "organiser@example.org"
INVITED = "invited@example.org"
US = "http://testserver"
CLIENT = "compaan"


@dataclass
class Site:
    """Our service, which sends people to the provider."""

    client: TestClient
    provider: Provider
    logged: list[Any]

    def leave(self, to="/rounds"):
        """Follow the link to the provider; return its URL."""
        answer = self.client.get(f"/sign-in/oidc?to={to}", follow_redirects=False)
        assert answer.status_code == 303, answer.text
        return answer.headers["location"]

    def agree(self, url, who) -> str:
        """Agree at the provider; return the URL that it sends the browser back to."""
        answer = httpx2.post(url, data={"sub": who})
        assert answer.status_code == 302, answer.text
        return answer.headers["location"]

    def come(self, back):
        return self.client.get(back, headers=HTML, follow_redirects=False)

    def sign_in(self, who="known"):
        return self.come(self.agree(self.leave(), who))

    def why(self) -> list[str]:
        """Return the reasons of the refusals that were logged since the last call."""
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


def refused(site, answer, *reasons) -> bool:
    """Tell whether sign-in was refused: on the page, with reasons only in the log."""
    assert site.why() == list(reasons)
    assert not site.is_in
    assert answer.headers["content-type"].startswith("text/html")
    return answer.status_code == 401 and oidc.NOT_NOW in answer.text
