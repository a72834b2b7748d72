"""Claims to volumes in a directory of one node: pure functions over objects of the API.

A volume is of type `local` and bound to its node, so that a pod that comes back finds its
data, and fsGroup is honoured. Sizes are not enforced.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from nova_node.api import Object

PROVISIONER: Final = "nova.internal/node-volume"
ROOT: Final = Path("/var/nova-volumes")
"""Where the volumes of a node are; the same path in the node and in the program's pod."""

PROVISIONED_BY: Final = "pv.kubernetes.io/provisioned-by"
SELECTED_NODE: Final = "volume.kubernetes.io/selected-node"
STORAGE_PROVISIONER: Final = (
    "volume.kubernetes.io/storage-provisioner",
    "volume.beta.kubernetes.io/storage-provisioner",
)
"""The annotation since Kubernetes 1.23, and before."""
HOSTNAME: Final = "kubernetes.io/hostname"
ACCESS_MODES: Final = frozenset({"ReadWriteOnce", "ReadWriteOncePod"})


def is_wanted_here(claim: Object, node: str) -> bool:
    """Whether a volume for `claim` is to be made on `node`, by this provisioner."""
    annotations = claim["metadata"].get("annotations") or {}
    return (
        not claim["spec"].get("volumeName")
        and not claim["metadata"].get("deletionTimestamp")
        and PROVISIONER in (annotations.get(name) for name in STORAGE_PROVISIONER)
        and annotations.get(SELECTED_NODE) == node
    )


def refusal(claim: Object) -> str:
    """Why no directory of one node can serve `claim`; empty when one can."""
    spec = claim["spec"]
    if beyond := set(spec.get("accessModes") or ()) - ACCESS_MODES:
        return f"a directory of one node cannot be {', '.join(sorted(beyond))}"
    if spec.get("volumeMode", "Filesystem") != "Filesystem":
        return "a directory cannot be a block device"
    if spec.get("selector") or spec.get("dataSource"):
        return "volumes are made empty: neither selector nor dataSource can be honoured"
    return ""


def volume_name(claim: Object) -> str:
    """The name of the volume that is made for `claim`, the same at every attempt."""
    return f"pvc-{claim['metadata']['uid']}"


def volume_for(claim: Object, node: str) -> Object:
    """The PersistentVolume on `node` that serves `claim` alone."""
    name, spec = volume_name(claim), claim["spec"]
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": name, "annotations": {PROVISIONED_BY: PROVISIONER}},
        "spec": {
            "accessModes": spec["accessModes"],
            "capacity": {"storage": spec["resources"]["requests"]["storage"]},
            "claimRef": _reference(claim),
            "local": {"path": str(ROOT / name)},
            "nodeAffinity": {
                "required": {
                    "nodeSelectorTerms": [
                        {
                            "matchExpressions": [
                                {"key": HOSTNAME, "operator": "In", "values": [node]}
                            ]
                        }
                    ]
                }
            },
            "persistentVolumeReclaimPolicy": "Delete",
            "storageClassName": spec["storageClassName"],
            "volumeMode": "Filesystem",
        },
    }


def is_released_here(volume: Object, node: str) -> bool:
    """Whether `volume` was made on `node` by this provisioner and is to be removed now."""
    metadata, spec = volume["metadata"], volume["spec"]
    if (metadata.get("annotations") or {}).get(PROVISIONED_BY) != PROVISIONER:
        return False
    try:
        [term] = spec["nodeAffinity"]["required"]["nodeSelectorTerms"]
        [rule] = term["matchExpressions"]
    except (KeyError, TypeError, ValueError):
        return False
    return bool(
        rule.get("values") == [node]
        and spec.get("local", {}).get("path") == str(ROOT / metadata["name"])
        and spec.get("persistentVolumeReclaimPolicy") == "Delete"
        and volume.get("status", {}).get("phase") == "Released"
    )


def refusal_event(claim: Object, why: str, *, node: str, now: str) -> Object:
    """The Event that tells the owner of `claim` why it is not served.

    Args:
        claim: what is refused.
        why: the reason, as a sentence.
        node: who refuses.
        now: the time, by RFC 3339 in UTC.
    """
    metadata = claim["metadata"]
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {
            "generateName": f"{metadata['name']}.",
            "namespace": metadata["namespace"],
        },
        "involvedObject": _reference(claim),
        "type": "Warning",
        "reason": "ProvisioningFailed",
        "message": why,
        "source": {"component": PROVISIONER, "host": node},
        "firstTimestamp": now,
        "lastTimestamp": now,
        "count": 1,
    }


def _reference(claim: Object) -> Object:
    metadata = claim["metadata"]
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "namespace": metadata["namespace"],
        "name": metadata["name"],
        "uid": metadata["uid"],
    }
