"""What the cluster itself says of pods that are not ready: their states, warnings and logs."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator

from nova_acceptance.deploy.findings import Finding, pods_of
from nova_acceptance.deploy.picture import Picture
from nova_acceptance.diagnosis.status import condition, is_pod_ready
from nova_acceptance.errors import ClusterError
from nova_acceptance.kube import Kube, Object, PodRef, describe

_LOG_LINES = 15
_EVENTS = 3


def unready_pods(picture: Picture, workloads: Iterable[Object]) -> Iterator[str]:
    """Yield, for each pod that is not ready, why not, and its latest warnings."""
    for workload in workloads:
        for pod in pods_of(picture, workload):
            if not is_pod_ready(pod):
                yield f"{describe(pod)}: {_word(pod)}"
                yield from warnings(picture, pod)


def warnings(picture: Picture, obj: Object) -> list[str]:
    """Return the latest distinct warnings about an object, oldest first."""
    said = [
        f"event {event.get('reason', '')}: {event.get('message', '').strip()}"
        for event in picture.events_about(obj)
        if event.get("type") == "Warning"
    ]
    return list(dict.fromkeys(said))[-_EVENTS:]


def last_words(kube: Kube, finding: Finding) -> Iterator[str]:
    """Yield the last log lines of the container concerned, the crashed one's if there was one."""
    if finding.obj["kind"] != "Pod" or not finding.container:
        return
    metadata = finding.obj["metadata"]
    pod = PodRef(metadata["namespace"], metadata["name"])
    for previous in (True, False):
        with contextlib.suppress(ClusterError):  # it never ran, or its log is gone
            text = kube.logs(
                pod, container=finding.container, previous=previous, tail_lines=_LOG_LINES
            )
            if text.strip():
                yield from (f"log: {line}" for line in text.splitlines())
                return


def _word(pod: Object) -> str:
    """Return what best tells why a pod is not ready."""
    status = pod.get("status", {})
    for entry in (
        *(status.get("initContainerStatuses") or ()),
        *(status.get("containerStatuses") or ()),
    ):
        waiting = entry.get("state", {}).get("waiting")
        if waiting:
            return f"{waiting.get('reason', 'waiting')} {waiting.get('message', '')}".rstrip()
    scheduled = condition(pod, "PodScheduled")
    if scheduled.get("status") == "False":
        return str(scheduled.get("message", "not scheduled"))
    return str(condition(pod, "Ready").get("message") or status.get("phase", "Pending"))
