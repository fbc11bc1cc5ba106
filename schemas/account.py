"""Accounts, the browsers and tokens that stand for them, and contact persons."""

import re
from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from schemas._wire import Boolean, Line, Number, Wire, refuse
from schemas.page import Page
from schemas.stored import Slug

AccountRole = Literal["administrator", "organiser", "association", "officer", "auditor"]
TokenScope = Literal["read", "cities:write", "rounds:write", "write"]
AccountLanguage = Literal["en", "fr", "nl"]
SignInWay = Literal["password", "link", "token", "oidc"]
ADDRESS = (
    r"^[^\s\x00-\x1f\x7f-\x9f<>()\[\],;:\\\"@]{1,64}"
    r"@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*$"
)
"""An address that needs no quotes in mail, its domain in ASCII (RFC 5321)."""


def _is_address(value: object) -> object:
    """Refuse what is no address in words: the pattern would be told otherwise."""
    if isinstance(value, str) and not re.fullmatch(ADDRESS, value.strip()):
        raise PydanticCustomError(
            "email", "Write an e-mail address, like jan.peeters@city.example."
        )
    return value


Email = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True, to_lower=True, max_length=254, pattern=ADDRESS
    ),
    BeforeValidator(_is_address),
]
Password = Annotated[str, StringConstraints(min_length=12, max_length=200)]
"""Twelve characters at least, of any kind: length is what makes it hard to guess."""


class Account(Wire):
    """Somebody with a role in the network."""

    id: str
    email: str
    name: str | None
    role: AccountRole
    city: str | None
    """The officer's city."""
    association: str | None
    """Of the role `association`: which one, as its cities write it."""
    language: AccountLanguage | None
    """Of pages and letters; null: the city's."""
    has_password: bool
    joined_at: datetime | None
    """When it came in for the first time; null: invited, and not seen yet."""
    signed_in_at: datetime | None
    created_at: datetime


class Accounts(Page[Account]):
    """Accounts, by address."""


class _Placed(Wire):
    """What a role needs beside it."""

    role: AccountRole
    city: Slug | None = None
    association: Line | None = None

    @model_validator(mode="after")
    def _fits_the_role(self) -> Self:
        wanted = {"officer": "city", "association": "association"}.get(self.role)
        for field in ("city", "association"):
            given = getattr(self, field) is not None
            if given and field != wanted:
                message = f"The role {self.role} has no {field}: leave it out."
                refuse(((field,), "not_for_role", message))
            if not given and field == wanted:
                refuse(((field,), "needed", f"Say which {field} it is of."))
        return self


class Invitation(_Placed):
    """Whom to invite: the mail has a link that lets its reader in once."""

    email: Email
    name: Line | None = None
    language: AccountLanguage | None = None
    hand_over: Boolean = False
    """An officer's account is closed when its successor comes in for the first time."""


class AccountWrite(_Placed):
    """What organisers change of an account."""

    email: Email
    name: Line | None = None
    language: AccountLanguage | None = None


class OwnAccountWrite(Wire):
    """What everybody changes of the own account."""

    name: Line | None = None
    language: AccountLanguage | None = None


class PasswordWrite(Wire):
    """A new password; whoever has one says it.

    A browser that has just come in by a link in a mail need not.
    """

    current: Annotated[str, StringConstraints(max_length=200)] | None = None
    new: Password | None
    """Null: no password any more; links in mails remain."""


class SignedIn(Wire):
    """A browser that is signed in."""

    id: str
    way: SignInWay
    browser: str
    """What it seems to be."""
    this: bool
    """Whether it is the one that asks."""
    created_at: datetime
    seen_at: datetime
    """To within ten minutes."""
    expires_at: datetime


class SignedIns(Page[SignedIn]):
    """The browsers of an account; never more than one page."""


class TokenWrite(Wire):
    """What a new token is to be."""

    name: Line
    """What it is for, so that it is known in the list."""
    scope: TokenScope = "read"
    days: Annotated[int, Field(ge=1, le=3660), Number] = 365
    """How long it is good."""


class Token(Wire):
    """A token; its secret is shown once, when it is made."""

    id: str
    name: str
    scope: TokenScope
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    """To within ten minutes."""


class NewToken(Token):
    """A token with its secret, which cannot be shown again."""

    token: str


class Tokens(Page[Token]):
    """The tokens of an account, the newest first; never more than one page."""


class ContactWrite(Wire):
    """A contact person, as it is sent to be stored."""

    name: Line
    function: Line | None = None
    email: Email | None = None


class Contact(ContactWrite):
    """A contact person of a city: personal data, apart from its profile."""

    id: str
    city: str
    created_at: datetime
    updated_at: datetime
    """When somebody last said that it is right."""


class Contacts(Page[Contact]):
    """The contact persons of a city; never more than one page."""
