"""Probe pods: pods of this run that ask in place of pods in which nothing can be run.

One stands beside the pods that it asks for: in their namespace, on their node where the scheduler
allows it, with their ServiceAccount and DNS settings. Pods that are alike in all of this share one.
Its only label is this project's own, so that no Service, PodDisruptionBudget or NetworkPolicy which
selects by labels takes it for a part of the system.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

from nova_acceptance import timeouts
from nova_acceptance.errors import ClusterError, ProbeError, UnaskedError
from nova_acceptance.kube import ApiError, Kube, Object, PodRef
from nova_acceptance.kube.objects import RUN_LABEL
from nova_acceptance.kube.refusals import verbs_into_pods
from nova_acceptance.phrase import Phrase
from nova_acceptance.vantage.left_over import remove_pod

IMAGE: Final = "docker.io/nova/probe:1"
"""This project's own image, used where it was loaded and never pulled: no registry has it."""
CONTAINER: Final = "probe"

_NAME: Final = "nova-acceptance-probe"
# The first process of a container ignores the signals that it does not handle.
_IDLE: Final = "import signal, sys; signal.signal(15, lambda *_: sys.exit()); signal.pause()"
_TOKEN: Final = "/var/run/secrets/kubernetes.io/serviceaccount"  # noqa: S105 - a path
_LOST: Final = frozenset(
    {
        "CreateContainerConfigError",
        "CreateContainerError",
        "ErrImageNeverPull",
        "ErrImagePull",
        "ImageInspectError",
        "ImagePullBackOff",
        "InvalidImageName",
        "RunContainerError",
    }
)
_AT_ONCE: Final = 8
_NOBODY: Final = 65532


@dataclass(frozen=True)
class Settings:
    """How this run may ask from inside pods.

    Attributes:
        image: what probe pods and ephemeral containers run: any image with Python 3.8 or later.
        is_own: whether the system's own containers may be asked from.
        is_ephemeral: whether ephemeral containers may be put into the system's pods.
        is_writing: whether probe pods may be made; else only what is there is used.
        run: the identifier of this run, by which what it made is known as its own.
    """

    image: str = IMAGE
    is_own: bool = True
    is_ephemeral: bool = False
    is_writing: bool = True
    run: str = ""

    @property
    def pull_policy(self) -> str:
        """When a node fetches the image."""
        return "Never" if self.image == IMAGE else "IfNotPresent"


@dataclass(slots=True)
class _Kept:
    """A probe pod, or why there is none, for pods that are alike.

    Attributes:
        lock: held while it is made.
        pod: where it is; None as long as there is none.
        failure: why there can be none.
    """

    lock: threading.Lock = field(default_factory=threading.Lock)
    pod: PodRef | None = None
    failure: UnaskedError | None = None


class ProbePods:
    """The probe pods of a run, each made when it is first wanted. Threads may share it."""

    def __init__(self, kube: Kube, settings: Settings) -> None:
        self._kube = kube
        self._settings = settings
        self._lock = threading.Lock()
        self._kept: dict[str, _Kept] = defaultdict(_Kept)
        self._made: list[PodRef] = []
        self._is_closed = False
        self._forbidden: dict[str, UnaskedError] = {}

    def beside(self, pod: Object) -> PodRef:
        """Return the probe pod that asks in place of a pod.

        Raises:
            UnaskedError: there can be none, with the reason.
            ClusterError: the API did not answer.
        """
        spec = _spec(pod, self._settings)
        namespace = pod["metadata"]["namespace"]
        alike = f"{namespace} {sorted(spec.items(), key=str)}"
        with self._lock:
            kept = self._kept[alike]
        with kept.lock:
            if kept.failure:
                raise kept.failure
            if kept.pod is None:
                try:
                    kept.pod = self._make(namespace, spec)
                except UnaskedError as error:
                    kept.failure = error
                    raise
            return kept.pod

    def forget(self, pod: PodRef) -> None:
        """Make another one, where a probe pod is there no more."""
        found = self._kube.get("v1", "Pod", pod.name, pod.namespace) or {}
        if found.get("status", {}).get("phase") == "Running":
            return
        with self._lock:
            for kept in self._kept.values():
                if kept.pod == pod:
                    kept.pod = None

    def close(self) -> None:
        """Remove every probe pod of this run.

        Raises:
            ClusterError: some could not be removed, all of which it names.
        """
        with self._lock:
            self._is_closed = True
            made, self._made = self._made, []
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            failures = [why for why in pool.map(self._why_left, made) if why]
        if failures:
            raise ClusterError(
                Phrase("{count} probe pods are left", count=len(failures)),
                hint=Phrase("`nova-cluster clean` removes them once the API answers"),
                evidence=failures,
            )

    def _why_left(self, pod: PodRef) -> str:
        """Return why a pod is still there; nothing where it is not."""
        try:
            return "" if remove_pod(self._kube, pod) else f"{pod}: this user may not delete it"
        except ClusterError as error:
            return f"{pod}: {error.message}"

    def _make(self, namespace: str, spec: Object) -> PodRef:
        self._require_rights(namespace)
        pod = PodRef(namespace, f"{_NAME}-{secrets.token_hex(4)}")
        metadata = {
            "name": pod.name,
            "namespace": namespace,
            "labels": {RUN_LABEL: self._settings.run},
        }
        with self._lock:  # before it is there: Ctrl-C must not leave it
            self._require_open()
            self._made.append(pod)
        try:
            self._kube.create(
                {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}
            )
        except ApiError as error:
            if not error.was_repeated:  # it certainly was not made
                with self._lock:
                    self._made = [each for each in self._made if each != pod]
            raise _refused(namespace, error) from error
        if self._is_closed:  # while it was made
            remove_pod(self._kube, pod)
        self._require_open()
        self._await(pod)
        return pod

    def _require_open(self) -> None:
        """See that what is made now is still removed at the end of the run."""
        if self._is_closed:
            raise ProbeError("the run has ended, so nothing is made to ask from any more")

    def _require_rights(self, namespace: str) -> None:
        with self._lock:
            if error := self._forbidden.get(namespace):
                raise error
        lacking = [
            f"{verb} {resource}"
            for verb, resource in (
                ("create", "pods"),
                ("delete", "pods"),
                ("watch", "pods"),
                *((verb, "pods/exec") for verb in verbs_into_pods(self._kube.server_version)),
            )
            if not self._kube.can_i(verb, "", resource, namespace)
        ]
        if lacking:
            error = UnaskedError(
                Phrase(
                    "nothing can be asked from inside pods: this user may not {lacking}",
                    lacking=lacking,
                ),
                hint=Phrase("grant it, or do without these answers"),
                evidence=[f"in namespace {namespace}"],
            )
            with self._lock:
                self._forbidden[namespace] = error
            raise error

    def _await(self, pod: PodRef) -> None:
        reason, said = "not in time", ""
        for _, seen in self._kube.watch(
            "v1",
            "Pod",
            namespace=pod.namespace,
            field_selector=f"metadata.name={pod.name}",
            deadline=time.monotonic() + timeouts.PROBE_POD_START,
        ):
            status = seen.get("status", {})
            if status.get("phase") == "Running":
                return
            if lost := _why_lost(status):
                reason, said = lost
                break
        with suppress(ClusterError):
            remove_pod(self._kube, pod)
        raise UnaskedError(
            Phrase(
                "nothing can be asked from inside pods: "
                "none starts with the image {image} ({reason})",
                image=self._settings.image,
                reason=reason,
            ),
            hint=Phrase(
                "name an image with Python 3.8 or later that the nodes have or can pull: "
                "`--probe-image=IMAGE`"
            ),
            evidence=[f"in namespace {pod.namespace}: {said}"],
        )


