"""Stored rows as services hand them out.

Pages and the API read their fields and give them back to services; they neither query
nor change them, and import no tables.
"""

from app.db.tables import Account as AccountRow
from app.db.tables import Audit as AuditRow
from app.db.tables import City as CityRow
from app.db.tables import Contact as ContactRow
from app.db.tables import Message as MessageRow
from app.db.tables import Pairing as PairingRow
from app.db.tables import Participant as ParticipantRow
from app.db.tables import Practice as PracticeRow
from app.db.tables import Round as RoundRow
from app.db.tables import RoundPolicy as RoundPolicyRow
from app.db.tables import Run as RunRow
from app.db.tables import Webhook as WebhookRow
from app.db.tables.pairings import LIVE as LIVE_STATES

__all__ = [
    "LIVE_STATES",
    "AccountRow",
    "AuditRow",
    "CityRow",
    "ContactRow",
    "MessageRow",
    "PairingRow",
    "ParticipantRow",
    "PracticeRow",
    "RoundPolicyRow",
    "RoundRow",
    "RunRow",
    "WebhookRow",
]
