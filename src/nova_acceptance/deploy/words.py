"""The last words of containers that a wait sees failing."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from nova_acceptance import timeouts
from nova_acceptance.collect.logs import Source, read_all, since
from nova_acceptance.components.kubernetes.pods import ended, ill_pods
from nova_acceptance.components.kubernetes.workloads import statuses
from nova_acceptance.kube import Kube
from nova_acceptance.kube.snapshot import Snapshot, uid

_AGAIN = 10.0
"""Seconds after which the log of a container that runs, and is not ready, is read once more."""

Incarnation = tuple[str, str, int, bool]
"""A pod's uid, a container, its restarts, and whether it runs."""


class LastWords:
    """Reads logs into a snapshot: of each crash once, of what runs unready now and then.

    Args:
        kube: the API.
        snapshot: where the containers are seen, and their logs are kept.
    """

    def __init__(self, kube: Kube, snapshot: Snapshot) -> None:
        self._kube = kube
        self._snapshot = snapshot
        self._read_at: dict[Incarnation, float] = {}

    def refresh(self) -> None:
        """Read the logs that are new; one that cannot be read, or not in time, is left out."""
        wanted = dict(self._wanted(time.monotonic()))
        if not wanted:
            return
        sources = [
            Source(*where, previous, "" if previous else wanted[where])
            for where in wanted
            for previous in (True, False)
        ]
        for where in wanted:
            self._snapshot.logs.pop(where, None)
        read_all(self._kube, self._snapshot, sources, until=time.monotonic() + timeouts.LOOK)

    def _wanted(self, now: float) -> Iterator[tuple[tuple[str, str, str], str]]:
        """Yield which logs to read, and from when on."""
        for ill in ill_pods(self._snapshot):
            for entry in statuses(ill.pod):
                incarnation = _incarnation(uid(ill.pod), entry)
                if incarnation is None or entry.get("ready"):
                    continue
                is_running = incarnation[-1]
                # what has just been started has said nothing yet
                last = self._read_at.setdefault(incarnation, now if is_running else float("-inf"))
                if now - last >= _AGAIN and (is_running or last == float("-inf")):
                    self._read_at[incarnation] = now
                    yield (ill.where.namespace, ill.where.name, entry["name"]), since(ill.pod)


def _incarnation(pod: str, entry: dict[str, Any]) -> Incarnation | None:
    """Return which run of a container it is; None for one that never ran."""
    is_running = "running" in (entry.get("state") or {})
    if not (is_running or ended(entry)):
        return None
    return pod, entry["name"], int(entry.get("restartCount", 0)), is_running
