"""Many questions from many pods, asked together once and read one by one."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final, TypeVar, cast

from nova_acceptance import timeouts
from nova_acceptance.errors import NovaError
from nova_acceptance.kube import PodRef
from nova_acceptance.vantage.agent import PODS_AT_ONCE, ask
from nova_acceptance.vantage.background import Background
from nova_acceptance.vantage.places import Places
from nova_acceptance.vantage.questions import Answer, Question
from nova_acceptance.vantage.routes import Routes
from nova_acceptance.vantage.transcript import Transcript

AnswerT = TypeVar("AnswerT", bound=Answer)

Asked = tuple[PodRef, Question[Answer]]
"""From where something is asked, and what."""
Answers = Mapping[Asked, Answer]
Failures = Mapping[PodRef, NovaError]

_UNSURE: Final = frozenset({"refused", "timeout"})
"""States of an answer that may be another a moment later."""
_PAUSE: Final = 0.5
"""Seconds between two attempts at what is not settled; nodes write their rules once a second."""
_BY_THEMSELVES: Final = 2
"""Pods that are asked without the others; who wants the answers of more gets those of all."""


class Survey:
    """A matrix of n pods and m targets, at the price of n execs.

    Nothing is asked before the first answer is wanted, or foreseen to be, and a pod that could not
    be asked is not asked again: its own answers alone are missing. Who wants an answer of one pod
    or two does not have all of them asked, unless it is an answer that the others' explain. Threads
    may share it: whoever wants an answer while others are still to come has it as soon as it is
    there and sure.

    Args:
        places: from where the pods can be asked.
        transcript: who takes down each answer that is read.
        questions: what to ask from where.
        on_asked: called once, as soon as all has been asked, with the answers and with why a pod
            could not be asked.
        unsettled: returns which answers may be others a moment later; they are asked again until
            there are none or `timeouts.SERVICE_SETTLES` is over, and then they stand.
        routes: by which they are asked, where connections will begin in the same pods; None asks
            each time by an exec of its own.
    """

    def __init__(
        self,
        places: Places,
        transcript: Transcript,
        questions: Mapping[PodRef, Sequence[Question[Answer]]],
        on_asked: Callable[[Answers, Failures], object] = lambda _answers, _failures: None,
        unsettled: Callable[[Answers], Iterable[Asked]] = lambda _answers: (),
        *,
        routes: Routes | None = None,
    ) -> None:
        self._ask_of = routes.ask if routes else partial(ask, places)
        self.transcript = transcript
        self._questions = questions
        self._on_asked = on_asked
        self._unsettled = unsettled
        self._told = threading.Condition()
        self._asking_alone = threading.Lock()
        self._answers: dict[Asked, Answer] = {}
        self._failures: dict[PodRef, NovaError] = {}
        self._alone: dict[PodRef, bool] = {}  # and whether its asking is over
        self._is_begun = self._is_asked = False

    def begin(self, background: Background, *others: Survey) -> None:
        """Ask all of it in the background; whoever wants an answer meanwhile waits for it.

        Args:
            background: where it is asked.
            others: what is asked when this has been.
        """

        def ask_all() -> None:
            for each in (self, *others):
                each._ask_all()

        background.run(ask_all, feels=False)

    def answer(self, pod: PodRef, question: Question[AnswerT]) -> AnswerT:
        """Return the answer to a question; one that was not foreseen is asked by itself.

        Raises:
            NovaError: it could not be asked.
        """
        if not self._is_told_alone(pod, question):
            self._ask_all(until=lambda: self._is_sure((pod, question)))
        if pod in self._failures:
            raise self._failures[pod]
        with self._asking_alone:
            if (pod, question) not in self._answers:
                (alone,) = self._ask_of(pod, [question])
                self._hear(pod, question, alone)
        answer = cast(AnswerT, self._answers[pod, question])
        self.transcript.add(answer.evidence)
        return answer

    def all_to(self, question: Question[AnswerT]) -> dict[PodRef, AnswerT]:
        """Return what each pod that was asked this was answered; for comparing, not as evidence."""
        self._ask_all()
        return {
            pod: cast(AnswerT, answer)
            for (pod, asked), answer in self._answers.copy().items()
            if asked == question
        }

    def _is_told_alone(self, pod: PodRef, question: Question[Answer]) -> bool:
        """Whether an answer is sure once its pod has been asked by itself, where that is enough."""
        with self._told:
            is_new = pod not in self._alone
            if self._is_begun or pod not in self._questions:
                return False
            if is_new and len(self._alone) >= _BY_THEMSELVES:
                return False
            if is_new:
                self._alone[pod] = False
                threading.Thread(target=self._ask_alone, args=(pod,), daemon=True).start()
            asked = pod, question
            self._told.wait_for(lambda: self._alone[pod] or self._is_sure(asked))
        return self._is_sure(asked)

    def _ask_alone(self, pod: PodRef) -> None:
        try:
            self._failures.update(self._ask({pod: self._questions[pod]}))
        finally:  # what went wrong with us is met again by whoever asks all
            with self._told:
                self._alone[pod] = True
                self._told.notify_all()

    def _is_known(self, pod: PodRef) -> bool:
        """Whether a pod has been asked, whatever came of it."""
        return pod in self._failures or all(
            (pod, question) in self._answers for question in self._questions[pod]
        )

    def _ask_all(self, until: Callable[[], bool] = lambda: False) -> None:
        """Ask, once; if others are asking, wait for the end, or until enough is known."""
        with self._told:
            if self._is_begun:
                self._told.wait_for(lambda: self._is_asked or until())
                return
            self._is_begun = True
        try:
            unknown = {pod: it for pod, it in self._questions.items() if not self._is_known(pod)}
            self._failures.update(self._ask(unknown))
            self._settle()
            self._on_asked(self._answers, self._failures)
        finally:
            with self._told:
                self._is_asked = True
                self._told.notify_all()

    def _is_sure(self, asked: Asked) -> bool:
        """Whether an answer is there that will not be asked for again."""
        found = self._answers.get(asked)
        return found is not None and found.state not in _UNSURE

    def _hear(self, pod: PodRef, question: Question[Answer], answer: Answer) -> None:
        with self._told:
            self._answers[pod, question] = answer
            self._told.notify_all()

    def _settle(self) -> None:
        deadline = time.monotonic() + timeouts.SERVICE_SETTLES
        while again := self._again():
            if time.monotonic() >= deadline:
                return
            time.sleep(_PAUSE)
            self._ask(again)  # where that fails, the answer that there is stands

    def _again(self) -> dict[PodRef, list[Question[Answer]]]:
        found: dict[PodRef, list[Question[Answer]]] = {}
        for pod, question in self._unsettled(self._answers):
            found.setdefault(pod, []).append(question)
        return found

    def _ask(self, questions: Mapping[PodRef, Sequence[Question[Answer]]]) -> Failures:
        """Keep what the pods answer, and return why some of them could not be asked."""
        failures: dict[PodRef, NovaError] = {}
        with ThreadPoolExecutor(PODS_AT_ONCE) as pool:
            asked = {
                pod: pool.submit(self._ask_of, pod, each, partial(self._hear, pod))
                for pod, each in questions.items()
            }
        for pod, future in asked.items():
            try:
                for question, answer in zip(questions[pod], future.result(), strict=True):
                    self._hear(pod, question, answer)
            except NovaError as error:
                failures[pod] = error
        return failures
