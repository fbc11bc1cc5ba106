"""Tables, one noun a module."""

from app.db.models.account import Account, Login, Token
from app.db.models.base import Base
from app.db.models.city import City, CityArea, Practice
from app.db.models.records import Audit, KeptAnswer
from app.db.models.round import Participant, Round, RoundPolicy
from app.db.models.run import Run, Solution

__all__ = [
    "Account",
    "Audit",
    "Base",
    "City",
    "CityArea",
    "KeptAnswer",
    "Login",
    "Participant",
    "Practice",
    "Round",
    "RoundPolicy",
    "Run",
    "Solution",
    "Token",
]