def _refused(namespace: str, error: ApiError) -> UnaskedError:
    return UnaskedError(
        Phrase(
            "nothing can be asked from inside pods: the API refuses a probe pod: {said}",
            said=error.detail or error.reason or error.status,
        ),
        hint=Phrase("a quota or a policy of the cluster may forbid it; its owner can tell"),
        evidence=[f"in namespace {namespace}", *error.causes],
    )


def _why_lost(status: Object) -> tuple[str, str] | None:
    """Return the reason for which a pod will not run, and what else is said of it."""
    for container in status.get("containerStatuses") or ():
        waiting = (container.get("state") or {}).get("waiting") or {}
        if waiting.get("reason") in _LOST:
            return waiting["reason"], waiting.get("message", "")
    if status.get("phase") in ("Failed", "Succeeded"):
        return status.get("reason") or "it ended at once", status.get("message", "")
    for condition in status.get("conditions") or ():
        if condition.get("reason") == "Unschedulable":
            return "Unschedulable", condition.get("message", "")
    return None


def _spec(pod: Object, settings: Settings) -> Object:
    """Return what a probe pod beside a pod is like."""
    theirs = pod["spec"]
    mounts = [
        mount["mountPath"]
        for container in theirs.get("containers") or ()
        for mount in container.get("volumeMounts") or ()
    ]
    spec: dict[str, Any] = {
        "restartPolicy": "Never",
        "activeDeadlineSeconds": int(timeouts.PROBE_POD),
        "terminationGracePeriodSeconds": 1,
        "automountServiceAccountToken": _TOKEN in mounts,
        "enableServiceLinks": theirs.get("enableServiceLinks", True),
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": _NOBODY,
            "runAsGroup": _NOBODY,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [container(settings)],
    }
    for name in (
        *("serviceAccountName", "dnsPolicy", "dnsConfig", "hostAliases", "imagePullSecrets"),
        *("tolerations", "runtimeClassName"),
    ):
        if theirs.get(name):
            spec[name] = theirs[name]
    if spec.get("dnsPolicy") == "ClusterFirstWithHostNet":
        spec["dnsPolicy"] = "ClusterFirst"  # it has a network of its own
    if node := theirs.get("nodeName"):
        term = {"matchFields": [{"key": "metadata.name", "operator": "In", "values": [node]}]}
        preferred = {"weight": 100, "preference": term}
        spec["affinity"] = {
            "nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [preferred]}
        }
    return spec


def container(settings: Settings) -> Object:
    """Return the container that does nothing until something is asked from it."""
    return {
        "name": CONTAINER,
        "image": settings.image,
        "imagePullPolicy": settings.pull_policy,
        "command": ["python3", "-I", "-S", "-c", _IDLE],
        "resources": {
            "requests": {"cpu": "10m", "memory": "32Mi"},
            "limits": {"cpu": "1", "memory": "128Mi"},
        },
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "runAsNonRoot": True,
            "runAsUser": _NOBODY,
            "capabilities": {"drop": ["ALL"]},
            "seccompProfile": {"type": "RuntimeDefault"},
        },
    }
