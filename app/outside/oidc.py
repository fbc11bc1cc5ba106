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
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

import structlog

from app.errors import Busy, Refusal, Unauthenticated
from app.settings import Settings
from app.storable import is_storable

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
_CODES = frozenset(
    {"access_denied", "consent_required", "interaction_required", "invalid_client"}
    | {"invalid_grant", "invalid_request", "invalid_scope", "login_required"}
    | {"server_error", "temporarily_unavailable", "unauthorized_client"}
    | {"unsupported_grant_type", "unsupported_response_type"}
)
"""Codes of providers that are logged as they come (RFC 6749, Core 1.0)."""
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
    """A person for whom the provider vouches.

    Attributes:
        email: The address, if it is certain that it is this person's.
        to: The page that was asked for.

    """

    email: str | None
    to: str


def is_installed() -> bool:
    """Tell whether the libraries of the extra are installed."""
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

    random_values = {
        name: secrets.token_urlsafe(32) for name in ("state", "nonce", "verifier")
    }
    with _connection(settings) as (client, metadata):
        page = metadata["authorization_endpoint"]
        if urlsplit(page.encode()).scheme not in {b"http", b"https"}:
            raise ValueError(page)
        url, _ = client.create_authorization_url(
            page,
            state=random_values["state"],
            nonce=random_values["nonce"],
            code_verifier=random_values["verifier"],
        )
    claims = {**random_values, "to": to, "exp": int(time.time()) + KEPT_SECONDS}
    return Begun(url, jwt.encode({"alg": "HS256"}, claims, _key(settings)))


def refused(reason: str) -> None:
    """Log the code why a sign-in failed; nothing about the person."""
    _log.warning("oidc-refused", reason=reason)


def _refusal(reason: str) -> Unauthenticated:
    refused(reason)
    return Unauthenticated(NOT_NOW)


def finish(
    settings: Settings, kept: str, state: str, code: str, error: str = ""
) -> Vouched:
    """Return for whom the provider vouches; no address if it has confirmed none.

    Args:
        settings: As they were when it began.
        kept: What the browser has kept.
        state: What the provider was given to send back.
        code: What the provider gives for us.
        error: What it gives instead, if it signs nobody in.

    Raises:
        Unauthenticated: If anything is not as it must be.
        Busy: If the provider cannot be reached.

    """
    begun = _read_kept(settings, kept)
    if error or not code:
        raise _refusal(_code(error))
    if not secrets.compare_digest(begun["state"].encode(), state.encode()):
        raise _refusal("other_state")
    with _connection(settings) as (client, metadata):
        token = client.fetch_token(
            metadata["token_endpoint"],
            code=code,
            grant_type="authorization_code",
            code_verifier=begun["verifier"],
        )
        keys = cast("KeySetSerialization", _get_json(client, metadata["jwks_uri"]))
        claims = _verified(settings, str(token["id_token"]), keys, begun["nonce"])
        claim_sets = [claims]
        if claims.get("email") is None:  # it may be told there only (Core 1.0, 5.4)
            claim_sets.append(_userinfo(client, metadata, claims["sub"]))
    return Vouched(_confirmed_email(settings, claim_sets), begun["to"])


def _code(error: object) -> str:
    """Return the code of a provider's error, if it is one that the standards name."""
    return error if isinstance(error, str) and error in _CODES else "other_error"


def _confirmed_email(
    settings: Settings, claim_sets: Sequence[Mapping[str, Any]]
) -> str | None:
    """Return the e-mail address, if it is certain that it is this person's.

    Never `preferred_username`: it looks like an address, and its owner may change it.
    """
    email = next(iter(_values(claim_sets, "email")), None)
    if not isinstance(email, str) or not email:
        refused("no_email")
    elif not (email.isascii() and email.isprintable() and is_storable(email)):
        refused("email_unreadable")  # else letters that look alike may become the same
    elif (doubt := _doubt(settings, claim_sets)) is not None:
        refused(doubt)
    else:
        return email
    return None


def _doubt(settings: Settings, claim_sets: Sequence[Mapping[str, Any]]) -> str | None:
    """Return why the address is not certain; a "no" of the provider always counts."""
    trust = settings.oidc_trust_email
    verified = _values(claim_sets, "email_verified")
    trusted = _values(claim_sets, trust) if trust not in {"", "1"} else []
    if not all(map(_is_true, [*verified, *trusted])):
        return "email_not_verified"
    is_certain = any(one is True for one in verified) or trust == "1" or bool(trusted)
    return None if is_certain else "email_not_confirmed"


