"""The members of a system of several servers, and what they say for themselves."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator

from nova_acceptance.components.kubernetes.status import condition, is_ready
from nova_acceptance.components.kubernetes.workloads import pods_of
from nova_acceptance.findings import Finding, ref
from nova_acceptance.kube import Object
from nova_acceptance.kube.snapshot import Snapshot
from nova_acceptance.phrase import NOTHING, Phrase
from nova_acceptance.system.component import Component

LINE = 300
"""As much of a line as a reader needs."""

Words = tuple[tuple[str, re.Pattern[str]], ...]
"""Causes, each with what a log or a probe's answer says of it."""
Telling = Callable[[Snapshot, Object, str], tuple[Phrase, Phrase] | None]
"""Says in a sentence what a line of a pod's log means, and the cure; None where it cannot."""
_SAYING: tuple[str, ...] = ("msg", "message", "error", "err")
"""The keys under which programs that log as JSON keep what they say."""


def workload_of_component(snapshot: Snapshot, component: Component) -> Object | None:
    """Return the workload that runs a component, as it is on the cluster."""
    spec = component.workload
    return snapshot.get(spec.kind, spec.namespace, spec.name)


def pods_of_component(snapshot: Snapshot, component: Component) -> list[Object]:
    """Return the pods of a component; none where its workload is absent."""
    found = workload_of_component(snapshot, component)
    return pods_of(snapshot, found) if found else []


def is_running(pod: Object) -> bool:
    """Whether a program runs in it: ready or not, one can ask it why."""
    return "deletionTimestamp" not in pod["metadata"] and any(
        "running" in (entry.get("state") or {})
        for entry in (pod.get("status") or {}).get("containerStatuses") or ()
    )


def is_hindered(snapshot: Snapshot, pod: Object) -> bool:
    """Whether something outside its programs keeps a pod from being ready.

    Its node is lost, or no container runs for now. Which it is, other families say.
    """
    node = snapshot.get("Node", "", (pod.get("spec") or {}).get("nodeName") or "")
    if node is not None and condition(node, "Ready").get("status") != "True":
        return True
    return not is_running(pod)


def own_words(
    snapshot: Snapshot,
    model: type[Component],
    words: Words,
    *,
    grace: float,
    over: re.Pattern[str] | None = None,
    telling: Telling = lambda _snapshot, _pod, _line: None,
) -> Iterator[Finding]:
    """Yield what the pods of a kind of component say of themselves, in a log or to a probe.

    Of a pod that is ready nothing is believed: what its log tells is over. Of what is said several
    times the latest counts.

    Args:
        snapshot: what was seen.
        model: the kind's part of nova.yaml.
        words: what is looked for.
        grace: seconds for which it has to be seen before a wait gives up because of it.
        over: what takes back all that was said before.
        telling: puts a line into words; the line itself is quoted where it cannot.
    """
    pods = [pod for it in snapshot.system.of(model) for pod in pods_of_component(snapshot, it)]
    for pod in pods:
        lines = () if is_ready(pod) else (*_logged(snapshot, pod), *_answered(snapshot, pod))
        for cause, pattern in words:
            said = ""
            for line in lines:
                if over and over.search(line):
                    said = ""
                elif pattern.search(line):
                    said = line
            if said:
                quoted = spoken(said)[:LINE]
                sentence, cure = telling(snapshot, pod, said) or (
                    Phrase("{where} says: {line}", where=ref(pod), line=quoted),
                    NOTHING,
                )
                yield Finding(cause, ref(pod), sentence, cure, evidence=(quoted,), grace=grace)


def spoken(line: str) -> str:
    """Return what a line of a log says: of one in JSON its message and its error."""
    line = line.strip()
    if not line.startswith("{"):
        return line
    try:
        fields = json.loads(line)
    except ValueError:
        return line
    parts = [str(fields[key]) for key in _SAYING if fields.get(key)]
    return ": ".join(parts) or line


def _logged(snapshot: Snapshot, pod: Object) -> Iterator[str]:
    metadata = pod["metadata"]
    for (namespace, name, _), logs in snapshot.logs.items():
        if (namespace, name) == (metadata.get("namespace", ""), metadata["name"]):
            for log in sorted(logs, key=lambda log: not log.previous):
                yield from log.text.splitlines()


def _answered(snapshot: Snapshot, pod: Object) -> Iterator[str]:
    for event in snapshot.events_about(pod, fresh=True):
        if event.get("reason") == "Unhealthy":
            yield from str(event.get("message", "")).splitlines()
