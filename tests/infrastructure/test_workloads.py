"""Namespaces, workloads at their replica counts, and the Services in front of them."""

from __future__ import annotations

import pytest

from nova_acceptance.components.kubernetes import checks
from nova_acceptance.components.kubernetes.seen import Seen
from nova_acceptance.system import Front, System, Workload

pytestmark = pytest.mark.workloads


def test_namespace_is_active(objects: Seen, namespace: str) -> None:
    """The namespace exists and is not on its way out."""
    assert checks.namespaces.inactive_namespace(objects, namespace) == []


def test_namespace_holds_only_declared_workloads(
    objects: Seen, namespace: str, system: System
) -> None:
    """Nothing runs in the namespace that nova.yaml does not know."""
    assert checks.workloads.undeclared_workloads(objects, system, namespace) == []


def test_workload_has_its_replicas(objects: Seen, workload: Workload) -> None:
    """As many replicas are wanted, up to date and ready as nova.yaml says."""
    assert checks.workloads.lacking_replicas(objects, workload) == []


def test_workload_pods_are_ready(objects: Seen, workload: Workload) -> None:
    """There are exactly as many pods as replicas, and each is ready."""
    assert checks.workloads.unready_pods(objects, workload) == []


def test_workload_has_not_restarted(later_objects: Seen, workload: Workload) -> None:
    """No container has restarted since its pod was deployed."""
    assert checks.workloads.restarted_containers(later_objects, workload) == []


def test_workload_spreads_over_nodes(objects: Seen, workload: Workload) -> None:
    """Replicas share a node only where fewer nodes than replicas can carry them."""
    assert checks.workloads.crowded_nodes(objects, workload) == []


def test_service_declares_its_ports(objects: Seen, front: Front) -> None:
    """The Service exists with exactly the ports of nova.yaml, headless or with an address."""
    assert checks.services.wrong_service(objects, front) == []


def test_service_leads_to_its_pods(later_objects: Seen, front: Front) -> None:
    """Behind the Service are exactly its workload's ready pods; behind a role's, those of it."""
    assert checks.services.wrong_backends(later_objects, front) == []


def test_no_pod_is_left_over(objects: Seen, namespace: str, system: System) -> None:
    """Every pod of the namespace belongs to a declared workload or a Job, and none has failed."""
    assert checks.workloads.pods_left_over(objects, system, namespace) == []


def test_no_job_has_failed(objects: Seen, namespace: str, system: System) -> None:
    """No Job of the namespace has given up, and none waits for a container beside its program."""
    assert checks.jobs.failed_or_waiting(objects, system, namespace) == []
