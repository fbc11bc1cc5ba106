"""Signing in at a provider of identities: OpenID Connect, the authorization code flow.

With PKCE, state and nonce (OpenID Connect Core 1.0, section 3.1; RFC 7636; RFC 9700).
What must be known when the browser comes back travels with it, signed and for ten
minutes. Keys and addresses of the provider are asked for each time: people sign in
seldom, and nothing is out of date.

It needs `compaan[oidc]`, and is imported without it.
"""

import hashlib
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

import structlog

from app.errors import Busy, Refusal, Unknown
from app.settings import Settings

if TYPE_CHECKING:
    from authlib.integrations.httpx_client import (  # type: ignore[import-untyped]
        OAuth2Client,
    )
    from joserfc.jwk import KeySetSerialization, OctKey

BACK = "/sign-in/oidc/back"
"""Where the provider sends the browser back to."""
KEPT_SECONDS = 600
"""How long somebody may take at the provider."""
NOT_NOW = "Signing in there did not work. Try again, or ask for a link by e-mail."
_SECONDS = 10.0
"""Most time for one answer of the provider."""
_LEEWAY = 60
"""Seconds by which the provider's clock may differ from ours."""
_ALGORITHMS = [
    f"{family}{bits}" for family in ("RS", "PS", "ES") for bits in (256, 384, 512)
]
"""Those that a provider alone can sign with; never a shared secret, never none."""
_log = structlog.get_logger("compaan")


@dataclass(frozen=True)
class Begun:
    """A browser that is sent to the provider.

    Attributes:
        url: Where it goes.
        kept: What it keeps until it comes back.

    """

    url: str
    kept: str


@dataclass(frozen=True)
class Vouched:
    """Somebody for whom the provider vouches.

    Attributes:
        email: The address, which the provider has verified.
        to: The page that was asked for.

    """

    email: str | None
    to: str


def is_installed() -> bool:
    """Tell whether what is needed is there."""
    return all(find_spec(name) for name in ("authlib", "httpx2", "joserfc"))


def begin(settings: Settings, to: str) -> Begun:
    """Return how a browser is sent to the provider.

    Args:
        settings: Which provider, and who we are there.
        to: The page that was asked for.

    Raises:
        Busy: If the provider cannot be reached.

    """
    from joserfc import jwt  # noqa: PLC0415 -- an extra

    made = {name: secrets.token_urlsafe(32) for name in ("state", "nonce", "verifier")}
    with _asking(settings) as (client, metadata):
        page = metadata["authorization_endpoint"]
        if urlsplit(page.encode()).scheme not in {b"http", b"https"}:
            raise ValueError(page)
        url, _ = client.create_authorization_url(
            page,
            state=made["state"],
            nonce=made["nonce"],
            code_verifier=made["verifier"],
        )
    claims = {**made, "to": to, "exp": int(time.time()) + KEPT_SECONDS}
    return Begun(url, jwt.encode({"alg": "HS256"}, claims, _key(settings)))


def finish(settings: Settings, kept: str, state: str, code: str) -> Vouched:
    """Return for whom the provider vouches; no address if it has verified none.

    Args:
        settings: As they were when it began.
        kept: What the browser has kept.
        state: What the provider was given to send back.
        code: What the provider gives for us.

    Raises:
        Unknown: If anything is not as it must be.
        Busy: If the provider cannot be reached.

    """
    begun = _read(settings, kept)
    if not secrets.compare_digest(begun["state"].encode(), state.encode()):
        raise Unknown(NOT_NOW)
    with _asking(settings) as (client, metadata):
        token = client.fetch_token(
            metadata["token_endpoint"],
            code=code,
            grant_type="authorization_code",
            code_verifier=begun["verifier"],
        )
        keys = cast("KeySetSerialization", _got(client, metadata["jwks_uri"]))
        claims = _checked(settings, token["id_token"], keys, begun["nonce"])
        if "email" not in claims:  # it may be told there only (Core 1.0, section 5.4)
            claims = _asked(client, metadata, claims["sub"])
    return Vouched(_verified(claims), begun["to"])


def _verified(claims: dict[str, Any]) -> str | None:
    """Return the address, if the provider says that it is this person's.

    In ASCII: no two letters that look alike become one when they are compared.
    """
    email = claims.get("email")
    is_certain = claims.get("email_verified") is True
    return email if is_certain and isinstance(email, str) and email.isascii() else None


