"""Redis that cuts a connection before its word is heard."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
import redis

from nova_acceptance.components.redis import checks
from nova_acceptance.components.redis.client import RETRY, Redis
from nova_acceptance.errors import ProbeError, UnaskedError
from nova_acceptance.evidence import Evidence
from nova_acceptance.vantage.background import Background
from nova_acceptance.vantage.routes import Route
from nova_acceptance.vantage.transcript import Transcript
from nova_acceptance.verification.answers import of_error
from testing.unit.probes.serving import serving
from testing.unit.probes.test_url_trials import a_redis

RESET = redis.ConnectionError("Error while reading from 127.0.0.1:1 : Connection reset by peer")
TOO_MANY = redis.ConnectionError("max number of clients reached")


class Client:
    """A client that gets these answers, one a command."""

    def __init__(self, *answers: object) -> None:
        self.answers = list(answers)

    def execute_command(self, *_: object) -> object:
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def behind(client: Client, monkeypatch: pytest.MonkeyPatch) -> Redis:
    """A Redis that is asked through this client."""
    monkeypatch.setattr(redis, "Redis", lambda **_: client)
    return Redis(Route(1, "nova-services/pod", "redis:6379"), "secret", Transcript())


@pytest.mark.parametrize(
    ("answers", "cause"),
    [
        ((RESET, RESET, TOO_MANY), "REDIS_CLIENTS_EXHAUSTED"),
        ((RESET, RESET, RESET, RESET), "CONNECTION_CUT"),
        ((RESET, True, True, True), "CONNECTION_CUT"),  # it was cut, whatever comes after
        ((TOO_MANY,), "REDIS_CLIENTS_EXHAUSTED"),
    ],
)
def test_connection_that_is_cut_is_asked_why(
    answers: tuple[Any, ...], cause: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = Client(*answers)
    asked = behind(client, monkeypatch)

    with pytest.raises(ProbeError) as raised:
        asked.ask("PING")

    shown = of_error(raised.value)
    assert shown is not None
    assert shown.cause == cause
    assert client.answers == []


SILENCE = redis.TimeoutError("Timeout reading from socket")
LOADING = redis.BusyLoadingError("Redis is loading the dataset in memory")
REFUSED = redis.ResponseError("wrong kind of value")


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses that were made, none of which takes time."""
    made: list[float] = []
    monkeypatch.setattr("tenacity.nap.time.sleep", made.append)
    return made


def test_redis_is_asked_until_it_is_back(
    pauses: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    client = Client(SILENCE, LOADING, SILENCE, "kept")

    assert behind(client, monkeypatch).once_back("GET", "key") == "kept"
    assert pauses == [RETRY, RETRY, RETRY]
    assert client.answers == []


def test_redis_that_stays_away_is_told_of(
    pauses: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    client = Client(SILENCE, "too late")

    with pytest.raises(ProbeError, match="did not answer GET"):
        behind(client, monkeypatch).once_back("GET", "key", within=0)
    assert pauses == []
    assert client.answers == ["too late"]


def test_refusal_of_redis_is_not_waited_out(
    pauses: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(redis.ResponseError, match="wrong kind"):
        behind(Client(SILENCE, REFUSED), monkeypatch).once_back("GET", "key")
    assert pauses == [RETRY]


@pytest.mark.parametrize(("now", "causes"), [("b", []), ("a", ["ENDPOINTS_STALE"])])
def test_server_that_should_be_gone_answers(now: str, causes: list[str]) -> None:
    asked: Any = SimpleNamespace(info=lambda _section: {"run_id": now})

    assert [each.cause for each in checks.same_server(asked, "a")] == causes


@pytest.mark.parametrize("command", [("SET", "a", "b"), ("DEL", "a"), ("CONFIG", "SET", "a", "b")])
def test_redis_changes_nothing_along_a_route_that_is_for_reading(
    command: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    client = Client(True, "kept", {"appendonly": "yes"})
    monkeypatch.setattr(redis, "Redis", lambda **_: client)
    reading = Redis(Route(1, "pod", "redis:6379", is_read_only=True), "secret", Transcript())

    assert reading.answers_ping
    assert reading.ask("GET", "a") == "kept"
    assert reading.ask("CONFIG GET", "appendonly") == {"appendonly": "yes"}
    with pytest.raises(UnaskedError, match="--read-only"):
        reading.ask(*command)


def test_refusals_are_asked_ahead_and_show_what_they_would_have_shown() -> None:
    transcript = Transcript()
    refused: list[list[Evidence]] = []
    with serving(a_redis({"default": "right"})) as port, Background() as background:
        route = Route(port, "nova-services/pod", "redis:6379")
        for foreseen in ((), (None, checks.WRONG)):
            asked = Redis(route, "right", transcript)
            another: list[Evidence] = []
            own: list[Evidence] = []
            with transcript.listening(another.append):
                asked.foresee_refusals(background, foreseen)
                background.settle()
            with transcript.listening(own.append):
                assert checks.accepted_wrong_password(asked) == []
            asked.close()
            assert another == []
            refused.append([replace(it, seconds=0.0) for it in own])

    assert refused[0] == refused[1]
    assert [it.asked for it in refused[1]] == ["PING", "PING"]


def test_nothing_is_foreseen_over_a_network_that_the_way_does_not_take() -> None:
    connected: list[object] = []
    with serving(connected.append) as port, Background() as background:
        route = Route(port, "runner", "redis:6379", instead_of=UnaskedError("no pod"))
        asked = Redis(route, "right", Transcript())
        asked.foresee_refusals(background, [checks.WRONG])
        background.settle()
        with pytest.raises(UnaskedError, match="no pod"):
            asked.refusal_over_the_network(checks.WRONG)

    assert connected == []
