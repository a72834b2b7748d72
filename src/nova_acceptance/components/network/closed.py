"""Why a port is closed to a pod, by what everybody who tried it was answered."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from nova_acceptance.findings import Finding, Ref
from nova_acceptance.kube import PodRef
from nova_acceptance.phrase import Phrase
from nova_acceptance.vantage.questions import Answer, Dial

SILENT: Final = frozenset({"timeout", "unreachable"})


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
    where = f"{port.host}:{port.port}"
    evidence = tuple(f"from {pod}: {each.evidence.answer}" for pod, each in seen.items())
    if answer.state == "open":
        return None
    if answer.state == "unresolved":
        sentence = Phrase(
            "{pod} cannot resolve {host} ({said})",
            pod=source,
            host=port.host,
            said=answer.detail,
        )
        return Finding("NAME_UNRESOLVED", subject, sentence, evidence=evidence)
    if answer.state == "refused":
        sentence = Phrase("{where} refuses {pod}", where=where, pod=source)
        return Finding("PORT_CLOSED", subject, sentence, evidence=evidence)
    if answer.state not in SILENT:
        sentence = Phrase("{where} cuts {pod} off", where=where, pod=source)
        return Finding("CONNECTION_CUT", subject, sentence, evidence=evidence)
    return _why_silent(source, where, subject, seen=seen, at_pods=at_pods, reached=reached)


def _why_silent(
    source: PodRef,
    where: str,
    subject: Ref,
    *,
    seen: Mapping[PodRef, Answer],
    at_pods: Sequence[Answer],
    reached: Iterable[str],
) -> Finding:
    """Tell a port that is silent from a network that is cut."""
    evidence = tuple(f"from {pod}: {each.evidence.answer}" for pod, each in seen.items())
    evidence += tuple(f"at the pods themselves: {each.evidence.answer}" for each in at_pods)
    if elsewhere := _answered_elsewhere(source, subject, seen):
        sentence = Phrase(
            "{where} answers {others}, and nobody in {namespace}",
            where=where,
            others=elsewhere,
            namespace=source.namespace,
        )
        return Finding(
            "NETWORK_CUT", Ref("Namespace", "", source.namespace), sentence, evidence=evidence
        )
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
        return Finding("PORT_SILENT", subject, sentence, evidence=evidence)
    others = sorted(set(reached) - {source.namespace})
    cut_off = subject.namespace if others else source.namespace
    sentence = Phrase(
        "nothing of namespace {asked} answers namespace {namespace}"
        if others
        else "nothing outside namespace {namespace} answers it",
        asked=subject.namespace,
        namespace=source.namespace,
    )
    return Finding("NETWORK_CUT", Ref("Namespace", "", cut_off), sentence, evidence=evidence)


def _answered_elsewhere(source: PodRef, subject: Ref, seen: Mapping[PodRef, Answer]) -> list[str]:
    """Return the other namespaces that are answered, where nobody of the source's own is.

    The namespace of what is asked does not count: a pod always reaches itself.
    """
    mine = [answer for pod, answer in seen.items() if pod.namespace == source.namespace]
    if any(answer.state not in SILENT for answer in mine):
        return []
    others = {pod.namespace for pod, answer in seen.items() if answer.state == "open"}
    return sorted(others - {source.namespace, subject.namespace})
