"""What can be set from outside: environment variables that begin with COMPAAN_."""

import re
from collections.abc import Iterator
from email.utils import parseaddr
from typing import Annotated, Literal, Self
from urllib.parse import unquote, urlsplit

from pydantic import AnyHttpUrl, Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from schemas.account import ADDRESS

LOOPBACK = ("127.0.0.1", "::1", "localhost")
_MAIL_SERVER = re.compile(
    r"smtps?://([^\s/?#:@]+:[^\s/?#@]*@)?(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]+)(:\d{1,5})?"
)


class Settings(BaseSettings):
    """All settings, read once; every field may be left out."""

    model_config = SettingsConfigDict(
        env_prefix="COMPAAN_",
        frozen=True,
        use_attribute_docstrings=True,
        hide_input_in_errors=True,  # there are passwords among it
    )

    host: str = "127.0.0.1"
    """The address to listen on; only this machine's own unless `allow_open` is set."""
    port: Annotated[int, Field(ge=0, le=65535)] = 8000
    allow_open: bool = False
    """Listen on other addresses too, where everybody may use the service."""
    database_url: str = "sqlite:///.data/compaan.db"
    """Where everything is stored: `sqlite:///…` or `postgresql://user@host/name`."""
    places_dir: str = ".data"
    """The folder of the file by which cities are found by name; it is made anew if it
    is not there."""
    body_bytes: Annotated[int, Field(ge=1)] = 2**20
    """Most bytes in a body, other than an import."""
    import_bytes: Annotated[int, Field(ge=1)] = 10 * 2**20
    """Most bytes in an imported file."""
    run_seconds: Annotated[float, Field(gt=0)] = 900
    """Most time that the computation of a run may take."""
    wait_seconds: Annotated[float, Field(ge=0)] = 60
    """Longest that `?wait=` holds a call."""
    runs_at_once: Annotated[int, Field(ge=0)] = 1
    """Most runs that this process computes at the same time; 0: others do that, and
    all else that is done in the background."""
    lease_seconds: Annotated[float, Field(ge=1)] = 15
    """How long a worker is believed alive that gives no sign of life, as it does every
    second; then its run goes to another. A third of it lies between two such looks."""
    stream_seconds: Annotated[float, Field(gt=0)] = 600
    """Longest that a stream of events is held; browsers then ask for another."""
    answer_seconds: Annotated[float, Field(gt=0)] = 30
    """Most time for an answer about a run or a round that somebody waits for."""
    answers_at_once: Annotated[int, Field(ge=1)] = 2
    """Most of these answers that are computed at the same time."""
    mail: SecretStr = SecretStr("file:.data/mail")
    """Where mail goes: `console`, `file:FOLDER`, or to a mail server,
    `smtp://[user:password@]host[:port]` or `smtps://…`."""
    mail_from: str = "Compaan <compaan@localhost>"
    """Who it comes from."""
    controller: str | None = None
    """Who is responsible for the personal data (Article 4(7) GDPR): a name, and where
    it is; several with commas between."""
    controller_mail: str | None = None
    """Where persons write to about their data."""
    public_url: str = "http://127.0.0.1:8000"
    """Where browsers find the service; the links in mail begin with it."""
    requests_per_minute: Annotated[int, Field(ge=1)] = 12_000
    """Most requests a minute from one token, browser or, without either, address."""
    production: bool = False
    """Refuse to start with settings that are for trying out; cookies are secure."""
    oidc_issuer: str | None = None
    """Sign in at this provider of OpenID Connect too, `https://login.example.org`;
    it needs `compaan[oidc]`. The address to come back to, to be told the provider, is
    the public one with `/sign-in/oidc/back`."""
    oidc_client_id: str = ""
    """Our name there."""
    oidc_client_secret: SecretStr = SecretStr("")
    """Our password there."""
    oidc_name: str = "your organisation"
    """What people call it: `Sign in with …`."""
    allow_private_webhooks: bool = False
    """Let webhooks lead to internal networks and to this machine, also without TLS."""
    log_format: Literal["console", "json"] = "console"
    match_cities: Annotated[int, Field(ge=1)] = 300
    """Most cities in one anonymous `POST /match`."""
    match_bytes: Annotated[int, Field(ge=1)] = 2**20
    """Most bytes in its body."""
    match_seconds: Annotated[float, Field(gt=0)] = 10
    """Most time that its computation may take, and that it may wait for its turn."""
    match_at_once: Annotated[int, Field(ge=1)] = 2
    """Most of these computations at the same time."""
    match_per_minute: Annotated[int, Field(ge=1)] = 20
    """Most of these requests a minute from one address."""

    @model_validator(mode="after")
    def _is_closed_unless_told(self) -> Self:
        if self.host not in LOOPBACK and not self.allow_open:
            message = (
                f"{self.host} can be reached from other machines: "
                "set COMPAAN_ALLOW_OPEN=1 if that is what you want"
            )
            raise ValueError(message)
        return self

    @field_validator("mail")
    @classmethod
    def _is_a_way(cls, mail: SecretStr) -> SecretStr:
        way = mail.get_secret_value()
        if way == "console" or re.fullmatch("file:.+", way) or _is_mail_server(way):
            return mail
        # The message must not show the password.
        raise ValueError(
            "COMPAAN_MAIL must be console, file:FOLDER, or like smtp://mail.example.org"
            " or smtps://user:password@mail.example.org:465, in ASCII; in user and "
            "password write %40 for @, %2F for /, %3F for ?, %23 for #"
        )

    @field_validator("mail_from")
    @classmethod
    def _is_a_sender(cls, sender: str) -> str:
        address = parseaddr(sender)[1]
        fits = re.fullmatch(ADDRESS, address) and address.isascii()
        if not fits or not sender.isprintable():
            raise ValueError(
                "COMPAAN_MAIL_FROM must be like `Compaan <compaan@example.org>`, "
                "in ASCII between the < and the >"
            )
        return sender

    @field_validator("controller_mail")
    @classmethod
    def _is_an_address(cls, given: str | None) -> str | None:
        if given is not None and not re.fullmatch(ADDRESS, given):
            raise ValueError("COMPAAN_CONTROLLER_MAIL must be like privacy@example.org")
        return given

    @field_validator("public_url")
    @classmethod
    def _is_a_beginning(cls, given: str) -> str:
        wanted = "COMPAAN_PUBLIC_URL must be like https://compaan.example.org"
        try:
            url = AnyHttpUrl(given)
        except ValueError:
            raise ValueError(wanted) from None
        if url.query or url.fragment or url.username or url.password:
            raise ValueError(f"{wanted}, without ?, # and @")
        return str(url).rstrip("/")

    @field_validator("oidc_issuer")
    @classmethod
    def _is_an_issuer(cls, given: str | None) -> str | None:
        wanted = "COMPAAN_OIDC_ISSUER must be like https://login.example.org"
        try:
            return given and str(AnyHttpUrl(given)).rstrip("/")
        except ValueError:
            raise ValueError(wanted) from None

    @model_validator(mode="after")
    def _knows_itself_there(self) -> Self:
        secret = self.oidc_client_secret.get_secret_value()
        if self.oidc_issuer and not (self.oidc_client_id and secret):
            raise ValueError(
                "COMPAAN_OIDC_ISSUER needs COMPAAN_OIDC_CLIENT_ID and "
                "COMPAAN_OIDC_CLIENT_SECRET too"
            )
        return self

    @model_validator(mode="after")
    def _is_safe_in_production(self) -> Self:
        faults = list(self._faults()) if self.production else []
        if faults:
            raise ValueError("\n".join(faults))
        return self

    def _faults(self) -> Iterator[str]:
        """Yield what must be set otherwise where people rely on it."""
        why = "because COMPAAN_PRODUCTION is set"
        if not self.public_url.startswith("https://"):
            yield f"COMPAAN_PUBLIC_URL must begin with https://, {why}"
        if not _is_mail_server(self.mail.get_secret_value()):
            yield f"COMPAAN_MAIL must be a mail server, like smtp://…, {why}"
        if parseaddr(self.mail_from)[1].endswith("@localhost"):
            yield f"COMPAAN_MAIL_FROM must be an address that gets answers, {why}"
        if not (self.controller and self.controller_mail):
            yield (
                "COMPAAN_CONTROLLER and COMPAAN_CONTROLLER_MAIL must say who is "
                f"responsible for personal data, {why}"
            )
        if self.oidc_issuer and not self.oidc_issuer.startswith("https://"):
            yield f"COMPAAN_OIDC_ISSUER must begin with https://, {why}"


def _is_mail_server(url: str) -> bool:
    if not _MAIL_SERVER.fullmatch(url):
        return False
    try:
        parts = urlsplit(url)
        return parts.port != 0 and unquote(parts.netloc).isascii()
    except ValueError:  # of the port or the number
        return False
