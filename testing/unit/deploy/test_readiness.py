"""The wait for readiness against a cluster in memory."""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Sequence

import pytest

from nova_acceptance.deploy import deploy
from nova_acceptance.deploy.rollout import Deployment
from nova_acceptance.errors import ApplyError, NotReadyError
from nova_acceptance.kube import Object
from nova_acceptance.progress import Progress
from testing.unit.deploy.recorded import (
    deployment,
    endpoints,
    event,
    metadata,
    namespace,
    pod,
    replica_set,
    service,
    stuck_pod,
)
from testing.unit.deploy.stub_kube import StubKube

CONFIG: Object = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata("services-config")}


def applied() -> list[Object]:
    """Return what a test deploys: the workload's spec only, as manifests hold it."""
    workload = deployment()
    del workload["status"]
    return [workload, service(), CONFIG, namespace()]


def run(kube: StubKube, objects: Sequence[Object] | None = None, timeout: float = 5) -> Deployment:
    return deploy(kube, objects or applied(), progress=Progress(io.StringIO()), timeout=timeout)


def later(kube: StubKube, *objects: Object, seconds: float = 0.2) -> None:
    """Have the cluster show the objects a moment from now."""

    def show() -> None:
        for obj in objects:
            kube.put(obj)

    timer = threading.Timer(seconds, show)
    timer.daemon = True
    timer.start()


def ready(revision: str = "1") -> list[Object]:
    workload = deployment()
    owner = replica_set(workload, revision)
    return [workload, owner, pod("user-service-x", owner), endpoints("user-service", "10.244.1.7")]


def stuck(reason: str, message: str = "") -> list[Object]:
    workload = deployment(readyReplicas=0, availableReplicas=0)
    owner = replica_set(workload)
    return [workload, owner, stuck_pod(owner, reason, message)]


def test_namespaces_come_first_and_workloads_last() -> None:
    kube = StubKube()
    later(kube, *ready())
    run(kube)

    kinds = [what.split()[0] for call, what in kube.calls if call == "apply"]
    assert kinds[0] == "Namespace"
    assert sorted(kinds[1:3]) == ["ConfigMap", "Service"]
    assert kinds[3:] == ["Deployment"]


def test_deployment_records_phases_and_the_pods_milestones() -> None:
    kube = StubKube()
    later(kube, *ready())
    deployed = run(kube)

    assert list(deployed.seconds) == ["namespaces", "configuration", "workloads", "ready"]
    assert "Deployment nova-services/user-service" in deployed.applied
    (times,) = deployed.timeline
    assert times.pod == "nova-services/user-service-x"
    assert times.node == "nova-worker"
    assert 0.1 < times.created <= (times.ready or 0) < 3


def test_pod_that_is_shown_later_than_its_workload_is_waited_for() -> None:
    workload, owner, its_pod, its_endpoints = ready()
    kube = StubKube()
    later(kube, workload, owner, its_endpoints, seconds=0.05)
    later(kube, its_pod, seconds=0.3)

    assert [times.ready is not None for times in run(kube).timeline] == [True]


def test_workload_without_endpoints_is_not_ready() -> None:
    kube = StubKube()
    later(kube, *ready()[:-1])

    with pytest.raises(NotReadyError, match="not ready in time: Service nova-services/user"):
        run(kube, timeout=0.8)


def test_status_from_before_the_apply_does_not_count() -> None:
    changed = applied()
    changed[0]["metadata"]["generation"] = 2
    kube = StubKube(namespace(), *ready())
    stale = ready()[0]
    later(kube, stale, seconds=0.05)

    with pytest.raises(NotReadyError, match="Deployment nova-services/user-service"):
        run(kube, changed, timeout=0.8)


def test_hopeless_pod_ends_the_wait_at_once_with_its_cause() -> None:
    kube = StubKube()
    kube.last_log = "first line\nlast line\n"
    broken = stuck("ErrImageNeverPull", "Container image is not present with pull policy of Never")
    later(kube, event(broken[-1], "Failed", "Error: ErrImageNeverPull"), *broken)
    started = time.monotonic()

    with pytest.raises(NotReadyError) as caught:
        run(kube, timeout=30)

    assert time.monotonic() - started < 5
    error = caught.value
    assert error.message == (
        "Deployment nova-services/user-service cannot become ready: "
        "Pod nova-services/user-service-x, container main: ErrImageNeverPull"
    )
    assert error.evidence == (
        "Container image is not present with pull policy of Never",
        "event Failed: Error: ErrImageNeverPull",
        "log: first line",
        "log: last line",
    )
    assert error.hint


def test_deadline_names_what_was_still_missing_object_by_object() -> None:
    kube = StubKube()
    pending = stuck("ContainerCreating")
    later(kube, event(pending[-1], "FailedCreatePodSandBox", "no address left"), *pending)

    with pytest.raises(NotReadyError, match="not ready in time") as caught:
        run(kube, timeout=0.8)

    text = str(caught.value)
    assert "Deployment nova-services/user-service: 0 of 1 ready" in text
    assert "Service nova-services/user-service: no ready pod stands behind it" in text
    assert "Pod nova-services/user-service-x: ContainerCreating" in text
    assert "event FailedCreatePodSandBox: no address left" in text


def test_broken_pod_of_an_earlier_deployment_is_made_anew_once() -> None:
    kube = StubKube(namespace(), *stuck("ErrImageNeverPull", "not present"))
    later(kube, *ready(), seconds=1.0)
    run(kube)

    assert kube.calls.count(("delete", "Pod user-service-x")) == 1


def test_broken_pod_that_comes_back_broken_ends_the_wait() -> None:
    kube = StubKube(namespace(), *stuck("ErrImageNeverPull", "not present"))
    again = stuck("ErrImageNeverPull", "not present")
    again[-1]["metadata"]["uid"] = "uid-of-its-successor"
    later(kube, *again, seconds=0.5)

    with pytest.raises(NotReadyError, match="ErrImageNeverPull"):
        run(kube)
    assert kube.calls.count(("delete", "Pod user-service-x")) == 1


def test_healthy_pod_of_an_earlier_deployment_is_left_alone() -> None:
    kube = StubKube(namespace(), *ready())
    later(kube, *ready(), seconds=0.1)
    deployed = run(kube)

    assert not [call for call in kube.calls if call[0] == "delete"]
    assert deployed.timeline[0].ready == 0.0


def test_namespace_of_somebody_else_is_refused_before_the_first_write() -> None:
    kube = StubKube(namespace(managed_by="helm"))

    with pytest.raises(ApplyError, match="nova-services exists and is not ours"):
        run(kube)
    assert kube.calls == []


def test_namespace_without_a_label_is_refused() -> None:
    with pytest.raises(ApplyError, match="has no label"):
        run(StubKube(), [namespace(managed_by="")])
