"""Routes of accounts: the caller's own, and those of others."""

from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Path, Request, Response
from sqlalchemy.orm import Session

from app.errors import (
    AlreadyThere,
    Busy,
    Conflict,
    Forbidden,
    InvalidInput,
    KeyReused,
    NoPrecondition,
    NotFound,
    NotJson,
    Stale,
    TooLarge,
    TooMany,
    WrongType,
)
from app.http.body import CHECKED, Route
from app.http.deps import (
    ApiSession,
    CallerAddress,
    IfMatch,
    OnlyOnce,
    RequestedPage,
    ThrottleDep,
    json_response,
    next_page,
    require_json,
)
from app.http.openapi import ETAG, PLACED, merge_patch_of
from app.http.problems import answers, refusals
from app.permissions import Actor
from app.services.accounts import accounts, sign_in, tokens
from app.services.shared.rows import AccountRow
from schemas import (
    Account,
    Accounts,
    AccountWrite,
    Invitation,
    NewToken,
    OwnAccountWrite,
    PasswordWrite,
    SignedIns,
    Tokens,
    TokenWrite,
)

router = APIRouter(route_class=Route, tags=["accounts"])
_BODY = (NotJson, TooLarge, WrongType, InvalidInput)
_Id = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")]
_MERGE = Body(media_type="application/merge-patch+json")
_INVITED = {"email": "officer@capaci.example", "role": "officer", "city": "capaci"}
_TOKEN = {"name": "Website of the network", "scope": "read", "days": 90}
_SECRET = {"current": None, "new": "four words are easy to keep"}


def _response(row: AccountRow, status: int = 200) -> Response:
    place = f"/api/v1/accounts/{row.id}" if status == 201 else None  # noqa: PLR2004
    return json_response(
        accounts.as_account(row), status, version=row.version, location=place
    )


# The caller's own.


@router.get(
    "/account",
    response_model=Account,
    responses=answers({200: {"headers": ETAG}}, InvalidInput),
)
def read_own_account(tx: ApiSession) -> Response:
    """Read the caller's own account."""
    with tx.read() as (session, actor):
        return _response(accounts.own(session, actor))


@router.patch(
    "/account",
    response_model=Account,
    dependencies=[Depends(require_json)],
    responses=answers(
        {200: {"headers": ETAG}}, *_BODY, Forbidden, Stale, NoPrecondition
    ),
    openapi_extra=merge_patch_of(OwnAccountWrite, {"language": "fr"}),
)
def patch_own_account(
    tx: ApiSession, patch: Annotated[dict[str, Any], _MERGE, CHECKED], if_match: IfMatch
) -> Response:
    """Change the caller's own name or language (JSON merge patch, RFC 7396)."""
    with tx.write() as (session, actor):
        row = accounts.own(session, actor)
        new = accounts.patched_own(row, patch)
        if_match.check(row.version, accounts.as_own(row).to_dict(), new.to_dict())
        accounts.change_own(session, actor, row, new)
        return _response(row)


@router.delete(
    "/account",
    status_code=204,
    responses=refusals(InvalidInput, Forbidden, Conflict),
)
def close_own_account(tx: ApiSession) -> None:
    """Erase the caller's own account, with its tokens and signed-in browsers."""
    with tx.write() as (session, actor):
        accounts.close(session, actor, accounts.own(session, actor, lock=True))


@router.put(
    "/account/password",
    status_code=204,
    dependencies=[Depends(require_json)],
    responses=refusals(*_BODY, Forbidden, Conflict, TooMany, Busy),
)
def set_password(
    tx: ApiSession,
    throttle: ThrottleDep,
    caller: CallerAddress,
    new: Annotated[PasswordWrite, Body(examples=[_SECRET]), CHECKED],
) -> None:
    """Set the caller's own password; its browsers are signed out, but the one asking.

    `current` is needed if there is one.
    """
    sign_in.change_password(tx.write, throttle, caller, new)


@router.get("/account/sign-ins", responses=refusals(InvalidInput))
def list_sign_ins(tx: ApiSession) -> SignedIns:
    """List the browsers that are signed in to the caller's own account."""
    with tx.read() as (session, actor):
        rows = sign_in.of_account(session, actor)
        items = tuple(sign_in.as_signed_in(row, actor) for row in rows)
        return SignedIns(items=items)


@router.delete(
    "/account/sign-ins",
    status_code=204,
    responses=refusals(InvalidInput, Forbidden),
)
def sign_others_out(tx: ApiSession) -> None:
    """Sign all browsers of the caller's own account out, but the one that asks."""
    with tx.write() as (session, actor):
        sign_in.revoke_others(session, actor)


@router.delete(
    "/account/sign-ins/{sign_in_id}",
    status_code=204,
    responses=refusals(InvalidInput, Forbidden, NotFound),
)
def sign_out(tx: ApiSession, sign_in_id: _Id) -> None:
    """Sign one browser of the caller's own account out."""
    with tx.write() as (session, actor):
        sign_in.revoke(session, actor, sign_in_id)


