"""Settings that are not safe are refused when a program starts."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

from app.db import Database
from app.db.schema import migrate
from app.services.accounts import accounts
from app.settings import Settings
from tests.fixtures.process import COMPAAN, run_compaan

SAFE = {
    "COMPAAN_PRODUCTION": "1",
    "COMPAAN_PUBLIC_URL": "https://compaan.example.org",
    "COMPAAN_MAIL": "smtp://mail.example.org",
    "COMPAAN_MAIL_FROM": "Compaan <compaan@example.org>",
    "COMPAAN_CONTROLLER": "The network, Brussels",
    "COMPAAN_CONTROLLER_MAIL": "privacy@example.org",
}
PROVIDER = {
    "COMPAAN_OIDC_ISSUER": "https://login.example.org",
    "COMPAAN_OIDC_CLIENT_ID": "compaan",
    "COMPAAN_OIDC_CLIENT_SECRET": "worth nothing",
}
WITHOUT_THE_EXTRA = """
import sys
sys.modules["authlib"] = None
from app.cli import cli
cli(["serve", "--port", "0"])
"""


def environment(settings):
    kept = {k: v for k, v in os.environ.items() if not k.startswith("COMPAAN_")}
    return {**kept, "PYTHONPATH": str(Path.cwd()), **settings}


def compaan(folder, *command, **settings):
    return run_compaan(*command, cwd=folder, env=environment(settings))


def run(folder, *command, **settings):
    return subprocess.run(  # noqa: S603 -- our own program
        command,
        cwd=folder,
        env=environment(settings),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.fixture
def demo_database(tmp_path) -> str:
    """Return the URL of a database in which somebody has tried the demo."""
    url = f"sqlite:///{tmp_path}/demo.db"
    database = Database(url)
    migrate(database)
    with database.write() as session:
        accounts.add_user(session, "organiser@demo.example", "organiser")
        accounts.add_user(session, "demo.example@example.org", "organiser")
    database.close()
    return url


@pytest.mark.parametrize("command", [("serve", "--port", "0"), ("worker",)])
def test_production_names_every_fault_at_once(tmp_path, command):
    refused = compaan(tmp_path, *command, COMPAAN_PRODUCTION="1")

    assert (refused.returncode, refused.stdout) == (2, "")
    why = "because COMPAAN_PRODUCTION is set"
    assert refused.stderr.splitlines() == [
        f"COMPAAN_PUBLIC_URL must begin with https://, {why}",
        f"COMPAAN_MAIL must be a mail server, like smtp://…, {why}",
        f"COMPAAN_MAIL_FROM must be an address that gets answers, {why}",
        (
            "COMPAAN_CONTROLLER and COMPAAN_CONTROLLER_MAIL must say who is "
            f"responsible for personal data, {why}"
        ),
    ]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("COMPAAN_PUBLIC_URL", "http://compaan.example.org"),
        ("COMPAAN_MAIL", "console"),
        ("COMPAAN_MAIL", "file:mail"),
        ("COMPAAN_MAIL_FROM", "Compaan <compaan@localhost>"),
        ("COMPAAN_CONTROLLER", ""),
        ("COMPAAN_OIDC_ISSUER", "http://login.example.org"),
    ],
)
def test_production_refuses_each_setting_that_is_for_trying_out(
    monkeypatch, setting, value
):
    for name, given in {**SAFE, **PROVIDER, setting: value}.items():
        monkeypatch.setenv(name, given)

    with pytest.raises(ValidationError) as refused:
        Settings()

    (fault,) = refused.value.errors()
    assert fault["msg"].startswith(f"Value error, {setting} ")


@pytest.mark.parametrize("command", [("serve", "--port", "0"), ("worker",)])
def test_production_refuses_a_database_of_the_demo(tmp_path, demo_database, command):
    settings = {**SAFE, "COMPAAN_DATABASE_URL": demo_database}

    refused = compaan(tmp_path, *command, **settings)

    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr.startswith(
        "There are accounts of the demo: organiser@demo.example. COMPAAN_PRODUCTION"
    )


def test_a_provider_needs_a_name_and_a_password_of_ours(tmp_path):
    refused = run(
        tmp_path, COMPAAN, "serve", COMPAAN_OIDC_ISSUER="https://login.example.org"
    )
    wrong = compaan(tmp_path, "serve", COMPAAN_OIDC_ISSUER="login.example.org")

    assert (refused.returncode, wrong.returncode) == (2, 2)
    assert "needs COMPAAN_OIDC_CLIENT_ID and COMPAAN_OIDC_CLIENT_SECRET" in (
        refused.stderr
    )
    assert "must be like https://login.example.org" in wrong.stderr


def test_a_provider_needs_the_extra(tmp_path):
    refused = run(tmp_path, sys.executable, "-c", WITHOUT_THE_EXTRA, **PROVIDER)

    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr == (
        "COMPAAN_OIDC_ISSUER is set, but what it needs is not installed: "
        "`.venv/bin/pip install -e '.[oidc]'`.\n"
    )


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        *(("", ""), ("0", ""), ("False", ""), ("no", "")),
        *(("1", "1"), ("true", "1"), (" Yes ", "1"), ("xms_edov", "xms_edov")),
        ("https://claims.example/verified", "https://claims.example/verified"),
        *(("email verified", None), ("2", None), ("é", None), ("a" * 201, None)),
    ],
)
def test_what_confirms_an_address_is_yes_no_or_a_claim(monkeypatch, given, kept):
    monkeypatch.setenv("COMPAAN_OIDC_TRUST_EMAIL", given)

    if kept is None:
        with pytest.raises(ValidationError, match="1, 0 or the name of a claim"):
            Settings()
    else:
        assert Settings().oidc_trust_email == kept
