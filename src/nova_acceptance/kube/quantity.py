"""Amounts as Kubernetes writes them."""

from __future__ import annotations

from decimal import Decimal

from kubernetes.utils import quantity as written


def amount(quantity: object) -> Decimal:
    """Return a quantity of the API as a number, such as 0.25 for `250m`.

    Raises:
        ValueError: it is none.
    """
    found: Decimal = written.parse_quantity(quantity)  # type: ignore[no-untyped-call]
    if not found.is_finite():
        raise ValueError(f"{quantity!r} is no quantity")
    return found
