"""A pod that is deleted, and the one that takes its place under the same name."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from typing import NamedTuple

from nova_acceptance import timeouts
from nova_acceptance.components.kubernetes.status import is_ready
from nova_acceptance.errors import ProbeError, UnaskedError
from nova_acceptance.kube import Kube, Object, PodRef
from nova_acceptance.phrase import Phrase
from nova_acceptance.vantage import in_pod
from nova_acceptance.vantage.places import own_container, why_unusable


def kill(kube: Kube, pod: PodRef, uid: str) -> str:
    """Delete a pod without grace and return the uid that it had.

    Its successor is made at once. A deletion in good order may take a kubelet a minute more, until
    it has collected the last container, and shows nothing else.

    Args:
        kube: the API.
        pod: the pod.
        uid: the incarnation that was judged; no other is deleted.

    Raises:
        ProbeError: there is no such pod.
    """
    _found(kube, pod, uid)
    kube.delete("v1", "Pod", pod.name, pod.namespace, grace_period_seconds=0, precondition_uid=uid)
    return uid


class Crash(NamedTuple):
    """A pod that was made to end.

    Attributes:
        uid: the one that it had.
        is_sudden: whether its processes had no time at all. Else they had the two seconds between
            SIGTERM and SIGKILL that a kubelet gives, in which a database may shut down in good
            order: what follows shows a loss of the pod then, and no crash.
    """

    uid: str
    is_sudden: bool


def crash(kube: Kube, pod: PodRef, process: str, uid: str) -> Crash:
    """Kill a pod's processes where they stand, as far as its container lets us, and delete it.

    A pod that sees the processes of its node is only deleted: a name there may be anybody's.

    Args:
        kube: the API.
        pod: the pod.
        process: the processes' name (proc(5), `comm`).
        uid: the incarnation that was judged; nothing of another is killed.

    Raises:
        UnaskedError: this user may not delete it, so nothing is killed.
        ProbeError: there is no such pod, or no such process in it.
    """
    is_sudden = False
    if not kube.can_i("delete", "", "pods", pod.namespace):
        raise UnaskedError(
            Phrase("this user may not {verb} {resource}", verb="delete", resource="pods"),
            hint=Phrase("grant it, or do without these answers"),
            evidence=[f"in namespace {pod.namespace}"],
        )
    found = _found(kube, pod, uid)
    sees_its_node = bool(found["spec"].get("hostPID"))
    if not sees_its_node and (own := own_container(found)):
        try:
            line = json.dumps(process)
            done = in_pod.run(kube, pod, "in_pod_kill", line, container=own, timeout=timeouts.EXEC)
        except ProbeError as error:
            if not why_unusable(error):
                raise
        else:
            is_sudden = True
            victims = json.loads(done.stdout or "[]")
    kill(kube, pod, uid)
    if is_sudden and not victims:
        raise ProbeError(
            f"pod {pod} runs no process called {process}, so nothing was crashed",
            hint=f"`kubectl -n {pod.namespace} describe pod {pod.name}` shows what it runs",
        )
    return Crash(uid, is_sudden)


def await_successor(
    kube: Kube,
    pod: PodRef,
    uid: str,
    *,
    within: float = timeouts.REJOIN,
    started: float | None = None,
) -> float:
    """Wait until a pod of the same name and another uid is ready.

    Args:
        kube: the API.
        pod: the name.
        uid: what the former pod had.
        within: seconds, counted from `started`.
        started: a moment of `time.monotonic`; now unless told otherwise.

    Returns:
        Seconds from `started` until it was ready.

    Raises:
        ProbeError: it was not, in time.
    """
    began = time.monotonic() if started is None else started
    selector = f"metadata.name={pod.name}"
    latest: Object | None = None
    for kind, item in kube.watch(
        "v1", "Pod", namespace=pod.namespace, field_selector=selector, deadline=began + within
    ):
        latest = None if kind == "DELETED" else item
        if latest and latest["metadata"]["uid"] != uid and is_ready(latest):
            return time.monotonic() - began
    state = "absent" if latest is None else str(latest.get("status", {}).get("phase"))
    raise ProbeError(
        f"pod {pod} has no ready successor {within:.0f} s after it was deleted",
        hint=f"`kubectl -n {pod.namespace} describe pod {pod.name}` shows what keeps it",
        evidence=[f"it is {state}"],
    )


def await_ready(kube: Kube, pods: Iterable[PodRef], *, within: float) -> bool:
    """Wait until some pods of one namespace are ready, all of them at the same moment.

    Args:
        kube: the API.
        pods: the pods.
        within: seconds.

    Returns:
        Whether they were, in time.
    """
    are_ready = dict.fromkeys(pods, False)
    namespace = next((pod.namespace for pod in are_ready), "")
    until = time.monotonic() + within
    for kind, item in kube.watch("v1", "Pod", namespace=namespace, deadline=until):
        pod = PodRef(namespace, item["metadata"]["name"])
        if pod in are_ready:
            are_ready[pod] = kind != "DELETED" and is_ready(item)
        if all(are_ready.values()):
            return True
    return False


def _found(kube: Kube, pod: PodRef, uid: str) -> Object:
    found = kube.get("v1", "Pod", pod.name, pod.namespace)
    if found is None or found["metadata"]["uid"] != uid:
        raise ProbeError(
            f"there is no pod {pod} any more that could be killed",
            hint=f"`kubectl -n {pod.namespace} get pods`",
            evidence=[f"its uid was {uid}"],
        )
    return found
