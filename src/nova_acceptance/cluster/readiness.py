"""When a cluster can be used: every node Ready, its DNS answering, storage by default present."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable

from nova_acceptance import timeouts
from nova_acceptance.cluster.name_servers import NameServers
from nova_acceptance.components.dns.service import DNS
from nova_acceptance.components.kubernetes.backends import addresses_in, is_of
from nova_acceptance.errors import ClusterError
from nova_acceptance.kube import SYNCED, Kube, Object
from nova_acceptance.kube.kinds import kind_served, version_served
from nova_acceptance.progress import Step

STARTING = {
    "node.cloudprovider.kubernetes.io/uninitialized",
    "node.kubernetes.io/network-unavailable",
    "node.kubernetes.io/not-ready",
    "node.kubernetes.io/unreachable",
}
"""Taints of a node that is not, or not yet, part of the cluster (Taints and Tolerations)."""

DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"


def await_ready(kube: Kube, nodes: int, step: Step) -> None:
    """Watch until the cluster can be used.

    Args:
        kube: the cluster.
        nodes: how many nodes there must be.
        step: where progress is shown.

    Raises:
        ClusterError: `timeouts.CLUSTER_READY` has passed, with what was still missing; or nothing
            wants a server of the DNS, so that no wait brings one.
    """
    deadline = time.monotonic() + timeouts.CLUSTER_READY

    def watch(
        what: str,
        api_version: str,
        kind: str,
        is_met: Callable[[list[Object]], bool],
        *,
        namespace: str | None = None,
    ) -> None:
        step.update(what)
        seen: dict[str, Object] = {}
        events = kube.watch(
            api_version, kind, namespace=namespace, deadline=deadline, announce=True
        )
        servers = NameServers(kube, events.stop)
        is_complete = False
        with servers if namespace == DNS.namespace else contextlib.nullcontext():
            for event, obj in events:
                if event == SYNCED:
                    is_complete = True
                else:
                    seen[obj["metadata"]["name"]] = obj
                    if event == "DELETED":
                        del seen[obj["metadata"]["name"]]
                if is_complete and is_met(list(seen.values())):
                    events.stop()
                    return
        if servers.lost:
            raise ClusterError(
                f"{servers.lost.cause}: {servers.lost.summary}",
                evidence=servers.lost.evidence,
                hint=servers.lost.cure,
            )
        raise ClusterError(
            f"the cluster is not ready after {timeouts.CLUSTER_READY:.0f} s; awaited: {what}",
            evidence=[_condition(obj) for obj in seen.values()],
            hint="`nova-cluster logs` collects what the nodes wrote",
        )

    watch(
        f"{nodes} nodes Ready",
        "v1",
        "Node",
        lambda found: len(found) >= nodes and all(is_node_ready(node) for node in found),
    )
    kind = kind_served(kube, "EndpointSlice")
    watch(
        "the cluster's DNS",
        version_served(kube, kind) or "v1",
        kind,
        lambda found: any(has_address(obj) for obj in found if is_of(obj, DNS.name)),
        namespace=DNS.namespace,
    )
    watch(
        "a default StorageClass",
        "storage.k8s.io/v1",
        "StorageClass",
        lambda found: any(
            (obj["metadata"].get("annotations") or {}).get(DEFAULT_CLASS) == "true" for obj in found
        ),
    )


def has_address(endpoints: Object) -> bool:
    """Whether an EndpointSlice, or an Endpoints object, has an address that is ready."""
    return any(each.is_ready for each in addresses_in(endpoints))


def is_node_ready(node: Object) -> bool:
    """Whether the node's kubelet reports Ready, and the control plane has taken it in.

    The taints by which it keeps pods off a node that is starting go a moment after Ready comes.
    """
    conditions = node.get("status", {}).get("conditions", ())
    taints = {taint["key"] for taint in node.get("spec", {}).get("taints") or ()}
    is_ready = any(item["type"] == "Ready" and item["status"] == "True" for item in conditions)
    return is_ready and not taints & STARTING


def _condition(obj: Object) -> str:
    name = f"{obj['kind']} {obj['metadata']['name']}"
    for condition in obj.get("status", {}).get("conditions", ()):
        if condition["type"] == "Ready":
            message = condition.get("message", "")
            return f"{name}: Ready is {condition['status']}: {message}"
    return name
