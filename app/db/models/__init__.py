"""Tables, one noun a module."""

from app.db.models.account import Account, Link, Login, Token
from app.db.models.base import Base
from app.db.models.city import City, CityArea, Practice
from app.db.models.contact import Contact
from app.db.models.message import Message
from app.db.models.pairing import CheckIn, Pairing, Question
from app.db.models.records import Audit, KeptAnswer, LastVersion, Remark
from app.db.models.round import Decision, Participant, Round, RoundPolicy
from app.db.models.run import Run, Solution
from app.db.models.webhook import Delivery, Webhook

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
