"""Asking many things from inside many pods, in one round trip a pod."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Generic, TypeVar

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


class Round(Generic[AnswerT]):
    """Questions that are asked together, and what is answered line by line.

    Args:
        questions: any number.
        heard: is told each answer as soon as it comes, and so before those that take long.

    Attributes:
        patience: seconds in which all of them are answered.
        wanted: the questions as JSON has them.
    """

    def __init__(
        self,
        questions: Sequence[Question[AnswerT]],
        heard: Callable[[Question[AnswerT], AnswerT], object],
    ) -> None:
        rounds = -(-len(questions) // AT_ONCE)
        longest = max(question.timeout for question in questions)
        self.patience = timeouts.EXEC + LOOKUP + rounds * (longest + PACE)
        self.wanted = [question.as_json() for question in questions]
        self._questions = questions
        self._heard = heard
        self._answers: dict[int, AnswerT | ProbeError] = {}

    def take(self, place: Place, line: str) -> None:
        """Take a line that `in_pod_agent` wrote; what answers nothing is passed over."""
        try:
            said = json.loads(line)
        except ValueError:
            return
        match said:
            case [int(index), dict(raw)] if 0 <= index < len(self._questions):
                self._read(place, index, raw)

    def answers(self) -> list[AnswerT] | None:
        """Return an answer a question, in their order; None while one has not come.

        Raises:
            ProbeError: one could not be asked.
        """
        if len(self._answers) < len(self._questions):
            return None
        found = []
        for _, answer in sorted(self._answers.items()):
            if isinstance(answer, ProbeError):
                raise answer
            found.append(answer)
        return found

    def _read(self, place: Place, index: int, raw: dict[str, Any]) -> None:
        question = self._questions[index]
        try:
            answer = question.read(raw, str(place))
        except ProbeError as error:
            self._answers[index] = error
        else:
            self._answers[index] = answer
            self._heard(question, answer)


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
    asked = Round(questions, heard)
    for _ in range(ATTEMPTS):
        place, result = places.run(
            pod,
            "in_pod_agent",
            json.dumps(asked.wanted),
            timeout=asked.patience,
            again=Again.FREELY,
            heard=asked.take,
        )
        if asked.answers() is None:  # what was not heard on the way
            for line in result.stdout.splitlines():
                asked.take(place, line)
        if (answers := asked.answers()) is not None:
            return answers
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
