"""Leases in memory, refused and replaced as the API does it."""
# ruff: noqa: ARG002 - a stub keeps the signatures of what it stands for

from __future__ import annotations

import copy
import json
import threading
from typing import Any

from nova_acceptance.kube import ApiError, Kube, Object
from nova_acceptance.kube.failures import ApiUnreachableError


class LeaseApi(Kube):
    """An API that has namespaces and Leases.

    Attributes:
        leases: those that there are, by namespace.
        refuse: verbs that this user lacks.
        is_away: whether nothing is answered.
        calls: what was asked for.
    """

    def __init__(self, *namespaces: str) -> None:
        self.leases: dict[str, Object] = {}
        self.refuse: set[str] = set()
        self.is_away = False
        self.calls: list[str] = []
        self._namespaces = set(namespaces)
        self._changed = threading.Condition()
        self._version = 0

    def get(self, api_version: str, kind: str, name: str, namespace: str | None = None) -> Any:
        self._ask("get")
        with self._changed:
            return copy.deepcopy(self.leases.get(namespace or ""))

    def create(self, obj: Object) -> Object:
        self._ask("create")
        namespace = obj["metadata"]["namespace"]
        with self._changed:
            if namespace not in self._namespaces:
                raise error(404, "NotFound")
            if namespace in self.leases:
                raise error(409, "AlreadyExists")
            return self._put(namespace, obj, uid=f"uid-{self._version}")

    def replace(self, obj: Object) -> Object:
        self._ask("update")
        metadata = obj["metadata"]
        with self._changed:
            live = self.leases.get(metadata["namespace"])
            if live is None:
                raise error(404, "NotFound")
            if live["metadata"]["resourceVersion"] != metadata["resourceVersion"]:
                raise error(409, "Conflict")
            return self._put(metadata["namespace"], obj, uid=metadata["uid"])

    def delete(self, *where: Any, **how: Any) -> None:
        self._ask("delete")
        namespace = where[3]
        with self._changed:
            live = self.leases.get(namespace)
            if live is None:
                return
            seen = live["metadata"]["uid"], live["metadata"]["resourceVersion"]
            if seen != (how["precondition_uid"], how["precondition_version"]):
                raise error(409, "Conflict")
            del self.leases[namespace]
            self._changed.notify_all()

    def watch(self, *_where: Any, namespace: str | None = None, **_how: Any) -> Any:
        """Yield the Lease as it is, and one event more as soon as it has changed."""
        self._ask("watch")
        seen = self.leases.get(namespace or "")
        if seen:
            yield "ADDED", copy.deepcopy(seen)
        yield "SYNCED", {}
        with self._changed:
            self._changed.wait_for(lambda: self.leases.get(namespace or "") is not seen, 0.05)
            now = self.leases.get(namespace or "")
        if now is not seen:
            yield ("MODIFIED", copy.deepcopy(now)) if now else ("DELETED", seen)

    def _put(self, namespace: str, obj: Object, *, uid: str) -> Object:
        self._version += 1
        metadata = {**obj["metadata"], "uid": uid, "resourceVersion": str(self._version)}
        self.leases[namespace] = copy.deepcopy({**obj, "metadata": metadata})
        self._changed.notify_all()
        return copy.deepcopy(self.leases[namespace])

    def _ask(self, verb: str) -> None:
        self.calls.append(verb)
        if self.is_away:
            raise ApiUnreachableError(verb, "https://api", TimeoutError("silence"))
        if verb in self.refuse:
            raise error(403, "Forbidden", f'cannot {verb} resource "leases"')


def error(status: int, reason: str, message: str = "") -> ApiError:
    body = {"code": status, "reason": reason, "message": message}
    return ApiError("a request", status, json.dumps(body))
