"""Amounts as Kubernetes writes them."""

from __future__ import annotations

from typing import Final

UNITS: Final[dict[str, int]] = {
    "": 1,
    **{f"{letter}i": 1024**power for power, letter in enumerate("KMGTP", start=1)},
    **{letter: 1000**power for power, letter in enumerate("kMGTP", start=1)},
}
"""Source: https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/."""


def octets(quantity: str) -> int:
    """Return an amount of storage or memory in bytes.

    Raises:
        ValueError: it is not written as Kubernetes writes one.
    """
    digits = quantity.rstrip("KMGTPki")
    unit = quantity[len(digits) :]
    if unit not in UNITS:
        raise ValueError(f"{quantity!r} is no quantity of bytes")
    return int(digits) * UNITS[unit]
