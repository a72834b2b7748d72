"""Jobs that have failed, and Jobs that cannot end; one that has done its work leaves its pods."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from nova_acceptance.checks import check
from nova_acceptance.components.kubernetes.pods import ended, last_words, log_lines, short
from nova_acceptance.components.kubernetes.status import State, condition, status_of
from nova_acceptance.components.kubernetes.workloads import is_past, main_container, sidecars
from nova_acceptance.findings import Finding, ref
from nova_acceptance.kube import Object
from nova_acceptance.kube.snapshot import Snapshot
from nova_acceptance.phrase import NOTHING, Phrase, verbatim
from nova_acceptance.system import System

_NOTICES: Final = timedelta(seconds=30)
"""Within which a helper has ended that watches the program beside it."""
_WORKS_ON: Final = timedelta(minutes=10)
"""Within which a container that nothing shows to be a server may be at work of its own."""
_PROBES: Final = ("readinessProbe", "livenessProbe", "startupProbe")
_ENDLESS: Final = re.compile(
    r"\bsleep\s+(?:inf\w*|\d{4,}|\d+d)\b|\btail\s+(?:-\w+\s+)*(?:-\w*[fF]|--follow)"
    r"|\bwhile\s+(?:true|:|\[\s*1)"
)
_LASTING: Final = ("Deployment", "StatefulSet", "DaemonSet")


@check
def failed_jobs(snapshot: Snapshot, namespace: str) -> Iterator[Finding]:
    """Find Jobs that have given up, unless a later run of the same CronJob has done the work."""
    for job in snapshot.of_kind("Job", namespace):
        if status_of(job).state is State.FAILED and not is_past(snapshot, job):
            yield _failed(snapshot, job)


@check
def waiting_jobs(snapshot: Snapshot, namespace: str) -> Iterator[Finding]:
    """Find Jobs whose program has ended, and that do not end while a container beside it runs."""
    for job in snapshot.of_kind("Job", namespace):
        if status_of(job).state is not State.IN_PROGRESS or is_past(snapshot, job):
            continue
        for pod in snapshot.owned_by(job, "Pod"):
            if "deletionTimestamp" not in pod["metadata"]:
                yield from _waiting(snapshot, job, pod)


def failed_or_waiting(snapshot: Snapshot, system: System, namespace: str) -> list[Finding]:
    """Return what is wrong with the Jobs of a namespace, unless nova.yaml allows what it omits."""
    if system.undeclared == "allowed":
        return []
    return [*failed_jobs(snapshot, namespace), *waiting_jobs(snapshot, namespace)]


def _failed(snapshot: Snapshot, job: Object) -> Finding:
    where, found = ref(job), condition(job, "Failed")
    reason = found.get("reason") or "Failed"
    sentence = Phrase("{job} has failed ({reason})", job=where, reason=reason)
    evidence = [short(str(found.get("message") or ""))]
    container = ""
    failures = sorted(
        (str(how.get("finishedAt") or ""), pod["metadata"]["name"], entry["name"])
        for pod in snapshot.owned_by(job, "Pod")
        for entry in (pod.get("status") or {}).get("containerStatuses") or ()
        if (how := ended(entry)).get("exitCode")
    )
    if failures:
        _, name, container = failures[-1]
        pod = snapshot.get("Pod", where.namespace, name) or {"metadata": {"name": name}}
        entry = next(it for it in pod["status"]["containerStatuses"] if it["name"] == container)
        words = log_lines(snapshot, pod, container)[-1:]
        sentence = Phrase(
            "{failed}: container {container} of pod {pod} ended with exit status {code}: {said}"
            if words
            else "{failed}: container {container} of pod {pod} ended with exit status {code}",
            failed=sentence,
            container=container,
            pod=name,
            code=ended(entry)["exitCode"],
            said=verbatim(short(words[0])) if words else NOTHING,
        )
        evidence += last_words(snapshot, pod, container)
    return Finding(
        "JOB_FAILED",
        where,
        sentence,
        _cure_of_failed(job),
        evidence=tuple(filter(None, evidence)),
        container=container,
    )


def _cure_of_failed(job: Object) -> Phrase:
    where = ref(job)
    owners = job["metadata"].get("ownerReferences") or ()
    of_cron = [owner["name"] for owner in owners if owner["kind"] == "CronJob"]
    if of_cron:
        return Phrase(
            "mend what its log says; `kubectl -n {namespace} create job --from=cronjob/{cron} "
            "{cron}-again` runs it now, and once a later run succeeds this one counts no more",
            namespace=where.namespace,
            cron=of_cron[0],
        )
    return Phrase(
        "mend what its log says, `kubectl -n {namespace} delete job {name}`, and deploy it again",
        namespace=where.namespace,
        name=where.name,
    )


def _waiting(snapshot: Snapshot, job: Object, pod: Object) -> Iterator[Finding]:
    native = sidecars(pod)
    entries = [
        entry
        for entry in (pod.get("status") or {}).get("containerStatuses") or ()
        if entry["name"] not in native
    ]
    done = [entry for entry in entries if "terminated" in (entry.get("state") or {})]
    running = [entry["name"] for entry in entries if "running" in (entry.get("state") or {})]
    if not done or not running:
        return
    lasts = datetime.now(UTC) - max(map(_finished, done))
    first = main_container(pod).get("name")
    is_done = first in {entry["name"] for entry in done}
    are_servers = all(_is_server(snapshot, pod, name, is_for=name == first) for name in running)
    if lasts < _NOTICES or not (are_servers or (is_done and lasts > _WORKS_ON)):
        return
    ends = [
        Phrase("{container} (exit status {code})", container=it["name"], code=ended(it)["exitCode"])
        for it in done
    ]
    yield Finding(
        "JOB_WAITS_FOR_SIDECAR",
        ref(job),
        Phrase(
            "{job} does not end: in its pod {pod} {done} has ended, and {running} runs on",
            job=ref(job),
            pod=pod["metadata"]["name"],
            done=ends,
            running=running,
        ),
        Phrase(
            "let {running} end with it; from Kubernetes 1.28 on by listing it under "
            "`initContainers` with `restartPolicy: Always`, before by having the program stop it",
            running=running,
        ),
        evidence=tuple(f"{it['name']}: ended at {_finished(it).isoformat()}" for it in done),
        container=running[0],
    )


def _is_server(snapshot: Snapshot, pod: Object, name: str, *, is_for: bool) -> bool:
    """Whether a container shows that it is made to run on.

    It is by ports and probes, which one that the pod is for (`is_for`) may have as well while it
    works; by a command without an end; or by a workload that keeps the same one running.
    """
    own: dict[str, Any] = next(
        (each for each in pod["spec"]["containers"] if each["name"] == name), {}
    )
    if not is_for and (own.get("ports") or any(own.get(probe) for probe in _PROBES)):
        return True
    words = (*(own.get("command") or ()), *(own.get("args") or ()))
    if _ENDLESS.search(" ".join(map(str, words))):
        return True
    return any(
        _same(own, other)
        for kind in _LASTING
        for workload in snapshot.of_kind(kind)
        for other in workload["spec"]["template"]["spec"].get("containers") or ()
    )


def _same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    fields = ("image", "command", "args")
    return bool(one) and [one.get(it) for it in fields] == [other.get(it) for it in fields]


def _finished(entry: dict[str, Any]) -> datetime:
    """Return when a container ended; a moment long ago where that is not said."""
    try:
        return datetime.fromisoformat(str(ended(entry).get("finishedAt") or ""))
    except ValueError:
        return datetime.min.replace(tzinfo=UTC)
