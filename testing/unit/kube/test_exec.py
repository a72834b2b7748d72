"""A command's exit status over a WebSocket of channels."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from nova_acceptance import timeouts
from nova_acceptance.errors import ProbeError
from nova_acceptance.kube import (
    Again,
    ApiError,
    ApiUnreachableError,
    ExecResult,
    Kube,
    PodRef,
    is_api_away,
)
from testing.unit.kube.scripted_api import (
    Answer,
    Channels,
    Request,
    scripted_api,
    status,
)
from testing.unit.waiting import SOON, wait_until

POD = PodRef("here", "it")
PATH = "/api/v1/namespaces/here/pods/it/exec"
SUCCESS = json.dumps({"status": "Success"}).encode()


def busy(code: int) -> Answer:
    return Answer(status(code, "SomeReason"), code)


def exited(code: int) -> bytes:
    causes = [{"reason": "ExitCode", "message": str(code)}]
    answer = {"status": "Failure", "reason": "NonZeroExitCode", "details": {"causes": causes}}
    return json.dumps(answer).encode()


def run(
    tmp_path: Path, talk: Callable[[Channels], None], *, stdin: str = "", timeout: float = SOON
) -> ExecResult:
    with scripted_api(lambda _: Answer(websocket=talk)) as api:
        return Kube(api.kubeconfig(tmp_path)).exec(
            POD, ["tool", "a b", "--c"], stdin=stdin, timeout=timeout
        )


@pytest.mark.parametrize(("answer", "code"), [(SUCCESS, 0), (exited(7), 7), (exited(137), 137)])
def test_exit_code_is_that_of_the_status_channel(tmp_path: Path, answer: bytes, code: int) -> None:
    def talk(channels: Channels) -> None:
        channels.send(1, b"out")
        channels.send(2, b"err")
        channels.send(3, answer)
        channels.close()

    result = run(tmp_path, talk)

    assert (result.exit_code, result.stdout, result.stderr) == (code, "out", "err")


def test_argv_is_passed_argument_by_argument(tmp_path: Path) -> None:
    def talk(channels: Channels) -> None:
        channels.send(3, SUCCESS)
        channels.close()

    with scripted_api(lambda _: Answer(websocket=talk)) as api:
        kube = Kube(api.kubeconfig(tmp_path))
        kube.exec(POD, ["tool", "a b", "--c"])

    assert kube.usage == {"requests": 0, "execs": 1, "forwards": 0}
    (asked,) = api.asked(PATH, stdin="false", stdout="true")
    assert asked.query["command"] == "tool,a b,--c"


def test_output_that_follows_the_status_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nova_acceptance.kube.exec._AFTER_STATUS", SOON)

    def talk(channels: Channels) -> None:
        channels.send(1, b"one ")
        channels.send(3, SUCCESS)
        time.sleep(0.2)
        channels.send(1, b"two")
        channels.close()

    assert run(tmp_path, talk).stdout == "one two"


def test_whole_lines_are_told_before_the_command_ends(tmp_path: Path) -> None:
    heard: list[str] = []

    def talk(channels: Channels) -> None:
        channels.send(1, b"one\ntw")
        wait_until(lambda: heard == ["one"])
        channels.send(1, "o\nthr\xe9e\nrest".encode())
        channels.send(3, SUCCESS)
        channels.close()

    with scripted_api(lambda _: Answer(websocket=talk)) as api:
        found = Kube(api.kubeconfig(tmp_path)).exec(POD, ["tool"], heard=heard.append)

    assert heard == ["one", "two", "thr\xe9e"]
    assert found.stdout == "one\ntwo\nthr\xe9e\nrest"


def test_connection_left_open_after_the_status_does_not_hold_up(tmp_path: Path) -> None:
    def talk(channels: Channels) -> None:
        channels.send(3, SUCCESS)
        channels.receive()

    started = time.monotonic()
    assert run(tmp_path, talk).exit_code == 0
    assert time.monotonic() - started < SOON


def test_bytes_that_are_not_text_are_replaced(tmp_path: Path) -> None:
    def talk(channels: Channels) -> None:
        channels.send(1, "é".encode()[:1])
        channels.send(1, "é".encode()[1:] + b"\xff")
        channels.send(3, SUCCESS)
        channels.close()

    assert run(tmp_path, talk).stdout == "é\N{REPLACEMENT CHARACTER}"


def test_standard_input_reaches_the_command(tmp_path: Path) -> None:
    def talk(channels: Channels) -> None:
        channels.send(1, channels.receive())
        channels.send(3, SUCCESS)
        channels.close()

    assert run(tmp_path, talk, stdin="a line\n").stdout == "\x00a line\n"


def test_missing_status_is_no_exit_code(tmp_path: Path) -> None:
    def talk(channels: Channels) -> None:
        channels.send(1, b"out")
        channels.close()

    with pytest.raises(ProbeError, match="could not be run to its end in pod here/it") as caught:
        run(tmp_path, talk)
    assert "without an exit status" in str(caught.value)


def test_command_that_is_not_there_is_no_exit_code(tmp_path: Path) -> None:
    message = 'exec: "tool": executable file not found in $PATH'

    def talk(channels: Channels) -> None:
        channels.send(3, json.dumps(status(500, "InternalError", message)).encode())
        channels.close()

    with pytest.raises(ProbeError, match="executable file not found"):
        run(tmp_path, talk)


def test_command_that_does_not_end_is_given_up(tmp_path: Path) -> None:
    def talk(channels: Channels) -> None:
        channels.receive()

    with pytest.raises(ProbeError, match="could not be run to its end"):
        run(tmp_path, talk, timeout=0.5)


def test_absent_pod_is_a_probe_error(tmp_path: Path) -> None:
    refusal = Answer(status(404, "NotFound", 'pods "it" not found'), 404)
    with scripted_api(lambda _: refusal) as api, pytest.raises(ProbeError) as caught:
        Kube(api.kubeconfig(tmp_path)).exec(POD, ["tool"])

    assert 'pods "it" not found' in str(caught.value)


def test_arguments_are_not_in_the_error(tmp_path: Path) -> None:
    refusal = Answer(status(404, "NotFound"), 404)
    with scripted_api(lambda _: refusal) as api, pytest.raises(ProbeError) as caught:
        Kube(api.kubeconfig(tmp_path)).exec(POD, ["tool", "the-password"])

    assert "the-password" not in str(caught.value)


def cut_short(channels: Channels) -> None:
    """Lose the connection without a farewell, as when the API is killed."""
    channels.receive()


def answering(channels: Channels) -> None:
    channels.send(1, b"out")
    channels.send(3, SUCCESS)
    channels.close()


@pytest.mark.parametrize("first", [busy(429), busy(503), busy(401), busy(403)])
def test_command_that_was_turned_away_is_run_when_the_api_is_back(
    tmp_path: Path, first: Answer
) -> None:
    kinds = iter([busy(503), first, Answer(websocket=answering)])
    with scripted_api(lambda _: next(kinds)) as api:
        assert Kube(api.kubeconfig(tmp_path)).exec(POD, ["tool"]).stdout == "out"


@pytest.mark.parametrize("talk", [cut_short, lambda channels: channels.close()])
@pytest.mark.parametrize(("again", "runs"), [(Again.UNLESS_BEGUN, 1), (Again.FREELY, 2)])
def test_command_without_a_status_is_run_again_only_where_that_is_harmless(
    tmp_path: Path, talk: Callable[[Channels], None], again: Again, runs: int
) -> None:
    with scripted_api(lambda _: Answer(websocket=talk)) as api, pytest.raises(ProbeError):
        Kube(api.kubeconfig(tmp_path)).exec(POD, ["tool"], stdin="x", again=again)

    assert len(api.asked(PATH)) == runs


def test_question_whose_answer_was_lost_is_asked_again(tmp_path: Path) -> None:
    talks = iter([cut_short, answering])

    def script(request: Request) -> Answer:
        return Answer(websocket=next(talks)) if request.path == PATH else Answer({})

    with scripted_api(script) as api:
        result = Kube(api.kubeconfig(tmp_path)).exec(POD, ["tool"], stdin="x", again=Again.FREELY)

    assert (result.exit_code, result.stdout) == (0, "out")


def test_command_that_is_cut_as_the_api_goes_away_tells_of_the_api(tmp_path: Path) -> None:
    is_down = False

    def talk(channels: Channels) -> None:
        nonlocal is_down
        is_down = True
        channels.receive()

    def script(request: Request) -> Answer:
        return busy(503) if is_down or request.path != PATH else Answer(websocket=talk)

    with (
        scripted_api(script) as api,
        pytest.raises(ApiUnreachableError, match="exec in here/it") as caught,
    ):
        Kube(api.kubeconfig(tmp_path)).exec(POD, ["kill"], stdin="x")

    assert is_api_away(caught.value)
    assert len(api.asked(PATH)) == 1


def test_command_that_was_never_begun_is_not_run_where_it_would_be_too_late(
    tmp_path: Path,
) -> None:
    with scripted_api(lambda _: busy(503)) as api, pytest.raises(ApiError, match="503"):
        Kube(api.kubeconfig(tmp_path)).exec(POD, ["tool"], again=Again.NEVER)

    assert len(api.asked(PATH)) == 1


def test_node_that_does_not_answer_is_not_the_api(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timeouts, "PORT_FORWARD", 0.3)

    def script(request: Request) -> Answer:
        if request.path == PATH:
            api.over.wait()
        return Answer({})

    with scripted_api(script) as api, pytest.raises(ProbeError, match="could not be run"):
        Kube(api.kubeconfig(tmp_path)).exec(POD, ["tool"])
