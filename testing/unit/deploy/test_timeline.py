"""A pod's milestones are when the watches showed them, counted from the deployment's beginning."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import pytest

from nova_acceptance.deploy.timeline import PodTimes, Timeline
from nova_acceptance.kube import Object
from testing.unit.deploy.recorded import deployment, event, pod, waiting
from testing.unit.probes.clock import Clock

WORKLOAD = deployment()
PULLED = 'Container image "docker.io/nova/service:1" already present on machine'


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    passing = Clock()
    monkeypatch.setattr("nova_acceptance.deploy.timeline.time", passing)
    return passing


@pytest.fixture
def at(clock: Clock) -> Callable[[float], None]:
    """Lets the time be so many seconds since the deployment began."""
    began = clock.now
    return lambda seconds: setattr(clock, "now", began + seconds)


@pytest.fixture
def timeline(clock: Clock) -> Timeline:  # noqa: ARG001 - it is made in the clock's time
    return Timeline([WORKLOAD])


def its_pod(**status: Any) -> Object:
    found = pod("user-service-x", **status)
    found["metadata"]["labels"] = {"app": "user-service", "pod-template-hash": "5c9"}
    return found


def creating() -> Object:
    return its_pod(phase="Pending", ready=False, container=waiting("ContainerCreating"))


def pulled(about: Object, message: str = PULLED) -> Object:
    return event(about, "Pulled", message, kind="Normal")


def only(timeline: Timeline) -> PodTimes:
    (times,) = timeline.pods()
    return times


def test_pod_is_followed_from_its_workload_s_apply_to_its_readiness(
    timeline: Timeline, at: Callable[[float], None]
) -> None:
    at(1)
    timeline.apply([WORKLOAD])
    at(2)
    timeline.note("ADDED", creating())
    at(3)
    timeline.note("ADDED", pulled(creating()))
    at(4)
    timeline.note("MODIFIED", its_pod(ready=False))
    at(5)
    timeline.note("MODIFIED", its_pod())

    assert asdict(only(timeline)) == {
        "pod": "nova-services/user-service-x",
        "workload": "user-service",
        "node": "nova-worker",
        "created_at": "2026-11-23T14:21:40Z",
        "applied": 1.0,
        "created": 2.0,
        "scheduled": 2.0,
        "pulled": 3.0,
        "started": 4.0,
        "ready": 5.0,
    }


def test_everything_is_0_of_a_pod_that_was_there_before(
    timeline: Timeline, at: Callable[[float], None]
) -> None:
    at(1)
    timeline.note("ADDED", its_pod())
    at(2)
    timeline.apply([WORKLOAD])

    times = only(timeline)
    assert times.workload == "user-service"
    milestones = (times.applied, times.created, times.scheduled, times.pulled, times.started)
    assert (*milestones, times.ready) == (0.0,) * 6


def test_pod_that_was_not_ready_before_becomes_so_later(
    timeline: Timeline, at: Callable[[float], None]
) -> None:
    timeline.note("ADDED", creating())
    timeline.apply([WORKLOAD])
    at(3)
    timeline.note("ADDED", pulled(creating()))
    timeline.note("MODIFIED", its_pod())

    times = only(timeline)
    assert (times.applied, times.created, times.pulled, times.ready) == (0.0, 0.0, 3.0, 3.0)


def test_last_of_several_images_counts(timeline: Timeline, at: Callable[[float], None]) -> None:
    timeline.apply([WORKLOAD])
    timeline.note("ADDED", creating())
    for second, image in ((2, "init"), (3, "main")):
        at(second)
        timeline.note("ADDED", pulled(creating(), f"Successfully pulled image {image}"))

    assert only(timeline).pulled == 3.0


def test_event_may_be_seen_before_the_pod(timeline: Timeline, at: Callable[[float], None]) -> None:
    timeline.apply([WORKLOAD])
    at(2)
    timeline.note("ADDED", pulled(creating()))
    at(3)
    timeline.note("ADDED", creating())

    assert only(timeline).pulled == 2.0


def test_containers_that_run_have_their_images_however_late_the_event_comes(
    timeline: Timeline, at: Callable[[float], None]
) -> None:
    timeline.apply([WORKLOAD])
    at(2)
    timeline.note("ADDED", its_pod(ready=False))
    at(3)
    timeline.note("ADDED", pulled(its_pod()))

    assert only(timeline).pulled == 2.0


def test_image_of_a_container_that_starts_again_does_not_count(
    timeline: Timeline, at: Callable[[float], None]
) -> None:
    timeline.apply([WORKLOAD])
    timeline.note("ADDED", creating())
    at(1)
    timeline.note("ADDED", pulled(creating()))
    at(2)
    timeline.note("MODIFIED", its_pod(ready=False))
    at(9)
    timeline.note("MODIFIED", pulled(its_pod()))

    assert only(timeline).pulled == 1.0


def test_other_events_and_those_that_expire_say_nothing_of_images(
    timeline: Timeline, at: Callable[[float], None]
) -> None:
    timeline.apply([WORKLOAD])
    at(1)
    timeline.note("ADDED", creating())
    timeline.note("ADDED", event(creating(), "Pulling", "Pulling image", kind="Normal"))
    timeline.note("DELETED", pulled(creating()))

    assert only(timeline).pulled is None


def test_pod_of_nothing_that_is_applied_has_no_workload(timeline: Timeline) -> None:
    timeline.apply([WORKLOAD])
    timeline.note("ADDED", pod("somebody-elses"))
    elsewhere = its_pod()
    elsewhere["metadata"] |= {"uid": "another", "namespace": "elsewhere"}
    timeline.note("ADDED", elsewhere)

    assert [(times.workload, times.applied) for times in timeline.pods()] == [("", None)] * 2


def test_pod_that_is_deleted_is_left_out(timeline: Timeline) -> None:
    timeline.apply([WORKLOAD])
    timeline.note("ADDED", its_pod())
    timeline.note("DELETED", its_pod())

    assert timeline.pods() == ()
