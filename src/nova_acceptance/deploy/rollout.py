"""One deployment from the first write to everything ready."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from nova_acceptance import timeouts
from nova_acceptance.deploy.phases import apply_phase, guard_namespaces, phases
from nova_acceptance.deploy.picture import Observation
from nova_acceptance.deploy.readiness import Readiness
from nova_acceptance.deploy.timeline import PodTimes, Timeline
from nova_acceptance.kube import Kube, Object, describe
from nova_acceptance.progress import Progress


@dataclass(frozen=True, slots=True)
class Deployment:
    """What was deployed, and how long each part took.

    Attributes:
        started_at: when it began, by this machine's clock, in UTC.
        applied: every object, as `Kind namespace/name`.
        seconds: how long each phase took: `namespaces`, `configuration`, `workloads`, `ready`.
        timeline: the pods' milestones, in the order of their creation.
    """

    started_at: datetime
    applied: tuple[str, ...]
    seconds: dict[str, float] = field(default_factory=dict)
    timeline: tuple[PodTimes, ...] = ()


def deploy(
    kube: Kube,
    objects: Sequence[Object],
    *,
    progress: Progress,
    timeout: float = timeouts.ROLLOUT,
) -> Deployment:
    """Apply the objects in phases and wait until all of them are ready.

    Args:
        kube: the API.
        objects: what to deploy, namespaces included.
        progress: where to show how far it is.
        timeout: seconds for all of it.

    Raises:
        ApplyError: a namespace is not ours, or the API refused an object.
        NotReadyError: something cannot become ready, or was not in time.
        ClusterError: the API did not answer.
    """
    started_at = datetime.now(UTC)
    deadline = time.monotonic() + timeout
    timeline = Timeline()
    seconds: dict[str, float] = {}
    guard_namespaces(kube, objects)
    applied: list[Object] = []
    with Observation(kube, objects, deadline=deadline, on_change=timeline.note) as observation:
        observation.complete(deadline)
        leftovers = {pod["metadata"]["uid"] for pod in observation.picture.of_kind("Pod")}
        timeline.is_applying = True
        with progress.step("applying Nova's objects") as step:
            for phase in phases(objects):
                began = time.monotonic()
                step.update(f"{len(phase.objects)} {phase.name}")
                applied += apply_phase(kube, phase)
                seconds[phase.name] = round(time.monotonic() - began, 3)
            step.update(f"{len(objects)} objects")
        with progress.step("waiting for Nova to be ready") as step:
            began = time.monotonic()
            Readiness(kube, applied, observation, leftovers).wait(deadline, step)
            seconds["ready"] = round(time.monotonic() - began, 3)
            pods = timeline.pods()
            step.update(f"{len(pods)} pods ready")
    return Deployment(started_at, tuple(map(describe, objects)), seconds, pods)
