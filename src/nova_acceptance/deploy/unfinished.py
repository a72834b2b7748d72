"""What a deployment or a removal has begun, told on the run's Lease until it has come to its end.

A run that is killed cannot say what it leaves. What it was about to make is on its Lease
(`cluster.tenure`) before it makes it, so that whoever clears up knows what there was before: where
nothing was, nothing is to stay; where something was, the deployment is to be completed.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Final

from nova_acceptance import timeouts
from nova_acceptance.cluster.lease import Leases
from nova_acceptance.cluster.runs import Run
from nova_acceptance.cluster.tenure import Tenure
from nova_acceptance.deploy.absence import await_gone
from nova_acceptance.deploy.ownership import (
    apart,
    is_ours,
    live_objects,
    marked,
    namespaces_defined,
)
from nova_acceptance.deploy.removal import remove
from nova_acceptance.kube import FIELD_MANAGER, Kube, Object, describe
from nova_acceptance.progress import Progress

BEGUN: Final = "nova-acceptance/begun"
"""The annotation of a namespace that was made for a Lease, with the run that made it.

The deployment that follows does not have it, and so takes it away.
"""


class Deed(StrEnum):
    """What was begun."""

    FROM_NOTHING = "deployment from nothing"
    UPDATE = "deployment over what was there"
    REMOVAL = "removal"


@dataclass(frozen=True, slots=True)
class Unfinished:
    """Something that was begun.

    Attributes:
        deed: what.
        run: by which run.
        command: how it was started.
        objects: what it is about, each as `[apiVersion, kind, namespace, name]`; nothing for an
            update.
    """

    deed: Deed
    run: str
    command: str = ""
    objects: tuple[tuple[str, str, str, str], ...] = field(default=())

    @classmethod
    def read(cls, text: str) -> Unfinished | None:
        """Return what an annotation says; None where it says nothing."""
        if not text:
            return None
        said = json.loads(text)
        objects = tuple((each[0], each[1], each[2], each[3]) for each in said["objects"])
        return cls(Deed(said["deed"]), said["run"], said["command"], objects)

    def __str__(self) -> str:
        return json.dumps(asdict(self), separators=(",", ":"))

    @property
    def is_to_be_removed(self) -> bool:
        """Whether what it is about is not to stay."""
        return self.deed is not Deed.UPDATE

    def remove(self, kube: Kube, progress: Progress) -> list[str]:
        """Remove what it has made, and nothing that somebody else made meanwhile.

        Returns:
            What stays, since a label alone says that it is ours.

        Raises:
            ApplyError: an object is not ours, or was not gone in time.
            ClusterError: the API refused or did not answer.
        """
        objects = [_bare(*each) for each in self.objects]
        left: list[Object] = []
        if self.deed is Deed.FROM_NOTHING:
            there = live_objects(kube, apart(objects))
            left = [obj for obj, live in there if is_ours(live) and not _was_applied(live)]
        kept = namespaces_defined(left)
        remove(
            kube,
            [o for o in objects if o not in left and o["metadata"].get("namespace") not in kept],
            progress,
        )
        return list(map(describe, left))


def deployment(
    kube: Kube, objects: Sequence[Object], *, run: str, command: str, before: str
) -> Unfinished:
    """Return what a deployment is about to begin, by what there is.

    Args:
        kube: the API.
        objects: what is going to be applied.
        run: the run that does it.
        command: how it was started.
        before: what another run has left unfinished, as its Lease says.

    Raises:
        ClusterError: the API refused or did not answer.
    """
    left = Unfinished.read(before)
    known = set(left.objects) if left and left.deed is Deed.FROM_NOTHING else set()
    there = [_key(obj) for obj, live in live_objects(kube, objects) if not _is_begun(live)]
    if not known.issuperset(there):
        return Unfinished(Deed.UPDATE, run, command)
    every = dict.fromkeys((*map(_key, objects), *sorted(known)))
    return Unfinished(Deed.FROM_NOTHING, run, command, tuple(every))


def removal(objects: Sequence[Object], *, run: str, command: str) -> Unfinished:
    """Return what a removal is about to begin."""
    return Unfinished(Deed.REMOVAL, run, command, tuple(map(_key, objects)))


def remove_alone(kube: Kube, objects: Sequence[Object], run: Run, progress: Progress) -> None:
    """Remove what was deployed while no other run is at work there.

    Args:
        kube: the API.
        objects: what was deployed, as rendered, each with its namespace.
        run: the run that does it.
        progress: where to show how far it is.

    Raises:
        RefusedError: another run goes on.
        ApplyError: an object is not ours, or was not gone in time.
        ClusterError: the API refused or did not answer.
    """
    homes = (obj["metadata"].get("namespace") for obj in objects)
    kept = [Leases(kube, name) for name in dict.fromkeys(filter(None, homes))]
    tenures = [Tenure(each, run) for each in kept if each.read()]
    try:
        for tenure in tenures:
            tenure.take("removing", progress)
            begin_removal(tenure, objects, run=run.id, command="nova-cluster remove")
        remove(kube, objects, progress)
        for tenure in tenures:
            tenure.mark(None)
    finally:
        for tenure in tenures:
            tenure.release()


def begin_removal(tenure: Tenure, objects: Sequence[Object], *, run: str, command: str) -> None:
    """Note that a removal begins, with which the Lease itself may go.

    Raises:
        RefusedError: the run holds the system no more.
        ClusterError: the API did not answer.
    """
    tenure.confirm(afresh=True)
    tenure.mark(str(removal(objects, run=run, command=command)))
    tenure.goes_along = True


def begin_namespace(kube: Kube, objects: Sequence[Object], name: str, run: str) -> bool:
    """Make a namespace that a deployment defines before all else of it, for the run's Lease.

    Args:
        kube: the API.
        objects: what is going to be applied.
        name: the namespace.
        run: the run that does it.

    Returns:
        Whether it was made; not, where it was there or the objects do not define it.
    """
    own = [obj for obj in marked(objects) if obj["kind"] == "Namespace"]
    wanted = next((obj for obj in own if obj["metadata"]["name"] == name), None)
    if wanted is None or kube.get("v1", "Namespace", name) is not None:
        return False
    metadata = wanted["metadata"]
    annotations = {**(metadata.get("annotations") or {}), BEGUN: run}
    kube.apply({**wanted, "metadata": {**metadata, "annotations": annotations}})
    return True


def remove_begun_namespace(kube: Kube, name: str, is_alive: Callable[[str], bool]) -> bool:
    """Remove a namespace in which a run was killed before it had begun anything else.

    Returns:
        Whether there was one.
    """
    live = kube.get("v1", "Namespace", name)
    if live is None or not is_ours(live):
        return False
    run = (live["metadata"].get("annotations") or {}).get(BEGUN)
    if run is None or is_alive(run):
        return False
    kube.delete("v1", "Namespace", name, precondition_uid=live["metadata"].get("uid"))
    await_gone(kube, "Namespace", [name], deadline=time.monotonic() + timeouts.REMOVE)
    return True


def _was_applied(live: Object) -> bool:
    """Whether an object of the cluster was applied by this suite, and not only labelled as its."""
    return any(
        entry.get("manager") == FIELD_MANAGER and entry.get("operation") == "Apply"
        for entry in live["metadata"].get("managedFields") or ()
    )


def _is_begun(live: Object) -> bool:
    return BEGUN in (live["metadata"].get("annotations") or {})


def _key(obj: Object) -> tuple[str, str, str, str]:
    metadata = obj["metadata"]
    return obj["apiVersion"], obj["kind"], metadata.get("namespace") or "", metadata["name"]


def _bare(version: str, kind: str, namespace: str, name: str) -> Object:
    metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
    return {"apiVersion": version, "kind": kind, "metadata": metadata}
