"""Start-up: what keeps a pod's programs from being started at all."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from nova_acceptance.components.kubernetes.graces import (
    AT_ONCE,
    NEXT_TRY,
    PLACING,
    SETTLING,
    STARTING,
)
from nova_acceptance.components.kubernetes.pods import (
    Ill,
    ended,
    ill_pods,
    last_words,
    short,
    stands_alone,
    waits_for,
)
from nova_acceptance.components.kubernetes.rollouts import is_rolling_over
from nova_acceptance.components.kubernetes.status import status_of
from nova_acceptance.components.kubernetes.workloads import (
    containers,
    references,
    statuses,
    template,
)
from nova_acceptance.findings import Finding, ref
from nova_acceptance.kube import Object
from nova_acceptance.kube.snapshot import Snapshot
from nova_acceptance.phrase import Phrase, verbatim

NOT_STARTED: Final = frozenset({"StartError", "ContainerCannotRun"})
"""How a container ended that never ran."""
_NOT_MADE: Final = frozenset({"CreateContainerError", "RunContainerError"})
_NON_ROOT: Final = re.compile(r"(?i)runAsNonRoot|non-root policy|non-numeric user")
_NOT_FETCHED: Final = re.compile(
    r"(?i)failed to sync (secret|configmap) cache|timed out waiting|deadline exceeded"
)
"""A busy kubelet's words for a Secret that it has not read yet, and will."""
_FORMAT: Final = re.compile(r"(?i)exec format error")
_OTHER_FORMAT: Final = verbatim("exec format error")
_COMMAND: Final = re.compile(
    r"(?i)executable file (?:\S+ )?not found"
    r"|exec: .*(no such file|permission denied|is a directory)"
    r"|exec(ing)? .*: (no such file|permission denied|not found)|no command specified"
)
_OF_REFERENCES: Final = re.compile(r"(?i)(secret|configmap)s? \"?\S+ not found|couldn't find key")
_AS_A_PROGRAM: Final = re.compile(r"(?i)read-only file system|oom-?kill")
"""What a program would have died of as well: not the runtime's matter."""
_CODES: Final = {
    126: Phrase("its command, or one that it runs, cannot be executed (exit status 126)"),
    127: Phrase("its command, or one that it runs, is not found (exit status 127)"),
}


def names_before_readiness(snapshot: Snapshot) -> Iterator[Finding]:
    """Find StatefulSets whose pods name each other and are published only once they are ready."""
    for workload in snapshot.of_kind("StatefulSet"):
        spec, where = workload["spec"], ref(workload)
        service = snapshot.get("Service", where.namespace, spec.get("serviceName") or "")
        if spec.get("replicas", 1) < 2 or not service or status_of(workload).is_current:  # noqa: PLR2004
            continue
        if service["spec"].get("clusterIP") != "None" or _publishes_all(service):
            continue
        named = _peer(where.name, service["metadata"]["name"])
        for key, text in _texts(snapshot, workload):
            if found := named.search(text):
                yield Finding(
                    "NAMES_BEFORE_READINESS",
                    where,
                    Phrase(
                        "{where} names its own pods ({pod}) by {service}, which publishes a pod's "
                        "name only once it is ready",
                        where=where,
                        pod=found[0],
                        service=ref(service),
                    ),
                    Phrase(
                        "set `publishNotReadyAddresses: true` in {service}", service=ref(service)
                    ),
                    evidence=(f"{key}: {found[0]}",),
                    grace=PLACING,
                )
                break


def sandboxes_failed(snapshot: Snapshot) -> Iterator[Finding]:
    """Find pods whose network or surroundings cannot be made."""
    for ill in ill_pods(snapshot):
        failures = ill.said_since_its_start("FailedCreatePodSandBox")
        if failures and ill.phase == "Pending":
            latest = failures[-1]
            yield Finding(
                "SANDBOX_FAILED",
                ill.where,
                Phrase(
                    "{pod} is not made on node {node}: {said}",
                    pod=ill.where,
                    node=ill.pod["spec"].get("nodeName"),
                    said=short(latest),
                ),
                evidence=(latest,),
                grace=PLACING,
            )


def containers_not_started(snapshot: Snapshot) -> Iterator[Finding]:
    """Find containers that their runtime cannot make or start."""
    for ill in ill_pods(snapshot):
        for entry in statuses(ill.pod):
            if found := _not_started(snapshot, ill, entry):
                yield found


def hooks_failed(snapshot: Snapshot) -> Iterator[Finding]:
    """Find containers that are killed since their own hook fails."""
    for ill in ill_pods(snapshot):
        if said := ill.said("FailedPostStartHook"):
            yield Finding(
                "POST_START_FAILED",
                ill.subject,
                Phrase(
                    "{pod}: the hook after its start fails: {said}",
                    pod=ill.where,
                    said=short(said[-1]),
                ),
                evidence=(said[-1],),
                grace=NEXT_TRY,
            )


