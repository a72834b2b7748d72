"""What is still there when a wait for its end is over, and what a person is told to do."""

from __future__ import annotations

import time

import pytest

from nova_acceptance.deploy.absence import StillThereError, await_gone
from nova_acceptance.errors import ApplyError
from nova_acceptance.kube import Object
from testing.unit.deploy.stub_kube import StubKube


def hint_for(kind: str, namespace: str = "", **metadata: object) -> str:
    where = {"namespace": namespace} if namespace else {}
    left: Object = {"kind": kind, "metadata": {"name": "it", **where, **metadata}}
    with pytest.raises(ApplyError, match="still there at the deadline") as caught:
        await_gone(StubKube(left), kind, ["it"], deadline=time.monotonic())
    return str(caught.value.hint)


def test_pod_that_nothing_holds_waits_for_its_node() -> None:
    hint = hint_for("Pod", "shop")

    assert "no finalizer holds Pod shop/it: see whether its node is there" in hint
    assert "`kubectl -n shop describe pod it`" in hint


@pytest.mark.parametrize(
    ("kind", "namespace", "command"),
    [
        ("PersistentVolumeClaim", "shop", "kubectl -n shop get persistentvolumeclaim it -o yaml"),
        ("PersistentVolume", "", "kubectl get persistentvolume it -o yaml"),
    ],
)
def test_what_runs_on_no_node_is_told_by_its_kind(kind: str, namespace: str, command: str) -> None:
    hint = hint_for(kind, namespace)

    assert f"wait until that {kind} is gone (`{command}`)" in hint
    assert "its node" not in hint


def test_finalizer_is_told_whatever_the_kind() -> None:
    assert "finalizer bank.example/audit holds ConfigMap shop/it" in hint_for(
        "ConfigMap", "shop", finalizers=["bank.example/audit"]
    )


def test_namespace_that_does_not_go_is_told_with_its_cause() -> None:
    remaining = {
        "type": "NamespaceFinalizersRemaining",
        "status": "True",
        "message": "Some content in the namespace has finalizers remaining: "
        "shop.example/hold in 1 resource instances",
    }
    left: Object = {
        "kind": "Namespace",
        "metadata": {"name": "it", "deletionTimestamp": "2024-05-01T00:00:00Z"},
        "status": {"phase": "Terminating", "conditions": [remaining]},
    }

    with pytest.raises(StillThereError) as caught:
        await_gone(StubKube(left), "Namespace", ["it"], deadline=time.monotonic())

    assert caught.value.explanation is not None
    root = caught.value.explanation.causes[0].root
    assert (root.cause, str(root.subject)) == ("NAMESPACE_TERMINATING", "Namespace it")
    assert "shop.example/hold" in root.cure


def test_what_is_no_namespace_and_does_not_go_shows_no_cause() -> None:
    left: Object = {"kind": "Pod", "metadata": {"name": "it", "namespace": "shop"}}

    with pytest.raises(StillThereError) as caught:
        await_gone(StubKube(left), "Pod", ["it"], deadline=time.monotonic())

    assert caught.value.explanation is None
