"""Finding the states of `terminal` in a picture of the cluster."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from nova_acceptance.deploy.picture import Picture
from nova_acceptance.deploy.terminal import (
    CANNOT_START,
    CLAIM,
    CRASH,
    CRASHES,
    FAILED_PODS,
    FAILING,
    MOUNT,
    MOUNTED,
    PASSING_TAINT,
    PULL,
    REFUSED_POD,
    START,
    STUCK,
    UNSCHEDULABLE,
    WAITING,
    Rule,
)
from nova_acceptance.diagnosis.status import State, condition, status_of
from nova_acceptance.kube import Object, describe


@dataclass(frozen=True, slots=True)
class Finding:
    """An object in such a state.

    Attributes:
        obj: a pod, a claim or a controller.
        reason: the state's name.
        message: what the kubelet, scheduler or controller says.
        rule: the rule that it comes under.
        container: whose log may tell more, if one ran.
    """

    obj: Object
    reason: str
    message: str
    rule: Rule
    container: str = ""

    @property
    def key(self) -> tuple[str, str, str]:
        """What makes two findings the same one, seen again."""
        return self.obj["metadata"]["uid"], self.container, self.reason

    @property
    def subject(self) -> str:
        """The object, and the container in it, as a message names them."""
        where = f", container {self.container}" if self.container else ""
        return f"{describe(self.obj)}{where}"


def findings(picture: Picture, workload: Object) -> Iterator[Finding]:
    """Yield what stands in the way of a workload, of its pods and of their claims.

    Args:
        picture: what the watches saw.
        workload: a Deployment, StatefulSet, DaemonSet, Job or Pod, as it is on the cluster.
    """
    status = status_of(workload)
    if status.state is State.FAILED:
        rule = STUCK if status.reason == "ProgressDeadlineExceeded" else FAILING
        yield Finding(workload, status.reason, status.message, rule)
    for controller in _controllers(picture, workload):
        yield from _of_controller(picture, controller)
        for pod in picture.owned_by(controller, "Pod"):
            yield from of_pod(picture, pod)
    if workload["kind"] == "Pod":
        yield from of_pod(picture, workload)


def pods_of(picture: Picture, workload: Object) -> list[Object]:
    """Return the pods of the workload's current version."""
    return [
        pod
        for controller in _controllers(picture, workload)
        for pod in picture.owned_by(controller, "Pod")
    ]


def of_pod(picture: Picture, pod: Object) -> Iterator[Finding]:
    """Yield what a pod cannot recover from."""
    if "deletionTimestamp" in pod["metadata"]:
        return
    scheduled = condition(pod, "PodScheduled")
    if scheduled.get("reason") == "Unschedulable":
        yield from _unschedulable(picture, pod, scheduled.get("message", ""))
    events = picture.events_about(pod)
    status = pod.get("status", {})
    for entry in (
        *(status.get("initContainerStatuses") or ()),
        *(status.get("containerStatuses") or ()),
    ):
        yield from _of_container(pod, entry, events)
    yield from _of_mounts(pod, events)
    for name in _claims(pod):
        claim = picture.get("PersistentVolumeClaim", pod["metadata"]["namespace"], name)
        if claim:
            yield from of_claim(picture, claim)


def of_claim(picture: Picture, claim: Object) -> Iterator[Finding]:
    """Yield why a claim that is not bound never will be."""
    if claim.get("status", {}).get("phase") == "Bound":
        return
    for event in picture.events_about(claim, fresh=True):
        message = event.get("message", "")
        if event.get("reason") in {"ProvisioningFailed", "FailedBinding"} and CLAIM.covers(message):
            yield Finding(claim, event["reason"], message, CLAIM)


def _controllers(picture: Picture, workload: Object) -> list[Object]:
    """Return who makes the pods: for a Deployment the ReplicaSet of its current revision."""
    if workload["kind"] != "Deployment":
        return [workload]
    revision = _revision(workload)
    return [rs for rs in picture.owned_by(workload, "ReplicaSet") if _revision(rs) == revision]


def _revision(obj: Object) -> str:
    annotations = obj["metadata"].get("annotations") or {}
    return str(annotations.get("deployment.kubernetes.io/revision", ""))


