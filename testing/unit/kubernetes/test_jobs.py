"""Jobs: one that has done its work is normal; one that failed or cannot end is told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from nova_acceptance.components.kubernetes.checks import jobs
from nova_acceptance.diagnosis import Doctor
from nova_acceptance.findings import Ref
from nova_acceptance.kube import Object
from nova_acceptance.kube.snapshot import Log
from testing.unit.diagnosis.elsewhere import (
    APP,
    cluster,
    deployment,
    made,
    pod,
    readiness,
    said_of,
    template,
)
from testing.unit.probes.a_nova import nova

COMPLETE = {"conditions": [{"type": "Complete", "status": "True"}], "succeeded": 1}
FAILED = {
    "conditions": [
        {
            "type": "Failed",
            "status": "True",
            "reason": "BackoffLimitExceeded",
            "message": "Job has reached the specified backoff limit",
        }
    ],
    "failed": 1,
}
AT_WORK = {"active": 1}


def terminated(name: str = "main", code: int = 0, ago: float = 3600) -> dict[str, Any]:
    at = (datetime.now(UTC) - timedelta(seconds=ago)).isoformat()
    how = {"exitCode": code, "reason": "Error" if code else "Completed", "finishedAt": at}
    return {"name": name, "ready": False, "restartCount": 0, "state": {"terminated": how}}


def running(name: str) -> dict[str, Any]:
    return {"name": name, "ready": True, "restartCount": 0, "state": {"running": {}}}


def run(name: str, status: dict[str, Any], phase: str, *entries: dict[str, Any]) -> list[Object]:
    """Return a Job and its pod."""
    of = template(name)
    of["spec"]["restartPolicy"] = "Never"
    one = made("Job", name, {"template": of}, status)
    its = pod(
        f"{name}-x",
        of,
        one,
        phase=phase,
        conditions=[readiness(False)],
        containerStatuses=list(entries),
    )
    return [one, its]


def of_cron(objects: list[Object], at: str, owner: Object) -> list[Object]:
    metadata = objects[0]["metadata"]
    its = owner["metadata"]
    metadata["ownerReferences"] = [{"kind": "CronJob", "name": its["name"], "uid": its["uid"]}]
    metadata["creationTimestamp"] = at
    return objects


@pytest.mark.parametrize("before", [[], [("Failed", 1)]])
def test_job_that_has_done_its_work_is_well_whatever_its_pods_say(
    before: list[tuple[str, int]],
) -> None:
    one, its = run("migrate", COMPLETE, "Succeeded", terminated())
    tries = [
        pod(
            f"migrate-{phase}",
            one["spec"]["template"],
            one,
            phase=phase,
            conditions=[readiness(False)],
            containerStatuses=[terminated(code=code)],
        )
        for phase, code in before
    ]

    assert said_of(cluster(one, its, *tries)) == []


def test_job_that_has_failed_is_one_finding_with_how_its_last_container_ended() -> None:
    there = cluster(*run("migrate", FAILED, "Failed", terminated(code=3)))
    there.logs[APP, "migrate-x", "main"] = [Log("begin\nrelation users exists already\n")]
    (found,) = jobs.failed_jobs(there, APP)

    assert found.summary == (
        "Job app/migrate has failed (BackoffLimitExceeded): container main of pod migrate-x ended "
        "with exit status 3: relation users exists already"
    )
    assert found.cure == (
        "mend what its log says, `kubectl -n app delete job migrate`, and deploy it again"
    )
    assert found.evidence[0] == "Job has reached the specified backoff limit"
    assert said_of(there) == ["JOB_FAILED"]


def test_what_a_look_with_logs_says_of_a_failed_job_goes_before_what_a_test_saw() -> None:
    there = cluster(*run("migrate", FAILED, "Failed", terminated(code=3)))
    (own,) = jobs.failed_jobs(there, APP)
    assert own.summary.endswith("exit status 3")
    there.logs[APP, "migrate-x", "main"] = [Log("relation users exists already\n")]

    root = Doctor(there).explain([Ref("Namespace", "", APP)], own).root
    assert root
    assert root.summary.endswith("exit status 3: relation users exists already")


def test_job_whose_pods_are_gone_has_failed_all_the_same() -> None:
    one, _ = run("migrate", FAILED, "Failed", terminated(code=3))

    assert said_of(cluster(one)) == ["JOB_FAILED"]


def test_why_a_job_failed_goes_before_it() -> None:
    one, its = run("migrate", FAILED, "Failed", terminated(code=137))
    its["status"]["containerStatuses"][0]["state"]["terminated"]["reason"] = "OOMKilled"

    assert said_of(cluster(one, its)) == ["OUT_OF_MEMORY", "JOB_FAILED"]


@pytest.mark.parametrize(("later", "said"), [(COMPLETE, []), (AT_WORK, ["JOB_FAILED"])])
def test_run_of_a_cron_job_that_failed_counts_until_a_later_one_succeeds(
    later: dict[str, Any], said: list[str]
) -> None:
    cron = made("CronJob", "report")
    failed = of_cron(
        run("report-1", FAILED, "Failed", terminated(code=1)), "2020-01-01T00:00:00Z", cron
    )
    phase, entry = ("Running", running("main")) if later is AT_WORK else ("Succeeded", terminated())
    last = of_cron(run("report-2", later, phase, entry), "2020-01-01T01:00:00Z", cron)
    last[1]["status"]["conditions"] = [readiness(phase == "Running")]

    assert said_of(cluster(*failed, *last)) == said
    if said:
        (found,) = jobs.failed_jobs(cluster(*failed, *last), APP)
        assert "create job --from=cronjob/report report-again" in found.cure


def with_sidecar(
    main: dict[str, Any], beside: dict[str, Any], *, first: bool = False, **sidecar: Any
) -> list[Object]:
    """Return a Job at work, in whose pod a container `beside` runs beside `main`."""
    one, its = run("load", AT_WORK, "Running", main, beside)
    own = {"name": beside["name"], "image": "example.org/beside:1", **sidecar}
    for spec in (one["spec"]["template"]["spec"], its["spec"]):
        rest = [each for each in spec["containers"] if each["name"] == "main"]
        spec["containers"] = [own, *rest] if first else [*rest, own]
    return [one, its]


@pytest.mark.parametrize(
    "sidecar",
    [
        {"ports": [{"containerPort": 15001}]},
        {"readinessProbe": {"httpGet": {"port": 1}}},
        {"command": ["sh", "-c", "tail -n1 -F /var/log/job.log"]},
        {"command": ["sleep"], "args": ["infinity"]},
        {"command": ["sh", "-c", "while true; do push; sleep 5; done"]},
        {"image": "example.org/proxy:1"},
    ],
)
@pytest.mark.parametrize("code", [0, 1])
def test_job_waits_for_the_sidecar_that_runs_on(code: int, sidecar: dict[str, Any]) -> None:
    objects = with_sidecar(terminated("main", code), running("helper"), **sidecar)
    others = deployment("proxy", {"name": "helper"})
    others[0]["spec"]["template"]["spec"]["containers"][0].pop("name")
    (found,) = jobs.waiting_jobs(cluster(*objects, *others), APP)

    assert (found.cause, found.container) == ("JOB_WAITS_FOR_SIDECAR", "helper")
    assert found.summary == (
        f"Job app/load does not end: in its pod load-x main (exit status {code}) has ended, and "
        "helper runs on"
    )


def test_sidecar_of_an_injector_may_be_the_first_container() -> None:
    objects = with_sidecar(
        terminated(), running("mesh"), first=True, ports=[{"containerPort": 15001}]
    )
    named = {"kubectl.kubernetes.io/default-container": "main"}
    assert jobs.waiting_jobs(cluster(*objects), APP) == []

    objects[1]["metadata"]["annotations"] = named
    assert len(jobs.waiting_jobs(cluster(*objects), APP)) == 1


def test_a_waiting_job_is_told_alone() -> None:
    objects = with_sidecar(terminated(), running("proxy"), ports=[{"containerPort": 1}])

    assert said_of(cluster(*objects)) == ["JOB_WAITS_FOR_SIDECAR"]


PORTS = {"ports": [{"containerPort": 1}]}


@pytest.mark.parametrize(
    ("main", "beside", "sidecar"),
    [
        # it may be at work of its own
        (120, None, {}),
        # it notices in a moment that the other has ended
        (3, None, PORTS),
        # the program works, and what came before it has ended
        (None, 3600, {}),
        (3600, 3600, PORTS),
    ],
)
def test_job_whose_containers_do_not_end_at_once_is_at_work(
    main: float | None, beside: float | None, sidecar: dict[str, Any]
) -> None:
    entries = [
        running(name) if ended is None else terminated(name, ago=ended)
        for name, ended in (("main", main), ("beside", beside))
    ]

    assert said_of(cluster(*with_sidecar(entries[0], entries[1], **sidecar))) == []


def test_job_that_waits_for_very_long_is_told_whatever_runs_on() -> None:
    objects = with_sidecar(terminated(ago=1200), running("second"))

    assert len(jobs.waiting_jobs(cluster(*objects), APP)) == 1


def test_native_sidecar_keeps_no_job_from_its_end() -> None:
    one, its = run("load", AT_WORK, "Running", terminated())
    proxy = {"name": "proxy", "image": "p:1", "restartPolicy": "Always"}
    for spec in (one["spec"]["template"]["spec"], its["spec"]):
        spec["initContainers"] = [proxy]
    its["status"]["initContainerStatuses"] = [running("proxy")]

    assert said_of(cluster(one, its)) == []


def test_jobs_of_others_are_theirs_where_nova_yaml_allows_what_it_omits() -> None:
    there = cluster(*run("migrate", FAILED, "Failed", terminated(code=3)))
    system = nova()

    assert len(jobs.failed_or_waiting(there, system, APP)) == 1
    allowed = system.model_copy(update={"undeclared": "allowed"})
    assert jobs.failed_or_waiting(there, allowed, APP) == []
