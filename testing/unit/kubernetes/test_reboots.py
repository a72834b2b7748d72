"""Restarts that a node's own explains, and those that it does not."""

from __future__ import annotations

from typing import Any

import pytest

from nova_acceptance.components.kubernetes.checks import workloads
from nova_acceptance.components.kubernetes.reboots import rebooted_nodes
from nova_acceptance.kube import Object
from testing.unit.kubernetes.there import SHOP, WEB, causes, made, pod, seen
from testing.unit.system.specs import spec

SYSTEM = spec("""
components:
  - {kind: http, name: web, namespace: shop, port: 80, target: 8080}
""")
BEFORE, DOWN, UP = "2026-11-28T08:00:00Z", "2026-11-28T09:00:00Z", "2026-11-28T09:01:30Z"


def entry(
    *,
    restarts: int = 1,
    ended: str = DOWN,
    began: str = UP,
    reason: str = "Error",
    status: int = 137,
) -> dict[str, Any]:
    """Return a container that has ended once and runs again."""
    last = {"terminated": {"finishedAt": ended, "reason": reason, "exitCode": status}}
    return {
        "name": "main",
        "restartCount": restarts,
        "state": {"running": {"startedAt": began}},
        "lastState": last if restarts else {},
    }


def on_node(name: str, *entries: dict[str, Any], node: str = "one") -> Object:
    return pod(name, node=node, containerStatuses=list(entries))


def system_pod(name: str, **more: Any) -> Object:
    found = on_node(name, entry(**more))
    found["metadata"] |= {"namespace": "kube-system", "labels": {}}
    return found


def restarted(*objects: Object) -> list[tuple[str, str]]:
    return causes(workloads.restarted_containers(seen(made(), *objects), WEB))


def test_all_that_ended_with_a_node_did_not_restart_by_itself() -> None:
    # ended by SIGTERM as the node went down, each within the minute
    there = (
        on_node("web-a", entry(restarts=1, reason="Completed", status=0)),
        system_pod("kube-proxy", ended="2026-11-28T08:59:40Z"),
        system_pod("cni", ended="2026-11-28T09:00:30Z", began="2026-11-28T09:01:10Z"),
    )

    assert restarted(*there) == []
    assert rebooted_nodes(seen(*there)) == {"one": "2026-11-28T09:00:30Z"}


def test_every_reboot_counts() -> None:
    others = (system_pod("kube-proxy", restarts=3), system_pod("cni", restarts=3))

    assert restarted(on_node("web-a", entry(restarts=3)), *others) == []
    assert restarted(on_node("web-a", entry(restarts=4)), *others) == [
        ("CONTAINER_RESTARTED", "web")
    ]


@pytest.mark.parametrize(
    "others",
    [
        (),
        (system_pod("kube-proxy"),),
        (system_pod("kube-proxy"), system_pod("cni", restarts=0, began=BEFORE)),
        (system_pod("kube-proxy", ended=BEFORE), system_pod("cni", ended=BEFORE)),
    ],
    ids=["alone", "one other", "one ran on", "another time"],
)
def test_what_ended_alone_restarted_by_itself(others: tuple[Object, ...]) -> None:
    assert restarted(on_node("web-a", entry()), *others) == [("CONTAINER_RESTARTED", "web")]
    assert rebooted_nodes(seen(on_node("web-a", entry()), *others)) == {}


def test_pods_of_another_node_tell_nothing() -> None:
    others = (system_pod("kube-proxy"), system_pod("cni"))
    for each in others:
        each["spec"]["nodeName"] = "two"

    assert restarted(on_node("web-a", entry()), *others) == [("CONTAINER_RESTARTED", "web")]


