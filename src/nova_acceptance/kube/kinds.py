"""The kinds of objects that are read, and the versions of the API that have served each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Protocol


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of object.

    Attributes:
        name: as `kind` says it.
        versions: those that have served it since Kubernetes 1.20, newest first.
        is_namespaced: whether its objects are in a namespace.
        is_watched: whether a deployment follows its changes; what it does not follow is current
            once it is applied.
        companions: kinds of objects that are made from one of this kind, and followed with it.
        instead: the kind that says the same on a server that does not serve this one.
    """

    name: str
    versions: tuple[str, ...] = ("v1",)
    is_namespaced: bool = True
    is_watched: bool = False
    companions: tuple[str, ...] = ()
    instead: str = ""


class Serving(Protocol):
    """An API that says what it serves."""

    def serves(self, api_version: str, kind: str) -> bool:
        """Whether it serves the kind in that version."""


_APPS: Final = ("apps/v1",)
_KINDS: Final = (
    Kind("Namespace", is_namespaced=False),
    # watched where it was known before the deployment, whatever is deployed
    Kind("Node", is_namespaced=False, is_watched=True),
    Kind("PersistentVolume", is_namespaced=False),
    Kind("PriorityClass", ("scheduling.k8s.io/v1",), is_namespaced=False),
    Kind("StorageClass", ("storage.k8s.io/v1",), is_namespaced=False),
    Kind("Pod", is_watched=True),
    Kind("Service", companions=("EndpointSlice",)),
    Kind("Endpoints", is_watched=True),
    Kind(
        "EndpointSlice",
        ("discovery.k8s.io/v1", "discovery.k8s.io/v1beta1"),
        is_watched=True,
        instead="Endpoints",
    ),
    Kind("Event", is_watched=True),
    Kind("ConfigMap"),
    Kind("Secret"),
    Kind("PersistentVolumeClaim", is_watched=True),
    Kind("ServiceAccount"),
    Kind("ResourceQuota"),
    Kind("LimitRange"),
    Kind("Deployment", _APPS, is_watched=True, companions=("ReplicaSet",)),
    Kind("ReplicaSet", _APPS, is_watched=True),
    Kind("StatefulSet", _APPS, is_watched=True, companions=("PersistentVolumeClaim",)),
    Kind("DaemonSet", _APPS, is_watched=True),
    Kind("Job", ("batch/v1",), is_watched=True),
    Kind("NetworkPolicy", ("networking.k8s.io/v1",)),
    Kind("Role", ("rbac.authorization.k8s.io/v1",)),
    Kind("RoleBinding", ("rbac.authorization.k8s.io/v1",)),
    Kind("PodDisruptionBudget", ("policy/v1", "policy/v1beta1")),
)

KINDS: Final[Mapping[str, Kind]] = {each.name: each for each in _KINDS}
"""Every kind that is read, by its name."""

BUILT_IN: Final = frozenset(version for each in _KINDS for version in each.versions)
"""The versions that Kubernetes itself serves or does not, for as long as a server runs."""

LOOKED_FOR: Final = tuple(
    name for name in KINDS if name not in {each.instead for each in KINDS.values()}
)
"""The kinds that a look asks for; of two that say the same the other is asked for instead."""


def is_watched(kind: str) -> bool:
    """Whether a deployment follows the changes of objects of a kind."""
    return kind in KINDS and KINDS[kind].is_watched


def version_served(api: Serving, kind: str) -> str | None:
    """Return the newest version in which a server serves a kind; None where it serves none."""
    return next((each for each in KINDS[kind].versions if api.serves(each, kind)), None)


def kind_served(api: Serving, kind: str) -> str:
    """Return a kind, or the one that says the same where the server does not serve it."""
    other = KINDS[kind].instead
    return other if other and version_served(api, kind) is None else kind
