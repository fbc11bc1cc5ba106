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
    """The address to listen on; other than this machine's own only with
    `COMPAAN_ALLOW_OPEN`."""
    port: Annotated[int, Field(ge=0, le=65535)] = 8000
    """The port to listen on; 0: any that is free."""
    allow_open: bool = False
    """Listen on other addresses too, where everybody may use the service."""
    database_url: str = "sqlite:///.data/compaan.db"
    """Where everything is stored: `sqlite:///FILE` or `postgresql://USER@HOST/NAME`."""
    places_dir: str = ".data"
    """The folder of the file of place names, by which cities are found; it is made if
    it is not there."""
    body_bytes: Annotated[int, Field(ge=1)] = 2**20
    """Most bytes in the body of a request, other than an imported file."""
    import_bytes: Annotated[int, Field(ge=1)] = 10 * 2**20
    """Most bytes in an imported file."""
    run_seconds: Annotated[float, Field(gt=0)] = 900
    """Most seconds that the computation of a run may take."""
    wait_seconds: Annotated[float, Field(ge=0)] = 60
    """Most seconds that `?wait=` holds a call."""
    runs_at_once: Annotated[int, Field(ge=0)] = 1
    """Most runs that this server computes at the same time; 0: it computes none and
    sends nothing, because workers do that."""
    lease_seconds: Annotated[float, Field(ge=1)] = 15
    """Seconds without a sign of life after which a worker loses its run to another one;
    workers give a sign every second."""
    stream_seconds: Annotated[float, Field(gt=0)] = 600
    """Most seconds that a stream of events stays open; browsers then open another."""
    answer_seconds: Annotated[float, Field(gt=0)] = 30
    """Most seconds for an answer about a run or a round that somebody waits for: what
    if, why not, drill, repairs."""
    answers_at_once: Annotated[int, Field(ge=1)] = 2
    """Most of these answers that are computed at the same time."""
    mail: SecretStr = SecretStr("file:.data/mail")
    """Where mail goes: `console`, `file:FOLDER`, or to a mail server,
    `smtp://[user:password@]host[:port]` or `smtps://…`."""
    mail_from: str = "Compaan <compaan@localhost>"
    """Who mail comes from: a name and an address."""
    controller: str | None = None
    """Who is responsible for the personal data (Article 4(7) GDPR): a name, and where
    it is; several with commas between."""
    controller_mail: str | None = None
    """Where persons write to about their data."""
    public_url: str = "http://127.0.0.1:8000"
    """Where browsers find the service; the links in mail begin with it. If it is not
    set, `compaan serve` uses its own address."""
    requests_per_minute: Annotated[int, Field(ge=1)] = 12_000
    """Most requests a minute from one token or browser that is known, else from one
    network: an IPv4 address, or a /64 of IPv6."""
    production: bool = False
    """Set it where others use the service: it then refuses to start with settings that
    are for trying out, and cookies go over HTTPS alone."""
    oidc_issuer: str | None = None
    """Let people sign in at this provider of OpenID Connect too, for example
    `https://login.example.org`; it needs `compaan[oidc]`. The provider must be told the
    address to come back to: the public address with `/sign-in/oidc/back`."""
    oidc_client_id: str = ""
    """The name of Compaan at the provider of OpenID Connect."""
    oidc_client_secret: SecretStr = SecretStr("")
    """The password of Compaan at the provider of OpenID Connect."""
    oidc_name: str = "your organisation"
    """What people call the provider of OpenID Connect: `Sign in with …`."""
    oidc_trust_email: str = ""
    """What confirms an e-mail address where the provider does not send
    `email_verified: true`. `1`: that it comes from this provider, because nobody there
    chooses an address freely; or the name of a claim that must be true, `xms_edov`.
    Blank: nothing does. `email_verified: false` is never trusted.

    Microsoft Entra ID sends no `email_verified`. There, set the issuer of your own
    tenant, `https://login.microsoftonline.com/TENANT/v2.0`, never `common`; under
    *Token configuration* add the optional claims `email` and `xms_edov` to the ID
    token; and set this to `xms_edov`. `1` will do where your administrators alone
    write addresses, also those of guests. `preferred_username` is never taken."""
    allow_private_webhooks: bool = False
    """Let webhooks lead to internal networks and to this machine, also without TLS."""
    log_format: Literal["console", "json"] = "console"
    """How the log is written to standard error: for people, or as one JSON object a
    line."""
    match_cities: Annotated[int, Field(ge=1)] = 300
    """Most cities in one anonymous `POST /match`."""
    match_bytes: Annotated[int, Field(ge=1)] = 2**20
    """Most bytes in the body of an anonymous `POST /match`."""
    match_seconds: Annotated[float, Field(gt=0)] = 10
    """Most seconds that an anonymous `POST /match` may compute, and may wait for its
    turn."""
    match_at_once: Annotated[int, Field(ge=1)] = 2
    """Most anonymous `POST /match` that are computed at the same time."""
    match_per_minute: Annotated[int, Field(ge=1)] = 20
    """Most anonymous `POST /match` a minute from one network."""

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

    @field_validator("oidc_trust_email")
    @classmethod
    def _is_yes_no_or_a_claim(cls, given: str) -> str:
        word = given.strip()
        if word.lower() in {"", "0", "false", "no", "off"}:
            return ""
        if word.lower() in {"1", "true", "yes", "on"}:
            return "1"
        if not re.fullmatch(r"[A-Za-z][!-~]{0,199}", word):
            raise ValueError(
                "COMPAAN_OIDC_TRUST_EMAIL must be 1, 0 or the name of a claim"
            )
        return word

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
