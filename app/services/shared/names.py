"""Names of places in plain letters: for ids, and to search in."""

import re

from anyascii import anyascii

_OTHER = re.compile(r"[^a-z0-9]+")
_LONGEST = 63


def search_key(name: str) -> str:
    """Return the name in small Latin letters, so that `lodz` finds Łódź.

    >>> search_key("Łódź"), search_key("Λιβαδειά")
    ('lodz', 'livadeia')

    """
    return " ".join(anyascii(name).casefold().split())


def slug(name: str) -> str:
    """Return an id made of the name; empty if nothing in it can be written so.

    >>> slug("Saint-Jean-de-la-Ruelle"), slug("'s-Hertogenbosch"), slug("!!!")
    ('saint-jean-de-la-ruelle', 's-hertogenbosch', '')

    """
    return _OTHER.sub("-", search_key(name)).strip("-")[:_LONGEST].strip("-")
