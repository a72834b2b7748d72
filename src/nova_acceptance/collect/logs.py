"""The last words of containers that are not well."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Final, NamedTuple

from nova_acceptance.collect.asking import side_by_side
from nova_acceptance.collect.values import without_passwords
from nova_acceptance.components.kubernetes.members import pods_of_component
from nova_acceptance.components.kubernetes.status import condition, is_ready
from nova_acceptance.components.kubernetes.workloads import statuses
from nova_acceptance.components.network.listening import refused_by_name
from nova_acceptance.kube import ApiError, Kube, Object, PodRef
from nova_acceptance.kube.snapshot import Log, Snapshot

LINES = 30
MOST = 40
"""Logs that one look reads; where more containers are ill, they are ill of the same."""

_NOTHING_SAID = (HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND)
"""Of a container that was never started or is gone with its log; of a pod that is gone."""


_BEFORE_IT: Final = timedelta(minutes=2)
"""In which a program may have said why its probe failed later."""


class Source(NamedTuple):
    """One log of one container: the present one's or the one's before it.

    `since` is the instant before which its lines are left out; empty for none.
    """

    namespace: str
    pod: str
    container: str
    previous: bool
    since: str = ""


def sources(snapshot: Snapshot, namespaces: Iterable[str]) -> list[Source]:
    """Return which logs to read: of containers that are not ready or have restarted.

    Of pods whose label tells their role the log is read in any case: ready as they are, they say
    there that the API lets them write no label. Those that are not ready come
    first, and no more than `MOST` are returned.
    """
    namespaces = tuple(namespaces)
    ill: list[tuple[bool, Source]] = []
    for namespace in namespaces:
        for pod in snapshot.of_kind("Pod", namespace):
            for is_well, source in _of(pod):
                ill.append((is_well, source))
    ill += [(True, source) for source in _of_roles(snapshot, namespaces)]
    return [source for _, source in sorted(ill, key=lambda each: each[0])][:MOST]


def of_refusing(snapshot: Snapshot) -> list[Source]:
    """Return the logs of pods that clients are refused by, as far as they are not read yet.

    Such a pod may be ready, and say there that it listens where its clients are not.
    """
    found = {
        Source(where.namespace, where.name, entry["name"], previous=False)
        for where, _, _ in refused_by_name(snapshot)
        for entry in statuses(snapshot.at(where) or {})
        if (where.namespace, where.name, entry["name"]) not in snapshot.logs
    }
    return sorted(found)[:MOST]


def read(kube: Kube, source: Source) -> Log | None:
    """Return the last lines of a log, masked; None where there is none (any more).

    Raises:
        ClusterError: there may be one, and it cannot be read: forbidden, or nobody answers.
    """
    try:
        text = kube.logs(
            PodRef(source.namespace, source.pod),
            container=source.container,
            previous=source.previous,
            tail_lines=LINES,
            since=source.since,
        )
    except ApiError as error:
        if error.status in _NOTHING_SAID:
            return None
        raise
    return Log(without_passwords(text), source.previous) if text.strip() else None


def read_all(
    kube: Kube, snapshot: Snapshot, asked: Iterable[Source], *, until: float
) -> list[tuple[Source, Exception]]:
    """Read logs into a snapshot, side by side; return those that could not be had, and why.

    Args:
        kube: the API.
        snapshot: where they are kept.
        asked: which.
        until: when those that have not come are given up, in seconds of `time.monotonic`.
    """
    failed = []
    for source, log in side_by_side(lambda source: read(kube, source), asked, until=until):
        if isinstance(log, Exception):
            failed.append((source, log))
        elif log:
            key = source.namespace, source.pod, source.container
            snapshot.logs.setdefault(key, []).append(log)
    return failed


def _of_roles(snapshot: Snapshot, namespaces: Iterable[str]) -> Iterator[Source]:
    places = set(namespaces)
    for component in snapshot.system.components:
        if component.role_label and component.namespace in places:
            for pod in pods_of_component(snapshot, component):
                if is_ready(pod):
                    name = pod["metadata"]["name"]
                    for container in statuses(pod):
                        yield Source(component.namespace, name, container["name"], previous=False)


def _of(pod: Object) -> Iterator[tuple[bool, Source]]:
    metadata = pod["metadata"]
    for status in statuses(pod):
        state = status.get("state") or {}
        done = (state.get("terminated") or {}).get("exitCode") == 0
        is_well = bool(status.get("ready")) or done
        restarted = status.get("restartCount", 0) > 0
        where = metadata["namespace"], metadata["name"], status["name"]
        if restarted:
            yield is_well, Source(*where, previous=True)
        if not is_well and ("waiting" not in state or restarted):
            yield is_well, Source(*where, previous=False, since=since(pod))


def since(pod: Object) -> str:
    """Return from when on a pod's log may tell why it is not ready; empty where that is unknown.

    What it said while it was ready was no reason then: a trouble that is over by now, perhaps.
    """
    ready = condition(pod, "Ready")
    try:
        left = datetime.fromisoformat(ready["lastTransitionTime"])
    except (KeyError, TypeError, ValueError):
        return ""
    if ready.get("status") != "False":
        return ""
    return (left - _BEFORE_IT).isoformat().replace("+00:00", "Z")
