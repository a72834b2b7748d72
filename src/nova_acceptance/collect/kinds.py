"""Which kinds a look lists, and in which versions of the API they have been served."""

from __future__ import annotations

from typing import Final, NamedTuple


class Listed(NamedTuple):
    """A kind, and the versions that have served it since Kubernetes 1.20, newest first."""

    kind: str
    versions: tuple[str, ...] = ("v1",)


OF_THE_CLUSTER: Final = (
    Listed("Namespace"),
    Listed("Node"),
    Listed("PersistentVolume"),
    Listed("PriorityClass", ("scheduling.k8s.io/v1",)),
    Listed("StorageClass", ("storage.k8s.io/v1",)),
)
"""Kinds that have no namespace."""

OF_A_NAMESPACE: Final = (
    Listed("Pod"),
    Listed("Service"),
    Listed("Endpoints"),
    Listed("Event"),
    Listed("ConfigMap"),
    Listed("PersistentVolumeClaim"),
    Listed("ServiceAccount"),
    Listed("ResourceQuota"),
    Listed("LimitRange"),
    Listed("Deployment", ("apps/v1",)),
    Listed("ReplicaSet", ("apps/v1",)),
    Listed("StatefulSet", ("apps/v1",)),
    Listed("DaemonSet", ("apps/v1",)),
    Listed("Job", ("batch/v1",)),
    Listed("NetworkPolicy", ("networking.k8s.io/v1",)),
    Listed("EndpointSlice", ("discovery.k8s.io/v1", "discovery.k8s.io/v1beta1")),
    Listed("PodDisruptionBudget", ("policy/v1", "policy/v1beta1")),
)
"""Kinds that are in a namespace, Secrets aside."""

SECRET: Final = Listed("Secret")
"""Of the namespaces that are looked at; never of kube-system, whose Secrets explain nothing."""
