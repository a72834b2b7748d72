"""The wait for readiness against a cluster in memory."""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Sequence

import pytest

from nova_acceptance.deploy import Deployment, RolloutError, deploy
from nova_acceptance.diagnosis import Explanation
from nova_acceptance.errors import ApplyError, NotReadyError
from nova_acceptance.findings import Ref
from nova_acceptance.kube import Object
from nova_acceptance.kube.snapshot import Snapshot
from nova_acceptance.progress import Progress
from testing.unit.deploy.stub_kube import StubKube
from testing.unit.diagnosis.recorded import (
    deployment,
    endpoints,
    event,
    metadata,
    namespace,
    pod,
    replica_set,
    service,
    stateful_set,
    storage_class,
    stuck_pod,
    with_container,
)
from testing.unit.waiting import SOON

CONFIG: Object = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata("services-config")}


def applied() -> list[Object]:
    """Return what a test deploys: the workload's spec only, as manifests hold it."""
    workload = deployment()
    del workload["status"]
    return [workload, service(), CONFIG, namespace()]


def run(
    kube: StubKube, objects: Sequence[Object] | None = None, timeout: float = SOON
) -> Deployment:
    return deploy(kube, objects or applied(), progress=Progress(io.StringIO()), timeout=timeout)


APPLY, DELETE = ("apply",), ("delete", "Pod user-service-x")


def later(
    kube: StubKube, *objects: Object, after: tuple[str, ...] = APPLY, seconds: float = 0.2
) -> None:
    """Have the cluster show the objects some time after a call.

    What is shown before the first write was there before the deployment.
    """

    def show() -> None:
        kube.wait_for_call(*after)
        time.sleep(seconds)
        for obj in objects:
            kube.put(obj)

    threading.Thread(target=show, daemon=True).start()


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
    workload, owner, its_pod, its_endpoints = ready()
    its_pod["metadata"]["labels"] = {"app": "user-service"}
    later(kube, workload, owner, its_pod, its_endpoints)
    started = time.monotonic()
    deployed = run(kube)
    lasted = time.monotonic() - started

    assert list(deployed.seconds) == ["namespaces", "configuration", "workloads", "ready"]
    assert "Deployment nova-services/user-service" in deployed.applied
    (times,) = deployed.timeline
    assert times.pod == "nova-services/user-service-x"
    assert (times.workload, times.node) == ("user-service", "nova-worker")
    assert times.applied is not None
    assert 0 <= times.applied < times.created
    assert 0.1 < times.created <= (times.ready or 0) <= round(lasted, 3)


def test_pod_that_is_shown_later_than_its_workload_is_waited_for() -> None:
    workload, owner, its_pod, its_endpoints = ready()
    kube = StubKube()
    later(kube, workload, owner, its_endpoints, seconds=0.05)
    later(kube, its_pod, seconds=0.3)

    assert [times.ready is not None for times in run(kube).timeline] == [True]


def test_workload_without_endpoints_is_not_ready() -> None:
    kube = StubKube(namespace(), *ready()[:-1])

    with pytest.raises(NotReadyError, match="not ready in time: Service nova-services/user"):
        run(kube, timeout=0.8)


def test_status_from_before_the_apply_does_not_count() -> None:
    changed = applied()
    changed[0]["metadata"]["generation"] = 2
    kube = StubKube(namespace(), *ready())
    stale = ready()[0]
    later(kube, stale, after=("apply", "Deployment user-service"), seconds=0)

    with pytest.raises(NotReadyError, match="Deployment nova-services/user-service"):
        run(kube, changed, timeout=0.8)


