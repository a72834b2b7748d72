"""Namespaces, workloads at their replica counts, and the Services in front of them."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from functools import reduce

import pytest

from nova_acceptance.claims import broken, equal, holds
from nova_acceptance.components.kubernetes.hosts import hosts
from nova_acceptance.components.kubernetes.pod_specs import is_leaving, is_ready, restarts
from nova_acceptance.components.kubernetes.seen import Seen
from nova_acceptance.components.kubernetes.summaries import summary
from nova_acceptance.findings import ref
from nova_acceptance.kube import Object
from nova_acceptance.phrase import NOTHING, Phrase
from nova_acceptance.system import Front, System, Workload
from nova_acceptance.verification.scope import of_workload

pytestmark = pytest.mark.workloads


def name_of(found: Object) -> str:
    """Return an object's name."""
    return str(found["metadata"]["name"])


def how_it_ended(pod: Object) -> Phrase:
    """Return how a pod's containers ended the last time; nothing where none has."""
    ends = [
        Phrase(
            "{container}: {reason}, exit status {status}",
            container=entry["name"],
            reason=last.get("reason", "?"),
            status=last.get("exitCode", "?"),
        )
        for entry in pod["status"].get("containerStatuses") or []
        if (last := (entry.get("lastState") or {}).get("terminated"))
    ]
    if not ends:
        return NOTHING
    return reduce(lambda told, end: Phrase("{ends}; {end}", ends=told, end=end), ends)


@pytest.mark.means("NAMESPACE_TERMINATING", "NAMESPACE_MISSING")
def test_namespace_is_active(objects: Seen, namespace: str) -> None:
    """The namespace exists and is not on its way out."""
    found = objects.find("Namespace", namespace)

    if found is None:
        said = Phrase("there is no namespace {namespace}", namespace=namespace)
        raise broken("NAMESPACE_MISSING", said)
    assert found["status"]["phase"] == "Active"


@pytest.mark.means("UNDECLARED_WORKLOAD")
def test_namespace_holds_only_declared_workloads(
    objects: Seen, namespace: str, system: System
) -> None:
    """Nothing runs in the namespace that nova.yaml does not know."""
    found = {
        (kind, item["metadata"]["name"])
        for kind in ("Deployment", "StatefulSet")
        for item in objects.all(kind, namespace)
    }
    declared = {(w.kind, w.name) for w in system.every_workload if w.namespace == namespace}

    assert found - declared == set()


@pytest.mark.means("WORKLOAD_NOT_READY", "WORKLOAD_MISSING", "REPLICAS_WRONG")
def test_workload_has_its_replicas(objects: Seen, workload: Workload) -> None:
    """As many replicas are wanted, up to date and ready as nova.yaml says."""
    found = objects.find(workload.kind, workload.name, workload.namespace)

    if found is None:
        said = Phrase("there is no {kind} {name}", kind=workload.kind, name=workload.name)
        raise broken("WORKLOAD_MISSING", said)
    replicas = found["spec"].get("replicas", 1)
    what = Phrase("the scale of {workload}", workload=workload.name)
    equal(replicas, workload.replicas, "REPLICAS_WRONG", what)
    assert found["status"].get("observedGeneration") == found["metadata"]["generation"]
    assert found["status"].get("updatedReplicas", 0) == workload.replicas
    assert found["status"].get("readyReplicas", 0) == workload.replicas


@pytest.mark.means("WORKLOAD_NOT_READY")
def test_workload_pods_are_ready(objects: Seen, workload: Workload) -> None:
    """There are exactly as many pods as replicas, and each is ready."""
    pods = objects.pods_of(workload)

    assert len(pods) == workload.replicas
    assert [pod["metadata"]["name"] for pod in pods if not is_ready(pod)] == []


