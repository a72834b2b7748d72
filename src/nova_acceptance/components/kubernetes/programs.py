"""Programs: what they die of, and why their node does not call them ready."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

from nova_acceptance.components.kubernetes import taken
from nova_acceptance.components.kubernetes.graces import (
    AT_ONCE,
    NEXT_TRY,
    RETURN,
    SETTLING,
    STARTING,
)
from nova_acceptance.components.kubernetes.pods import (
    Ill,
    ended,
    ill_pods,
    last_words,
    log_lines,
    message,
    short,
    stands_alone,
)
from nova_acceptance.components.kubernetes.probe_programs import probe_without_program
from nova_acceptance.components.kubernetes.reboots import ended_with_node
from nova_acceptance.components.kubernetes.rollouts import is_rolling_over
from nova_acceptance.components.kubernetes.startup import NOT_STARTED
from nova_acceptance.components.kubernetes.status import State, condition, status_of
from nova_acceptance.components.kubernetes.workloads import workloads
from nova_acceptance.findings import Finding, ref
from nova_acceptance.kube import Object
from nova_acceptance.kube.snapshot import Snapshot
from nova_acceptance.phrase import NOTHING, Phrase, verbatim

_WORDS: Final = (
    # some images remark on a read-only file system in passing, with a question mark
    (
        "READ_ONLY_FILE_SYSTEM",
        re.compile(r"(?i)read-only file ?system(?!\?)|\bEROFS\b|errno 30\b"),
    ),
    (
        "VOLUME_FULL",
        # the kernel says the same where watches, shared memory or semaphores run out
        re.compile(
            r"(?i)^(?!.*(?:inotify|fsnotify|\bwatch|shared memory|semaphore))"
            r".*(?:no space left on device|\bENOSPC\b|disk quota exceeded)"
        ),
    ),
    ("PORT_IN_USE", re.compile(r"(?i)address already in use|\bEADDRINUSE\b")),
    (
        "PERMISSION_DENIED",
        # not what a database or a server of keys answers by these words
        re.compile(
            r"(?i)permission denied(?! (?:for|to) [a-z]| \()|\bEACCES\b|errno 13\b"
            r"|operation not permitted|\bEPERM\b"
        ),
    ),
)
_TAIL: Final = 15
"""Last lines of a log among which the one that matters is."""
_FEW, _SOME, _MANY = 2, 3, 5
"""Restarts after which crashing is no start-up hiccup: of a program that has all that it needs, of
one whose peers crash with it, and of one that still waits for others."""
_FAILED_PODS: Final = 3
_PROBE: Final = re.compile(
    r"(?i)^(liveness|startup|readiness) probe (?:failed|errored)[^:]*: ?(.*)"
)
_PROBES: Final = {
    "liveness": Phrase("liveness"),
    "readiness": Phrase("readiness"),
    "startup": Phrase("startup"),
}
_KILLED: Final = re.compile(r"(?i)failed (liveness|startup) probe")
_REFUSED: Final = re.compile(r"(?i)statuscode: 4(?!08|25|29)\d\d")
"""Answers that are no word of being busy or too early."""
_OOM: Final = re.compile(r"(?i)oom-?kill")


def programs_ended(snapshot: Snapshot) -> Iterator[Finding]:
    """Find containers whose program has ended, now or before, by what it died of."""
    for ill in ill_pods(snapshot):
        for entry, is_init in ill.entries:
            is_done = is_init and ended(entry).get("exitCode") == 0
            if not is_done and (found := _of_container(snapshot, ill, entry)):
                yield found


def programs_unready(snapshot: Snapshot) -> Iterator[Finding]:
    """Find containers that run and are not ready, by what their probes are answered."""
    for ill in ill_pods(snapshot):
        if is_rolling_over(snapshot, ill.workload):
            continue  # it starts beside others that serve
        for entry, is_init in ill.entries:
            if is_init:
                continue  # it is never called ready while it runs
            if "running" in (entry.get("state") or {}) and not entry.get("ready"):
                probe, answer = _probed(ill, entry["name"], "readiness", "startup")
                if probe and not _is_killed(ill, entry["name"]):
                    lacking = probe_without_program(ill, entry, probe, answer)
                    yield lacking or _unready(snapshot, ill, entry, probe, answer)


def pods_ended(snapshot: Snapshot) -> Iterator[Finding]:
    """Find pods that their node has ended, and those that were made in vain after them."""
    failed: dict[str, int] = {}
    for ill in ill_pods(snapshot):
        if ill.phase != "Failed" or ill.workload["kind"] == "Job":  # a Job counts its own
            continue
        if ended_with_node(ill.pod) and ill.workload is not ill.pod:
            continue  # another is made in its place, as soon as there is one
        failed[str(ill.subject)] = failed.get(str(ill.subject), 0) + 1
        status = ill.pod["status"]
        if not (status.get("reason") or condition(ill.pod, "DisruptionTarget")):
            continue  # its own program ended it, which is said of that
        is_vain = failed[str(ill.subject)] >= _FAILED_PODS or ill.workload is ill.pod
        yield Finding(
            "POD_EVICTED",
            ill.where,
            Phrase(
                "{pod} has failed: {reason}",
                pod=ill.where,
                reason=status.get("reason") or Phrase("it was disrupted"),
            ),
            evidence=tuple(filter(None, (short(status.get("message") or ""),))),
            grace=AT_ONCE if is_vain else None,
        )


def workloads_given_up(snapshot: Snapshot) -> Iterator[Finding]:
    """Find workloads that say themselves that they have failed."""
    for workload in workloads(snapshot):
        status = status_of(workload)
        if status.state is State.FAILED and workload["kind"] != "Job":  # of which more is told
            yield Finding(
                "DEADLINE_EXCEEDED",
                ref(workload),
                Phrase(
                    "{workload}: {reason}: {said}",
                    workload=ref(workload),
                    reason=status.reason,
                    said=short(status.message),
                ),
                evidence=(short(status.message),),
                # may stem from an earlier attempt, whose cause is now cured
                grace=RETURN if workload["kind"] == "Deployment" else AT_ONCE,
            )


def _of_container(snapshot: Snapshot, ill: Ill, entry: dict[str, Any]) -> Finding | None:
    how = ended(entry)
    if how and (how.get("reason") == "OOMKilled" or _OOM.search(how.get("message") or "")):
        grace = AT_ONCE if entry.get("restartCount", 0) else NEXT_TRY
        return ill.finding("OUT_OF_MEMORY", entry, _how(entry), grace=grace)
    if found := _by_its_words(snapshot, ill, entry):
        return found
    if how.get("reason") in NOT_STARTED:
        return None
    if _is_killed(ill, entry["name"]):
        return _killed(ill, entry)
    return _by_its_status(snapshot, ill, entry) if how else None


def _by_its_status(snapshot: Snapshot, ill: Ill, entry: dict[str, Any]) -> Finding | None:
    """Return what is left to say of a program that has ended: with which status."""
    code, restarts = ended(entry).get("exitCode"), entry.get("restartCount", 0)
    is_running = "running" in (entry.get("state") or {})
    if code in {126, 127} or (is_running and restarts < _SOME):
        return None
    words = last_words(snapshot, ill.pod, entry["name"])
    patience = _patience(snapshot, ill, entry)
    is_of_failed_job = (
        ill.workload["kind"] == "Job" and status_of(ill.workload).state is State.FAILED
    )
    if is_of_failed_job or (code == 0 and ill.is_to_end):
        return None  # the Job tells it, or nothing is wrong
    if code == 0:
        return ill.finding("PROGRAM_ENDED", entry, _how(entry), *words, grace=patience)
    what = _how(entry)
    if words:
        what = Phrase("{how}: {said}", how=what, said=words[-1].removeprefix("log: "))
    return ill.finding("CRASH_LOOP", entry, what, *words, grace=patience)


def _by_its_words(snapshot: Snapshot, ill: Ill, entry: dict[str, Any]) -> Finding | None:
    """Return what the log, or the runtime, says a container died of, or cannot get past."""
    how = ended(entry)
    is_running = "running" in (entry.get("state") or {})
    lines = log_lines(snapshot, ill.pod, entry["name"])[-_TAIL:]
    if how.get("reason") in NOT_STARTED:
        lines = [str(how.get("message") or "")]
    if entry.get("ready") or not (how.get("exitCode") or is_running):
        return None
    for cause, pattern in _WORDS:
        for number, line in reversed(list(enumerate(lines))):
            if pattern.search(line):
                # one that runs may have said it in passing, and just be starting
                grace = STARTING if is_running else AT_ONCE
                said = short(line)
                what, cure = verbatim(said), NOTHING
                if cause == "PORT_IN_USE":
                    what, cure = _of_port(snapshot, ill, entry, lines, number)
                return ill.finding(cause, entry, what, said, grace=grace, cure=cure)
    return None


def _of_port(
    snapshot: Snapshot, ill: Ill, entry: dict[str, Any], lines: list[str], number: int
) -> tuple[Phrase, Phrase]:
    """Return which port is taken and by whom, with the cure; else what the program says."""
    said, name = verbatim(short(lines[number])), entry["name"]
    port = taken.port_in(lines, number) or taken.declared_by(ill.pod, name)
    if port is None:
        return said, NOTHING
    what = Phrase("{what} ({said})", what=taken.told(snapshot, ill.pod, name, port), said=said)
    return what, taken.cure(ill.pod, port)


def _patience(snapshot: Snapshot, ill: Ill, entry: dict[str, Any]) -> float | None:
    """Return how long to wait for a program that crashes to get over it.

    It is told by a run that began when all that it needs was there already: one from before, whose
    back-off may last for minutes, proves nothing.
    """
    restarts = entry.get("restartCount", 0)
    if restarts >= _MANY:
        return AT_ONCE
    began = str(ended(entry).get("startedAt") or "")
    if not restarts or not stands_alone(snapshot, ill.workload, began):
        return None
    spec = ill.workload["spec"]
    if ill.workload["kind"] == "StatefulSet" and spec.get("replicas", 1) > 1:
        return AT_ONCE if restarts >= _SOME else None
    return AT_ONCE if restarts >= _FEW else SETTLING


def _killed(ill: Ill, entry: dict[str, Any]) -> Finding:
    name, restarts = entry["name"], entry.get("restartCount", 0)
    probe, answer = _probed(ill, name, "liveness", "startup")
    if lacking := probe_without_program(ill, entry, probe, answer):
        return lacking
    what = Phrase(
        "killed by its {probe} probe, {restarts} restarts: {answer}",
        probe=_PROBES[probe or "liveness"],
        restarts=restarts,
        answer=short(answer),
    )
    grace = AT_ONCE if restarts >= _FEW else RETURN if restarts else None
    found = ill.finding("PROBE_FAILING", entry, what, short(answer), grace=grace)
    return replace(found, is_root=bool(_REFUSED.search(answer)))


def _unready(
    snapshot: Snapshot, ill: Ill, entry: dict[str, Any], probe: str, answer: str
) -> Finding:
    # a server that answers 404 does not just start, and waits for nobody
    is_refused = bool(_REFUSED.search(answer))
    is_deadly = is_refused and probe == "startup"  # it is killed in the end
    grace: float | None = None
    if stands_alone(snapshot, ill.workload):
        grace = NEXT_TRY if is_deadly else RETURN if is_refused else STARTING
    name = entry["name"]
    words = last_words(snapshot, ill.pod, name)
    what = Phrase(
        "runs, and its {probe} probe fails: {answer}", probe=_PROBES[probe], answer=short(answer)
    )
    cause = "PROBE_FAILING" if is_deadly else "READINESS_FAILING"
    found = ill.finding(cause, entry, what, short(answer), *words, grace=grace)
    return replace(found, is_root=is_refused)


def _is_killed(ill: Ill, container: str) -> bool:
    return any(
        event.get("reason") == "Killing" and _KILLED.search(message(event))
        for event in _about(ill, container)
    )


def _probed(ill: Ill, container: str, *probes: str) -> tuple[str, str]:
    """Return the latest of these probes that failed, and what it was answered."""
    for event in reversed(_about(ill, container)):
        found = _PROBE.match(message(event)) if event.get("reason") == "Unhealthy" else None
        if found and found[1].lower() in probes:
            return found[1].lower(), found[2]
    return "", ""


def _about(ill: Ill, container: str) -> list[Object]:
    """Return the events about a container, and those that name none."""
    return [
        event
        for event in ill.events
        if f"{{{container}}}" in (event["involvedObject"].get("fieldPath") or f"{{{container}}}")
    ]


def _how(entry: dict[str, Any]) -> Phrase:
    how, restarts = ended(entry), entry.get("restartCount", 0)
    code, reason = how.get("exitCode", "?"), how.get("reason", "?")
    if not restarts:
        return Phrase("ended with exit status {code} ({reason})", code=code, reason=reason)
    return Phrase(
        "number of restarts: {restarts}, the last after exit status {code} ({reason})",
        restarts=restarts,
        code=code,
        reason=reason,
    )


BEFOREHAND: Final = ()
LIVE: Final = (programs_ended, programs_unready, pods_ended, workloads_given_up)