def _values(claim_sets: Sequence[Mapping[str, Any]], name: str) -> list[Any]:
    return [claims[name] for claims in claim_sets if claims.get(name) is not None]


def _is_true(value: object) -> bool:
    """Tell whether a claim is true, also where a provider writes it as text or 1."""
    return isinstance(value, str | int) and str(value).lower() in {"true", "1"}


def _key(settings: Settings) -> "OctKey":
    """Return the key that signs what a browser keeps; the provider has another one."""
    from joserfc.jwk import OctKey  # noqa: PLC0415 -- an extra

    secret = settings.oidc_client_secret.get_secret_value()
    return OctKey.import_key(hashlib.sha256(f"compaan:kept:{secret}".encode()).digest())


def _read_kept(settings: Settings, kept: str) -> dict[str, Any]:
    """Return what the browser has kept, or raise `Unauthenticated`."""
    from joserfc import jwt  # noqa: PLC0415 -- an extra
    from joserfc.errors import JoseError  # noqa: PLC0415

    try:
        begun = jwt.decode(kept, _key(settings), algorithms=["HS256"]).claims
        jwt.JWTClaimsRegistry(exp={"essential": True}).validate(begun)
    except (JoseError, ValueError):
        raise _refusal("not_begun") from None
    return begun


@contextmanager
def _connection(settings: Settings) -> Iterator[tuple["OAuth2Client", dict[str, Any]]]:
    """Open a connection to the provider, and read what it says of itself.

    Raises:
        Unauthenticated: If it refuses what it is asked, or answers what does not hold.
        Busy: If it cannot be reached, or is not as the standard asks.

    """
    from authlib.common.errors import (  # type: ignore[import-untyped] # noqa: PLC0415
        AuthlibBaseError,
    )
    from authlib.integrations.httpx_client import OAuth2Client  # noqa: PLC0415
    from joserfc.errors import JoseError  # noqa: PLC0415

    def kind(error: JoseError | AuthlibBaseError) -> str:
        """Return the library's code, with the claim that it is about."""
        if isinstance(error, AuthlibBaseError):
            return _code(error.error)
        return " ".join(filter(None, (error.error, getattr(error, "claim", ""))))

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
            metadata = _get_json(client, f"{issuer}/.well-known/openid-configuration")
            _check_issuer(issuer, metadata["issuer"])
            yield client, metadata
    except (JoseError, AuthlibBaseError) as error:
        raise _refusal(kind(error)) from error
    except Refusal:
        raise
    except Exception as error:  # whatever a provider says, it is no mistake of ours
        _log.warning("oidc-away", reason=type(error).__name__)
        raise Busy(
            "The provider of identities does not answer as it should.", retry_after=30
        ) from error


def _check_issuer(wanted: str, named: object) -> None:
    if str(named).rstrip("/") != wanted:
        _log.error("oidc-issuer", wanted=wanted, said=named)
        raise Busy("The provider of identities has another name than is set.")


def _get_json(client: "OAuth2Client", url: str) -> dict[str, Any]:
    """Return the JSON object at a public URL of the provider."""
    answer = client.request("GET", url, withhold_token=True)
    answer.raise_for_status()
    found = answer.json()
    if not isinstance(found, dict):
        raise ValueError(url)  # noqa: TRY004 -- of what the provider says
    return found


def _verified(
    settings: Settings,
    id_token: str,
    keys: "KeySetSerialization",
    nonce: str,
) -> dict[str, Any]:
    """Return the claims of an ID token, its signature and claims verified.

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
        iss={"essential": True, "values": _issuer_names(settings)},
        sub={"essential": True},
        aud={"essential": True, "value": client_id},
        exp={"essential": True},
        iat={"essential": True},
        nonce={"essential": True, "value": nonce},
    ).validate(claims)
    if claims.get("azp", client_id) != client_id:
        raise InvalidClaimError("azp")
    return claims


def _issuer_names(settings: Settings) -> list[str]:
    """Return the spellings of the issuer: some end in a slash."""
    return [str(settings.oidc_issuer), f"{settings.oidc_issuer}/"]


def _userinfo(
    client: "OAuth2Client", metadata: dict[str, Any], sub: str
) -> dict[str, Any]:
    """Return the claims of the userinfo endpoint (Core 1.0, section 5.3)."""
    if "userinfo_endpoint" not in metadata:
        return {}
    answer = client.get(metadata["userinfo_endpoint"])
    answer.raise_for_status()
    claims = answer.json()
    return claims if isinstance(claims, dict) and claims.get("sub") == sub else {}
