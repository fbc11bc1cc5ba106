"""Browsers that sign in, and the passwords and links they do it with."""

import re
from email import message_from_bytes
from email.policy import default

from fastapi.testclient import TestClient

from app.outside import mailers
from app.services.accounts import accounts, passwords, sign_in
from app.services.background import send_mail
from app.settings import Settings
from tests.fixtures.cities import changing
from tests.web.visitor import HTML

PASSWORD = "four words are easy"  # noqa: S105
OTHER = "another four words here"
EMAIL = "organiser@example.org"


def browser(service):
    """Return another browser, with cookies of its own."""
    return TestClient(service.client.app, raise_server_exceptions=False)


def signed_in(service, role_or_key):
    """Return a browser signed in with the token of a role, or a link's secret."""
    one = browser(service)
    if role_or_key in service.tokens:
        answer = one.post("/sign-in", data={"token": service.tokens[role_or_key]})
    else:
        answer = one.post("/sign-in/link", data={"key": role_or_key})
    assert answer.status_code == 200, answer.text
    return one


def is_signed_in(one) -> bool:
    answer = one.get("/account", headers=HTML, follow_redirects=False)
    assert answer.status_code in {200, 303}
    return answer.status_code == 200


def row_of(service, email):
    with service.client.app.state.database.read() as session:
        return accounts.by_address(session, email)


def link(service, email, kind="sign_in"):
    """Return the secret of a new link to this account."""
    with changing(service) as session:
        row = accounts.find_user(session, email)
        return sign_in.new_link(session, row.id, kind)


def set_password(service, email=EMAIL, password=PASSWORD):
    with changing(service) as session:
        accounts.find_user(session, email).password = passwords.hashed(password)


def enter_password(one, email, password, **options):
    return one.post(
        "/sign-in",
        data={"email": email, "password": password, "to": "/rounds"},
        headers=HTML,
        follow_redirects=False,
        **options,
    )


def sent_links(service, folder):
    """Deliver what is queued; return the recipient and the link of each letter."""
    post = mailers.mailer(Settings(mail=f"file:{folder}"))
    send_mail.deliver(
        service.client.app.state.database, post, "https://compaan.example.org"
    )
    found = []
    for path in sorted(folder.glob("*.eml")):
        letter = message_from_bytes(path.read_bytes(), policy=default)
        text = letter.get_body().get_content()
        url = re.search(r"https://compaan.example.org(/sign-in/\S+)", text)
        found.append((letter["to"], url[1]))
        path.unlink()
    return found


class Browsing:
    """A visitor's service that uses one browser of these tests."""

    def __init__(self, client) -> None:
        self.client = client


def api(service, token) -> int:
    headers = {"Authorization": f"Bearer {service.tokens[token]}"}
    return service.client.get("/api/v1/cities", headers=headers).status_code
