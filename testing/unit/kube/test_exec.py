"""A command's exit status over a WebSocket of channels."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from nova_acceptance.errors import ProbeError
from nova_acceptance.kube import ExecResult, Kube, PodRef
from testing.unit.kube.scripted_api import Answer, Channels, scripted_api, status

POD = PodRef("here", "it")
PATH = "/api/v1/namespaces/here/pods/it/exec"
SUCCESS = json.dumps({"status": "Success"}).encode()


def exited(code: int) -> bytes:
    causes = [{"reason": "ExitCode", "message": str(code)}]
    answer = {"status": "Failure", "reason": "NonZeroExitCode", "details": {"causes": causes}}
    return json.dumps(answer).encode()


def run(
    tmp_path: Path, talk: Callable[[Channels], None], *, stdin: str = "", timeout: float = 5
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
        Kube(api.kubeconfig(tmp_path)).exec(POD, ["tool", "a b", "--c"], container="box")

    (asked,) = api.asked(PATH, container="box", stdin="false", stdout="true")
    assert asked.query["command"] == "tool,a b,--c"


def test_output_that_follows_the_status_is_kept(tmp_path: Path) -> None:
    def talk(channels: Channels) -> None:
        channels.send(1, b"one ")
        channels.send(3, SUCCESS)
        time.sleep(0.2)
        channels.send(1, b"two")
        channels.close()

    assert run(tmp_path, talk).stdout == "one two"


def test_connection_left_open_after_the_status_does_not_hold_up(tmp_path: Path) -> None:
    def talk(channels: Channels) -> None:
        channels.send(3, SUCCESS)
        channels.receive()

    started = time.monotonic()
    assert run(tmp_path, talk, timeout=20).exit_code == 0
    assert time.monotonic() - started < 4


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

    started = time.monotonic()
    with pytest.raises(ProbeError, match="could not be run to its end"):
        run(tmp_path, talk, timeout=0.5)
    assert time.monotonic() - started < 3


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
