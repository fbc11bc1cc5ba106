"""How much time is left, in words."""

from datetime import datetime, timedelta

from app.texts.catalogue import here

_DAY, _HOUR = timedelta(days=1), timedelta(hours=1)


def time_left(until: datetime, at: datetime) -> str:
    """Return how long it is from now until a deadline: in days, or in hours."""
    left = until - at
    words = here()
    if left <= timedelta(0):
        return words.say("the time is over")
    if left < _HOUR:
        return words.say("less than an hour left")
    if left < 2 * _DAY:
        return words.count(
            "{number} hour left", "{number} hours left", int(left / _HOUR)
        )
    return words.count("{number} day left", "{number} days left", left.days)
