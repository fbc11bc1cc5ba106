"""Tables, one noun a module."""

from app.db.tables.accounts import Account, Link, Login, Token
from app.db.tables.base import Base
from app.db.tables.cities import City, CityArea, Practice
from app.db.tables.contacts import Contact
from app.db.tables.mail import Message
from app.db.tables.pairings import CheckIn, Pairing, Question
from app.db.tables.records import Audit, KeptAnswer, LastVersion, Remark
from app.db.tables.rounds import Decision, Participant, Round, RoundPolicy
from app.db.tables.runs import Run, Solution
from app.db.tables.webhooks import Delivery, Webhook

__all__ = [
    "Account",
    "Audit",
    "Base",
    "CheckIn",
    "City",
    "CityArea",
    "Contact",
    "Decision",
    "Delivery",
    "KeptAnswer",
    "LastVersion",
    "Link",
    "Login",
    "Message",
    "Pairing",
    "Participant",
    "Practice",
    "Question",
    "Remark",
    "Round",
    "RoundPolicy",
    "Run",
    "Solution",
    "Token",
    "Webhook",
]