@pytest.mark.parametrize("reason", ["Unknown", "ContainerStatusUnknown"])
def test_container_that_its_runtime_lost_ended_with_its_node(reason: str) -> None:
    # pkg/kubelet/kuberuntime of 1.20, and of 1.22 and since
    lost = entry(reason=reason, status=255)

    assert restarted(on_node("web-a", lost)) == []
    assert restarted(on_node("web-a", {**lost, "restartCount": 2})) == [
        ("CONTAINER_RESTARTED", "web")
    ]


def sandbox_changed(of: Object, at: str) -> Object:
    return {
        "kind": "Event",
        "metadata": {"name": f"{of['metadata']['name']}.1", "namespace": SHOP},
        "involvedObject": {"kind": "Pod", "uid": of["metadata"]["uid"]},
        "reason": "SandboxChanged",
        "message": "Pod sandbox changed, it will be killed and re-created.",
        "firstTimestamp": at,
        "lastTimestamp": at,
    }


def test_kubelet_tells_that_a_pod_ended_with_its_sandbox() -> None:
    # alone on its node, or nothing else of the node may be read
    one = on_node("web-a", entry())

    assert restarted(one, sandbox_changed(one, UP)) == []
    assert restarted(one, sandbox_changed(one, BEFORE)) == [("CONTAINER_RESTARTED", "web")]
    assert restarted(one, sandbox_changed(one, "2026-11-28T11:00:00Z")) == [
        ("CONTAINER_RESTARTED", "web")
    ]


def test_restart_of_its_own_beside_the_one_with_its_sandbox_counts() -> None:
    one = on_node("web-a", entry(restarts=2))

    assert restarted(one, sandbox_changed(one, UP)) == [("CONTAINER_RESTARTED", "web")]


@pytest.mark.parametrize("phase", ["Succeeded", "Failed"])
def test_pod_that_has_ended_did_not_run_on(phase: str) -> None:
    # an evicted pod keeps the states that its containers had
    stale = system_pod("old", restarts=0, began=BEFORE)
    stale["status"]["phase"] = phase
    others = (system_pod("kube-proxy"), system_pod("cni"), stale)

    assert restarted(on_node("web-a", entry()), *others) == []


def initialised(*, code: int = 0, last: int | None = None, native: bool = False) -> Object:
    """Return a pod whose init container was run twice and ended with these statuses."""
    found = on_node("web-a", entry(restarts=0))
    more = {"restartPolicy": "Always"} if native else {}
    found["spec"]["initContainers"] = [{"name": "setup", **more}]
    before = {} if last is None else {"terminated": {"exitCode": last, "finishedAt": DOWN}}
    now = {"terminated": {"exitCode": code, "finishedAt": UP}}
    found["status"]["initContainerStatuses"] = [
        {"name": "setup", "restartCount": 1, "state": now, "lastState": before}
    ]
    return found


@pytest.mark.parametrize("last", [None, 0])
def test_what_initialises_a_pod_is_run_again_with_it(last: int | None) -> None:
    assert restarted(initialised(last=last)) == []


@pytest.mark.parametrize(
    "failed", [initialised(last=1), initialised(code=1), initialised(native=True)]
)
def test_init_container_that_failed_has_restarted(failed: Object) -> None:
    assert restarted(failed) == [("CONTAINER_RESTARTED", "web")]


@pytest.mark.parametrize(
    ("reason", "message", "is_left_over"),
    [
        # pkg/kubelet/nodeshutdown of 1.21, and of 1.22 and since
        ("Shutdown", "Node is shutting, evicting pods", False),
        ("Terminated", "Pod was terminated in response to imminent node shutdown.", False),
        ("NodeShutdown", "Pod was rejected as the node is shutting down.", False),
        ("Terminated", "", True),
        ("Evicted", "The node was low on resource: memory.", True),
    ],
)
def test_pod_that_was_shut_down_with_its_node(
    reason: str, message: str, *, is_left_over: bool
) -> None:
    failed = pod("web-old", phase="Failed", reason=reason, message=message)
    found = workloads.pods_left_over(seen(made(), failed), SYSTEM, SHOP)

    assert bool(found) is is_left_over
