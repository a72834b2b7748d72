"""Removal takes what is ours, and nothing else."""

from __future__ import annotations

import io

import pytest

from nova_acceptance.deploy import remove
from nova_acceptance.errors import ApplyError
from nova_acceptance.progress import Progress
from testing.unit.deploy.recorded import deployment, namespace, pod, replica_set
from testing.unit.deploy.stub_kube import StubKube

QUIET = Progress(io.StringIO())


def test_workloads_then_pods_then_namespaces_go() -> None:
    workload = deployment()
    owner = replica_set(workload)
    kube = StubKube(namespace(), workload, owner, pod("user-service-x", owner))
    remove(kube, [namespace(), workload], QUIET)

    assert kube.objects == {}
    assert kube.calls == [
        ("delete", "Deployment user-service"),
        ("delete", "ReplicaSet user-service-11111"),
        ("delete", "Pod user-service-x"),
        ("delete", "Namespace nova-services"),
    ]


def test_namespace_of_somebody_else_stays_and_so_does_everything() -> None:
    kube = StubKube(namespace("nova-redis"), namespace(managed_by="helm"), deployment())

    with pytest.raises(ApplyError, match="nova-services exists and is not ours"):
        remove(kube, [namespace("nova-redis"), namespace(), deployment()], QUIET)
    assert kube.calls == []


def test_removal_of_what_is_not_there_does_nothing() -> None:
    kube = StubKube()
    remove(kube, [namespace(), deployment()], QUIET)

    assert kube.calls == []