def _key(settings: Settings) -> "OctKey":
    """Return the key that signs what a browser keeps; the provider has another one."""
    from joserfc.jwk import OctKey  # noqa: PLC0415 -- an extra

    secret = settings.oidc_client_secret.get_secret_value()
    return OctKey.import_key(hashlib.sha256(f"compaan:kept:{secret}".encode()).digest())


def _read(settings: Settings, kept: str) -> dict[str, Any]:
    """Return what the browser has kept, or raise `Unknown`."""
    from joserfc import jwt  # noqa: PLC0415 -- an extra
    from joserfc.errors import JoseError  # noqa: PLC0415

    try:
        begun = jwt.decode(kept, _key(settings), algorithms=["HS256"]).claims
        jwt.JWTClaimsRegistry(exp={"essential": True}).validate(begun)
    except (JoseError, ValueError):
        raise Unknown(NOT_NOW) from None
    return begun


@contextmanager
def _asking(settings: Settings) -> Iterator[tuple["OAuth2Client", dict[str, Any]]]:
    """Open a connection to the provider, and read what it says of itself.

    Raises:
        Unknown: If it refuses what it is asked, or answers what does not hold.
        Busy: If it cannot be reached, or is not as the standard asks.

    """
    from authlib.common.errors import (  # type: ignore[import-untyped] # noqa: PLC0415
        AuthlibBaseError,
    )
    from authlib.integrations.httpx_client import OAuth2Client  # noqa: PLC0415
    from joserfc.errors import JoseError  # noqa: PLC0415

    issuer = str(settings.oidc_issuer)
    try:
        with OAuth2Client(
            settings.oidc_client_id,
            settings.oidc_client_secret.get_secret_value(),
            scope="openid email",
            redirect_uri=f"{settings.public_url}{BACK}",
            code_challenge_method="S256",
            timeout=_SECONDS,
        ) as client:
            metadata = _got(client, f"{issuer}/.well-known/openid-configuration")
            _must_be_called(issuer, metadata["issuer"])
            yield client, metadata
    except (JoseError, AuthlibBaseError) as error:
        _log.warning("oidc-refused", reason=type(error).__name__)
        raise Unknown(NOT_NOW) from error
    except Refusal:
        raise
    except Exception as error:  # whatever a provider says, it is no mistake of ours
        _log.warning("oidc-away", reason=type(error).__name__)
        raise Busy(
            "The provider of identities does not answer as it should.", retry_after=30
        ) from error


def _must_be_called(wanted: str, said: object) -> None:
    if str(said).rstrip("/") != wanted:
        _log.error("oidc-issuer", wanted=wanted, said=said)
        raise Busy("The provider of identities has another name than is set.")


def _got(client: "OAuth2Client", url: str) -> dict[str, Any]:
    """Return what stands there for everybody."""
    answer = client.request("GET", url, withhold_token=True)
    answer.raise_for_status()
    found = answer.json()
    if not isinstance(found, dict):
        raise ValueError(url)  # noqa: TRY004 -- of what the provider says
    return found


def _checked(
    settings: Settings,
    id_token: str,
    keys: "KeySetSerialization",
    nonce: str,
) -> dict[str, Any]:
    """Return what an ID token says, its signature and claims checked.

    As OpenID Connect Core 1.0, section 3.1.3.7, asks.
    """
    from joserfc import jwt  # noqa: PLC0415 -- an extra
    from joserfc.errors import InvalidClaimError  # noqa: PLC0415
    from joserfc.jwk import KeySet  # noqa: PLC0415

    client_id = settings.oidc_client_id
    claims = jwt.decode(
        id_token, KeySet.import_key_set(keys), algorithms=_ALGORITHMS
    ).claims
    jwt.JWTClaimsRegistry(
        leeway=_LEEWAY,
        iss={"essential": True, "values": _names(settings)},
        sub={"essential": True},
        aud={"essential": True, "value": client_id},
        exp={"essential": True},
        iat={"essential": True},
        nonce={"essential": True, "value": nonce},
    ).validate(claims)
    if claims.get("azp", client_id) != client_id:
        raise InvalidClaimError("azp")
    return claims


def _names(settings: Settings) -> list[str]:
    """Return how the issuer may write itself: some end in a slash."""
    return [str(settings.oidc_issuer), f"{settings.oidc_issuer}/"]


def _asked(
    client: "OAuth2Client", metadata: dict[str, Any], sub: str
) -> dict[str, Any]:
    """Return what the provider tells of the person (Core 1.0, section 5.3)."""
    answer = client.get(metadata["userinfo_endpoint"])
    answer.raise_for_status()
    told: dict[str, Any] = answer.json()
    return told if told.get("sub") == sub else {}
