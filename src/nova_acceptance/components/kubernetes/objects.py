"""The former names of what `seen` holds, until every test takes them from there."""

from __future__ import annotations

from nova_acceptance.components.kubernetes.seen import Seen as Objects
from nova_acceptance.components.kubernetes.seen import addresses_of, of_front, ref

__all__ = ["Objects", "addresses_of", "of_front", "ref"]
