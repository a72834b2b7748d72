"""Many questions from many pods, asked together once and read one by one."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar, cast

from nova_acceptance.errors import NovaError
from nova_acceptance.kube import PodRef
from nova_acceptance.vantage.agent import PODS_AT_ONCE, ask
from nova_acceptance.vantage.places import Places
from nova_acceptance.vantage.questions import Answer, Question
from nova_acceptance.vantage.transcript import Transcript

AnswerT = TypeVar("AnswerT", bound=Answer)

Answers = Mapping[tuple[PodRef, Question[Answer]], Answer]
Failures = Mapping[PodRef, NovaError]


class Survey:
    """A matrix of n pods and m targets, at the price of n execs.

    Nothing is asked before the first answer is wanted, and a pod that could not be asked is not
    asked again: its own answers alone are missing. Threads may share it.

    Args:
        places: from where the pods can be asked.
        transcript: who takes down each answer that is read.
        questions: what to ask from where.
        on_asked: called once, as soon as all has been asked, with the answers and with why a pod
            could not be asked.
    """

    def __init__(
        self,
        places: Places,
        transcript: Transcript,
        questions: Mapping[PodRef, Sequence[Question[Answer]]],
        on_asked: Callable[[Answers, Failures], object] = lambda _answers, _failures: None,
    ) -> None:
        self._places = places
        self._transcript = transcript
        self._questions = questions
        self._on_asked = on_asked
        self._lock = threading.Lock()
        self._answers: dict[tuple[PodRef, Question[Answer]], Answer] = {}
        self._failures: dict[PodRef, NovaError] = {}
        self._is_asked = False

    def answer(self, pod: PodRef, question: Question[AnswerT]) -> AnswerT:
        """Return the answer to a question; one that was not foreseen is asked by itself.

        Raises:
            NovaError: it could not be asked.
        """
        with self._lock:
            self._ask_all()
            if pod in self._failures:
                raise self._failures[pod]
            if (pod, question) not in self._answers:
                (self._answers[pod, question],) = ask(self._places, pod, [question])
            answer = cast(AnswerT, self._answers[pod, question])
        self._transcript.add(answer.evidence)
        return answer

    def all_to(self, question: Question[AnswerT]) -> dict[PodRef, AnswerT]:
        """Return what each pod that was asked this was answered; for comparing, not as evidence."""
        with self._lock:
            self._ask_all()
            return {
                pod: cast(AnswerT, answer)
                for (pod, asked), answer in self._answers.items()
                if asked == question
            }

    def _ask_all(self) -> None:
        if self._is_asked:
            return
        self._is_asked = True
        with ThreadPoolExecutor(PODS_AT_ONCE) as pool:
            asked = {
                pod: pool.submit(ask, self._places, pod, questions)
                for pod, questions in self._questions.items()
            }
        for pod, future in asked.items():
            try:
                for question, answer in zip(self._questions[pod], future.result(), strict=True):
                    self._answers[pod, question] = answer
            except NovaError as error:
                self._failures[pod] = error
        self._on_asked(self._answers, self._failures)
