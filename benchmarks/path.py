"""The critical path of a deployment by the API's own times, which are whole seconds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from nova_acceptance.components.kubernetes.status import instant
from nova_acceptance.kube import Object
from nova_acceptance.report.timeline import critical_path
from nova_acceptance.report.topology import PodSteps


@dataclass(frozen=True, slots=True)
class Path:
    """What a deployment waited for longest.

    Attributes:
        seconds: from the first pod's creation until the last one was ready.
        legs: pods of which each held up the next, with when each had a node, ran and was ready.
    """

    seconds: float
    legs: tuple[str, ...]


def path_of(pods: Iterable[Object], needs: Mapping[str, Sequence[str]]) -> Path:
    """Return the critical path of pods that are ready.

    Args:
        pods: as the API has them, with the workload's name as their label of the name.
        needs: which workloads each workload asks.

    Raises:
        ValueError: there is no pod, or one is not ready.
    """
    there = list(pods)
    began = min(_instant(each["metadata"]["creationTimestamp"]) for each in there)
    steps = [_steps(each, began) for each in there]
    legs = critical_path(steps, needs)
    return Path(
        legs[-1].ready or 0.0,
        tuple(
            f"{each.pod.partition('/')[2]} ({each.scheduled:.0f}, {each.started:.0f}, "
            f"{each.ready:.0f} s)"
            for each in legs
        ),
    )


def _steps(pod: Object, began: datetime) -> PodSteps:
    met = {
        each["type"]: each["lastTransitionTime"]
        for each in pod["status"]["conditions"]
        if each["status"] == "True"
    }
    running = [each["state"]["running"]["startedAt"] for each in pod["status"]["containerStatuses"]]

    def since(text: object) -> float:
        return (_instant(text) - began).total_seconds()

    if "Ready" not in met:
        raise ValueError(f"{pod['metadata']['name']} is not ready")
    return PodSteps(
        pod=f"{pod['metadata']['namespace']}/{pod['metadata']['name']}",
        workload=pod["metadata"]["labels"].get("app.kubernetes.io/name", ""),
        scheduled=since(met["PodScheduled"]),
        started=max(map(since, running)),
        ready=since(met["Ready"]),
    )


def _instant(text: object) -> datetime:
    found = instant(text)
    if found is None:
        raise ValueError(f"{text} is no time")
    return found
