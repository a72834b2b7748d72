"""Asking many things from inside many pods, in one round trip a pod."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, TypeVar

from nova_acceptance import timeouts
from nova_acceptance.errors import ProbeError
from nova_acceptance.kube import Again, PodRef
from nova_acceptance.vantage.in_pod_agent import AT_ONCE, LOOKUP, PACE
from nova_acceptance.vantage.places import Place, Places
from nova_acceptance.vantage.questions import Question

AnswerT = TypeVar("AnswerT")
PODS_AT_ONCE = 8
ATTEMPTS = 3
"""A status that came without the output may have lost it on the way; asking changes nothing."""


def ask(
    places: Places,
    pod: PodRef,
    questions: Sequence[Question[AnswerT]],
    heard: Callable[[Question[AnswerT], AnswerT], object] = lambda _question, _answer: None,
) -> list[AnswerT]:
    """Ask from a pod's place; every question at the same time, in one exec.

    Args:
        places: from where it can be asked.
        pod: whose network is asked.
        questions: any number.
        heard: is told each answer as soon as it comes, and so before those that take long; maybe
            once more where the exec is made again.

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

    answers: dict[int, AnswerT] = {}

    def told(place: Place, line: str) -> None:
        if found := _answer(line, len(questions)):
            index, raw = found
            with suppress(ProbeError):  # raised below, where it ends the whole round
                answers[index] = questions[index].read(raw, str(place))
                heard(questions[index], answers[index])

    for _ in range(ATTEMPTS):
        place, result = places.run(
            pod, "in_pod_agent", line, timeout=timeout, again=Again.FREELY, heard=told
        )
        lines = (_answer(each, len(questions)) for each in result.stdout.splitlines())
        raw = dict(filter(None, lines))
        if len(raw) == len(questions):
            return [
                answers[index] if index in answers else question.read(raw[index], str(place))
                for index, question in enumerate(questions)
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


def _answer(line: str, count: int) -> tuple[int, dict[str, Any]] | None:
    """Return which of so many questions a line answers, and how; None where it answers none."""
    try:
        match json.loads(line):
            case [int(index), dict(raw)] if 0 <= index < count:
                return index, raw
    except ValueError:
        pass
    return None
