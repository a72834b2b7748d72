"""A rendered overlay, and the questions that the tests ask of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

Object = dict[str, Any]
WORKLOADS = ("Deployment", "StatefulSet")


def identity(obj: Object) -> str:
    """Kind, namespace and name, for a message."""
    metadata = obj["metadata"]
    return f"{obj['kind']} {metadata.get('namespace', '')}/{metadata['name']}"


@dataclass(frozen=True)
class Overlay:
    name: str
    objects: tuple[Object, ...]

    def of_kind(self, *kinds: str) -> list[Object]:
        return [obj for obj in self.objects if obj["kind"] in kinds]

    def find(self, kind: str, name: str) -> Object:
        found = [obj for obj in self.of_kind(kind) if obj["metadata"]["name"] == name]
        assert len(found) == 1, f"{len(found)} objects are {kind} {name}"
        return found[0]

    @property
    def workloads(self) -> list[Object]:
        return self.of_kind(*WORKLOADS)

    @property
    def pod_templates(self) -> Iterator[tuple[str, Object]]:
        for workload in self.workloads:
            yield identity(workload), workload["spec"]["template"]

    @property
    def containers(self) -> Iterator[tuple[str, Object]]:
        for name, template in self.pod_templates:
            spec = template["spec"]
            for container in [*spec["containers"], *spec.get("initContainers", ())]:
                yield f"{name} {container['name']}", container
