"""An API that is away, busy or starting again: waited for, remembered, and told from a refusal."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from nova_acceptance import timeouts
from nova_acceptance.kube import (
    ApiError,
    ApiUnreachableError,
    Kube,
    PodRef,
    availability,
    is_api_away,
    lost_seconds,
)
from testing.unit.kube.scripted_api import (
    Answer,
    Request,
    ScriptedApi,
    reserved_port,
    scripted_api,
    status,
)
from testing.unit.waiting import SOON

POD = PodRef("here", "it")
ITEMS = Answer({"items": []}, headers={"Connection": "close"})
"""Closed, because a kept connection would outlive the scripted server."""
VERSION = Answer({"gitVersion": "v1.30.0"})


@pytest.fixture(autouse=True)
def _brief(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timeouts, "API_AWAY", 3.0)
    monkeypatch.setattr(timeouts, "API_ABSENT", 0.5)


def scripted(*answers: Answer) -> Callable[[Request], Answer]:
    """Answer these in turn, the last one for ever."""
    queue = list(answers)
    return lambda _: queue.pop(0) if len(queue) > 1 else queue[0]


def busy(code: int, reason: str = "", message: str = "", **headers: str) -> Answer:
    return Answer(status(code, reason, message), code, headers=headers)


PASSING = [
    busy(429, "TooManyRequests"),
    busy(502),
    busy(503, "ServiceUnavailable"),
    busy(504, "Timeout"),
    busy(500, "", "etcdserver: leader changed"),
    busy(500, "", "etcdserver: request timed out"),
    busy(500, "InternalError", "Unexpected EOF"),
    Answer(b"apiserver not ready", 503),
    Answer(b'{"gitVers'),
]


@pytest.mark.parametrize("passing", PASSING)
def test_api_that_is_busy_is_asked_again(tmp_path: Path, passing: Answer) -> None:
    with scripted_api(scripted(passing, passing, VERSION)) as api:
        assert Kube(api.kubeconfig(tmp_path)).server_version == "v1.30.0"


@pytest.mark.parametrize("code", [400, 404, 405, 409, 410, 413, 422])
def test_refusal_that_means_what_it_says_is_not_repeated(tmp_path: Path, code: int) -> None:
    with scripted_api(scripted(busy(code, "SomeReason"))) as api, pytest.raises(ApiError):
        Kube(api.kubeconfig(tmp_path)).list("v1", "Pod")

    assert len(api.asked("/api/v1/pods")) == 1


def test_api_says_when_to_ask_again(tmp_path: Path) -> None:
    answers = scripted(busy(429, "TooManyRequests", **{"Retry-After": "1"}), VERSION)
    with scripted_api(answers) as api:
        started = time.monotonic()
        assert Kube(api.kubeconfig(tmp_path)).server_version == "v1.30.0"

    assert time.monotonic() - started >= 1.0


def test_api_that_restarts_is_waited_for_and_remembered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timeouts, "API_AWAY", SOON)
    pauses: list[float] = []
    with reserved_port() as port, contextlib.ExitStack() as restarted:
        with scripted_api(lambda _: ITEMS, port) as api:
            kube = Kube(api.kubeconfig(tmp_path))
            kube.list("v1", "Pod")
            assert not kube.outages

        def pause(seconds: float) -> None:
            time.sleep(seconds)
            pauses.append(seconds)
            if len(pauses) == 3:
                restarted.enter_context(scripted_api(lambda _: ITEMS, port))

        clock = SimpleNamespace(monotonic=time.monotonic, time=time.time, sleep=pause)
        monkeypatch.setattr(availability, "time", clock)
        before, began = lost_seconds(), time.monotonic()
        assert not kube.answers()
        assert kube.list("v1", "Pod") == []
        lasted = time.monotonic() - began

    (outage,) = kube.outages
    assert sum(pauses) <= outage.seconds <= lasted
    assert "refused" in outage.error
    assert sum(pauses) <= lost_seconds() - before <= lasted


@pytest.mark.parametrize("early", [(401, "Unauthorized"), (403, "Forbidden"), (404, "")])
def test_api_that_has_just_started_may_not_know_us_yet(
    tmp_path: Path, early: tuple[int, str]
) -> None:
    answers = scripted(busy(503), busy(*early), busy(*early), VERSION)
    with scripted_api(answers) as api:
        assert Kube(api.kubeconfig(tmp_path)).server_version == "v1.30.0"


def test_refusal_that_outlives_the_start_is_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timeouts, "API_SETTLES", 0.5)
    answers = scripted(busy(503), busy(403, "Forbidden"))
    with scripted_api(answers) as api, pytest.raises(ApiError, match="403") as caught:
        Kube(api.kubeconfig(tmp_path)).list("v1", "Pod")

    assert not is_api_away(caught.value)


def test_page_not_found_of_nobody_is_no_absent_object(tmp_path: Path) -> None:
    with (
        scripted_api(lambda _: Answer(b"default backend - 404", 404)) as api,
        pytest.raises(ApiError, match="404"),
    ):
        Kube(api.kubeconfig(tmp_path)).get("v1", "Secret", "it", "here")


def test_api_that_stays_away_is_named_with_its_last_error(tmp_path: Path) -> None:
    with reserved_port() as port:
        with scripted_api(lambda _: ITEMS, port) as api:
            kube = Kube(api.kubeconfig(tmp_path))
            kube.list("v1", "Pod")
        started = time.monotonic()

        with pytest.raises(ApiUnreachableError) as caught:
            kube.list("v1", "Pod")

    assert time.monotonic() - started >= timeouts.API_AWAY
    assert "refused" in str(caught.value)
    assert "times in" in caught.value.evidence[-1]
    assert is_api_away(caught.value)


def test_api_that_never_answered_is_given_up_sooner(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timeouts, "API_AWAY", SOON)
    started = time.monotonic()

    with reserved_port() as port, pytest.raises(ApiUnreachableError):
        Kube(ScriptedApi(lambda _: ITEMS, port=port).kubeconfig(tmp_path)).list("v1", "Pod")
    assert time.monotonic() - started < SOON


@pytest.mark.parametrize(
    "message",
    [
        'failed calling webhook "w": Post "https://w": dial tcp 10.0.0.1:443: connection refused',
        "error dialing backend: dial tcp 10.0.0.1:10250: connect: connection refused",
        'Get "https://10.0.0.1:10250/containerLogs/a/b/c": dial tcp: i/o timeout',
        "proxy error from 127.0.0.1:6443 while dialing 10.0.0.1:10250, code 502",
    ],
)
def test_who_is_behind_the_api_is_not_the_api(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, message: str
) -> None:
    monkeypatch.setattr(timeouts, "API_AWAY", SOON)
    started = time.monotonic()
    answers = scripted(VERSION, busy(500, "InternalError", message))
    with scripted_api(answers) as api:
        kube = Kube(api.kubeconfig(tmp_path))
        assert kube.server_version
        with pytest.raises(ApiError) as caught:
            kube.list("v1", "Pod")

    assert not is_api_away(caught.value)
    assert kube.outages == ()
    assert time.monotonic() - started < SOON


def test_log_that_a_node_does_not_give_is_no_outage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timeouts, "API_REQUEST", 0.3)

    def silent_log(request: Request) -> Answer:
        if request.path.endswith("/log"):
            api.over.wait()
        return VERSION

    with scripted_api(silent_log) as api:
        kube = Kube(api.kubeconfig(tmp_path))
        with pytest.raises(ApiUnreachableError) as caught:
            kube.logs(POD)

    assert not is_api_away(caught.value)
    assert kube.outages == ()


def test_deletion_whose_answer_was_lost_is_done_when_another_bears_the_name(
    tmp_path: Path,
) -> None:
    answers = scripted(busy(504, "Timeout"), busy(409, "Conflict", "the UID does not match"))
    with scripted_api(answers) as api:
        Kube(api.kubeconfig(tmp_path)).delete("v1", "Pod", "it", "here", precondition_uid="u")


@pytest.mark.parametrize("first", [busy(409, "Conflict"), busy(429, "TooManyRequests")])
def test_deletion_that_was_refused_is_not_done(tmp_path: Path, first: Answer) -> None:
    answers = scripted(first, busy(409, "Conflict"))
    with scripted_api(answers) as api, pytest.raises(ApiError, match="409"):
        Kube(api.kubeconfig(tmp_path)).delete("v1", "Pod", "it", "here", precondition_uid="u")


def test_apply_is_repeated(tmp_path: Path) -> None:
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "it"}}
    with scripted_api(scripted(busy(504, "Timeout"), Answer(namespace))) as api:
        assert Kube(api.kubeconfig(tmp_path)).apply(namespace) == namespace

    assert [json.loads(request.body) for request in api.requests[1:]] == [namespace] * 2


def test_handshake_that_is_cut_is_no_answer(tmp_path: Path) -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    cuts: list[int] = []

    def cut() -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                connection.recv(100)
                connection.close()
                cuts.append(1)

    thread = threading.Thread(target=cut, daemon=True)
    thread.start()
    path = ScriptedApi(lambda _: ITEMS, port=listener.getsockname()[1]).kubeconfig(tmp_path)
    path.write_text(path.read_text().replace("http:", "https:"))

    with pytest.raises(ApiUnreachableError) as caught:
        Kube(path).list("v1", "Pod")
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join()

    assert is_api_away(caught.value)
    assert len(cuts) > 1
