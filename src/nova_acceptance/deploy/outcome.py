"""What a deployment came to: what was deployed, and why not all of it is ready."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from nova_acceptance.components.kubernetes.pods import Ill, ill_pods, message, short
from nova_acceptance.components.kubernetes.status import Status, condition
from nova_acceptance.components.kubernetes.workloads import statuses
from nova_acceptance.deploy.timeline import PodTimes
from nova_acceptance.diagnosis import Doctor, Explanation, Ranked
from nova_acceptance.diagnosis.ranking import ranked
from nova_acceptance.errors import NotReadyError
from nova_acceptance.findings import Finding, Ref
from nova_acceptance.kube import describe
from nova_acceptance.kube.snapshot import Snapshot

_EVENTS = 3
_LOG_LINES = 15


@dataclass(frozen=True, slots=True)
class Deployment:
    """What was deployed, and how long each part took.

    Attributes:
        applied: every object, as `Kind namespace/name`.
        seconds: how long each phase took: `namespaces`, `configuration`, `workloads`, `ready`.
        timeline: the pods' milestones, in the order of their creation.
    """

    applied: tuple[str, ...]
    seconds: dict[str, float] = field(default_factory=dict)
    timeline: tuple[PodTimes, ...] = ()


class RolloutError(NotReadyError):
    """Part of what was deployed is not ready; the rest is there and may be used.

    Attributes:
        explanation: why, the deepest cause first; it holds no causes where none is known.
        lost: the applied objects that are not ready.
        deployment: what was deployed nevertheless; None until `deploy` has ended.
    """

    def __init__(
        self,
        message: str,
        *,
        explanation: Explanation,
        lost: Collection[Ref] = (),
        hint: str = "",
        evidence: Sequence[str] = (),
    ) -> None:
        super().__init__(message, hint=hint, evidence=evidence)
        self.explanation = explanation
        self.lost = tuple(lost)
        self.deployment: Deployment | None = None


def explained(
    doctor: Doctor, left: Collection[Ref], believed: Collection[tuple[str, Ref, str]] = ()
) -> Explanation:
    """Return why objects are not ready: what keeps them from it first, then what else is wrong.

    Args:
        doctor: who has examined the snapshot.
        left: the objects that are not ready.
        believed: the diagnoses that were seen for long enough; they precede the others.
    """
    steps = doctor.graph.reach(left)
    within = doctor.within(steps)
    decisive = [each for each in within if _is_decisive(each)]
    found = ranked(decisive, doctor.graph)
    causes = sorted(found, key=lambda each: not _keys(each).intersection(believed))
    named = {key for each in causes for key in _keys(each)}
    others = ranked(within, doctor.graph)
    causes += [Ranked(each.root) for each in others if each.root.key not in named]
    chain = doctor.graph.chain(left, causes[0].root.subject) if causes else []
    return Explanation(tuple(causes), tuple(chain))


def rollout_error(
    doctor: Doctor,
    left: Mapping[Ref, Status],
    believed: Collection[tuple[str, Ref, str]],
    *,
    in_time: bool,
) -> RolloutError:
    """Return the error that tells what is not ready and why.

    Args:
        doctor: who has examined the snapshot.
        left: the objects that are not ready, and what they say of it.
        believed: the diagnoses that were seen for long enough.
        in_time: whether it is known before the time was up.
    """
    explanation = explained(doctor, left, believed)
    names = ", ".join(map(str, left)) or "the API could not be watched"
    message = f"cannot become ready: {names}" if in_time else f"not ready in time: {names}"
    evidence = [
        *((message,) if explanation.causes else ()),
        *told(explanation),
        *(f"{where}: {status.message or status.reason}" for where, status in left.items()),
        *pods_told(doctor.snapshot, doctor.graph.reach(left)),
    ]
    root = explanation.causes[0].root if explanation.causes else None
    hint = "what the pods themselves say is above; a slow machine may just need longer"
    return RolloutError(
        explanation.headline if explanation.causes else message,
        explanation=explanation,
        lost=tuple(left),
        hint=(root.cure or root.meaning.cure) if root else hint,
        evidence=tuple(dict.fromkeys(evidence)),
    )


def told(explanation: Explanation) -> Iterator[str]:
    """Yield the causes with their evidence, and under each what comes of it."""
    for number, each in enumerate(explanation.causes):
        if number:
            yield f"also {each.root.headline}"
        yield from each.root.evidence
        yield from (f"hence {symptom.cause}: {symptom.summary}" for symptom in each.symptoms)
    if len(explanation.chain) > 1:
        yield f"by way of {' → '.join(map(str, explanation.chain))}"


def pods_told(snapshot: Snapshot, subjects: Collection[Ref]) -> Iterator[str]:
    """Yield, for each pod that is not ready, why not, its latest warnings and last words."""
    for ill in ill_pods(snapshot):
        if ill.where not in subjects:
            continue
        yield f"{describe(ill.pod)}: {_word(ill)}"
        yield from _warnings(ill)
        yield from _last_lines(snapshot, ill)


def _is_decisive(each: Finding) -> bool:
    return each.grace is not None or each.is_symptom


def _keys(each: Ranked) -> set[tuple[str, Ref, str]]:
    return {each.root.key, *(symptom.key for symptom in each.symptoms)}


def _warnings(ill: Ill) -> Iterable[str]:
    """Return the latest distinct warnings about a pod, oldest first."""
    said = [
        f"event {event.get('reason', '')}: {message(event)}"
        for event in ill.events
        if event.get("type") == "Warning"
    ]
    return list(dict.fromkeys(said))[-_EVENTS:]


def _last_lines(snapshot: Snapshot, ill: Ill) -> Iterator[str]:
    """Yield the last lines of its containers' logs, the crashed one's if there was one."""
    for entry in statuses(ill.pod):
        if entry.get("ready"):
            continue
        logs = snapshot.logs.get((ill.where.namespace, ill.where.name, entry["name"])) or []
        for log in sorted(logs, key=lambda log: not log.previous)[:1]:
            yield from (f"log: {short(line)}" for line in log.text.splitlines()[-_LOG_LINES:])


def _word(ill: Ill) -> str:
    """Return what best tells why a pod is not ready."""
    for entry in statuses(ill.pod):
        if waiting := (entry.get("state") or {}).get("waiting"):
            return f"{waiting.get('reason', 'waiting')} {waiting.get('message', '')}".rstrip()
    scheduled = condition(ill.pod, "PodScheduled")
    if scheduled.get("status") == "False":
        return str(scheduled.get("message", "not scheduled"))
    return str(condition(ill.pod, "Ready").get("message") or ill.phase)
