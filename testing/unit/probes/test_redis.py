"""Redis that cuts a connection before its word is heard."""

from __future__ import annotations

from typing import Any

import pytest
import redis

from nova_acceptance.components.redis.client import Redis
from nova_acceptance.errors import ProbeError
from nova_acceptance.vantage.routes import Route
from nova_acceptance.vantage.witness import Witness
from nova_acceptance.verification.answers import of_error

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
    monkeypatch.setattr(redis, "Redis", lambda **_: client)
    asked = Redis(Route(1, "nova-services/pod", "redis:6379"), "secret", Witness())

    with pytest.raises(ProbeError) as raised:
        asked.ask("PING")

    shown = of_error(raised.value)
    assert shown is not None
    assert shown.cause == cause
    assert client.answers == []
