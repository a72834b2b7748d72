"""What a draft is made from: the objects of a cluster, or those of manifests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Final

from nova_acceptance import masking, secrecy, timeouts
from nova_acceptance.collect import look
from nova_acceptance.collect.examination import (
    NamespacesUnlistedError,
    every_namespace,
    existing,
)
from nova_acceptance.components.dns.corefile import KEY, zones_of_the_cluster
from nova_acceptance.components.kubernetes.shapes import without_values
from nova_acceptance.deploy import Form, form_of, load_credentials, render
from nova_acceptance.deploy.rendering import overlays_of
from nova_acceptance.errors import ClusterError, UsageError
from nova_acceptance.kube import Kube, Object
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
_OVERLAYS: Final = "overlays"
_USUAL: Final = "multi-node"
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
    return of_objects(read_manifests(path.resolve()), f"the manifests in {path}", namespaces)


def of_objects(objects: Sequence[Object], origin: str, namespaces: Sequence[str] = ()) -> Source:
    """Take objects as they are, each in the namespace into which it is applied.

    Raises:
        UsageError: none of them is in a namespace that is named.
    """
    objects = [_placed(each) for each in objects]
    masking.register(secrecy.secrets_among(objects))
    there = dict.fromkeys(each["metadata"].get("namespace", "") for each in objects)
    wanted = tuple(namespaces) or tuple(sorted(name for name in there if name))
    if unknown := [name for name in wanted if name not in there]:
        raise UsageError(
            f"nothing of {origin} is in namespace {', '.join(unknown)}",
            evidence=[f"there are: {', '.join(sorted(filter(None, there))) or 'none'}"],
        )
    kept = [each for each in objects if each["metadata"].get("namespace", "") in (*wanted, "")]
    snapshot = Snapshot.of(
        without_values(each) if each["kind"] == _SECRET else each for each in kept
    )
    # of what manifests do not hold, such as nodes and storage classes, they say nothing
    snapshot.listed = {(kind, EVERYWHERE) for kind in _READ if kind not in ("Pod", "Namespace")}
    return Source(origin, snapshot, wanted)


def read_manifests(path: Path) -> list[Object]:
    """Return the objects of manifests; Secrets that are filled for each deployment, too.

    Raises:
        RenderError: they cannot be rendered.
    """
    manifests, overlay = path, ""
    if path.parent.name == _OVERLAYS and form_of(path.parents[1]) is Form.LAYERS:
        manifests, overlay = path.parents[1], path.name
    if form_of(manifests) is not Form.LAYERS:
        return render(manifests)
    there = overlays_of(manifests)
    overlay = overlay or (_USUAL if _USUAL in there else next(iter(there), _USUAL))
    return render(manifests, overlay, load_credentials(None, manifests))


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
        return existing(namespaces, there)
    if there is None:
        raise NamespacesUnlistedError
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