def test_hopeless_pod_ends_the_wait_at_once_with_its_cause() -> None:
    kube = StubKube()
    kube.last_log = "first line\nlast line\n"
    broken = stuck("ErrImageNeverPull", "Container image is not present with pull policy of Never")
    later(kube, event(broken[-1], "Failed", "Error: ErrImageNeverPull"), *broken)
    started = time.monotonic()

    with pytest.raises(NotReadyError) as caught:
        run(kube)

    assert time.monotonic() - started < SOON
    error = caught.value
    assert error.message.startswith(
        "IMAGE_NOT_PRESENT: Pod nova-services/user-service-x, container main: "
        "docker.io/nova/service:1 is not on the node nova-worker, and imagePullPolicy is Never → "
    )
    assert "Container image is not present with pull policy of Never" in error.evidence
    assert "event Failed: Error: ErrImageNeverPull" in error.evidence
    assert error.hint


def crashed() -> list[Object]:
    """Return a workload whose container has crashed once."""
    broken = stuck("CrashLoopBackOff", "back-off 10s restarting failed container")
    ended = {"terminated": {"reason": "Error", "exitCode": 1}}
    broken[-1]["status"]["containerStatuses"][0] |= {"restartCount": 1, "lastState": ended}
    return broken


def test_crash_is_judged_by_its_log_before_it_is_repeated() -> None:
    kube = StubKube()
    kube.last_log = "starting\nmkdir: cannot create directory: Read-only file system\n"
    later(kube, *crashed())
    started = time.monotonic()

    with pytest.raises(RolloutError) as caught:
        run(kube)

    assert time.monotonic() - started < SOON
    assert caught.value.message.startswith("READ_ONLY_FILE_SYSTEM: ")
    assert "log: starting" in caught.value.evidence


def test_error_says_what_is_lost_why_and_what_was_deployed() -> None:
    kube = StubKube()
    later(kube, *stuck("ErrImageNeverPull", "not present"))
    told: list[Explanation] = []

    with pytest.raises(RolloutError) as caught:
        deploy(kube, applied(), progress=Progress(io.StringIO()), timeout=SOON, on_lost=told.append)

    error = caught.value
    assert set(error.lost) == {
        Ref("Deployment", "nova-services", "user-service"),
        Ref("Service", "nova-services", "user-service"),
    }
    (cause,) = error.explanation.causes
    assert cause.root.cause == "IMAGE_NOT_PRESENT"
    assert error.explanation.headline == error.message
    assert error.explanation.chain[-1] == cause.root.subject
    assert error.deployment is not None
    assert "ready" in error.deployment.seconds
    assert [each.causes[0].root.cause for each in told] == ["IMAGE_NOT_PRESENT"]


def test_what_does_not_need_the_lost_is_waited_for() -> None:
    kube = StubKube()
    etcd = stateful_set()
    front = service("etcd")
    broken = stuck("ErrImageNeverPull", "not present")
    wanted = [*applied(), without_status(stateful_set()), front]
    later(kube, *broken, seconds=0.1)
    members = [pod(f"etcd-{number}", etcd) for number in range(3)]
    later(kube, etcd, *members, endpoints("etcd", "10.244.1.8"), seconds=1.5)

    with pytest.raises(RolloutError) as caught:
        run(kube, wanted)

    assert {where.name for where in caught.value.lost} == {"user-service"}
    assert caught.value.deployment is not None
    assert len(caught.value.deployment.timeline) == 4


def test_what_needs_the_lost_is_lost_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nova_acceptance.deploy.verdict.NEXT_TRY", 0.5)
    kube = StubKube()
    etcd = stateful_set(readyReplicas=0)
    stuck_member = stuck_pod(etcd, "ErrImageNeverPull", "not present")
    caller = with_container(applied()[0], env=[{"name": "STORE", "value": "etcd:2379"}])
    waiting = with_container(deployment(readyReplicas=0, availableReplicas=0))
    waiting["spec"]["template"] = caller["spec"]["template"]
    owner = replica_set(waiting)
    unready = pod("user-service-y", owner, ready=False)
    later(kube, etcd, stuck_member, waiting, owner, unready)
    started = time.monotonic()

    with pytest.raises(RolloutError) as caught:
        run(kube, [caller, without_status(etcd), service("etcd"), namespace()])

    assert time.monotonic() - started < SOON
    assert {where.name for where in caught.value.lost} == {"user-service", "etcd"}
    assert caught.value.message.startswith("IMAGE_NOT_PRESENT: ")


