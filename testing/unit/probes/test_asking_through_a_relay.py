"""Questions that are asked in the exec that carries connections as well, run as it is in a pod."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest

from nova_acceptance import timeouts
from nova_acceptance.errors import ProbeError, UnaskedError
from nova_acceptance.kube import ApiUnreachableError, ExecResult, PodRef
from nova_acceptance.vantage.in_pod import SCRIPTS
from nova_acceptance.vantage.places import Place
from nova_acceptance.vantage.questions import Answer, Dial, Get, Question, Resolve
from nova_acceptance.vantage.routes import Routes
from nova_acceptance.vantage.survey import Survey
from nova_acceptance.vantage.transcript import Transcript
from testing.unit.kube.scripted_api import reserved_port
from testing.unit.probes.places import OwnContainers
from testing.unit.probes.test_routes import HERE, POD, Here, InProcess, echo, exchanged
from testing.unit.waiting import SOON, wait_until

__all__ = ["echo"]


class Pods(Here):
    """The same, which counts what is run to its end.

    Attributes:
        runs: the pods in which something was.
    """

    def __init__(self) -> None:
        super().__init__()
        self.runs: list[str] = []

    def exec(self, pod: PodRef, argv: Sequence[str], *, stdin: str, **_: Any) -> ExecResult:
        self.runs.append(str(pod))
        with InProcess(argv) as running:
            running.send(stdin.encode())
            said = b""
            while piece := os.read(running.fileno(), 65536):
                said += piece
            return ExecResult(said.decode(), "", running.process.wait(SOON), 0.0)


@pytest.fixture
def pods() -> Any:
    opened = Pods()
    yield opened
    for each in opened.begun:
        each.process.kill()
        each.process.wait()


def states(answers: Sequence[Answer]) -> list[str]:
    return [each.state for each in answers]


def test_questions_and_connections_of_a_pod_share_one_exec(pods: Any, echo: int) -> None:
    with reserved_port() as closed, Routes(OwnContainers(pods)) as routes:
        asked: list[Question[Answer]] = [Dial(HERE, echo), Dial(HERE, closed), Resolve("localhost")]
        heard = []
        found = routes.ask(POD, asked, lambda question, answer: heard.append((question, answer)))

        assert states(found) == ["open", "refused", "resolved"]
        assert sorted(heard, key=str) == sorted(zip(asked, found, strict=True), key=str)
        assert {each.evidence.source for each in found} == {"here/pod-0"}
        assert states(routes.ask(POD, asked)) == ["open", "refused", "resolved"]
        assert exchanged(routes.through(POD, HERE, echo).port, b"ping") == b"ping"
    assert (len(pods.begun), pods.runs) == (1, [])


def test_more_questions_than_are_asked_at_once(pods: Any) -> None:
    with Routes(OwnContainers(pods)) as routes:
        found = routes.ask(POD, [Resolve("localhost")] * 100)

    assert states(found) == ["resolved"] * 100


@pytest.fixture
def silent() -> Iterator[Get]:
    """A question that nobody answers, for a second."""
    with socket.create_server((HERE, 0)) as listener:
        yield Get(HERE, listener.getsockname()[1], "/", timeout=1.0)


@contextmanager
def half_answered(routes: Routes, echo: int, silent: Get) -> Iterator[Future[list[Answer]]]:
    """Give what comes of two questions, the first of which is answered."""
    first = threading.Event()
    asked: list[Question[Answer]] = [Dial(HERE, echo), silent]
    with ThreadPoolExecutor(1) as pool:
        answers = pool.submit(routes.ask, POD, asked, lambda *_: first.set())
        assert first.wait(SOON)
        yield answers


def test_connections_go_on_while_a_question_waits_for_its_answer(
    pods: Any, echo: int, silent: Get
) -> None:
    with Routes(OwnContainers(pods)) as routes:
        route = routes.through(POD, HERE, echo)
        with half_answered(routes, echo, silent) as answers:
            assert exchanged(route.port, b"ping") == b"ping"
            assert states(answers.result(SOON)) == ["open", "timeout"]


def test_nothing_is_begun_for_no_question(pods: Any) -> None:
    with Routes(OwnContainers(pods)) as routes:
        assert routes.ask(POD, []) == []
    assert pods.begun == []


def test_pod_that_is_asked_by_several_at_first_keeps_one_relay(pods: Any, echo: int) -> None:
    together = threading.Barrier(2)
    begin = pods.begin

    def begin_together(*arguments: Any, **more: Any) -> Any:
        together.wait(SOON)
        return begin(*arguments, **more)

    pods.begin = begin_together
    with Routes(OwnContainers(pods)) as routes, ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda _: routes.ask(POD, [Dial(HERE, echo)]), range(2)))

        assert [states(each) for each in answers] == [["open"], ["open"]]
        assert len(pods.begun) == 2
        wait_until(lambda: sum(each.process.poll() is None for each in pods.begun) == 1)


def test_what_a_lost_relay_does_not_answer_is_asked_in_an_exec_of_its_own(
    pods: Any, echo: int, silent: Get
) -> None:
    with (
        Routes(OwnContainers(pods)) as routes,
        half_answered(routes, echo, silent) as answers,
    ):
        pods.begun[0].process.kill()

        assert states(answers.result(SOON)) == ["open", "timeout"]
    assert pods.runs == ["here/pod-0"]


def test_api_that_is_away_is_waited_for_by_the_exec(pods: Any, echo: int) -> None:
    pods.is_away, pods.most_refusals = True, 1
    with Routes(OwnContainers(pods)) as routes:
        assert states(routes.ask(POD, [Dial(HERE, echo)])) == ["open"]
    assert (pods.refusals, pods.runs) == (1, ["here/pod-0"])


def test_relay_that_says_nothing_is_given_up(
    pods: Any, echo: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Routes(OwnContainers(pods)) as routes:
        routes.ask(POD, [Dial(HERE, echo)])
        monkeypatch.setattr(timeouts, "EXEC", 0.2)
        monkeypatch.setattr("nova_acceptance.vantage.agent.LOOKUP", 0.0)
        pods.begun[0].is_silent = True

        assert states(routes.ask(POD, [Dial(HERE, echo, timeout=0.1)])) == ["open"]
    assert pods.runs == ["here/pod-0"]


def test_answer_that_could_not_be_had_is_no_answer(pods: Any) -> None:
    class Odd(Resolve):
        def as_json(self) -> dict[str, Any]:
            return {**super().as_json(), "op": "nonsense"}

    with (
        Routes(OwnContainers(pods)) as routes,
        pytest.raises(ProbeError, match="nonsense"),
    ):
        routes.ask(POD, [Odd("localhost")])


def test_answer_that_nobody_can_read_is_no_silence(pods: Any) -> None:
    class Unreadable(Resolve):
        def read(self, raw: dict[str, Any], source: str) -> Any:  # noqa: ARG002
            raise ValueError("no such field")

    with Routes(OwnContainers(pods)) as routes, pytest.raises(ValueError, match="no such field"):
        routes.ask(POD, [Unreadable("localhost")])


def test_place_without_a_way_to_ask_is_told_as_that(pods: Any) -> None:
    class Nowhere(OwnContainers):
        def _candidate(self, pod: PodRef, known: Any) -> Place:  # noqa: ARG002
            raise UnaskedError("there is none")

    with Routes(Nowhere(pods)) as routes, pytest.raises(UnaskedError, match="there is none"):
        routes.ask(POD, [Resolve("localhost")])


def test_nobody_waits_for_an_answer_once_the_routes_are_closed(pods: Any, silent: Get) -> None:
    routes = Routes(OwnContainers(pods))
    with ThreadPoolExecutor(1) as pool, routes:
        asked = pool.submit(routes.ask, POD, [silent])
        wait_until(lambda: bool(routes._relays and next(iter(routes._relays.values())).is_running))
        routes.__exit__()
        with pytest.raises(ProbeError, match="the routes through pod here/pod-0 are closed"):
            asked.result(SOON)

        with pytest.raises(ProbeError, match="are closed"):
            routes.ask(POD, [silent])
    assert pods.runs == []
    wait_until(lambda: all(each.process.poll() is not None for each in pods.begun))


def test_survey_asks_by_the_routes(pods: Any, echo: int) -> None:
    question = Dial(HERE, echo)
    places = OwnContainers(pods)
    with Routes(places) as routes:
        survey = Survey(places, Transcript(), {POD: [question]}, routes=routes)

        assert survey.answer(POD, question).state == "open"
    assert (len(pods.begun), pods.runs) == (1, [])


def test_text_of_the_agent_says_nothing_by_itself_in_a_relay() -> None:
    names: dict[str, Any] = {"__name__": "agent"}
    exec(SCRIPTS["in_pod_agent"], names)  # noqa: S102 - as the relay does

    assert list(names["answer_all"]([])) == []


def test_api_error_is_no_answer(pods: Any) -> None:
    def away(*_: Any, **__: Any) -> Any:
        raise ApiUnreachableError("exec", pods.server, ConnectionRefusedError())

    pods.begin = pods.exec = away
    with Routes(OwnContainers(pods)) as routes, pytest.raises(ApiUnreachableError):
        routes.ask(POD, [Resolve("localhost")])
