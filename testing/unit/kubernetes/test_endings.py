"""What ends the removal of a namespace, as its controller words what is left."""

from __future__ import annotations

from typing import Any

import pytest

from nova_acceptance.components.kubernetes.checks import namespaces
from nova_acceptance.components.kubernetes.endings import ending
from nova_acceptance.kube import Object
from nova_acceptance.kube.snapshot import Snapshot

LEFT = "NamespaceContentRemaining", "Some resources are remaining: "
HELD = "NamespaceFinalizersRemaining", "Some content in the namespace has finalizers remaining: "


def going(*said: tuple[str, str], **metadata: Any) -> Object:
    conditions = [{"type": kind, "status": "True", "message": text} for kind, text in said]
    conditions.append(
        {
            "type": "NamespaceDeletionDiscoveryFailure",
            "status": "True" if any("Discovery" in kind for kind, _ in said) else "False",
            "message": next((text for kind, text in said if "Discovery" in kind), "all v1/found"),
        }
    )
    return {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": "orders", **metadata},
        "spec": {"finalizers": ["kubernetes"]},
        "status": {"phase": "Terminating", "conditions": conditions},
    }


def held(kind: str, name: str, *finalizers: str, is_deleted: bool = True) -> Object:
    metadata: dict[str, Any] = {"name": name, "namespace": "orders", "finalizers": [*finalizers]}
    if is_deleted:
        metadata["deletionTimestamp"] = "2026-11-28T09:00:00Z"
    return {"apiVersion": "v1", "kind": kind, "metadata": metadata}


def cure(*objects: Object) -> str:
    (found,) = namespaces.inactive_namespace(Snapshot.of(objects), "orders")
    assert found.cause == "NAMESPACE_TERMINATING"
    return str(found.cure)


def test_object_that_is_held_is_named_with_its_finalizer_and_the_command() -> None:
    said = cure(going(), held("ConfigMap", "ledger", "bank.example/audit"))

    assert "finalizer bank.example/audit holds ConfigMap orders/ledger" in said
    assert "`kubectl -n orders patch configmap ledger --type merge" in said
    assert """-p '{"metadata":{"finalizers":null}}'`""" in said


@pytest.mark.parametrize(
    "other",
    [
        held("ConfigMap", "ledger", "bank.example/audit", is_deleted=False),
        held("Pod", "job", "foregroundDeletion"),
    ],
)
def test_object_that_is_not_held_is_not_to_blame(other: Object) -> None:
    assert "ledger" not in (said := cure(going(), other))
    assert "patch" not in said


def test_claim_is_held_by_the_pods_that_use_it() -> None:
    said = cure(going(), held("PersistentVolumeClaim", "disk", "kubernetes.io/pvc-protection"))

    assert "PersistentVolumeClaim orders/disk stay until no pod uses them" in said
    assert "finalizers" not in said


def test_kinds_that_are_not_looked_at_are_named_as_the_controller_names_them() -> None:
    left = (LEFT[0], f"{LEFT[1]}queues.broker.example has 2 resource instances")
    kept = (HELD[0], f"{HELD[1]}broker.example/drain in 2 resource instances")
    said = ending(going(left, kept))

    assert "take away broker.example/drain runs" in said
    assert "`kubectl -n orders get queues.broker.example -o yaml`" in said


def test_what_just_takes_its_time_is_waited_for() -> None:
    left = (LEFT[0], f"{LEFT[1]}pods. has 3 resource instances")

    assert "no finalizer holds it: wait until pods in orders are gone" in ending(going(left))


def test_api_that_nobody_serves_any_more_is_named() -> None:
    said = ending(
        going(
            (
                "NamespaceDeletionDiscoveryFailure",
                "Discovery failed for some groups, 1 failing: unable to retrieve the complete list "
                "of server APIs: meter.example/v1beta1: the server is currently unable to handle",
            )
        )
    )

    assert "nothing answers for meter.example/v1beta1:" in said
    assert "kubectl get apiservices" in said


def test_finalizer_of_the_namespace_itself_is_named() -> None:
    said = ending(going(finalizers=["controller.rancher.example/keep"]))

    assert "controller.rancher.example/keep of namespace orders" in said
    assert "`kubectl edit namespace orders`" in said
