"""Watches that keep a snapshot up to date with what a deployment changes."""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Self

from nova_acceptance.components.kubernetes.shapes import without_values
from nova_acceptance.errors import ClusterError
from nova_acceptance.findings import ref
from nova_acceptance.kube import SYNCED, Kube, Object, Watch
from nova_acceptance.kube.kinds import KINDS, is_watched, kind_served, version_served
from nova_acceptance.kube.snapshot import EVERYWHERE, Snapshot

_ALWAYS = ("Event", "Pod")
_FOLLOWING = frozenset({"EndpointSlice", "Endpoints"})
"""What follows from the watched kinds; how it was at the beginning says nothing later."""

Place = tuple[str, str]
"""A kind, and a namespace or the whole cluster."""


@dataclass(slots=True)
class _Followed:
    """A place that is watched.

    Attributes:
        is_optional: whether all goes on where it cannot be watched.
        is_pending: whether it has not yet told what was there.
    """

    place: Place
    watch: Watch
    is_optional: bool
    is_pending: bool = True


@dataclass(frozen=True, slots=True)
class _Change:
    followed: _Followed
    change: str
    obj: Object
    failure: Exception | None = None


class Watches:
    """Watches, a thread each, that feed one snapshot; it changes only in `advance` and `add`.

    Args:
        kube: the API.
        objects: what is going to be deployed; it decides which kinds are watched where.
        deadline: when the watches end, in seconds of `time.monotonic`.
        base: what the cluster looked like before; what is not watched stays as it is there.
        on_change: called with every change, in the thread that calls `advance`.
    """

    def __init__(
        self,
        kube: Kube,
        objects: Iterable[Object],
        *,
        deadline: float,
        base: Snapshot | None = None,
        on_change: Callable[[str, Object], None] = lambda _change, _obj: None,
    ) -> None:
        self._kube = kube
        self._on_change = on_change
        self._changes: queue.SimpleQueue[_Change] = queue.SimpleQueue()
        before = base or Snapshot()
        wanted = watched(kube, objects)
        places = (*wanted, *([("Node", EVERYWHERE)] if before.knows("Node") else ()))
        self._followed = [
            _Followed(place, self._watch(place, deadline), is_optional=place not in wanted)
            for place in places
        ]
        self.snapshot = _begun(before, set(places))

    def __enter__(self) -> Self:
        for followed in self._followed:
            threading.Thread(target=self._feed, args=(followed,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        for followed in self._followed:
            followed.watch.stop()

    @property
    def is_complete(self) -> bool:
        """Whether every watch has listed what was there."""
        return not any(each.is_pending and not each.is_optional for each in self._followed)

    def add(self, applied: Iterable[Object]) -> None:
        """Take in what was applied, as the server answered, where no watch shows it, or not yet.

        A new workload that is not seen would leave the Service in front of it with nothing behind.
        """
        for obj in applied:
            if not is_watched(obj["kind"]) or self.snapshot.at(ref(obj)) is None:
                shown = without_values(obj) if obj["kind"] == "Secret" else obj
                self.snapshot.update("ADDED", shown, fresh=False)

    def advance(self, timeout: float) -> None:
        """Take in what changed, waiting up to `timeout` seconds for the first change.

        Raises:
            ClusterError: a watch could not go on.
        """
        with contextlib.suppress(queue.Empty):
            self._take(self._changes.get(timeout=max(0.0, timeout)))
            while True:
                self._take(self._changes.get_nowait())

    def complete(self, deadline: float) -> None:
        """Take in changes until every watch has listed what was there, or the deadline."""
        while not self.is_complete and time.monotonic() < deadline:
            self.advance(deadline - time.monotonic())

    def list_events(self, namespaces: Iterable[str]) -> None:
        """Take in the events of namespaces as the API lists them now.

        Watches do not keep step: a pod's state may be seen before the event that explains it.
        What the API cannot list, the snapshot shows as the watches last saw it.
        """
        for namespace in namespaces:
            with contextlib.suppress(ClusterError):
                for event in self._kube.list("v1", "Event", namespace=namespace):
                    self.snapshot.update("MODIFIED", event, fresh=False)

    def _take(self, change: _Change) -> None:
        followed = change.followed
        if change.failure is not None:
            if not followed.is_optional:
                raise change.failure
            followed.is_pending = False
        elif change.change == SYNCED:
            followed.is_pending = False
            self.snapshot.listed.add(followed.place)
        else:
            self.snapshot.update(change.change, change.obj, fresh=not followed.is_pending)
            self._on_change(change.change, change.obj)

    def _watch(self, place: Place, deadline: float) -> Watch:
        kind, namespace = place
        return self._kube.watch(
            version_served(self._kube, kind) or KINDS[kind].versions[0],
            kind,
            namespace=namespace or None,
            deadline=deadline,
            announce=True,
        )

    def _feed(self, followed: _Followed) -> None:
        try:
            for change, obj in followed.watch:
                self._changes.put(_Change(followed, change, obj))
        except Exception as error:  # noqa: BLE001 - else it would be waited for till the deadline
            self._changes.put(_Change(followed, "", {}, error))


def _begun(base: Snapshot, watched: set[Place]) -> Snapshot:
    """Return what is known before the watches tell theirs."""
    snapshot = Snapshot(system=base.system, unread=list(base.unread), is_watched=True)
    namespaces = {namespace for _, namespace in watched}
    stale = watched | {(kind, namespace) for kind in _FOLLOWING for namespace in namespaces}
    snapshot.listed |= base.listed - stale
    for where in base.refs():
        obj = base.at(where)
        if obj is not None and (where.kind, where.namespace) not in stale:
            snapshot.update("ADDED", obj, fresh=False)
    return snapshot


def watched(kube: Kube, objects: Iterable[Object]) -> list[Place]:
    """Return which kinds are watched where, while these objects are deployed."""
    wanted: set[Place] = set()
    for obj in objects:
        kind, namespace = obj["kind"], obj["metadata"].get("namespace", "")
        if kind not in KINDS or not namespace:
            continue
        followed = [kind] if is_watched(kind) else []
        followed += [kind_served(kube, each) for each in KINDS[kind].companions]
        if followed:
            wanted.update((each, namespace) for each in (*followed, *_ALWAYS))
    return sorted(wanted)
