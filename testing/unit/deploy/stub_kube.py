"""A cluster in memory."""
# ruff: noqa: ARG002 - a stub keeps the signatures of what it stands for

from __future__ import annotations

import copy
import queue
import threading
import time
from collections.abc import Iterator
from typing import Any

from nova_acceptance.kube import SYNCED, Kube, Object, PodRef, Watch
from nova_acceptance.kube.kinds import KINDS
from testing.unit.waiting import SOON

_CLUSTER_WIDE = ("ClusterRole", "ClusterRoleBinding", "CustomResourceDefinition")


class StubWatch(Watch):
    """Yields what the test puts in, until stopped or its deadline."""

    def __init__(self, items: list[Object], deadline: float, *, announce: bool) -> None:
        self.changes: queue.SimpleQueue[tuple[str, Object] | None] = queue.SimpleQueue()
        self._until = deadline
        for item in items:
            self.changes.put(("ADDED", item))
        if announce:
            self.changes.put((SYNCED, {}))

    def __iter__(self) -> Iterator[tuple[str, Object]]:
        return self

    def __next__(self) -> tuple[str, Object]:
        try:
            change = self.changes.get(timeout=max(0.0, self._until - time.monotonic()))
        except queue.Empty:
            raise StopIteration from None
        if change is None:
            raise StopIteration
        return change

    def stop(self) -> None:
        self.changes.put(None)


class StubKube(Kube):
    """A cluster in memory: what is applied or put is there and is told to the watches.

    As in a real one an apply leaves the status as it is.
    """

    server_version = "v1.30.0"
    is_local = False

    def __init__(self, *objects: Object) -> None:
        self.objects: dict[tuple[str, str, str], Object] = {}
        self.calls: list[tuple[str, str]] = []
        self.last_log = ""
        self.server_version = "v1.20.2"
        self._watches: list[tuple[str, str | None, StubWatch]] = []
        self._changing = threading.Condition()
        for obj in objects:
            self.put(obj)

    def put(self, obj: Object, change: str = "MODIFIED") -> None:
        """Have the cluster show this object from now on."""
        obj = copy.deepcopy(obj)
        where = _namespace(obj)
        key = obj["kind"], where, obj["metadata"]["name"]
        with self._changing:
            if change == "DELETED":
                self.objects.pop(key, None)
            else:
                self.objects[key] = obj
            for kind, watched, watch in self._watches:
                if kind == obj["kind"] and watched in (None, where):
                    watch.changes.put((change, obj))

    def serves(self, api_version: str, kind: str) -> bool:
        return True

    def plural(self, api_version: str, kind: str) -> str | None:
        return f"{kind.lower()}s" if self.serves(api_version, kind) else None

    def is_namespaced(self, api_version: str, kind: str) -> bool | None:
        if not self.serves(api_version, kind):
            return None
        return KINDS[kind].is_namespaced if kind in KINDS else kind not in _CLUSTER_WIDE

    def versions_of(self, kind: str) -> tuple[str, ...]:
        known = KINDS[kind].versions if kind in KINDS else ()
        return tuple(version for version in known if self.serves(version, kind))

    def get(
        self, api_version: str, kind: str, name: str, namespace: str | None = None
    ) -> Object | None:
        return self.objects.get((kind, namespace or "", name))

    def list(
        self, api_version: str, kind: str, *, namespace: str | None = None, **_: object
    ) -> list[Object]:
        return [
            obj
            for (its_kind, where, _), obj in list(self.objects.items())
            if its_kind == kind and namespace in (None, where)
        ]

    def apply(self, obj: Object, *, dry_run: bool = False) -> Object:
        with self._changing:
            live = self.get("", obj["kind"], obj["metadata"]["name"], _namespace(obj)) or {}
            self.put({**{key: live[key] for key in live.keys() & {"status"}}, **obj})
            self._called("apply", f"{obj['kind']} {obj['metadata']['name']}")
        return obj

    def delete(
        self,
        api_version: str,
        kind: str,
        name: str,
        namespace: str | None = None,
        **_: object,
    ) -> None:
        with self._changing:
            if obj := self.objects.get((kind, namespace or "", name)):
                self.put(obj, "DELETED")
            self._called("delete", f"{kind} {name}")

    def wait_for_call(self, verb: str, what: str = "") -> None:
        """Until there was a call of `verb`, for `what` where it is given, and it is carried out."""
        with self._changing:
            assert self._changing.wait_for(
                lambda: any(call == verb and what in ("", its) for call, its in self.calls), SOON
            )

    def _called(self, verb: str, what: str) -> None:
        self.calls.append((verb, what))
        self._changing.notify_all()

    def watch(
        self,
        api_version: str,
        kind: str,
        *,
        namespace: str | None = None,
        deadline: float,
        announce: bool = False,
        **_: object,
    ) -> StubWatch:
        with self._changing:
            items = self.list(api_version, kind, namespace=namespace)
            watch = StubWatch(items, deadline, announce=announce)
            self._watches.append((kind, namespace, watch))
        return watch

    def logs(self, pod: PodRef, **_: Any) -> str:
        return self.last_log


def _namespace(obj: Object) -> str:
    return str(obj["metadata"].get("namespace", ""))