@router.get("/account/tokens", responses=refusals(InvalidInput))
def list_tokens(tx: ApiSession) -> Tokens:
    """List the tokens of the caller's own account, the newest first."""
    with tx.read() as (session, actor):
        rows = tokens.of_account(session, accounts.own(session, actor).id)
        return Tokens(items=tuple(map(tokens.as_token, rows)))


@router.post(
    "/account/tokens",
    status_code=201,
    response_model=NewToken,
    dependencies=[Depends(require_json)],
    responses=answers({201: {"headers": PLACED}}, *_BODY, Forbidden, Conflict),
)
def make_token(
    tx: ApiSession, new: Annotated[TokenWrite, Body(examples=[_TOKEN]), CHECKED]
) -> Response:
    """Make a token of the caller's own account; its secret is shown this once.

    No `Idempotency-Key`: that would keep the secret.
    """
    with tx.write() as (session, actor):
        new_token = tokens.make(session, actor, new)
        place = f"/api/v1/account/tokens/{new_token.id}"
        answer = json_response(new_token, 201, location=place)
        answer.headers["Cache-Control"] = "no-store"
        return answer


@router.delete(
    "/account/tokens/{token_id}",
    status_code=204,
    responses=refusals(InvalidInput, Forbidden, NotFound),
)
def revoke_token(tx: ApiSession, token_id: _Id) -> None:
    """Take a token of the caller's own account back; it is good for nothing at once."""
    with tx.write() as (session, actor):
        tokens.revoke(session, actor, token_id)


# Those of others.


@router.get("/accounts", responses=refusals(InvalidInput))
def list_accounts(tx: ApiSession, page: RequestedPage, request: Request) -> Accounts:
    """List accounts by address.

    Organisers and auditors see all, officers those of their city, associations those of
    their cities.
    """
    with tx.read() as (session, actor):
        rows, cursor = accounts.search(session, actor, page)
        return Accounts(
            items=tuple(map(accounts.as_account, rows)),
            next=next_page(request, cursor),
        )


@router.post(
    "/accounts",
    status_code=201,
    response_model=Account,
    dependencies=[Depends(require_json)],
    responses=answers(
        {201: {"headers": ETAG | PLACED}}, *_BODY, Forbidden, AlreadyThere, KeyReused
    ),
)
def invite(
    tx: ApiSession,
    once: OnlyOnce,
    new: Annotated[Invitation, Body(examples=[_INVITED]), CHECKED],
) -> Response:
    """Invite somebody: the mail has a link that lets its reader in once.

    Organisers invite into every role but administrator, officers their colleagues and
    successor, associations the officers of their cities.
    """

    def work(session: Session, actor: Actor) -> Response:
        return _response(accounts.invite(session, actor, new), 201)

    return once.answer(tx, work)


@router.get(
    "/accounts/{account_id}",
    response_model=Account,
    responses=answers({200: {"headers": ETAG}}, InvalidInput, NotFound),
)
def read_account(tx: ApiSession, account_id: _Id) -> Response:
    """Read an account."""
    with tx.read() as (session, actor):
        return _response(accounts.get(session, actor, account_id))


@router.patch(
    "/accounts/{account_id}",
    response_model=Account,
    dependencies=[Depends(require_json)],
    responses=answers(
        {200: {"headers": ETAG}},
        *_BODY,
        Forbidden,
        NotFound,
        Conflict,
        AlreadyThere,
        Stale,
        NoPrecondition,
    ),
    openapi_extra=merge_patch_of(AccountWrite, {"name": "Integration desk"}),
)
def patch_account(
    tx: ApiSession,
    account_id: _Id,
    patch: Annotated[dict[str, Any], _MERGE, CHECKED],
    if_match: IfMatch,
) -> Response:
    """Change an account (JSON merge patch, RFC 7396); it counts at once."""
    with tx.write() as (session, actor):
        row = accounts.get(session, actor, account_id, lock=True)
        new = accounts.patched(row, patch)
        if_match.check(row.version, accounts.as_written(row).to_dict(), new.to_dict())
        accounts.change(session, actor, row, new)
        return _response(row)


@router.delete(
    "/accounts/{account_id}",
    status_code=204,
    responses=refusals(
        InvalidInput, Forbidden, NotFound, Conflict, Stale, NoPrecondition
    ),
)
def close_account(tx: ApiSession, account_id: _Id, if_match: IfMatch) -> None:
    """Erase an account, with its tokens and signed-in browsers."""
    with tx.write() as (session, actor):
        row = accounts.get(session, actor, account_id, lock=True)
        if_match.check(row.version, accounts.as_written(row).to_dict())
        accounts.close(session, actor, row)


@router.post(
    "/accounts/{account_id}/invitation",
    status_code=202,
    response_model=Account,
    responses=answers(
        {202: {"headers": ETAG}}, InvalidInput, Forbidden, NotFound, Conflict, KeyReused
    ),
)
def invite_again(tx: ApiSession, once: OnlyOnce, account_id: _Id) -> Response:
    """Send the mail of an invitation once more."""

    def work(session: Session, actor: Actor) -> Response:
        row = accounts.get(session, actor, account_id, lock=True)
        accounts.invite_again(session, actor, row)
        return _response(row, 202)

    return once.answer(tx, work)
