"""The front, and the ways to come in."""

from collections.abc import Callable

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from app.errors import Busy, NotFound, Refusal, TooMany, Unauthenticated
from app.http.deps import CallerAddress, SettingsDep, ThrottleDep
from app.outside import oidc
from app.services.accounts import sign_in
from app.services.pairings import attention
from app.services.runs.example import example
from app.settings import Settings
from app.texts.catalogue import supported_language
from app.web import language
from app.web.forms import field_text, redirect
from app.web.front.demo import picture
from app.web.layout import show
from app.web.session import (
    Form,
    OptionalPageSession,
    delete_cookie,
    is_production,
    mark_as_shown,
    may_be_cross_site,
    read_cookie,
    secret,
    set_cookie,
    sign_browser_in,
    visit_of,
)

router = APIRouter(include_in_schema=False)
_OIDC = "compaan-oidc"
_WELCOME = "/account?done=welcome"
_HERE = (Unauthenticated, TooMany, Busy)
"""Refusals that are told where people come in."""


@router.get("/")
def front(guest: OptionalPageSession) -> HTMLResponse:
    """Show the three doors, and the example; to members, what waits for them."""
    with guest.read() as (session, actor):
        city = actor.city if actor is not None else None
        found = example()
        return show(
            "front/front.html",
            actor,
            "",
            offers=attention.open_offers(session, city) if city else [],
            picture=picture(found),
            is_as_made=found.is_as_made,
        )


def _here(to: str) -> str:
    """Return the page to go on to, if it is one of ours."""
    is_ours = to.startswith("/") and not to.startswith(("//", "/\\"))
    return to if is_ours and to.isprintable() else "/"


def _door(  # noqa: PLR0913 -- what the page shows
    request: Request,
    *,
    to: str = "/",
    email: str = "",
    by_token: bool = False,
    sent: bool = False,
    once_more: bool = False,
    refused: Refusal | None = None,
) -> HTMLResponse:
    """Show the ways to come in, and what was refused."""
    settings: Settings = request.app.state.settings
    page = show(
        "front/sign_in.html",
        None,
        "",
        refused.status if refused else 200,
        to=_here(to),
        email=email,
        by_token=by_token or not is_production(request),
        sent=sent,
        once_more=once_more,
        refused=refused,
        provider=settings.oidc_name if settings.oidc_issuer else None,
    )
    if refused is not None and "Retry-After" in refused.headers:
        page.headers["Retry-After"] = refused.headers["Retry-After"]
    return page


def _let_in(
    request: Request,
    work: Callable[[], sign_in.Entry],
    to: str,
    again: Callable[[Refusal], HTMLResponse],
) -> Response:
    """Sign the browser in and lead it on; who is new is led to the own account."""
    try:
        entry = work()
    except _HERE as error:
        return again(error)
    answer = redirect(_WELCOME if entry.is_first else _here(to))
    sign_browser_in(request, answer, entry.cookie)
    if not language.is_kept(request.headers):
        _speak_the_own(request, answer, entry.cookie)
    return answer


def _speak_the_own(request: Request, answer: Response, cookie: str) -> None:
    """Have pages speak the language of the account, if it has one."""
    with request.app.state.database.read() as session:
        own = supported_language(sign_in.find(session, cookie).account.language or "")
    if own is not None:
        language.keep(answer, own)


@router.get("/sign-in")
def ask(request: Request, to: str = "/", done: str = "") -> Response:
    """Show the ways to come in."""
    return mark_as_shown(request, _door(request, to=to, sent=done == "sent"))


@router.post("/sign-in")
def sign_in_by_form(
    request: Request, throttle: ThrottleDep, caller: CallerAddress, form: Form
) -> Response:
    """Sign the browser in with an address and a password, or with a token."""
    database = request.app.state.database
    email, to, token = (
        field_text(form, "email"),
        field_text(form, "to"),
        field_text(form, "token"),
    )
    is_token = "token" in form
    if may_be_cross_site(request):
        shown = _door(request, to=to, email=email, by_token=is_token, once_more=True)
        return mark_as_shown(request, shown)

    def by_token() -> sign_in.Entry:
        with database.write() as session:
            return sign_in.by_token(session, token, visit_of(request))

    def by_password() -> sign_in.Entry:
        throttle.attempt(email, caller)
        typed = secret(form, "password")
        entry = sign_in.by_password(database, email, typed, visit_of(request))
        throttle.succeed(email)
        return entry

    def again(refused: Refusal) -> HTMLResponse:
        return _door(request, to=to, email=email, by_token=is_token, refused=refused)

    return _let_in(request, by_token if is_token else by_password, to, again)