@pytest.mark.means("CONTAINER_RESTARTED")
def test_workload_has_not_restarted(later_objects: Seen, workload: Workload) -> None:
    """No container has restarted since its pod was deployed."""
    pods = later_objects.pods_of(workload)

    assert pods
    for pod in pods:
        if count := restarts(pod):
            where = ref(pod)
            said = Phrase("{where} has restarted {count} times", where=where, count=count)
            if ended := how_it_ended(pod):
                said = Phrase(
                    "{where} has restarted {count} times, the last time by {ended}",
                    where=where,
                    count=count,
                    ended=ended,
                )
            raise broken("CONTAINER_RESTARTED", said, subject=of_workload(workload))


@pytest.mark.means("SPREAD_LOST")
def test_workload_spreads_over_nodes(objects: Seen, workload: Workload) -> None:
    """Replicas share a node only where fewer nodes than replicas can carry them."""
    pods = objects.pods_of(workload)
    on_nodes = Counter(pod["spec"].get("nodeName") for pod in pods)

    assert len(on_nodes) >= min(workload.replicas, len(hosts(objects.all("Node"))))


@pytest.mark.means("SERVICE_PORT_WRONG", "SERVICE_MISSING", "HEADLESS_LOST", "SERVICE_TYPE_WRONG")
def test_service_declares_its_ports(objects: Seen, front: Front) -> None:
    """The Service exists with exactly the ports of nova.yaml, headless or with an address."""
    found = objects.find("Service", front.name, front.namespace)

    if found is None:
        said = Phrase(
            "there is no Service {namespace}/{service}",
            namespace=front.namespace,
            service=front.name,
        )
        raise broken("SERVICE_MISSING", said)
    spec = found["spec"]
    what = Phrase("the type of {service}", service=front.name)
    equal(spec["type"], "ClusterIP", "SERVICE_TYPE_WRONG", what)
    otherwise = (
        Phrase("{service} is not headless", service=front.name)
        if front.service.headless
        else Phrase("{service} is headless, and has no address of its own", service=front.name)
    )
    is_headless = spec.get("clusterIP") == "None"
    holds(is_headless == front.service.headless, "HEADLESS_LOST", otherwise)
    ports = {port.get("name", ""): port["port"] for port in spec.get("ports") or []}
    assert ports == front.service.ports


@pytest.mark.means("SERVICE_WITHOUT_ENDPOINTS", "SELECTOR_WRONG", "PRIMARY_SERVICE_ASTRAY")
def test_service_leads_to_its_pods(later_objects: Seen, front: Front) -> None:
    """Behind the Service are exactly its workload's ready pods; behind a role's, those of it."""
    behind = {endpoint.pod for endpoint in later_objects.endpoints(front.name, front.namespace)}
    pods = {pod["metadata"]["name"] for pod in later_objects.pods_of(front.workload)}

    if not behind:
        said = Phrase("nothing is behind {service}", service=front.name)
        raise broken("SERVICE_WITHOUT_ENDPOINTS", said)
    if strangers := sorted(behind - pods):
        said = Phrase("behind {service} is {pods} as well", service=front.name, pods=strangers)
        raise broken("SELECTOR_WRONG", said)
    if not front.service.role:
        assert behind == pods
    elif front.service.role == "primary":
        one = Phrase("the number of pods behind {service}", service=front.name)
        equal(len(behind), 1, "PRIMARY_SERVICE_ASTRAY", one)
    else:
        assert len(behind) == front.workload.replicas - 1


@pytest.mark.means("POD_LEFT_OVER")
def test_no_pod_is_left_over(objects: Seen, namespace: str, system: System) -> None:
    """Every pod of the namespace belongs to a declared workload, and none has failed."""
    declared = {
        pod["metadata"]["name"]
        for workload in system.every_workload
        if workload.namespace == namespace
        for pod in objects.pods_of(workload)
    }
    moment = datetime.now(UTC)
    others = [
        pod
        for pod in objects.all("Pod", namespace)
        if name_of(pod) not in declared and not is_leaving(pod, moment)
    ]

    if others:
        raise broken(
            "POD_LEFT_OVER",
            Phrase("in {namespace}: {pods}", namespace=namespace, pods=list(map(name_of, others))),
            subject=ref(others[0]),
            evidence=[f"{name_of(pod)}: {summary(pod)}" for pod in others],
        )
