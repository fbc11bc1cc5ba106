"""What is kept of a person, to take along."""

from datetime import datetime

from schemas._wire import Wire
from schemas.account import Account, Contact, SignedIn, Token
from schemas.areas import Role
from schemas.audit import AuditEntry
from schemas.pairing import CheckIn, Question


class OwnAnswer(Wire):
    """What a person answered to the offer of a pairing, for a city."""

    pairing: str
    side: Role
    answer: str
    text: str | None


class OwnLetter(Wire):
    """A letter to a person."""

    subject: str
    text: str
    created_at: datetime
    sent_at: datetime | None


class AccountExport(Wire):
    """Everything that is kept of a person with an account."""

    made_at: datetime
    account: Account
    tokens: tuple[Token, ...]
    """Without their secrets, which are not kept."""
    sign_ins: tuple[SignedIn, ...]
    contacts: tuple[Contact, ...]
    """Contact persons with the same address."""
    log: tuple[AuditEntry, ...]
    """What the account did, and what was done with it; the newest first."""
    answers: tuple[OwnAnswer, ...]
    check_ins: tuple[CheckIn, ...]
    questions: tuple[Question, ...]
    """What the person asked about pairings, or answered to such a question."""
    letters: tuple[OwnLetter, ...]
    """Those to this account; the newest first."""
