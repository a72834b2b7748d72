"""What the Kubernetes API says, as a test reads it: with evidence of all that is read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from typing import Final

from nova_acceptance.components.kubernetes.backends import Endpoint, pods_selected, ready_behind
from nova_acceptance.components.kubernetes.summaries import summary
from nova_acceptance.evidence import Evidence
from nova_acceptance.findings import Ref
from nova_acceptance.findings import ref as ref_of
from nova_acceptance.kube import Object, PodRef
from nova_acceptance.kube.snapshot import EVERYWHERE, Index, Snapshot
from nova_acceptance.system import Front, Workload
from nova_acceptance.vantage.transcript import Transcript, shorten

API: Final = "Kubernetes API"


class Seen(Snapshot):
    """A snapshot that takes down each object which is read of it.

    To read what could not be listed raises why: an absence here is never a guess. Threads may
    share it.

    Args:
        snapshot: the objects at one moment.
        transcript: who takes down what is read.
    """

    def __init__(self, snapshot: Snapshot, transcript: Transcript) -> None:
        super().__init__(**{each.name: getattr(snapshot, each.name) for each in fields(snapshot)})
        self._transcript = transcript

    def at(self, where: Ref) -> Object | None:
        """Return the object of a reference, or None; either is evidence."""
        self._require(where.kind, where.namespace)
        found = super().at(where)
        self._tell(f"get {where}", summary(found) if found else "absent")
        return found

    def of_kind(self, kind: str, namespace: str | None = None) -> Iterator[Object]:
        """Yield the objects of a kind, in one namespace or in all; their names are evidence."""
        self._require(kind, namespace or EVERYWHERE)
        found = list(super().of_kind(kind, namespace))
        names = ", ".join(sorted(each["metadata"]["name"] for each in found)) or "none"
        self._tell(f"list {kind} {namespace or ''}".rstrip(), names)
        yield from found

    def indexed(self, kind: str, by: Index, word: str) -> list[Object]:
        """Return the objects of a kind that an index holds under a word."""
        found = super().indexed(kind, by, word)
        for each in found:
            self._tell(f"get {ref_of(each)}", summary(each))
        return found

    def bare(self) -> Snapshot:
        """Return the same without evidence, in which what could not be listed is just absent."""
        return Snapshot(**{each.name: getattr(self, each.name) for each in fields(self)})

    def pods_of(self, workload: Workload) -> list[Object]:
        """Return a workload's pods by its own selector, in the order of their names."""
        return pods_selected(self, workload)

    def refs_of(self, workload: Workload) -> list[PodRef]:
        """Return where to ask a workload's pods."""
        return [ref(pod) for pod in self.pods_of(workload)]

    def endpoints(self, service: str, namespace: str) -> list[Endpoint]:
        """Return the ready addresses behind a Service, in their order."""
        return ready_behind(self, Ref("Service", namespace, service))

    def _require(self, kind: str, namespace: str) -> None:
        failed = {place: error for (name, place), error in self.failures.items() if name == kind}
        is_known = self.knows(kind, namespace)
        if namespace == EVERYWHERE:
            is_known = is_known or any(name == kind for name, _ in self.listed)
            failure = next(iter(failed.values()), None)
        else:
            failure = None if is_known else failed.get(namespace) or failed.get(EVERYWHERE)
        if failure:
            raise failure
        if not is_known:
            raise ValueError(f"{kind} of {namespace or 'the cluster'} was not looked at")

    def _tell(self, asked: str, answer: str) -> None:
        self._transcript.add(Evidence(asked, "runner", API, shorten(answer), 0.0))


def addresses_of(objects: Seen, front: Front) -> frozenset[str]:
    """Return what a Service's name stands for: its own addresses, or those behind a headless one.

    They are of one family or of both; a name server is asked for each by itself.
    """
    found = objects.at(front.ref)
    if found is None or found["spec"].get("type") == "ExternalName":
        return frozenset()  # of an alias the cluster has no address
    spec = found["spec"]
    own = [each for each in spec.get("clusterIPs") or [spec.get("clusterIP")] if each]
    if own and own[0] != "None":
        return frozenset(own)
    return frozenset(each.address for each in objects.endpoints(front.name, front.namespace))


def ref(pod: Object) -> PodRef:
    """Return a pod's namespace and name."""
    return PodRef(pod["metadata"]["namespace"], pod["metadata"]["name"])
