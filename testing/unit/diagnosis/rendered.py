"""Nova as its manifests render it, on a cluster that can take it; each test breaks a part of it."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from nova_acceptance.components.kubernetes.shapes import without_values
from nova_acceptance.components.registry import load
from nova_acceptance.deploy import load_credentials, render
from nova_acceptance.diagnosis import beforehand
from nova_acceptance.findings import Finding, Ref, ref
from nova_acceptance.kube import Object
from nova_acceptance.kube.snapshot import UNDECLARED, Snapshot
from nova_acceptance.system import System

ROOT = Path(__file__).parents[3]


class Nova:
    """Objects that may be changed, and what is found wrong with them before the first write."""

    def __init__(self) -> None:
        self.objects = {ref(obj): copy.deepcopy(obj) for obj in (*_nova(), *cluster())}

    def __getitem__(self, name: str) -> Object:
        """Return an object by `Kind/name`, or by `Kind/namespace/name`."""
        kind, *rest = name.split("/")
        found = [
            obj
            for where, obj in self.objects.items()
            if where.kind == kind and [where.namespace, where.name][-len(rest) :] == rest
        ]
        (obj,) = found
        return obj

    def add(self, *objects: Object) -> None:
        self.objects |= {ref(obj): obj for obj in objects}

    def remove(self, name: str) -> None:
        del self.objects[ref(self[name])]

    def container(self, workload: str) -> dict[str, Any]:
        found: dict[str, Any] = self[workload]["spec"]["template"]["spec"]["containers"][0]
        return found

    def rewrite(self, name: str, key: str, old: str, new: str) -> None:
        """Replace a part of one value of a ConfigMap or of a Secret's shapes."""
        data = self[name]["data"]
        assert old in data[key]
        data[key] = data[key].replace(old, new)

    def snapshot(self, *, knows_nova: bool = True) -> Snapshot:
        return Snapshot.of(self.objects.values(), system=system() if knows_nova else UNDECLARED)

    def diagnoses(self, *, knows_nova: bool = True) -> list[Finding]:
        return list(beforehand(self.snapshot(knows_nova=knows_nova)))

    def causes(self, *, knows_nova: bool = True) -> dict[str, Ref]:
        """Return every cause that is found, with its subject."""
        return {str(it.cause): it.subject for it in self.diagnoses(knows_nova=knows_nova)}


@cache
def system() -> System:
    return load(ROOT / "nova.yaml")


@cache
def _nova() -> tuple[Object, ...]:
    manifests = ROOT / "manifests"
    objects = render(manifests, "multi-node", load_credentials(None, manifests))
    return tuple(without_values(it) if it["kind"] == "Secret" else it for it in objects)


def cluster() -> Iterable[Object]:
    """Yield what a cluster of three nodes has that can take Nova."""
    for name in ("default", "kube-system"):
        yield {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
    for number in range(3):
        yield {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {
                "name": f"node-{number}",
                "labels": {"kubernetes.io/hostname": f"node-{number}"},
            },
            "spec": {},
            "status": {
                "allocatable": {"cpu": "8", "memory": "16Gi", "pods": "110"},
                "conditions": [{"type": "Ready", "status": "True"}],
            },
        }
    yield {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {
            "name": "standard",
            "annotations": {"storageclass.kubernetes.io/is-default-class": "true"},
        },
        "provisioner": "example.org/local",
    }
