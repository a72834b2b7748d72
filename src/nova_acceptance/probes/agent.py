"""Asking many things from inside many pods, in one round trip a pod."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from nova_acceptance import timeouts
from nova_acceptance.errors import ProbeError
from nova_acceptance.kube import Kube, PodRef
from nova_acceptance.probes import in_pod
from nova_acceptance.probes.in_pod_agent import AT_ONCE
from nova_acceptance.probes.questions import Question

AnswerT = TypeVar("AnswerT")
PODS_AT_ONCE = 8


def ask(kube: Kube, pod: PodRef, questions: Sequence[Question[AnswerT]]) -> list[AnswerT]:
    """Ask from inside a pod; every question at the same time, in one exec.

    Args:
        kube: the API that the pod is behind.
        pod: where the questions are asked.
        questions: any number.

    Returns:
        One answer a question, in their order.

    Raises:
        ProbeError: they could not be asked. This is never an answer of "no".
    """
    if not questions:
        return []
    rounds = -(-len(questions) // AT_ONCE)
    longest = max(question.timeout for question in questions)
    line = json.dumps([question.as_json() for question in questions])
    timeout = timeouts.EXEC + rounds * longest
    result = in_pod.run(kube, pod, "in_pod_agent", line, timeout=timeout)
    try:
        raw = json.loads(result.stdout)
    except ValueError as error:
        raise _unreadable(pod, result.stdout) from error
    if not isinstance(raw, list) or len(raw) != len(questions):
        raise _unreadable(pod, result.stdout)
    return [
        question.read(answer, str(pod)) for question, answer in zip(questions, raw, strict=True)
    ]


def ask_everywhere(
    kube: Kube, questions: Mapping[PodRef, Sequence[Question[AnswerT]]]
) -> dict[PodRef, list[AnswerT]]:
    """Ask from inside many pods side by side: as many execs as there are pods.

    Args:
        kube: the API that the pods are behind.
        questions: what to ask from where.

    Returns:
        The answers of each pod, in the order of its questions.

    Raises:
        ProbeError: one of the pods could not be asked.
    """
    with ThreadPoolExecutor(PODS_AT_ONCE) as pool:
        asked = {pod: pool.submit(ask, kube, pod, items) for pod, items in questions.items()}
    return {pod: future.result() for pod, future in asked.items()}


def _unreadable(pod: PodRef, text: str) -> ProbeError:
    return ProbeError(
        f"the probe in pod {pod} wrote no list of answers",
        hint="a successful command without its output is inconclusive; run the test again",
        evidence=[text[:200] or "(nothing)"],
    )
