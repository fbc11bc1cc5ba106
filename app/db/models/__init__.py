"""Tables, one noun a module."""

from app.db.models.account import Account, Login, Token
from app.db.models.base import Base
from app.db.models.city import City, CityArea, Practice
from app.db.models.message import Message
from app.db.models.pairing import CheckIn, Pairing
from app.db.models.records import Audit, KeptAnswer
from app.db.models.round import Decision, Participant, Round, RoundPolicy
from app.db.models.run import Run, Solution

__all__ = [
    "Account",
    "Audit",
    "Base",
    "CheckIn",
    "City",
    "CityArea",
    "Decision",
    "KeptAnswer",
    "Login",
    "Message",
    "Pairing",
    "Participant",
    "Practice",
    "Round",
    "RoundPolicy",
    "Run",
    "Solution",
    "Token",
]
