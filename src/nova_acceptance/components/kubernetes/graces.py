"""How long a wait sees a state before it believes that waiting does not cure it, in seconds."""

from __future__ import annotations

from typing import Final

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
