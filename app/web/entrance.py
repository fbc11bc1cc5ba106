"""The front, and coming in."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response

from app.errors import Unknown
from app.services import accounts
from app.web.forms import said, see
from app.web.showing import show
from app.web.visitors import Form, Guest, cookie_of, forget, remember

router = APIRouter(include_in_schema=False)


@router.get("/")
def front(guest: Guest) -> HTMLResponse:
    """Show the three doors."""
    with guest.read() as (_session, actor):
        return show("front.html", actor, "")


@router.get("/sign-in")
def ask_for_token(to: str = "/") -> HTMLResponse:
    """Ask for the token."""
    return show("sign_in.html", None, "", to=to, wrong=None)


@router.post("/sign-in")
def sign_in(request: Request, form: Form) -> Response:
    """Sign the browser in with a token."""
    to = said(form, "to")
    if not to.startswith("/") or to.startswith(("//", "/\\")):
        to = "/"  # nowhere else than here
    try:
        with request.app.state.database.write() as session:
            cookie = accounts.sign_in(session, said(form, "token"))
    except Unknown as error:
        return show("sign_in.html", None, "", 401, to=to, wrong=str(error))
    answer = see(to)
    remember(request, answer, cookie)
    return answer


@router.post("/sign-out")
def sign_out(request: Request, _form: Form) -> Response:
    """Sign the browser out, here and in the database."""
    cookie = cookie_of(request)
    if cookie is not None:
        with request.app.state.database.write() as session:
            accounts.sign_out(session, cookie)
    answer = see("/")
    forget(answer)
    return answer
