"""Many questions from many pods, asked together once and read one by one."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar, cast

from nova_acceptance.kube import Kube, PodRef
from nova_acceptance.probes.agent import ask, ask_everywhere
from nova_acceptance.probes.questions import Answer, Question
from nova_acceptance.probes.witness import Witness

AnswerT = TypeVar("AnswerT", bound=Answer)


class Survey:
    """A matrix of n pods and m targets, at the price of n execs.

    Nothing is asked before the first answer is wanted. Threads may share it.

    Args:
        kube: the API that the pods are behind.
        witness: who takes down each answer that is read.
        questions: what to ask from where.
    """

    def __init__(
        self, kube: Kube, witness: Witness, questions: Mapping[PodRef, Sequence[Question[Answer]]]
    ) -> None:
        self._kube = kube
        self._witness = witness
        self._questions = questions
        self._lock = threading.Lock()
        self._answers: dict[tuple[PodRef, Question[Answer]], Answer] = {}

    def answer(self, pod: PodRef, question: Question[AnswerT]) -> AnswerT:
        """Return the answer to a question; one that was not foreseen is asked by itself.

        Raises:
            ProbeError: it could not be asked.
        """
        with self._lock:
            if not self._answers:
                self._ask_all()
            if (pod, question) not in self._answers:
                (self._answers[pod, question],) = ask(self._kube, pod, [question])
            answer = cast(AnswerT, self._answers[pod, question])
        self._witness.add(answer.evidence)
        return answer

    def _ask_all(self) -> None:
        asked: dict[PodRef, list[Any]] = dict(ask_everywhere(self._kube, self._questions))
        for pod, answers in asked.items():
            for question, answer in zip(self._questions[pod], answers, strict=True):
                self._answers[pod, question] = answer
