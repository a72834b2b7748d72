"""What CoreDNS's own configuration serves, as far as it can be read without CoreDNS."""

from __future__ import annotations

from typing import Final

KEY: Final = "Corefile"
"""The key of a ConfigMap that holds one."""
_ELSEWHERE: Final = "import"


def zones_of_the_cluster(text: str) -> frozenset[str] | None:
    """Return the zones that the plugin kubernetes answers for; None where it cannot be told.

    A server block is opened by its zones, a plugin of it by its name and, of this one, by the
    zones that it takes; those of its block where it names none. Zones come without final dot.

    Source: https://coredns.io/manual/configuration/ and https://coredns.io/plugins/kubernetes/
    """
    found: set[str] = set()
    of_block: list[str] = []
    depth = 0
    for line in text.splitlines():
        code = line.partition("#")[0]
        words = [word for word in code.split() if word not in ("{", "}")]
        if words and words[0] == _ELSEWHERE:
            return None  # what is in another file may serve it
        if words and depth == 0:
            of_block = [_zone(word.rstrip(",")) for word in words]
        elif depth == 1 and words[:1] == ["kubernetes"]:
            found.update([_zone(word) for word in words[1:]] or of_block)
        depth += code.count("{") - code.count("}")
    return frozenset(found)


def covers(zones: frozenset[str], zone: str) -> bool:
    """Whether one of these zones is this zone or one above it."""
    return any(not each or zone == each or zone.endswith(f".{each}") for each in zones)


def _zone(word: str) -> str:
    """Return a zone without its scheme, its port and its final dot; the root is empty."""
    return word.rpartition("://")[2].partition(":")[0].rstrip(".").lower()
