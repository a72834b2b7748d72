"""How long a wait sees a state before it believes that waiting does not cure it, in seconds."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from nova_acceptance.findings import Finding, Ref

Key = tuple[str, Ref, str]
"""What makes two findings the same one, seen again: `Finding.key`."""

AT_ONCE: Final = 0.0
"""Nothing that is under way can change it."""

SETTLING: Final = 5.0
"""A cache of the kubelet or of a controller may not have seen yet what is there."""

NEXT_TRY: Final = 10.0
"""Whoever tries does so again within this time."""

PLACING: Final = 10.0
"""The scheduler looks again after every change of the cluster, and room may come free."""

RETURN: Final = 30.0
"""A node, a network or a registry that is away for a moment."""

STARTING: Final = 90.0
"""A program that runs and does not call itself ready, while all that it needs is."""


class Patience:
    """How long each diagnosis has lasted."""

    def __init__(self) -> None:
        self._since: dict[Key, float] = {}

    def exhausted(self, found: Iterable[Finding], now: float) -> list[Finding]:
        """Return the diagnoses that have outlasted their grace; forget those that passed.

        Args:
            found: what was found at this moment; what says nothing about readiness is passed over.
            now: this moment, in seconds of a monotonic clock.
        """
        present = [each for each in found if each.grace is not None]
        self._since = {each.key: self._since.get(each.key, now) for each in present}
        return [each for each in present if now - self._since[each.key] >= (each.grace or 0)]
