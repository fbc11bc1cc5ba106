"""Entity tags: how they are read (RFC 9110, section 8.8.3)."""

import re

ANY = "*"
"""Stands for whatever is there."""
_TAG = re.compile(r'(?:W/)?"([^"]*)"')
# As added by what compresses on the way: Apache, Caddy, lighttpd, Traefik and Jetty
# (`-gzip`, `--gzip`), others (`;gzip`).
_PACKED = re.compile(
    r"([^;-]*)(?:(?:--?|;)(?:x-gzip|gzip|br|zstd|deflate|bzip2|compress))+"
)


def read(header: str) -> frozenset[str]:
    """Return the tags that If-Match or If-None-Match lists, as we have written them.

    A proxy that compresses weakens a tag or adds the compression to it: what it
    stands for is the same version.

    >>> sorted(read('W/"2", "7-gzip"'))
    ['"2"', '"7"']

    """
    if header.strip() == ANY:
        return frozenset({ANY})
    return frozenset(f'"{_unpacked(tag)}"' for tag in _TAG.findall(header))


def _unpacked(tag: str) -> str:
    """Return a tag without what was added; ours hold neither `-` nor `;`."""
    found = _PACKED.fullmatch(tag)
    return tag if found is None else found[1]


def fits(tags: frozenset[str], tag: str) -> bool:
    """Tell whether the tags of a header mean this one."""
    return bool(tags & {ANY, tag})
