"""Volumes in a directory of this node, for claims whose first pod is scheduled here.

Follows the protocol of an external provisioner (Kubernetes' "Volume provisioning" design):
a claim is ours when the controller names us in its storage-provisioner annotation; the
scheduler's choice is in its selected-node annotation; a volume that was Released with
policy Delete is ours to remove.
"""

from __future__ import annotations

import contextlib
import datetime
import logging
import os
import queue
import shutil
from collections.abc import Callable, Sequence
from http import HTTPStatus
from http.client import HTTPException
from typing import Final

from nova_node import volumes
from nova_node.api import Api, ApiError, Object
from nova_node.watch import Change, follow_in_thread

RETRY_SECONDS: Final = 1.0

log = logging.getLogger(__name__)


class NodeStorage:
    """Makes and removes the volumes of one node."""

    def __init__(self, api: Api, node: str) -> None:
        self.api = api
        self.node = node
        self._claims: dict[str, Object] = {}
        self._volumes: dict[str, Object] = {}
        self._refused: set[str] = set()

    def take(self, changes: Sequence[Change]) -> None:
        """Remember the claims and volumes that wait for this node."""
        for key, obj in ((change.key, change.obj) for change in changes):
            waiting, is_ours = (
                (self._volumes, volumes.is_released_here)
                if key.startswith("/")
                else (self._claims, volumes.is_wanted_here)
            )
            if obj is not None and is_ours(obj, self.node):
                waiting[key] = obj
            else:
                waiting.pop(key, None)

    def settle(self) -> bool:
        """Serve everything that waits; False when something failed and is to be tried again."""
        outcomes = [
            *(self._attempt(self._provision, self._claims, key) for key in [*self._claims]),
            *(self._attempt(self._remove, self._volumes, key) for key in [*self._volumes]),
        ]
        return all(outcomes)

    def _attempt(
        self, serve: Callable[[Object], None], waiting: dict[str, Object], key: str
    ) -> bool:
        try:
            serve(waiting[key])
        except (ApiError, OSError, HTTPException) as error:
            log.warning("%s: %s", key, error)
            return False
        del waiting[key]
        return True

    def _provision(self, claim: Object) -> None:
        name = volumes.volume_name(claim)
        if why := volumes.refusal(claim):
            self._tell(claim, why)
            return
        path = volumes.ROOT / name
        path.mkdir(exist_ok=True)
        # Whoever the pod runs as may write; the directory above lets nobody else through.
        path.chmod(0o777)
        try:
            self.api.create("/api/v1/persistentvolumes", volumes.volume_for(claim, self.node))
        except ApiError as error:
            if error.status != HTTPStatus.CONFLICT:
                raise
        log.info("%s made for claim %s/%s", name, *_name(claim))

    def _remove(self, volume: Object) -> None:
        name = volume["metadata"]["name"]
        path = volumes.ROOT / name
        if path.exists():
            shutil.rmtree(path)
            log.info("%s removed", name)
        try:
            self.api.delete(f"/api/v1/persistentvolumes/{name}")
        except ApiError as error:
            if error.status != HTTPStatus.NOT_FOUND:
                raise

    def _tell(self, claim: Object, why: str) -> None:
        """Say in an Event of `claim` why it is not served, once."""
        uid = claim["metadata"]["uid"]
        if uid in self._refused:
            return
        namespace, name = _name(claim)
        now = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        event = volumes.refusal_event(claim, why, node=self.node, now=now)
        self.api.create(f"/api/v1/namespaces/{namespace}/events", event)
        self._refused.add(uid)
        log.warning("claim %s/%s refused: %s", namespace, name, why)


def _name(claim: Object) -> tuple[str, str]:
    return claim["metadata"]["namespace"], claim["metadata"]["name"]


def main(_: Sequence[str]) -> int:
    """Follow claims and volumes for ever."""
    api = Api.from_environment()
    storage = NodeStorage(api, os.environ["NODE_NAME"])
    batches: queue.SimpleQueue[Sequence[Change]] = queue.SimpleQueue()
    follow_in_thread(api, "/api/v1/persistentvolumeclaims", batches.put)
    follow_in_thread(api, "/api/v1/persistentvolumes", batches.put)
    volumes.ROOT.chmod(0o700)
    served = True
    while True:
        with contextlib.suppress(queue.Empty):
            storage.take(batches.get(timeout=None if served else RETRY_SECONDS))
        served = storage.settle()
