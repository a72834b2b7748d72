"""Ports that refuse the kubelet, tried again where only the pod itself is let in."""

from __future__ import annotations

import time
from typing import Final

from nova_acceptance.collect.asking import side_by_side
from nova_acceptance.components.network.loopback import refused_ports
from nova_acceptance.findings import Ref
from nova_acceptance.kube import Kube, PodRef
from nova_acceptance.kube.snapshot import Snapshot
from nova_acceptance.vantage.loopback import seen_on_loopback

_AGAIN: Final = 10.0
"""Seconds after which a port is tried once more."""


class Loopbacks:
    """Sees of a snapshot's pods which of them listen on their loopback alone.

    Args:
        kube: the API.
        snapshot: where the pods are seen, and what was found is kept.
    """

    def __init__(self, kube: Kube, snapshot: Snapshot) -> None:
        self._kube = kube
        self._snapshot = snapshot
        self._tried: dict[tuple[Ref, int], float] = {}

    def refresh(self, until: float) -> None:
        """Try the ports at which a probe was refused; what cannot be tried in time is left out."""
        now = time.monotonic()
        wanted = [
            each
            for each in refused_ports(self._snapshot)
            if now - self._tried.get(each, float("-inf")) >= _AGAIN
        ]
        self._tried.update(dict.fromkeys(wanted, now))
        for asked, found in side_by_side(self._try, wanted, until=until):
            self._snapshot.on_loopback.pop(asked, None)
            if found and not isinstance(found, Exception):
                self._snapshot.on_loopback[asked] = found

    def _try(self, asked: tuple[Ref, int]) -> tuple[str, ...]:
        (_, namespace, name), port = asked
        return seen_on_loopback(self._kube, PodRef(namespace, name), port)
