"""Asking many things from inside many pods, in one round trip a pod."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from nova_acceptance import timeouts
from nova_acceptance.errors import ProbeError
from nova_acceptance.kube import Again, PodRef
from nova_acceptance.vantage.in_pod_agent import AT_ONCE, LOOKUP, PACE
from nova_acceptance.vantage.places import Places
from nova_acceptance.vantage.questions import Question

AnswerT = TypeVar("AnswerT")
PODS_AT_ONCE = 8
ATTEMPTS = 3
"""A status that came without the output may have lost it on the way; asking changes nothing."""


def ask(places: Places, pod: PodRef, questions: Sequence[Question[AnswerT]]) -> list[AnswerT]:
    """Ask from a pod's place; every question at the same time, in one exec.

    Args:
        places: from where it can be asked.
        pod: whose network is asked.
        questions: any number.

    Returns:
        One answer a question, in their order.

    Raises:
        UnaskedError: there is no place to ask them from.
        ProbeError: they could not be asked. This is never an answer of "no".
        ClusterError: the API was away for too long.
    """
    if not questions:
        return []
    rounds = -(-len(questions) // AT_ONCE)
    longest = max(question.timeout for question in questions)
    line = json.dumps([question.as_json() for question in questions])
    timeout = timeouts.EXEC + LOOKUP + rounds * (longest + PACE)
    for _ in range(ATTEMPTS):
        place, result = places.run(pod, "in_pod_agent", line, timeout=timeout, again=Again.FREELY)
        raw = _answers(result.stdout)
        if raw is not None and len(raw) == len(questions):
            return [
                question.read(answer, str(place))
                for question, answer in zip(questions, raw, strict=True)
            ]
    raise ProbeError(
        f"the probe in pod {pod} wrote no list of answers",
        hint="a successful command without its output is inconclusive; run the test again",
        evidence=[result.stdout[:200] or "(nothing)"],
    )


def ask_everywhere(
    places: Places, questions: Mapping[PodRef, Sequence[Question[AnswerT]]]
) -> dict[PodRef, list[AnswerT]]:
    """Ask from inside many pods side by side: as many execs as there are pods.

    Args:
        places: from where they can be asked.
        questions: what to ask from where.

    Returns:
        The answers of each pod, in the order of its questions.

    Raises:
        ProbeError: one of the pods could not be asked.
    """
    with ThreadPoolExecutor(PODS_AT_ONCE) as pool:
        asked = {pod: pool.submit(ask, places, pod, items) for pod, items in questions.items()}
    return {pod: future.result() for pod, future in asked.items()}


def _answers(text: str) -> list[Any] | None:
    try:
        raw = json.loads(text)
    except ValueError:
        return None
    return raw if isinstance(raw, list) else None
