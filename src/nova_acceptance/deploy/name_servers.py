"""The cluster's DNS during a wait: no watch follows it, and what asks for names needs it."""

from __future__ import annotations

import time
from typing import Final

from nova_acceptance.components.dns.service import DNS
from nova_acceptance.components.kubernetes.backends import knows_endpoints
from nova_acceptance.errors import NovaError
from nova_acceptance.findings import ref
from nova_acceptance.kube import Kube
from nova_acceptance.kube.kinds import version_served
from nova_acceptance.kube.snapshot import Snapshot

_AGAIN: Final = 5.0
"""Seconds after which it is looked at once more."""
_BEHIND: Final = ("EndpointSlice", "Endpoints", "Deployment", "DaemonSet", "Pod")
"""What is behind its Service, and what makes that; of the two first what was read before."""


class NameServers:
    """Keeps what a snapshot knows of the cluster's DNS up to date.

    Where it cannot be read again, what was known of it before is no longer taken for true.

    Args:
        kube: the API.
        snapshot: where it is seen.
    """

    def __init__(self, kube: Kube, snapshot: Snapshot) -> None:
        self._kube = kube
        self._snapshot = snapshot
        self._is_left_out = not knows_endpoints(snapshot, DNS.namespace)
        self._looked = float("-inf")

    def refresh(self) -> None:
        """Look at it once more, where that was some time ago."""
        now = time.monotonic()
        if self._is_left_out or now - self._looked < _AGAIN:
            return
        self._looked = now
        for kind in _BEHIND:
            try:
                if self._snapshot.knows(kind, DNS.namespace):
                    self._read(kind)
            except NovaError:
                self._is_left_out = True
                self._snapshot.listed -= {(each, DNS.namespace) for each in _BEHIND}
                return

    def _read(self, kind: str) -> None:
        version = version_served(self._kube, kind) or "v1"
        there = self._kube.list(version, kind, namespace=DNS.namespace)
        names = {ref(each) for each in there}
        for known in [*self._snapshot.of_kind(kind, DNS.namespace)]:
            if ref(known) not in names:
                self._snapshot.update("DELETED", known, fresh=False)
        for each in there:
            self._snapshot.update("MODIFIED", each, fresh=False)
