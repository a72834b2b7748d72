"""The Lease by which runs on one system do not meet, as an object of the API.

It is in the first namespace of the system, and names the run that may write there, who started it,
and where. A run that ended has deleted it. One that was killed leaves it: it is another's to take
once nobody has renewed it for as long as it says, by the clock of whoever watches. Clocks of other
machines are compared with nothing (client-go, `leaderelection`, does the same).

Two runs cannot both win: a Lease is made under one name, and changed only as it was read.
"""

from __future__ import annotations

import getpass
import os
import re
import socket
import time
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, Final

from nova_acceptance import timeouts
from nova_acceptance.kube import FIELD_MANAGER, ApiError, Kube, Object
from nova_acceptance.kube.objects import RUN_LABEL

VERSION: Final = "coordination.k8s.io/v1"
KIND: Final = "Lease"
NAME: Final = "nova-acceptance"
DOING: Final = "nova-acceptance/doing"
"""The annotation that says what the run that holds it is doing."""
_MANAGED_BY: Final = "app.kubernetes.io/managed-by"
_HOLDER: Final = re.compile(r"(?P<run>[0-9A-Za-z]+) (?P<who>.*)")


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a Lease.

    Attributes:
        run: the identifier of the run.
        who: who started it, and where: `user@host (pid)`.
    """

    run: str
    who: str = ""

    @classmethod
    def here(cls, run: str) -> Holder:
        """Return a run of this process."""
        return cls(run, f"{_user()}@{socket.gethostname()} ({os.getpid()})")

    @classmethod
    def of(cls, lease: Object) -> Holder | None:
        """Return who holds a Lease; None where nobody does."""
        said = str(lease["spec"].get("holderIdentity") or "")
        found = _HOLDER.fullmatch(said)
        return cls(**found.groupdict()) if found else cls("", said) if said else None

    def __str__(self) -> str:
        return f"{self.run} {self.who}".strip()


def is_of_a_run(lease: Object) -> bool:
    """Whether a Lease of this name was made by a run of this suite."""
    return RUN_LABEL in (lease["metadata"].get("labels") or {})


def since(lease: Object) -> str:
    """Return when its holder has got it, as the holder's own clock had it."""
    return str(lease["spec"].get("acquireTime") or "")[:19].replace("T", " ")


def doing(lease: Object) -> str:
    """Return what its holder is doing."""
    return str(annotated(lease).get(DOING) or "at work")


def annotated(lease: Object) -> dict[str, str]:
    """Return the annotations of a Lease."""
    return dict(lease["metadata"].get("annotations") or {})


class Leases:
    """The Lease of one system: read, made, renewed, handed on and removed.

    Args:
        kube: the API.
        namespace: the first namespace of the system.
    """

    def __init__(self, kube: Kube, namespace: str) -> None:
        self._kube = kube
        self.namespace = namespace

    def __str__(self) -> str:
        return f"{KIND} {self.namespace}/{NAME}"

    def read(self) -> Object | None:
        """Return it; None where there is none."""
        return self._kube.get(VERSION, KIND, NAME, self.namespace)

    def made(self, holder: Holder, purpose: str) -> Object | None:
        """Make it; None where another run was quicker.

        Raises:
            ApiError: it may not be made, or there is no such namespace (404).
        """
        lease: Object = {
            "apiVersion": VERSION,
            "kind": KIND,
            "metadata": {"name": NAME, "namespace": self.namespace},
            "spec": {"leaseTransitions": 0},
        }
        try:
            found = self._kube.create(_held(lease, holder, purpose))
        except ApiError as error:
            if error.status == HTTPStatus.CONFLICT:
                return None
            raise
        # After an answer that was lost it may be somebody else's that is there.
        return found if Holder.of(found) == holder else None

    def taken(self, lease: Object, holder: Holder, purpose: str) -> Object | None:
        """Take a Lease that nobody needs any more; None where it has changed since it was read."""
        mine = _held(deepcopy(lease), holder, purpose)
        mine["spec"]["leaseTransitions"] = int(lease["spec"].get("leaseTransitions") or 0) + 1
        return self.replaced(mine)

    def renewed(self, lease: Object, **changes: str | None) -> Object | None:
        """Renew a Lease, and set annotations, or remove those that are None.

        None where it has changed since it was read.
        """
        mine = deepcopy(lease)
        mine["spec"]["renewTime"] = _now()
        return self.replaced(_with(mine, changes))

    def vacated(self, lease: Object) -> Object | None:
        """Keep a Lease for what it says, and have nobody hold it."""
        mine = deepcopy(lease)
        mine["spec"]["holderIdentity"] = None
        return self.replaced(_with(mine, {DOING: None}))

    def replaced(self, lease: Object) -> Object | None:
        """Put a Lease in the place of the one that it was read as; None where that has changed."""
        try:
            return self._kube.replace({**lease, "apiVersion": VERSION, "kind": KIND})
        except ApiError as error:
            if error.status in (HTTPStatus.CONFLICT, HTTPStatus.NOT_FOUND):
                return None
            raise

    def delete(self, lease: Object) -> bool:
        """Delete a Lease as it was read; False where it has changed since."""
        metadata = lease["metadata"]
        try:
            self._kube.delete(
                *(VERSION, KIND, NAME, self.namespace),
                precondition_uid=metadata["uid"],
                precondition_version=metadata["resourceVersion"],
            )
        except ApiError as error:
            if error.status == HTTPStatus.CONFLICT:
                return False
            raise
        return True

    def await_change(self, lease: Object, within: float) -> None:
        """Wait until a Lease is another than it was read, or gone, or the time is over."""
        changes = self._kube.watch(
            *(VERSION, KIND),
            namespace=self.namespace,
            field_selector=f"metadata.name={NAME}",
            deadline=time.monotonic() + within,
            announce=True,
        )
        is_there = False
        for kind, obj in changes:
            if kind == "SYNCED" and is_there:
                continue
            if kind == "ADDED" and _version(obj) == _version(lease):
                is_there = True
                continue
            return


class Patience:
    """Judges whether the holder of a Lease is still there, by seeing it renewed.

    Args:
        clock: a clock of this machine that only goes forward, in seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._seen: Any = None
        self._at = 0.0

    def left(self, lease: Object) -> float:
        """Return for how many more seconds its holder is taken for alive."""
        seen = (lease["metadata"]["uid"], lease["spec"])
        if seen != self._seen:
            self._seen, self._at = deepcopy(seen), self._clock()
        lasts = float(lease["spec"].get("leaseDurationSeconds") or timeouts.LEASE)
        return max(0.0, self._at + lasts - self._clock())


def _held(lease: Object, holder: Holder, purpose: str) -> Object:
    now = _now()
    lease["metadata"]["labels"] = {
        **(lease["metadata"].get("labels") or {}),
        RUN_LABEL: holder.run,
        _MANAGED_BY: FIELD_MANAGER,
    }
    lease["spec"] |= {
        "holderIdentity": str(holder),
        "leaseDurationSeconds": int(timeouts.LEASE),
        "acquireTime": now,
        "renewTime": now,
    }
    return _with(lease, {DOING: purpose})


def _with(lease: Object, changes: dict[str, str | None]) -> Object:
    found = {**annotated(lease), **changes}
    lease["metadata"]["annotations"] = {k: v for k, v in found.items() if v is not None}
    return lease


def _version(lease: Object) -> str:
    return str(lease["metadata"]["resourceVersion"])


def _now() -> str:
    """Return the time as the API spells it, in microseconds."""
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        return str(os.getuid())
