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
    """A provider of identities whose answers a test can falsify.

    Attributes:
        url: Where it is.
        key: The key that it signs with.
        claims: Claims of the ID token to replace; None leaves one out.
        signed: Makes an ID token of claims, instead of signing it properly.
        said: Fields of its configuration to replace.
        left_out: Fields of its configuration to leave out.
        instead: Answers by path, which replace the real ones.
        sent: Forms that were posted to its end point for tokens.

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
        payload = {**claims, **self.claims}
        payload = {name: value for name, value in payload.items() if value is not None}
        if self.signed is not None:
            return self.signed(payload)
        return jwt.encode({"alg": "RS256", "kid": KID}, payload, self.key)

    def between(self, real):
        """Wrap the real provider, with our key and our changes."""

        def serve(environ, start):
            path = environ["PATH_INFO"]
            if path == "/oauth2/token":
                body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
                environ["wsgi.input"] = BytesIO(body)
                self.sent.append(parse_qs(body.decode()))
            started = []
            document = json.loads(b"".join(real(environ, lambda *a: started.append(a))))
            if "id_token" in document:
                payload = document["id_token"].split(".")[1]
                claims = json.loads(decoded(payload))
                document["id_token"] = self.id_token(claims)
            if path == "/jwks":
                document = {"keys": [{**self.key.as_dict(private=False), "kid": KID}]}
            if path == "/.well-known/openid-configuration":
                document |= self.said
                document = {
                    key: one
                    for key, one in document.items()
                    if key not in self.left_out
                }
            document = self.instead.get(path, document)
            content = (
                document
                if isinstance(document, bytes)
                else json.dumps(document).encode()
            )
            status, headers = started[0][:2]
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
