"""The database: engine, transactions, and what a failed one is called."""

from app.db.database import Database

__all__ = ["Database"]