def test_what_the_cluster_lacks_is_known_from_before() -> None:
    base = Snapshot.of([storage_class("standard")])
    etcd = stateful_set(readyReplicas=0, replicas=0)
    template = {"metadata": {"name": "data"}, "spec": {"storageClassName": "turbo"}}
    etcd["spec"]["volumeClaimTemplates"] = [template]
    kube = StubKube()
    later(kube, etcd)

    with pytest.raises(RolloutError, match=r"^STORAGE_CLASS_MISSING: .*turbo"):
        deploy(
            kube,
            [without_status(etcd), namespace()],
            progress=Progress(io.StringIO()),
            timeout=SOON,
            base=base,
        )


def without_status(obj: Object) -> Object:
    return {key: value for key, value in obj.items() if key != "status"}


def test_deadline_names_what_was_still_missing_object_by_object() -> None:
    pending = stuck("ContainerCreating")
    told = event(pending[-1], "FailedCreatePodSandBox", "no address left")
    kube = StubKube(namespace(), told, *pending)

    with pytest.raises(NotReadyError, match="not ready in time") as caught:
        run(kube, timeout=0.8)

    text = str(caught.value)
    assert "Deployment nova-services/user-service: 0 of 1 ready" in text
    assert "Service nova-services/user-service: no ready pod stands behind it" in text
    assert "Pod nova-services/user-service-x: ContainerCreating" in text
    assert "event FailedCreatePodSandBox: no address left" in text


def test_broken_pod_of_an_earlier_deployment_is_made_anew_once() -> None:
    kube = StubKube(namespace(), *stuck("ErrImageNeverPull", "not present"))
    later(kube, *ready(), after=DELETE)
    run(kube)

    assert kube.calls.count(("delete", "Pod user-service-x")) == 1


def test_broken_pod_that_comes_back_broken_ends_the_wait() -> None:
    kube = StubKube(namespace(), *stuck("ErrImageNeverPull", "not present"))
    again = stuck("ErrImageNeverPull", "not present")
    again[-1]["metadata"]["uid"] = "uid-of-its-successor"
    later(kube, *again, after=DELETE)

    with pytest.raises(NotReadyError, match="IMAGE_NOT_PRESENT"):
        run(kube)
    assert kube.calls.count(("delete", "Pod user-service-x")) == 1


def test_broken_pod_that_is_made_from_something_else_is_left_alone() -> None:
    others = deployment(readyReplicas=0, availableReplicas=0)
    others["metadata"] |= {"name": "somebody-elses", "uid": "uid-of-another"}
    others["spec"]["template"]["metadata"]["labels"] = {"app": "somebody-elses"}
    owner = replica_set(others)
    owner["metadata"] |= {"name": "somebody-elses-1", "uid": "uid-of-its-replica-set"}
    theirs = stuck_pod(owner, "ErrImageNeverPull", "not present")
    theirs["metadata"] |= {"name": "theirs", "uid": "uid-of-theirs", "labels": {}}
    kube = StubKube(namespace(), *stuck("ErrImageNeverPull", "not present"), others, owner, theirs)
    later(kube, *ready(), after=DELETE)
    run(kube)

    assert [name for call, name in kube.calls if call == "delete"] == ["Pod user-service-x"]


def test_healthy_pod_of_an_earlier_deployment_is_left_alone() -> None:
    kube = StubKube(namespace(), *ready())
    deployed = run(kube)

    assert not [call for call in kube.calls if call[0] == "delete"]
    assert deployed.timeline[0].ready == 0.0


def test_namespace_of_somebody_else_is_refused_before_the_first_write() -> None:
    kube = StubKube(namespace(managed_by="helm"))

    with pytest.raises(ApplyError, match="nova-services exists and is not ours"):
        run(kube)
    assert kube.calls == []


def test_namespace_that_says_nothing_of_whose_it_is_is_deployed() -> None:
    kube = StubKube()
    run(kube, [namespace(managed_by="")])

    assert kube.calls == [("apply", "Namespace nova-services")]