def _of_controller(picture: Picture, controller: Object) -> Iterator[Finding]:
    failure = condition(controller, "ReplicaFailure")
    if failure.get("status") == "True" and REFUSED_POD.covers(failure.get("message", "")):
        reason = failure.get("reason", "FailedCreate")
        yield Finding(controller, reason, failure.get("message", ""), REFUSED_POD)
    wanted = controller.get("spec", {}).get("replicas", 1)
    pods = picture.owned_by(controller, "Pod")
    if controller["kind"] == "StatefulSet" and len(pods) < wanted:  # it keeps no such condition
        for event in picture.events_about(controller, fresh=True):
            message = event.get("message", "")
            if event.get("reason") == "FailedCreate" and REFUSED_POD.covers(message):
                yield Finding(controller, "FailedCreate", message, REFUSED_POD)
    failed = [pod for pod in pods if pod.get("status", {}).get("phase") == "Failed"]
    if len(failed) >= FAILED_PODS and controller["kind"] != "Job":  # a Job counts its own
        status = failed[-1]["status"]
        yield Finding(
            failed[-1], status.get("reason", "Failed"), status.get("message", ""), FAILING
        )


def _unschedulable(picture: Picture, pod: Object, message: str) -> Iterator[Finding]:
    passing = PASSING_TAINT in message or any(
        "deletionTimestamp" in other["metadata"] for other in picture.of_kind("Pod")
    )
    if UNSCHEDULABLE.covers(message) and not passing:
        yield Finding(pod, "Unschedulable", message, UNSCHEDULABLE)


def _of_container(
    pod: Object, entry: dict[str, Any], events: Iterable[Object]
) -> Iterator[Finding]:
    name, waiting = entry["name"], entry.get("state", {}).get("waiting") or {}
    reason, message = waiting.get("reason", ""), waiting.get("message", "")
    if reason in WAITING:
        yield Finding(pod, reason, message, WAITING[reason], name)
    elif reason in {"ErrImagePull", "ImagePullBackOff"}:
        yield from _pull(pod, entry, events)
    elif reason in {"CrashLoopBackOff", "RunContainerError"}:
        ended = (entry.get("lastState") or {}).get("terminated") or {}
        if ended.get("reason") in CANNOT_START:
            yield Finding(pod, ended["reason"], ended.get("message", ""), START, name)
        elif entry.get("restartCount", 0) >= CRASHES:
            code = f"exit status {ended.get('exitCode', '?')} ({ended.get('reason', '?')})"
            text = f"{entry['restartCount']} restarts, the last after {code}"
            yield Finding(pod, "CrashLoopBackOff", text, CRASH, name)


def _pull(pod: Object, entry: dict[str, Any], events: Iterable[Object]) -> Iterator[Finding]:
    """Judge a pull by what the registry said; the kubelet's back-off hides that in an event."""
    waiting = entry["state"]["waiting"]
    image = str(entry.get("image", ""))
    said = [
        event.get("message", "")
        for event in events
        if event.get("reason") == "Failed" and image in event.get("message", "")
    ]
    text = "\n".join((waiting.get("message", ""), *said))
    rule = next((rule for rule in PULL if rule.covers(text)), None)
    if rule is None:
        return
    message = next((line for line in (*said, waiting.get("message", "")) if rule.covers(line)), "")
    if waiting["reason"] == "ErrImagePull":  # one more try before it is believed
        rule = Rule(math.inf, rule.hint, rule.phrases)
    yield Finding(pod, "ImagePullBackOff", message, rule, entry["name"])


def _of_mounts(pod: Object, events: Iterable[Object]) -> Iterator[Finding]:
    latest: Object | None = None
    for event in events:
        if event.get("reason") in MOUNTED:
            latest = None
        elif event.get("reason") == "FailedMount" and MOUNT.covers(event.get("message", "")):
            latest = event
    if latest and pod.get("status", {}).get("phase") == "Pending":
        yield Finding(pod, "FailedMount", latest["message"], MOUNT)


def _claims(pod: Object) -> Iterator[str]:
    for volume in pod["spec"].get("volumes") or ():
        if claim := volume.get("persistentVolumeClaim"):
            yield claim["claimName"]
