"""What the tests of staged rounds send, and what of a round must not change."""

from datetime import datetime

from tests.fixtures.cities import audited, listed

WHY = {"reason": "They have met before."}


def moment(text):
    return datetime.fromisoformat(text)


FORCED = {"mentor": "amiens", "learner": "delft"}
OTHERWISE = {"force": [FORCED], "reason": "A friendship of thirty years."}


def state_of(service, round_id):
    """Return everything that an override could change."""
    where = f"/rounds/{round_id}"
    return (
        service.get(where).json(),
        service.get(f"{where}/policy").json(),
        listed(service, f"{where}/pairings"),
        listed(service, f"{where}/messages"),
        listed(service, f"{where}/runs"),
        audited(service),
    )