@router.post("/sign-in/mail")
def ask_for_link(
    request: Request, throttle: ThrottleDep, caller: CallerAddress, form: Form
) -> Response:
    """Send a link to whoever has the address; nobody is told whether."""
    email = field_text(form, "email")
    if may_be_cross_site(request):
        return mark_as_shown(request, _door(request, email=email, once_more=True))
    try:
        throttle.mail(email, caller)
        sign_in.ask_for_link(request.app.state.database, email)
    except _HERE as error:
        return _door(request, email=email, refused=error)
    return redirect("/sign-in?done=sent")


@router.get("/sign-in/link")
def show_link(request: Request, key: str = "") -> Response:
    """Show a button: programs that look through mail follow links, and press none."""
    return _link(request, key)


def _link(request: Request, key: str, *, once_more: bool = False) -> Response:
    return mark_as_shown(
        request, show("front/link.html", None, "", key=key, once_more=once_more)
    )


@router.post("/sign-in/link")
def follow_link(request: Request, form: Form) -> Response:
    """Sign the browser in with the link of a mail, once."""
    if may_be_cross_site(request):
        return _link(request, field_text(form, "key"), once_more=True)

    def work() -> sign_in.Entry:
        with request.app.state.database.write() as session:
            return sign_in.by_link(session, field_text(form, "key"), visit_of(request))

    return _let_in(request, work, "/", lambda error: _door(request, refused=error))


def _must_be_set(settings: Settings) -> None:
    if not settings.oidc_issuer:
        raise NotFound("Nobody signs in in this way here.")


@router.get("/sign-in/oidc")
def go_to_provider(
    request: Request,
    settings: SettingsDep,
    throttle: ThrottleDep,
    caller: CallerAddress,
    to: str = "/",
) -> Response:
    """Send the browser to the provider of identities.

    By a link: browsers follow a form of ours to no other site.
    """
    _must_be_set(settings)
    try:
        throttle.knock(caller)
        begun = oidc.begin(settings, _here(to))
    except _HERE as error:
        if isinstance(error, TooMany):
            oidc.refused("too_many")
        return _door(request, to=to, refused=error)
    answer = RedirectResponse(begun.url, 303)
    set_cookie(request, answer, begun.kept, oidc.KEPT_SECONDS, _OIDC)
    return answer


@router.get(oidc.BACK)
def come_back(
    request: Request,
    settings: SettingsDep,
    state: str = "",
    code: str = "",
    error: str = "",
) -> Response:
    """Sign the browser in for which the provider vouches."""
    _must_be_set(settings)
    try:
        kept_there = read_cookie(request, _OIDC) or ""
        found = oidc.finish(settings, kept_there, state, code, error)
    except _HERE as refused:
        answer: Response = _door(request, refused=refused)
    else:
        answer = _vouched(request, found)
    delete_cookie(answer, _OIDC)
    return answer


def _vouched(request: Request, found: oidc.Vouched) -> Response:
    def work() -> sign_in.Entry:
        with request.app.state.database.write() as session:
            return sign_in.by_provider(session, found.email, visit_of(request))

    def again(refused: Refusal) -> HTMLResponse:
        if found.email is not None:  # else it is logged what the address lacks
            oidc.refused(
                "no_account" if isinstance(refused, Unauthenticated) else refused.code
            )
        return _door(request, refused=refused)

    return _let_in(request, work, found.to, again)


@router.post("/sign-out")
def sign_out(request: Request, _form: Form) -> Response:
    """Sign the browser out, here and in the database."""
    cookie = read_cookie(request)
    answer = redirect("/")
    if cookie is not None:  # else another site may have sent it
        with request.app.state.database.write() as session:
            sign_in.sign_out(session, cookie)
        delete_cookie(answer)
    return answer
