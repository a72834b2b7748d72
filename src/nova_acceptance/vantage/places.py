"""The places from which a pod's network is asked, in the order in which they are tried.

1. The pod's own container, where it has python3: nothing is left behind.
2. An ephemeral container in the pod, with `--ephemeral` only: it stays until the pod goes.
3. A probe pod beside it (`probe_pods`).

Which of them can be used is found out by using it, once a pod. Where none can, what was to be asked
is not asked, and the reason is told once.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from http import HTTPStatus
from typing import Final, Self, TypeVar

from nova_acceptance import timeouts
from nova_acceptance.errors import NovaError, PodProbeError, ProbeError, UnaskedError
from nova_acceptance.kube import (
    Again,
    ApiError,
    ExecResult,
    Kube,
    Object,
    PodRef,
    Running,
    forbidden,
)
from nova_acceptance.kube.failures import kubelet_trouble
from nova_acceptance.phrase import Phrase
from nova_acceptance.vantage import in_pod
from nova_acceptance.vantage.probe_pods import CONTAINER, ProbePods, Settings, container

UseT = TypeVar("UseT")

_EPHEMERAL: Final = "nova-acceptance-"
DEFAULT_CONTAINER: Final = "kubectl.kubernetes.io/default-container"
READ_ONLY: Final = Settings(is_writing=False)
"""Only what is there is used."""


class PlaceKind(StrEnum):
    """Where the program runs that asks."""

    CONTAINER = "the pod's own container"
    EPHEMERAL = "an ephemeral container in the pod"
    PROBE_POD = "a probe pod beside it"


@dataclass(frozen=True, slots=True)
class Place:
    """Where the program runs that asks from a pod's place.

    Attributes:
        pod: whose network is asked.
        kind: which of the places it is.
        inside: the pod in which the program runs.
        container: the container in it.
    """

    pod: PodRef
    kind: PlaceKind
    inside: PodRef
    container: str

    def __str__(self) -> str:
        if self.kind is PlaceKind.CONTAINER:
            return str(self.pod)
        if self.kind is PlaceKind.EPHEMERAL:
            return f"{self.pod} (ephemeral container {self.container})"
        return f"{self.pod} (probe pod {self.inside.name})"


@dataclass(slots=True)
class _Known:
    """What is known of the places of one pod."""

    lock: threading.RLock = field(default_factory=threading.RLock)
    place: Place | None = None
    is_proven: bool = False
    tried: list[PlaceKind] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)
    hint: str = ""
    failure: UnaskedError | None = None


class Places:
    """From where each pod's network is asked, in one run. Threads may share it.

    Args:
        kube: the API that the pods are behind.
        settings: what may be made for it.
    """

    def __init__(self, kube: Kube, settings: Settings = READ_ONLY) -> None:
        self.kube = kube
        self._settings = settings
        self._probe_pods = ProbePods(kube, settings)
        self._lock = threading.Lock()
        self._known: dict[PodRef, _Known] = defaultdict(_Known)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Remove what was made for asking, ephemeral containers aside."""
        self._probe_pods.close()

    def used(self) -> dict[PlaceKind, list[PodRef]]:
        """Return the pods that something was asked from so far, by where the program ran."""
        found: dict[PlaceKind, list[PodRef]] = {kind: [] for kind in PlaceKind}
        with self._lock:
            every = sorted(self._known.items())
        for pod, known in every:
            if known.place and known.is_proven:
                found[known.place.kind].append(pod)
        return found

    def of(self, pod: PodRef) -> Place:
        """Return a place from which a pod's network can be asked, after it was tried.

        Raises:
            UnaskedError: there is none, with the reason.
            ProbeError: whether there is one could not be found out.
            ClusterError: the API was away for too long.
        """
        return (
            self.proven(pod)
            or self.run(pod, "in_pod_agent", "[]", timeout=timeouts.EXEC, again=Again.FREELY)[0]
        )

    def proven(self, pod: PodRef) -> Place | None:
        """Return the place from which a pod's network has been asked before, if it has."""
        with self._lock:
            known = self._known[pod]
        return known.place if known.is_proven else None

    def run(
        self,
        pod: PodRef,
        script: str,
        line: str,
        *,
        timeout: float,
        again: Again = Again.UNLESS_BEGUN,
        heard: Callable[[Place, str], object] | None = None,
    ) -> tuple[Place, ExecResult]:
        """Run a script of this package where a pod's network can be asked.

        Args:
            pod: whose network is asked.
            script: `in_pod_agent`, say.
            line: what it reads from standard input; one line, without the newline.
            timeout: seconds for one attempt.
            again: when it may be run again, where the API failed and not the script.
            heard: is told each line that it writes as soon as it comes, and where it runs.

        Returns:
            Where it ran, and what it left behind.

        Raises:
            UnaskedError: there is no place to run it in, with the reason.
            ProbeError: it could not be run to its end.
            ClusterError: the API was away for too long.
        """
        return self._used(
            pod,
            lambda place: in_pod.run(
                self.kube,
                place.inside,
                script,
                line,
                container=place.container,
                timeout=timeout,
                again=again,
                heard=partial(heard, place) if heard else None,
            ),
        )

    def begin(
        self, pod: PodRef, script: str, line: str, *, timeout: float
    ) -> tuple[Place, tuple[Running, bytes]]:
        """Begin a script of this package where a pod's network can be asked.

        Args:
            pod: whose network is asked.
            script: `in_pod_relay`.
            line: what it reads from standard input first; one line, without the newline.
            timeout: seconds until it says something.

        Returns:
            Where it runs; it, to be closed by the caller; and what it said.

        Raises:
            UnaskedError: there is no place to run it in, with the reason.
            ProbeError: it could not be run, or said nothing in time.
            ClusterError: the API was away.
        """
        return self._used(
            pod,
            lambda place: in_pod.begin(
                self.kube, place.inside, script, line, container=place.container, timeout=timeout
            ),
        )

    def _used(self, pod: PodRef, use: Callable[[Place], UseT]) -> tuple[Place, UseT]:
        """Use a place of a pod: the one that is known, or the first of those that can be used."""
        with self._lock:
            known = self._known[pod]
        is_second = False
        while True:
            place = self._candidate(pod, known)
            try:
                done = use(place)
            except ProbeError as error:
                if place.kind is PlaceKind.PROBE_POD and not is_second and _is_gone(error):
                    self._probe_pods.forget(place.inside)
                    _give_up(known, place)
                    is_second = True
                elif reason := why_unusable(error):
                    _give_up(known, place, reason)
                else:
                    raise
            else:
                known.is_proven = True
                return place, done

    def _candidate(self, pod: PodRef, known: _Known) -> Place:
        """Return the place of a pod that was found, or is to be tried next."""
        with known.lock:
            if known.place:
                return known.place
            if known.failure:
                raise known.failure
            seen = self.kube.get("v1", "Pod", pod.name, pod.namespace)
            if seen is None:
                raise PodProbeError(
                    f"there is no pod {pod}",
                    namespace=pod.namespace,
                    pod=pod.name,
                    hint=f"`kubectl -n {pod.namespace} get pods`",
                )
            for kind in PlaceKind:
                if kind in known.tried:
                    continue
                try:
                    known.place = self._find(kind, pod, seen)
                except UnaskedError as error:
                    known.tried.append(kind)
                    known.reasons.append(error.message)
                    known.hint = error.hint
                else:
                    return known.place
            known.failure = UnaskedError(
                known.reasons[-1],
                hint=known.hint,
                evidence=[f"pod {pod}: {reason}" for reason in known.reasons],
            )
            raise known.failure

    def _find(self, kind: PlaceKind, pod: PodRef, seen: Object) -> Place:
        if kind is PlaceKind.CONTAINER:
            if not self._settings.is_own:
                raise UnaskedError(Phrase("nothing is run in the system's own containers"))
            own = own_container(seen)
            if own is None:
                raise UnaskedError(
                    Phrase("none of the containers of pod {pod} is named as its own", pod=pod)
                )
            return Place(pod, kind, pod, own)
        if kind is PlaceKind.EPHEMERAL:
            return Place(pod, kind, pod, self._ephemeral(pod, seen))
        if not self._settings.is_writing:
            raise UnaskedError(
                Phrase("a command that only reads asks from containers with Python alone")
            )
        return Place(pod, kind, self._probe_pods.beside(seen), CONTAINER)

    def _ephemeral(self, pod: PodRef, seen: Object) -> str:
        if not self._settings.is_ephemeral:
            raise UnaskedError(Phrase("`--ephemeral` was not given"))
        for status in _ephemeral_statuses(seen):
            if status["name"].startswith(_EPHEMERAL) and "running" in (status.get("state") or {}):
                return str(status["name"])  # of an earlier run
        name = f"{_EPHEMERAL}{secrets.token_hex(3)}"
        try:
            self.kube.add_ephemeral_container(
                pod, {**_without_resources(self._settings), "name": name}
            )
        except ApiError as error:
            raise UnaskedError(
                Phrase("no ephemeral container in pod {pod}: {said}", pod=pod, said=error.detail)
            ) from error
        for _, now in self.kube.watch(
            "v1",
            "Pod",
            namespace=pod.namespace,
            field_selector=f"metadata.name={pod.name}",
            deadline=time.monotonic() + timeouts.PROBE_POD_START,
        ):
            for status in _ephemeral_statuses(now):
                state = status.get("state") or {}
                if status["name"] == name and "running" in state:
                    return name
                waiting = state.get("waiting") or state.get("terminated") or {}
                if status["name"] == name and waiting.get("message"):
                    raise UnaskedError(
                        Phrase(
                            "no ephemeral container in pod {pod}: {said}",
                            pod=pod,
                            said=waiting["message"],
                        )
                    )
        raise UnaskedError(
            Phrase("the ephemeral container in pod {pod} did not start in time", pod=pod)
        )


