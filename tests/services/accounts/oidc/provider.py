"""A provider of identities in a thread, which can be made to lie."""

import json
from base64 import urlsafe_b64decode
from collections.abc import Callable
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any
from urllib.parse import parse_qs

from joserfc import jwt
from joserfc.jwk import RSAKey

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
