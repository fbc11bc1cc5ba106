"""In which language pages are read."""

from urllib.parse import parse_qs

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.texts.catalogue import LANGUAGES, Language, read_in

_COOKIE = "compaan-lang"
_YEAR = 365 * 24 * 60 * 60
_LANGUAGES: dict[str, Language] = {**{one: one for one in LANGUAGES}, "xa": "xa"}


class PageLanguage:
    """Has every page speak the language of its reader.

    The first of these tells it: `?lang=` of the address, which is kept for later; the
    cookie with what was kept; the languages of the browser. The API speaks English, but
    where it is asked for another language.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer in this language."""
        if scope["type"] != "http" or scope["path"].startswith("/api/v1/"):
            await self.app(scope, receive, send)
            return
        query = parse_qs(scope["query_string"].decode("latin-1"))
        asked = _LANGUAGES.get(query.get("lang", [""])[-1])

        async def kept(message: Message) -> None:
            if asked is not None and message["type"] == "http.response.start":
                note = Response()
                keep(note, asked)
                headers = MutableHeaders(scope=message)
                headers.append("Set-Cookie", note.headers["Set-Cookie"])
            await send(message)

        with read_in(asked or _preferred(Headers(scope=scope))):
            await self.app(scope, receive, kept)


def keep(response: Response, language: str) -> None:
    """Have the browser keep the language."""
    response.set_cookie(
        _COOKIE, language, max_age=_YEAR, httponly=True, samesite="lax", path="/"
    )


def is_kept(headers: Headers) -> bool:
    """Tell whether the reader has chosen a language before."""
    return _COOKIE in cookie_parser(headers.get("cookie", ""))


def _preferred(headers: Headers) -> Language:
    cookie = cookie_parser(headers.get("cookie", "")).get(_COOKIE, "")
    if cookie in _LANGUAGES:
        return _LANGUAGES[cookie]
    wanted = []
    for part in headers.get("accept-language", "").lower().split(","):
        code, _, weight = part.strip().partition(";q=")
        try:
            wanted.append((-float(weight or 1), code.partition("-")[0]))
        except ValueError:
            continue
    spoken = (one for weight, one in sorted(wanted, key=lambda at: at[0]) if weight)
    return next((_LANGUAGES[one] for one in spoken if one in LANGUAGES), "en")
