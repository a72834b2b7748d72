"""Which port is taken and by whom, which address is no pod's, and what serves all the same."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from nova_acceptance.components.kubernetes import endpoints as endpoint_rules
from nova_acceptance.components.kubernetes import programs, scheduling, taken
from nova_acceptance.diagnosis.catalogue import examine
from nova_acceptance.findings import NOWHERE, Finding, Ref, ref
from nova_acceptance.kube import Object
from nova_acceptance.kube.snapshot import UNDECLARED, Log, Snapshot
from nova_acceptance.phrase import Phrase
from nova_acceptance.verification.examiner import Examiner
from nova_acceptance.verification.scope import Scope
from testing.unit.diagnosis.recorded import (
    NAMESPACE,
    deployment,
    node,
    pod,
    replica_set,
    service,
    stateful_set,
    stuck_pod,
    unschedulable_pod,
)

WORKLOAD = deployment(readyReplicas=0, availableReplicas=0)
OWNER = replica_set(WORKLOAD)
CRASHED = {"terminated": {"reason": "Error", "exitCode": 1}}


@pytest.mark.parametrize(
    ("line", "port"),
    [
        ("listen tcp :8080: bind: address already in use", 8080),
        ("listen tcp 0.0.0.0:9090: bind: address already in use", 9090),
        ("Error: listen EADDRINUSE: address already in use :::3000", 3000),
        ("nginx: [emerg] bind() to [::]:80 failed (98: Address already in use)", 80),
        ("Could not create server TCP listening socket *:6379: bind: Address already in use", 6379),
        (
            "2026/11/23 14:21:43 error while attempting to bind on address ('0.0.0.0', 8000): "
            "address already in use",
            8000,
        ),
        ("java.net.BindException: Address already in use: port 7000", 7000),
        ("OSError: [Errno 98] Address already in use", None),
        ("12:30:45.123 FATAL Address already in use", None),
    ],
)
def test_port_is_read_from_what_the_program_says(line: str, port: int | None) -> None:
    assert taken.port_in([line], 0) == port


def test_port_may_stand_beside_the_line_that_says_it() -> None:
    lines = [
        'could not bind IPv4 address "0.0.0.0": Address already in use',
        "Is another postmaster already running on port 5432? If not, wait a few seconds.",
    ]

    assert taken.port_in(lines, 0) == 5432


def crashed(*others: Object, beside: dict[str, int] | None = None, **spec: Any) -> Finding:
    """Return what is said of a program whose port 8080 is taken.

    Args:
        others: pods beside its own.
        beside: the other containers of its pod, with the port that each declares.
        spec: more of its pod's.
    """
    its = stuck_pod(OWNER, "CrashLoopBackOff", restartCount=1, lastState=CRASHED)
    its["spec"] |= spec
    for name, port in (beside or {}).items():
        its["spec"]["containers"].append({"name": name, "ports": [{"containerPort": port}]})
    snapshot = Snapshot.of([WORKLOAD, OWNER, its, *others])
    log = Log("listen tcp :8080: bind: address already in use", previous=True)
    snapshot.logs[NAMESPACE, its["metadata"]["name"], "main"] = [log]
    (found,) = (each for rule in programs.LIVE for each in rule(snapshot))
    assert found.cause == "PORT_IN_USE"
    return found


def on_node(name: str, port: int, *, node_name: str = "nova-worker", host: bool = True) -> Object:
    found = pod(name)
    key = "hostPort" if host else "containerPort"
    found["spec"] |= {"nodeName": node_name}
    found["spec"]["containers"][0]["ports"] = [{"containerPort": port, key: port}]
    return found


def test_container_that_has_the_port_is_named() -> None:
    found = crashed(beside={"metrics": 9100, "proxy": 8080})

    assert "port 8080 is taken by container proxy of the same pod" in found.summary
    assert "8080" in found.cure


def test_pod_that_has_the_port_of_the_node_is_named() -> None:
    holder = on_node("ingress", 8080)
    others = [
        on_node("elsewhere", 8080, node_name="nova-worker2"),
        on_node("inner", 8080, host=False),
    ]
    found = crashed(holder, *others, hostNetwork=True)

    assert f"of Node nova-worker is taken by Pod {NAMESPACE}/ingress" in found.summary
    assert "elsewhere" not in found.summary
    assert "inner" not in found.summary
    assert "hostNetwork" in found.cure


def test_nobody_is_named_where_nobody_is_seen() -> None:
    assert "another program of the same container" in crashed().summary
    assert "no pod there declares it" in crashed(hostNetwork=True).summary
    many = crashed(beside={"sidecar": 9000}).summary
    assert "another program of the same pod, whose containers are main, sidecar" in many


def test_pods_that_have_a_port_of_every_node_are_named() -> None:
    waits = unschedulable_pod(
        OWNER,
        "0/1 nodes are available: 1 node(s) didn't have free ports for the requested pod ports.",
    )
    waits["spec"]["containers"][0]["ports"] = [{"containerPort": 80, "hostPort": 30080}]
    snapshot = Snapshot.of([WORKLOAD, OWNER, waits, node(), on_node("first", 30080)])
    (found,) = scheduling.pods_without_node(snapshot)

    assert found.cause == "HOST_PORT_CONFLICT"
    assert f"port 30080 of the nodes is taken by Pod {NAMESPACE}/first" in found.summary


def slice_of(address: str, *, by_hand: bool, target: str = "") -> Object:
    labels = {"kubernetes.io/service-name": "user-service"}
    if not by_hand:
        labels["endpointslice.kubernetes.io/managed-by"] = "endpointslice-controller.k8s.io"
    entry: dict[str, Any] = {"addresses": [address]}
    if target:
        entry["targetRef"] = {"kind": "Pod", "name": target}
    return {
        "kind": "EndpointSlice",
        "addressType": "IPv4",
        "metadata": {
            "name": f"user-service-{'extra' if by_hand else 'x7k2p'}",
            "namespace": NAMESPACE,
            "labels": labels,
        },
        "endpoints": [entry],
        "ports": [{"name": "http", "port": 8080}],
    }


def behind(*slices: Object, others: tuple[Object, ...] = ()) -> list[Finding]:
    return list(endpoint_rules.endpoints(with_slices(*slices, *others)))


def with_slices(*more: Object) -> Snapshot:
    its = pod("user-service-a", OWNER)
    its["status"]["podIP"] = "10.1.0.5"
    its["metadata"]["labels"] = {"app": "user-service"}
    front = service(selector={"app": "user-service"})
    front["metadata"]["uid"] = "uid-front"
    there = [deployment(), OWNER, its, front, slice_of("10.1.0.5", by_hand=False)]
    return Snapshot.of([*there, *more])


def test_address_that_is_no_pods_is_named_with_what_holds_it() -> None:
    assert behind() == []
    (found,) = behind(slice_of("10.9.8.7", by_hand=True))

    assert found.cause == "ENDPOINTS_STALE"
    assert "leads to 10.9.8.7, which no pod" in found.summary
    assert "user-service-extra" in found.summary
    assert "delete endpointslice user-service-extra" in found.cure
    assert "10.9.8.7: said to be of no pod" in found.evidence


def test_silence_of_a_service_is_under_the_address_that_is_no_pods() -> None:
    there = with_slices(slice_of("10.9.8.7", by_hand=True))
    asked = Scope((ref(WORKLOAD), Ref("Service", NAMESPACE, "user-service")))
    shown = Finding("SERVICE_UNHEALTHY", NOWHERE, Phrase("user-service answers with timeout"))

    found = Examiner(lambda: there, UNDECLARED).explain(asked, shown, "…")

    assert found.root is not None
    assert found.root.cause == "ENDPOINTS_STALE"


def test_address_of_a_pod_of_another_namespace_is_told_as_that() -> None:
    other = pod("cache-0")
    other["metadata"] |= {"namespace": "elsewhere", "uid": "uid-cache"}
    other["status"]["podIP"] = "10.9.8.7"
    (found,) = behind(slice_of("10.9.8.7", by_hand=False, target="gone"), others=(other,))

    assert (
        "10.9.8.7: said to be of Pod gone, which does not have it; it is of Pod elsewhere/"
        in (found.evidence[0])
    )
    assert not found.cure  # a controller wrote it


def rollout(*, old_ready: bool) -> list[Finding]:
    """Return what is said of a Deployment whose new version has an image that is nowhere."""
    owner = deployment(
        replicas=2,
        updatedReplicas=1,
        conditions=[{"type": "Progressing", "status": "True", "reason": "ReplicaSetUpdated"}],
    )
    owner["metadata"]["annotations"] = {"deployment.kubernetes.io/revision": "2"}
    before, after = replica_set(owner, "1"), replica_set(owner, "2")
    old = pod("user-service-old", before, ready=old_ready)
    new = stuck_pod(after, "ImagePullBackOff", "Back-off pulling image nova:none")
    return list(examine(Snapshot.of([owner, before, after, old, new])))


def test_stuck_rollout_tells_what_serves_all_the_same() -> None:
    (found,) = (each for each in rollout(old_ready=True) if each.cause == "IMAGE_PULL")

    assert found.summary.endswith("; the version before still serves, with user-service-old")


def test_stuck_rollout_of_which_nothing_serves() -> None:
    (found,) = (each for each in rollout(old_ready=False) if each.cause == "IMAGE_PULL")

    assert "still serves" not in found.summary


def test_stuck_rollout_of_members_tells_those_that_serve() -> None:
    owner = stateful_set(updatedReplicas=1, readyReplicas=2, updateRevision="etcd-new")
    members = []
    for number, revision in enumerate(("etcd-5c9", "etcd-5c9", "etcd-new")):
        each = copy.deepcopy(pod(f"etcd-{number}", owner))
        each["metadata"]["labels"] = {"app": "etcd", "controller-revision-hash": revision}
        members.append(each)
    waiting = {"waiting": {"reason": "ImagePullBackOff", "message": "none"}}
    members[2]["status"]["containerStatuses"][0] |= {"ready": False, "state": waiting}
    members[2]["status"]["conditions"][1]["status"] = "False"
    found = [it for it in examine(Snapshot.of([owner, *members])) if it.cause == "IMAGE_PULL"]

    assert [it.summary.rpartition("; ")[2] for it in found] == [
        "the version before still serves, with etcd-0, etcd-1"
    ]
