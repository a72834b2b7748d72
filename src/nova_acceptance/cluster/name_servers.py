"""The cluster's DNS while a cluster is waited for: where nothing wants a server, none comes."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from typing import Final, Self

from nova_acceptance.components.dns.rules import servers_unwanted
from nova_acceptance.components.dns.service import DNS
from nova_acceptance.components.kubernetes.graces import Patience
from nova_acceptance.components.kubernetes.workloads import KINDS
from nova_acceptance.errors import NovaError
from nova_acceptance.findings import Finding
from nova_acceptance.kube import Kube
from nova_acceptance.kube.kinds import kind_served, version_served
from nova_acceptance.kube.snapshot import Snapshot

_AT_FIRST: Final = 0.5
"""Seconds before it is looked at; where the DNS has a server already, nobody needs to."""
_AGAIN: Final = 2.0
"""Seconds after which it is looked at once more: a grace passes without any change to watch."""


class NameServers:
    """Looks on, in a thread, while something else waits for the DNS to have a server.

    What could not be read says nothing: the wait itself meets an API that does not answer.

    Args:
        kube: the cluster.
        on_lost: called once, in that thread, when waiting is believed to be in vain.
    """

    def __init__(self, kube: Kube, on_lost: Callable[[], None]) -> None:
        self._kube = kube
        self._on_lost = on_lost
        self._ended = threading.Event()
        self.lost: Finding | None = None

    def __enter__(self) -> Self:
        threading.Thread(target=self._look_on, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()

    def _look_on(self) -> None:
        patience = Patience()
        self._ended.wait(_AT_FIRST)
        while not self._ended.is_set():
            with contextlib.suppress(NovaError):
                found = [*servers_unwanted(self._seen())]
                for each in patience.exhausted(found, time.monotonic()):
                    self.lost = each
                    self._on_lost()
                    return
            self._ended.wait(_AGAIN)

    def _seen(self) -> Snapshot:
        snapshot = Snapshot()
        for name in ("Service", "EndpointSlice", *KINDS, "Pod"):
            kind = kind_served(self._kube, name)
            version = version_served(self._kube, kind) or "v1"
            for each in self._kube.list(version, kind, namespace=DNS.namespace):
                snapshot.update("ADDED", each, fresh=False)
            snapshot.listed.add((kind, DNS.namespace))
        return snapshot
