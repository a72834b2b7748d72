"""Why a port is closed to a pod, by what everybody who tried it was answered."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from nova_acceptance.findings import Finding, Ref
from nova_acceptance.kube import PodRef
from nova_acceptance.phrase import Phrase
from nova_acceptance.vantage.questions import Answer, Dial

SILENT: Final = frozenset({"timeout", "unreachable"})
ABSENT: Final = ("EAI_NONAME", "EAI_NODATA")
"""How a resolver says that there is no such name, which is an answer."""


def why_closed(
    source: PodRef,
    port: Dial,
    subject: Ref,
    *,
    seen: Mapping[PodRef, Answer],
    at_pods: Sequence[Answer],
    reached: Iterable[str],
) -> Finding | None:
    """Return why a port is closed to a pod; None where it is open.

    Args:
        source: the pod that tried to connect.
        port: the address and the port.
        subject: the Service.
        seen: what everybody who tried the same was answered.
        at_pods: what the source was answered at a port of the pods behind it where nothing listens:
            a refusal shows that packets get there and back.
        reached: the namespaces of which the source reached anything.
    """
    answer = seen[source]
    if answer.state == "open":
        return None
    where = f"{port.host}:{port.port}"
    alike = answered_alike(seen, answer)
    evidence = tuple(f"from {pod}: {each.evidence.answer}" for pod, each in seen.items())
    if answer.state not in SILENT:
        cause = {"unresolved": "NAME_UNRESOLVED", "refused": "PORT_CLOSED"}.get(answer.state)
        sentence = Phrase(
            "{pod} cannot resolve {host} ({said})"
            if answer.state == "unresolved"
            else "{where} refuses {pod}"
            if answer.state == "refused"
            else "{where} cuts {pod} off",
            pod=source,
            host=port.host,
            said=answer.detail,
            where=where,
        )
        return Finding(
            cause or "CONNECTION_CUT", subject, sentence, evidence=evidence, asked_from=alike
        )
    evidence += tuple(f"at the pods themselves: {each.evidence.answer}" for each in at_pods)
    here = Ref("Namespace", "", source.namespace)
    if elsewhere := _answered_elsewhere(source, subject, seen):
        sentence = Phrase(
            "{where} answers {others}, and nobody in {namespace}",
            where=where,
            others=elsewhere,
            namespace=source.namespace,
        )
        return Finding("NETWORK_CUT", here, sentence, evidence=evidence, asked_from=alike)
    if not at_pods or any(each.state not in SILENT for each in at_pods):
        others = [str(pod) for pod, each in seen.items() if each.state == "open"]
        sentence = Phrase(
            "{where} does not answer {pod}, and answers {others}"
            if others
            else "{where} does not answer {pod}",
            where=where,
            pod=source,
            others=others,
        )
        return Finding("PORT_SILENT", subject, sentence, evidence=evidence, asked_from=alike)
    reaches_others = not set(reached) <= {source.namespace}
    sentence = Phrase(
        "nothing of namespace {asked} answers namespace {namespace}"
        if reaches_others
        else "nothing outside namespace {namespace} answers it",
        asked=subject.namespace,
        namespace=source.namespace,
    )
    cut_off = Ref("Namespace", "", subject.namespace) if reaches_others else here
    return Finding("NETWORK_CUT", cut_off, sentence, evidence=evidence, asked_from=alike)


def answered_alike(seen: Mapping[PodRef, Answer], answer: Answer) -> tuple[Ref, ...]:
    """Return the pods that were answered the same; silence is the same however it shows.

    Args:
        seen: what everybody who tried the same was answered.
        answer: one of these answers.
    """
    states = SILENT if answer.state in SILENT else {answer.state}
    return tuple(
        Ref("Pod", pod.namespace, pod.name) for pod, each in seen.items() if each.state in states
    )


def _answered_elsewhere(source: PodRef, subject: Ref, seen: Mapping[PodRef, Answer]) -> list[str]:
    """Return the other namespaces that are answered, where nobody of the source's own is.

    The namespace of what is asked does not count: a pod always reaches itself.
    """
    mine = [answer for pod, answer in seen.items() if pod.namespace == source.namespace]
    if any(answer.state not in SILENT for answer in mine):
        return []
    others = {pod.namespace for pod, answer in seen.items() if answer.state == "open"}
    return sorted(others - {source.namespace, subject.namespace})
