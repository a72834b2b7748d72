"""One deployment from the first write to everything ready."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence

from nova_acceptance import timeouts
from nova_acceptance.deploy.definitions import await_served
from nova_acceptance.deploy.outcome import Deployment, RolloutError
from nova_acceptance.deploy.ownership import marked
from nova_acceptance.deploy.phases import apply_phase, guard, phases
from nova_acceptance.deploy.readiness import Readiness
from nova_acceptance.deploy.timeline import Timeline
from nova_acceptance.deploy.watches import Watches
from nova_acceptance.diagnosis import Explanation
from nova_acceptance.kube import Kube, Object, describe
from nova_acceptance.kube.snapshot import Snapshot
from nova_acceptance.progress import Progress


def deploy(
    kube: Kube,
    objects: Sequence[Object],
    *,
    progress: Progress,
    timeout: float = timeouts.ROLLOUT,
    base: Snapshot | None = None,
    on_lost: Callable[[Explanation], None] = lambda _explanation: None,
) -> Deployment:
    """Apply the objects in phases and wait until all of them are ready.

    Args:
        kube: the API.
        objects: what to deploy, namespaces included.
        progress: where to show how far it is.
        timeout: seconds for all of it.
        base: what the cluster looked like before, for the diagnosis of what does not become ready.
        on_lost: called whenever something more is believed to be lost, with why, while the wait
            for the rest goes on.

    Raises:
        ApplyError: something there is not ours, or the API refused an object.
        RolloutError: something cannot become ready, or was not in time. It carries what was
            deployed nevertheless, and why.
        ClusterError: the API did not answer.
    """
    deadline = time.monotonic() + timeout
    timeline = Timeline(objects)
    seconds: dict[str, float] = {}
    guard(kube, objects)
    objects = marked(objects)
    applied: list[Object] = []
    failure: RolloutError | None = None
    with Watches(kube, objects, deadline=deadline, base=base, on_change=timeline.note) as watches:
        watches.complete(deadline)
        leftovers = {pod["metadata"]["uid"] for pod in _pods(watches.snapshot, objects)}
        with progress.step("applying Nova's objects") as step:
            for phase in phases(objects):
                began = time.monotonic()
                step.update(f"{len(phase.objects)} {phase.name}")
                timeline.apply(phase.objects)
                answered = apply_phase(kube, phase)
                if phase.name == "namespaces":
                    await_served(kube, objects, deadline)
                watches.add(answered)
                applied += answered
                seconds[phase.name] = round(time.monotonic() - began, 3)
            step.update(f"{len(objects)} objects")
        began = time.monotonic()
        try:
            with progress.step("waiting for Nova to be ready") as step:
                Readiness(kube, applied, watches, leftovers, on_lost).wait(deadline, step)
                step.update(f"{len(timeline.pods())} pods ready")
        except RolloutError as error:
            failure = error
        seconds["ready"] = round(time.monotonic() - began, 3)
    done = Deployment(tuple(map(describe, objects)), seconds, timeline.pods())
    if failure is not None:
        failure.deployment = done
        raise failure
    return done


def _pods(snapshot: Snapshot, objects: Sequence[Object]) -> Iterator[Object]:
    """Yield the pods that are in the namespaces that are deployed to."""
    for namespace in {obj["metadata"].get("namespace", "") for obj in objects} - {""}:
        yield from snapshot.of_kind("Pod", namespace)
