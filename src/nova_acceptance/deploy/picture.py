"""The part of a cluster that a deployment concerns, kept up to date by one set of watches."""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from types import TracebackType

from nova_acceptance.errors import ClusterError, NovaError
from nova_acceptance.kube import SYNCED, Kube, Object, Watch

API_VERSIONS = {
    "DaemonSet": "apps/v1",
    "Deployment": "apps/v1",
    "Endpoints": "v1",
    "Event": "v1",
    "Job": "batch/v1",
    "PersistentVolumeClaim": "v1",
    "Pod": "v1",
    "ReplicaSet": "apps/v1",
    "StatefulSet": "apps/v1",
}
"""What is watched where it is wanted; other kinds are current once they are applied."""

_ALWAYS = ("Event", "Pod")
_COMPANIONS = {
    "Deployment": ("ReplicaSet",),
    "Service": ("Endpoints",),
    "StatefulSet": ("PersistentVolumeClaim",),
}

Key = tuple[str, str, str]
"""Kind, namespace and name."""


def key_of(obj: Object) -> Key:
    """Return the object's kind, namespace and name."""
    metadata = obj["metadata"]
    return obj["kind"], metadata.get("namespace", ""), metadata["name"]


class Picture:
    """Objects by kind, namespace and name, as the watches last saw them."""

    def __init__(self, objects: Iterable[Object] = ()) -> None:
        self._objects: dict[Key, Object] = {key_of(obj): obj for obj in objects}
        self._fresh: set[str] = set()

    def update(self, change: str, obj: Object, *, fresh: bool = True) -> None:
        """Take in one change; `fresh` says that it came after the first complete list."""
        if change == "DELETED":
            self._objects.pop(key_of(obj), None)
            return
        self._objects[key_of(obj)] = obj
        if fresh:
            self._fresh.add(obj["metadata"]["uid"])

    def get(self, kind: str, namespace: str, name: str) -> Object | None:
        """Return an object, or None when there is none."""
        return self._objects.get((kind, namespace, name))

    def of_kind(self, kind: str, namespace: str | None = None) -> Iterator[Object]:
        """Yield the objects of a kind, in one namespace or in all that are watched."""
        for (its_kind, its_namespace, _), obj in list(self._objects.items()):
            if its_kind == kind and namespace in (None, its_namespace):
                yield obj

    def owned_by(self, owner: Object, kind: str) -> list[Object]:
        """Return the objects of a kind whose controller is `owner`."""
        uid = owner["metadata"]["uid"]
        return [
            obj
            for obj in self.of_kind(kind, owner["metadata"].get("namespace"))
            if any(ref["uid"] == uid for ref in obj["metadata"].get("ownerReferences") or ())
        ]

    def events_about(self, obj: Object, *, fresh: bool = False) -> list[Object]:
        """Return the events about an object, oldest first.

        Args:
            obj: the object; events about an earlier one of its name do not count.
            fresh: only those that came, or came again, since the watches began.
        """
        uid = obj["metadata"]["uid"]
        events = [
            event
            for event in self.of_kind("Event", obj["metadata"].get("namespace"))
            if event.get("involvedObject", {}).get("uid") == uid
            and (not fresh or event["metadata"]["uid"] in self._fresh)
        ]
        return sorted(events, key=_event_time)


def _event_time(event: Object) -> str:
    return str(
        event.get("lastTimestamp")
        or event.get("eventTime")
        or event["metadata"].get("creationTimestamp", "")
    )


@dataclass(frozen=True, slots=True)
class _Change:
    watch: Watch
    change: str
    obj: Object
    failure: NovaError | None = None


class Observation:
    """Watches, a thread each, that feed one picture; the picture changes only in `advance`.

    Args:
        kube: the API.
        objects: what is going to be deployed; it decides which kinds are watched where.
        deadline: when the watches end, in seconds of `time.monotonic`.
        on_change: called with every change, in the thread that calls `advance`.
    """

    def __init__(
        self,
        kube: Kube,
        objects: Iterable[Object],
        *,
        deadline: float,
        on_change: Callable[[str, Object], None] = lambda _change, _obj: None,
    ) -> None:
        self.picture = Picture()
        self._kube = kube
        self._on_change = on_change
        self._changes: queue.SimpleQueue[_Change] = queue.SimpleQueue()
        self._watches = [
            kube.watch(
                API_VERSIONS[kind], kind, namespace=namespace, deadline=deadline, announce=True
            )
            for namespace, kind in _wanted(objects)
        ]
        self._unsynced = set(map(id, self._watches))

    def __enter__(self) -> Observation:
        for watch in self._watches:
            threading.Thread(target=self._feed, args=(watch,), daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for watch in self._watches:
            watch.stop()

    @property
    def is_complete(self) -> bool:
        """Whether every watch has listed what was there."""
        return not self._unsynced

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

    def list_events(self, namespace: str) -> None:
        """Take in the events of a namespace as the API lists them now.

        Watches do not keep step: a pod's state may be seen before the event that explains it.
        What the API cannot list, the picture shows as the watches last saw it.
        """
        with contextlib.suppress(ClusterError):
            for event in self._kube.list(API_VERSIONS["Event"], "Event", namespace=namespace):
                self.picture.update("MODIFIED", event, fresh=False)

    def _take(self, change: _Change) -> None:
        if change.failure is not None:
            raise change.failure
        if change.change == SYNCED:
            self._unsynced.discard(id(change.watch))
            return
        fresh = id(change.watch) not in self._unsynced
        self.picture.update(change.change, change.obj, fresh=fresh)
        self._on_change(change.change, change.obj)

    def _feed(self, watch: Watch) -> None:
        try:
            for change, obj in watch:
                self._changes.put(_Change(watch, change, obj))
        except NovaError as error:
            self._changes.put(_Change(watch, "", {}, error))


def _wanted(objects: Iterable[Object]) -> list[tuple[str, str]]:
    """Return the pairs of namespace and kind to watch."""
    wanted: set[tuple[str, str]] = set()
    for obj in objects:
        kind, namespace, _ = key_of(obj)
        watched = [kind] if kind in API_VERSIONS else []
        watched += _COMPANIONS.get(kind, ())
        if watched and namespace:
            wanted.update((namespace, each) for each in (*watched, *_ALWAYS))
    return sorted(wanted)
