"""Systems to draft: what manifests render, and small ones that a test writes."""

from __future__ import annotations

import base64
import copy
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

from nova_acceptance.components.registry import load
from nova_acceptance.deploy import load_credentials, render
from nova_acceptance.draft import draft
from nova_acceptance.draft.sources import Source, from_manifests
from nova_acceptance.kube import Object
from nova_acceptance.system import System

ROOT: Final = Path(__file__).parents[3]
NAMESPACE: Final = "shop"


@cache
def _nova() -> tuple[Object, ...]:
    manifests = ROOT / "manifests"
    return tuple(render(manifests, "multi-node", load_credentials(None, manifests)))


def nova() -> list[Object]:
    """Return the objects of Nova, with Secrets as they are applied."""
    return copy.deepcopy(list(_nova()))


def source_of(directory: Path, *objects: Object) -> Source:
    """Return what is seen of objects that lie in a file."""
    path = directory / "objects.yaml"
    path.write_text(_as_yaml(objects), "utf-8")
    return from_manifests(path)


def drafted(directory: Path, *objects: Object) -> str:
    """Return the draft of objects that lie in a file."""
    return draft(source_of(directory, *objects))


def loaded(directory: Path, text: str) -> System:
    """Return a draft as its readers have it."""
    path = directory / "nova.yaml"
    path.write_text(text, "utf-8")
    return load(path)


def system_of(directory: Path, *objects: Object) -> System:
    """Return the draft of objects as its readers have it."""
    return loaded(directory, drafted(directory, *objects))


def part(system: System, name: str) -> Any:
    """Return a component, of whichever kind."""
    return system.component(name)


def workload(
    name: str,
    image: str,
    port: int | None = None,
    *,
    kind: str = "Deployment",
    namespace: str = NAMESPACE,
    container: dict[str, Any] | None = None,
    **spec: Any,
) -> Object:
    """Return a workload of one container."""
    made: dict[str, Any] = {"name": name, "image": image}
    if port:
        made["ports"] = [{"containerPort": port}]
    labels = {"app": name}
    return {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {
                    "automountServiceAccountToken": False,
                    "containers": [{**made, **(container or {})}],
                },
            },
            **spec,
        },
    }


def service(
    name: str,
    port: int,
    *,
    namespace: str = NAMESPACE,
    selects: str = "",
    port_name: str = "",
    **spec: Any,
) -> Object:
    """Return a Service of one port, in front of the workload of its name."""
    made: dict[str, Any] = {"port": port, **({"name": port_name} if port_name else {})}
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"selector": {"app": selects or name}, "ports": [made], **spec},
    }


def secret(name: str, *, namespace: str = NAMESPACE, **values: str) -> Object:
    """Return a Secret."""
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "namespace": namespace},
        "data": {key: base64.b64encode(text.encode()).decode() for key, text in values.items()},
    }


def config_map(name: str, *, namespace: str = NAMESPACE, **values: str) -> Object:
    """Return a ConfigMap."""
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": namespace},
        "data": values,
    }


def given(holder: str, *keys: str, kind: str = "Secret") -> dict[str, Any]:
    """Return a container's part by which it gets keys as variables, or a whole object."""
    if not keys:
        field = "secretRef" if kind == "Secret" else "configMapRef"
        return {"envFrom": [{field: {"name": holder}}]}
    field = "secretKeyRef" if kind == "Secret" else "configMapKeyRef"
    return {
        "env": [
            {"name": key.upper(), "valueFrom": {field: {"name": holder, "key": key}}}
            for key in keys
        ]
    }


def _as_yaml(objects: tuple[Object, ...]) -> str:
    return str(yaml.safe_dump_all(objects))