def inits_unfinished(snapshot: Snapshot) -> Iterator[Finding]:
    """Find pods that wait for one of their own init containers."""
    for ill in ill_pods(snapshot):
        if is_rolling_over(snapshot, ill.workload):
            continue  # it starts beside others that serve
        for entry, is_init in ill.entries:
            if is_init and "running" in (entry.get("state") or {}):
                yield Finding(
                    "INIT_UNFINISHED",
                    ill.subject,
                    Phrase(
                        "{container} runs and has to end before the others start",
                        container=ill.container(entry["name"]),
                    ),
                    Phrase(
                        "see what it waits for: `kubectl -n {namespace} logs {pod} -c {container}`",
                        namespace=ill.where.namespace,
                        pod=ill.where.name,
                        container=entry["name"],
                    ),
                    evidence=last_words(snapshot, ill.pod, entry["name"]),
                    container=entry["name"],
                    grace=STARTING if stands_alone(snapshot, ill.workload) else None,
                )


def _not_started(snapshot: Snapshot, ill: Ill, entry: dict[str, Any]) -> Finding | None:
    reason, said = waits_for(entry)
    how = ended(entry)
    if reason == "CreateContainerConfigError":
        if _OF_REFERENCES.search(said):
            return None
        cause = "NON_ROOT_REFUSED" if _NON_ROOT.search(said) else "CONTAINER_CANNOT_BE_MADE"
        grace = STARTING if _NOT_FETCHED.search(said) else SETTLING
        return ill.finding(cause, entry, verbatim(short(said)), short(said), grace=grace)
    if how.get("reason") in NOT_STARTED or reason in _NOT_MADE:
        return _refused(ill, entry, str(how.get("message") or said))
    return _left_at_once(snapshot, ill, entry)


def _refused(ill: Ill, entry: dict[str, Any], text: str) -> Finding | None:
    """Judge a container by what its runtime says of it."""
    said = short(text)
    if _FORMAT.search(text):
        return ill.finding("ARCHITECTURE_WRONG", entry, _OTHER_FORMAT, said, grace=AT_ONCE)
    if _COMMAND.search(text):
        return ill.finding("COMMAND_NOT_FOUND", entry, _cut(text), said, grace=AT_ONCE)
    if _AS_A_PROGRAM.search(text):
        return None
    return ill.finding("CONTAINER_CANNOT_BE_MADE", entry, _cut(text), said, grace=NEXT_TRY)


def _left_at_once(snapshot: Snapshot, ill: Ill, entry: dict[str, Any]) -> Finding | None:
    """Judge a container by the exit status of a shell that could not execute a command."""
    code = ended(entry).get("exitCode")
    if not code or "running" in (entry.get("state") or {}):
        return None
    words = last_words(snapshot, ill.pod, entry["name"])
    if any(_FORMAT.search(line) for line in words):
        return ill.finding("ARCHITECTURE_WRONG", entry, _OTHER_FORMAT, *words, grace=AT_ONCE)
    if code not in _CODES:
        return None
    return ill.finding("COMMAND_NOT_FOUND", entry, _CODES[code], *words, grace=AT_ONCE)


def _cut(text: str) -> Phrase:
    """Return the end of a runtime's message, where it says what the matter is."""
    return verbatim(short(text[text.rfind("exec: ") :] if "exec: " in text else text[-200:]))


def _publishes_all(service: Object) -> bool:
    annotations = service["metadata"].get("annotations") or {}
    tolerates = annotations.get("service.alpha.kubernetes.io/tolerate-unready-endpoints")
    return bool(service["spec"].get("publishNotReadyAddresses")) or tolerates == "true"


def _peer(workload: str, service: str) -> re.Pattern[str]:
    """Return what matches the name of one pod of several: `etcd-0.etcd`, `etcd-${i}.etcd`."""
    number = r"(?:[0-9]+|\$[({]?\w+[)}]?|%d|\{\w*\})"
    return re.compile(rf"{re.escape(workload)}-{number}\.{re.escape(service)}(?![\w-])")


def _texts(snapshot: Snapshot, workload: Object) -> Iterator[tuple[str, str]]:
    """Yield what a workload is configured with, with where it is."""
    pod = template(workload)
    for container in containers(pod):
        for variable in container.get("env") or ():
            yield f"variable {variable['name']}", str(variable.get("value") or "")
        for text in (*(container.get("command") or ()), *(container.get("args") or ())):
            yield f"command of {container['name']}", str(text)
    for target in dict.fromkeys(each.target for each in references(workload)):
        for key, value in ((snapshot.at(target) or {}).get("data") or {}).items():
            yield f"{target}, key {key}", str(value)


BEFOREHAND: Final = (names_before_readiness,)
LIVE: Final = (sandboxes_failed, containers_not_started, hooks_failed, inits_unfinished)