def _give_up(known: _Known, place: Place, reason: str = "") -> None:
    """Forget a place; one of its kind is not tried again where there is a reason for that."""
    with known.lock:
        if known.place is not place:
            return  # another thread was first
        known.place, known.is_proven = None, False
        if reason:
            known.tried.append(place.kind)
            known.reasons.append(reason)
            known.hint = ""


def _ephemeral_statuses(pod: Object) -> list[Object]:
    return pod.get("status", {}).get("ephemeralContainerStatuses") or []


def own_container(pod: Object) -> str | None:
    """Return the container that a pod is about, which is not always its first.

    That is the one which its annotation names as the default, its only one, or the one named like
    its workload; None where none is.
    """
    names = [each["name"] for each in pod["spec"]["containers"]]
    metadata = pod["metadata"]
    default = (metadata.get("annotations") or {}).get(DEFAULT_CONTAINER)
    if default in names:
        return str(default)
    if len(names) == 1:
        return str(names[0])
    return next((name for name in _workload_names(metadata) if name in names), None)


def _workload_names(metadata: Object) -> Iterable[str]:
    labels = metadata.get("labels") or {}
    for owner in metadata.get("ownerReferences") or ():
        yield str(owner["name"]).removesuffix(f"-{labels.get('pod-template-hash', '')}")
    for key in ("app.kubernetes.io/component", "app.kubernetes.io/name", "app"):
        if key in labels:
            yield str(labels[key])


def _without_resources(settings: Settings) -> Object:
    """An ephemeral container can have no requests and limits of its own."""
    return {key: value for key, value in container(settings).items() if key != "resources"}


def why_unusable(error: NovaError) -> str:
    """Return why nothing can be run in a place at all; empty where it might have been."""
    if isinstance(error, in_pod.NoPythonError):
        return error.message
    if distrusted := kubelet_trouble(error):
        return distrusted.message
    refused = forbidden(error)
    return (refused and refused.forbidden) or ""


def _is_gone(error: NovaError) -> bool:
    cause = error.__cause__
    return (
        isinstance(cause, ApiError)
        and not cause.is_of_kubelet
        and cause.status
        in (
            HTTPStatus.NOT_FOUND,
            HTTPStatus.BAD_REQUEST,  # a pod that has ended
            HTTPStatus.INTERNAL_SERVER_ERROR,
        )
    )
