"""Pods to ask from: those in which a program runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from nova_acceptance.components.kubernetes.members import is_running
from nova_acceptance.components.kubernetes.seen import Seen, ref
from nova_acceptance.components.kubernetes.status import is_ready
from nova_acceptance.findings import NOWHERE, Finding, FindingError, Ref
from nova_acceptance.kube import PodRef
from nova_acceptance.phrase import Phrase
from nova_acceptance.system import Workload


class VantagePoints(dict[str, PodRef]):
    """A pod by the name of its component or namespace; asking for one without says why not."""

    def __init__(self, homes: Mapping[str, Ref]) -> None:
        super().__init__()
        self._homes = homes

    def __missing__(self, name: str) -> PodRef:
        said = Phrase(
            "no container of {name} runs, so nothing can be asked from inside it", name=name
        )
        raise FindingError(Finding("VANTAGE_MISSING", self._homes.get(name, NOWHERE), said))

    def all(self) -> dict[str, PodRef]:
        """Return every one that is wanted.

        Raises:
            FindingError: one of them has no pod in which a container runs, or there is none.
        """
        if not self._homes:
            said = Phrase("nova.yaml has no component from inside which anything can be asked")
            raise FindingError(Finding("VANTAGE_MISSING", NOWHERE, said))
        return {name: self[name] for name in self._homes}


def vantage_points(objects: Seen, workloads: Mapping[str, list[Workload]]) -> VantagePoints:
    """Return a pod for each name, one that is ready before one that only runs.

    Args:
        objects: what the API says.
        workloads: those whose pods will do, by the name that they stand for.
    """
    found = VantagePoints({name: each[0].ref for name, each in workloads.items() if each})
    for name, candidates in workloads.items():
        pods = sorted(_running(objects, candidates), key=lambda pair: not pair[0])
        if pods:
            found[name] = pods[0][1]
    return found


def _running(objects: Seen, workloads: list[Workload]) -> Iterator[tuple[bool, PodRef]]:
    for workload in workloads:
        for pod in objects.pods_of(workload):
            if is_running(pod):
                yield is_ready(pod), ref(pod)
