"""Stand-ins for what is asked and for what the API says, as short as a test wants to write them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nova_acceptance.components.kubernetes.backends import Endpoint
from nova_acceptance.evidence import Evidence
from nova_acceptance.findings import Ref, ref
from nova_acceptance.kube import Object, PodRef
from nova_acceptance.system import Workload
from nova_acceptance.vantage.questions import Answer


def told(answer: str, seconds: float = 0.01) -> Evidence:
    return Evidence("asked", "pod", "target", answer, seconds)


class Asked:
    """A survey whose answers a function gives; one that is named beforehand is given instead."""

    def __init__(self, usual: Callable[[PodRef, Any], Answer]) -> None:
        self._usual = usual
        self.otherwise: dict[Any, Answer] = {}
        self.read: list[tuple[PodRef, Any]] = []

    def answer(self, pod: PodRef, question: Any) -> Any:
        self.read.append((pod, question))
        return self._answer(pod, question)

    def all_to(self, question: Any) -> dict[PodRef, Any]:
        pods = dict.fromkeys(pod for pod, each in self.read if each == question)
        return {pod: self._answer(pod, question) for pod in pods}

    def _answer(self, pod: PodRef, question: Any) -> Answer:
        other = self.otherwise.get((pod, question)) or self.otherwise.get(question)
        return other or self._usual(pod, question)


class Seen:
    """What the API says: objects, pods by their workload, and what is behind a Service."""

    def __init__(self, *objects: Object) -> None:
        self.objects = list(objects)
        self.pods: dict[str, dict[str, str]] = {}
        self.behind: dict[str, list[Endpoint]] = {}

    def at(self, where: Ref) -> Object | None:
        return next((each for each in self.objects if ref(each) == where), None)

    def get(self, kind: str, namespace: str, name: str) -> Object | None:
        return self.at(Ref(kind, namespace, name))

    def of_kind(self, kind: str) -> list[Object]:
        return [each for each in self.objects if each["kind"] == kind]

    def endpoints(self, service: str, namespace: str) -> list[Endpoint]:
        return self.behind.get(f"{namespace}/{service}", [])

    def pods_of(self, workload: Workload) -> list[Object]:
        return [
            {
                "kind": "Pod",
                "metadata": {"name": name, "namespace": workload.namespace},
                "spec": {"containers": []},
                "status": {
                    "podIP": address,
                    "conditions": [{"type": "Ready", "status": "True"}],
                },
            }
            for name, address in self.pods.get(workload.name, {}).items()
        ]
