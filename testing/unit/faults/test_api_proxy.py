"""The proxy that puts the API in trouble: what passes, and what it breaks."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nova_acceptance import timeouts
from nova_acceptance.kube import Again, ApiUnreachableError, Kube, PodRef
from testing.faults.api_faults import MODES, WHOLE, Asked, Busy, Fault, Restarting, Verdict
from testing.faults.api_proxy import proxied
from testing.unit.kube.scripted_api import (
    Answer,
    Channels,
    Request,
    ScriptedApi,
    scripted_api,
)
from testing.unit.waiting import SOON, wait_until

POD = PodRef("here", "it")
SUCCESS = json.dumps({"status": "Success"}).encode()


def echo(channels: Channels) -> None:
    channels.send(1, channels.receive()[1:] * 3)
    channels.send(3, SUCCESS)
    channels.close()


def script(request: Request) -> Answer:
    if request.path.endswith("/exec"):
        return Answer(websocket=echo)
    if request.query.get("watch"):
        pod = {"metadata": {"uid": "u", "name": "a", "resourceVersion": "6"}}
        time.sleep(0.3)
        return Answer(lines=[{"type": "ADDED", "object": pod}])
    if request.method == "PATCH":
        return Answer(json.loads(request.body))
    return Answer({"gitVersion": "v1.30.0", "metadata": {"resourceVersion": "5"}, "items": []})


class Every(Fault):
    """Does the same to every request."""

    def __init__(self, verdict: Verdict, first: int = 1000) -> None:
        super().__init__()
        self._verdict = verdict
        self._first = first

    def judge(self, asked: Asked) -> Verdict:  # noqa: ARG002
        return self._verdict if self._number() <= self._first else Verdict()


class Down(Fault):
    """Listens no more."""

    refuses = True


class RestartingWhenTold(Restarting):
    """Stops and comes back when the test says so, not by the clock."""

    def __init__(self) -> None:
        super().__init__(after=WHOLE)

    def stop(self) -> None:
        self._stops = 0.0

    def listen_soon(self) -> None:
        self._listens = self._age + 0.5


@pytest.fixture
def api() -> Iterator[ScriptedApi]:
    with scripted_api(script) as served:
        yield served


def reached(api: ScriptedApi, tmp_path: Path, fault: Fault) -> Any:
    (tmp_path / "real").mkdir()
    real = api.kubeconfig(tmp_path / "real")
    return proxied("none", tmp_path, kubeconfig=real, fault=fault)


def test_requests_pass_with_the_credentials_of_the_original(
    api: ScriptedApi, tmp_path: Path
) -> None:
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "it", "namespace": "here"}}
    secret["data"] = {"k": "v" * 100_000}
    with reached(api, tmp_path, Fault()) as kubeconfig:
        kube = Kube(kubeconfig, "scripted")

        assert kube.server.startswith("https://127.0.0.1:")
        assert kube.server_version == "v1.30.0"
        assert kube.apply(secret) == secret
    assert api.requests[0].headers["authorization"] == "Bearer the-token"


def test_websocket_passes(api: ScriptedApi, tmp_path: Path) -> None:
    with reached(api, tmp_path, Fault()) as kubeconfig:
        result = Kube(kubeconfig).exec(POD, ["tool"], stdin="hello ")

    assert (result.stdout, result.exit_code) == ("hello " * 3, 0)


def test_watch_passes(api: ScriptedApi, tmp_path: Path) -> None:
    with reached(api, tmp_path, Fault()) as kubeconfig:
        events = Kube(kubeconfig).watch("v1", "Pod", deadline=time.monotonic() + SOON)
        ((kind, _),) = itertools.islice(events, 1)
        events.stop()

    assert kind == "ADDED"


def test_answer_is_late(api: ScriptedApi, tmp_path: Path) -> None:
    with reached(api, tmp_path, Every(Verdict(wait=0.4))) as kubeconfig:
        started = time.monotonic()
        assert Kube(kubeconfig).answers()

    assert time.monotonic() - started >= 0.4


def test_dropped_request_never_reaches_the_api(
    api: ScriptedApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timeouts, "API_ABSENT", 0.2)
    with (
        reached(api, tmp_path, Every(Verdict(is_dropped=True))) as kubeconfig,
        pytest.raises(ApiUnreachableError),
    ):
        Kube(kubeconfig).list("v1", "Pod")
    assert api.requests == []


def test_answer_is_cut_in_its_middle(api: ScriptedApi, tmp_path: Path) -> None:
    with reached(api, tmp_path, Every(Verdict(lasts=0.0), first=1)) as kubeconfig:
        kube = Kube(kubeconfig)

        assert kube.exec(POD, ["tool"], stdin="x", again=Again.FREELY).stdout == "xxx"


def test_nothing_listens_where_the_api_is_down(
    api: ScriptedApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timeouts, "API_ABSENT", 0.2)
    with reached(api, tmp_path, Down()) as kubeconfig:
        kube = Kube(kubeconfig)
        wait_until(lambda: not kube.answers())
        with pytest.raises(ApiUnreachableError, match="refused"):
            kube.list("v1", "Pod")


def test_restart_is_survived(
    api: ScriptedApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timeouts, "API_AWAY", SOON)
    fault = RestartingWhenTold()
    with reached(api, tmp_path, fault) as kubeconfig:
        kube = Kube(kubeconfig)
        assert kube.server_version
        fault.stop()
        wait_until(lambda: not kube.answers())
        fault.listen_soon()

        assert kube.exec(POD, ["tool"], stdin="x").stdout == "xxx"
        assert kube.list("v1", "Pod") == []
        assert kube.outages


@pytest.mark.parametrize("mode", sorted(MODES.keys() - {"slow", "very-slow", "hanging"}))
def test_mode_does_not_keep_an_answer_from_who_is_patient(
    api: ScriptedApi, tmp_path: Path, mode: str
) -> None:
    with reached(api, tmp_path, MODES[mode]()) as kubeconfig:
        kube = Kube(kubeconfig)
        for _ in range(8):
            assert kube.list("v1", "Pod") == []


def test_busy_api_says_so_in_more_than_one_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Busy, "_age", 0.5)
    busy = Busy()

    assert len({busy.judge(Asked("GET", "/", False)).status for _ in range(5)}) > 2


@pytest.mark.parametrize(("mode", "is_hit"), [("watch-cut", True), ("gone", True), ("none", False)])
def test_fault_hits_watches_and_nothing_else(mode: str, is_hit: bool) -> None:
    fault = MODES[mode]()
    listed, watched = Asked("GET", "/api/v1/pods", False), Asked("GET", "/pods?watch=true", False)

    assert fault.judge(listed) == Verdict()
    assert (fault.judge(watched) != Verdict()) is is_hit
