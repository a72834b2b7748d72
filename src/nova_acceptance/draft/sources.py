"""What a draft is made from: the objects of a cluster, or those of manifests."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Final

import yaml

from nova_acceptance import timeouts
from nova_acceptance.collect import look
from nova_acceptance.collect.examination import every_namespace
from nova_acceptance.components.dns.corefile import KEY, zones_of_the_cluster
from nova_acceptance.components.kubernetes.shapes import without_values
from nova_acceptance.components.kubernetes.workloads import KINDS as WORKLOADS
from nova_acceptance.deploy.credentials import COMPONENT, load_credentials
from nova_acceptance.deploy.rendering import kustomize, render
from nova_acceptance.errors import ClusterError, RenderError, UsageError
from nova_acceptance.kube import Kube, Object, describe
from nova_acceptance.kube.kinds import KINDS
from nova_acceptance.kube.snapshot import EVERYWHERE, Snapshot

_READ: Final = (
    "Namespace",
    "Service",
    "Deployment",
    "StatefulSet",
    "ReplicaSet",
    "DaemonSet",
    "Job",
    "Pod",
    "ConfigMap",
    "Secret",
    "PersistentVolumeClaim",
)
"""Nothing else of a cluster is read."""
_CLUSTERS_OWN: Final = (
    "kube-*",
    "kubernetes-*",
    "local-path-storage",
    "openshift*",
    "cattle-*",
    "calico-*",
    "tigera-*",
    "metallb-system",
)
_KUSTOMIZATIONS: Final = ("kustomization.yaml", "kustomization.yml", "Kustomization")
_OVERLAYS: Final = "overlays"
_USUAL: Final = "multi-node"
_FILES: Final = ("*.yaml", "*.yml", "*.json")
_ZONE: Final = "cluster.local"
_DEFAULT: Final = "default"
_SECRET: Final = "Secret"  # noqa: S105 - a kind


@dataclass(frozen=True, eq=False)
class Source:
    """What was seen, and where.

    Attributes:
        origin: where, as a sentence names it.
        snapshot: the objects, Secrets by the shapes of their values.
        namespaces: those that are described.
        zone: the domain of the cluster's DNS.
        kube: the API that can be asked more; None where there is none.
    """

    origin: str
    snapshot: Snapshot
    namespaces: tuple[str, ...]
    zone: str = _ZONE
    kube: Kube | None = None

    @property
    def is_live(self) -> bool:
        """Whether what is described runs."""
        return self.kube is not None


def from_api(kube: Kube, namespaces: Sequence[str] = (), name: str = "") -> Source:
    """Look at a cluster, read-only; what may not be read is told by the draft.

    Args:
        kube: the API.
        namespaces: where to look; none takes all but the cluster's own.
        name: what the cluster is called.

    Raises:
        UsageError: there is no such namespace, or they may not be listed and none is named.
        ClusterError: the API did not answer.
    """
    wanted = _wanted(kube, namespaces)
    snapshot = look(kube, wanted, kinds=_READ, logs=False, timeout=timeouts.EXAMINATION)
    origin = f"what runs on {name or kube.server}"
    return Source(origin, snapshot, tuple(wanted), _zone(kube), kube)


def from_manifests(path: Path, namespaces: Sequence[str] = ()) -> Source:
    """Read manifests: a kustomization, a directory of YAML or one file.

    Raises:
        RenderError: they cannot be read.
        UsageError: nothing in them is in a namespace that is named.
    """
    objects = [_placed(each) for each in read_manifests(path)]
    there = dict.fromkeys(each["metadata"].get("namespace", "") for each in objects)
    wanted = tuple(namespaces) or tuple(sorted(name for name in there if name))
    if unknown := [name for name in wanted if name not in there]:
        raise UsageError(
            f"nothing of {path} is in namespace {', '.join(unknown)}",
            evidence=[f"there are: {', '.join(sorted(filter(None, there))) or 'none'}"],
        )
    kept = [each for each in objects if each["metadata"].get("namespace", "") in (*wanted, "")]
    snapshot = Snapshot.of(
        without_values(each) if each["kind"] == _SECRET else each for each in kept
    )
    # of what manifests do not hold, such as nodes and storage classes, they say nothing
    snapshot.listed = {(kind, EVERYWHERE) for kind in _READ if kind not in ("Pod", "Namespace")}
    return Source(f"the manifests in {path}", snapshot, wanted)


def read_manifests(path: Path) -> list[Object]:
    """Return the objects of manifests; Secrets that are filled for each deployment, too.

    Raises:
        RenderError: kustomize refused them, or they are no YAML of whole objects.
    """
    if layers := _layers(path.resolve()):
        manifests, overlay = layers
        return render(manifests, overlay, load_credentials(None, manifests))
    if path.is_dir() and any((path / name).is_file() for name in _KUSTOMIZATIONS):
        return _objects([kustomize(path)], path)
    files = [path]
    if path.is_dir():
        _refuse_kustomizations(path)
        files = sorted({found for pattern in _FILES for found in path.rglob(pattern)})
    try:
        texts = [file.read_text("utf-8") for file in files]
    except (OSError, UnicodeDecodeError) as error:
        raise RenderError(f"{path} cannot be read: {error}") from error
    return _objects(texts, path)


def _layers(path: Path) -> tuple[Path, str] | None:
    """Return the directory and the overlay of manifests like ours; None for any others."""
    if path.parent.name == _OVERLAYS and (path.parents[1] / COMPONENT).is_dir():
        return path.parents[1], path.name
    if (path / _OVERLAYS).is_dir() and (path / COMPONENT).is_dir():
        there = sorted(each.name for each in (path / _OVERLAYS).iterdir() if each.is_dir())
        return path, _USUAL if _USUAL in there else next(iter(there), _USUAL)
    return None


def _refuse_kustomizations(path: Path) -> None:
    """Refuse a directory whose YAML is not meant to be read as it is: it is patches, too."""
    found = sorted(
        {str(file.parent) for name in _KUSTOMIZATIONS for file in path.rglob(name)},
        key=lambda each: ("overlay" not in each, each),
    )
    if found:
        raise RenderError(
            f"{path} holds kustomizations, and is none", hint=f"name one of: {', '.join(found)}"
        )


def _objects(texts: Iterable[str], path: Path) -> list[Object]:
    found: list[Object] = []
    try:
        for text in texts:
            for document in yaml.safe_load_all(text):
                found += _unpacked(document)
    except yaml.YAMLError as error:
        # not what stands there: it may be a Secret
        raise RenderError(f"{path} is no YAML: {type(error).__name__}") from error
    if not found:
        raise RenderError(f"{path} holds no object", hint="name a kustomization, or YAML")
    for obj in found:
        _refuse_parts(obj)
    return found


def _refuse_parts(obj: Object) -> None:
    """Refuse what is only a part of an object, such as a patch."""
    spec = obj.get("spec")
    is_whole = isinstance(obj["metadata"].get("name"), str)
    if obj["kind"] in WORKLOADS:
        template = spec.get("template") if isinstance(spec, dict) else None
        is_whole = is_whole and isinstance(template, dict) and "spec" in template
    if not is_whole:
        raise RenderError(
            f"{describe(obj)} is not a whole object", hint="name what renders it: a kustomization"
        )


def _unpacked(document: object) -> list[Object]:
    if not isinstance(document, dict) or "kind" not in document:
        return []
    if document["kind"] == "List":
        return [each for item in document.get("items") or () for each in _unpacked(item)]
    return [document] if isinstance(document.get("metadata"), dict) else []


def _placed(obj: Object) -> Object:
    """Return an object with the namespace into which it is applied."""
    known = KINDS.get(obj["kind"])
    if known and not known.is_namespaced:
        return obj
    metadata = obj["metadata"]
    return {**obj, "metadata": {**metadata, "namespace": metadata.get("namespace") or _DEFAULT}}


def _wanted(kube: Kube, namespaces: Sequence[str]) -> list[str]:
    there = every_namespace(kube)
    if namespaces:
        unknown = [name for name in namespaces if there is not None and name not in there]
        if there is not None and unknown:
            raise UsageError(
                f"there is no namespace {', '.join(unknown)}",
                evidence=[f"there are: {', '.join(sorted(there))}"],
            )
        return list(namespaces)
    if there is None:
        raise UsageError(
            "this user may not list namespaces",
            hint="say where to look: --namespace NAME, as often as there are namespaces",
        )
    return sorted(
        name for name in there if not any(fnmatch(name, pattern) for pattern in _CLUSTERS_OWN)
    )


def _zone(kube: Kube) -> str:
    """Return the zone that CoreDNS serves, where that may be read."""
    try:
        found = kube.get("v1", "ConfigMap", "coredns", "kube-system") or {}
    except ClusterError:
        return _ZONE
    zones = zones_of_the_cluster(str((found.get("data") or {}).get(KEY) or "")) or frozenset()
    named = sorted(zone for zone in zones if zone and not zone.endswith("arpa"))
    return _ZONE if not named or _ZONE in named else named[0]
