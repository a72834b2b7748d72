"""How a relay resolves the host that it leads to: in a time of its own, and anew each time."""

from __future__ import annotations

import json
import select
import socket
import time
from collections.abc import Callable
from typing import Any

import pytest

from nova_acceptance.vantage import in_pod_relay
from nova_acceptance.vantage.in_pod_relay import FIND, FOUND, Frames, Relay

Lookup = Callable[..., Any]
TARGET = ("redis", 6379)


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(in_pod_relay, "LOOKUP", 0.3)
    monkeypatch.setattr(in_pod_relay, "AGAIN", 0.1)


def answering(*addresses: str) -> Lookup:
    return lambda *_, **__: [(socket.AF_INET, 1, 6, "", (each, 6379)) for each in addresses]


def hanging(*_: object, **__: object) -> list[Any]:
    time.sleep(0.6)
    return []


def failing(code: int) -> Lookup:
    def fail(*_: object, **__: object) -> None:
        raise socket.gaierror(code, "as the resolver says it")

    return fail


def looked_up(
    monkeypatch: pytest.MonkeyPatch, lookup: Lookup, known: tuple[str, ...] = ()
) -> tuple[list[str], str]:
    """Return where a relay finds a host, and what it says of that."""
    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    relay = Relay(1.0)
    relay.known[TARGET] = list(known)
    relay.obey(FIND, 7, json.dumps(TARGET).encode())
    said: list[Any] = []
    while not said:
        select.select([relay.woken], [], [], 0.02)
        relay.look()
        said = Frames().take(bytes(relay.out))
    ((kind, number, body),) = said
    assert (kind, number) == (FOUND, 7)
    return relay.known[TARGET], body.decode()


def test_host_is_resolved_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    assert looked_up(monkeypatch, answering("10.0.0.2"), ("10.0.0.1",)) == (["10.0.0.2"], "")


@pytest.mark.parametrize("lookup", [hanging, failing(socket.EAI_AGAIN)])
def test_address_from_before_serves_where_no_answer_comes(
    monkeypatch: pytest.MonkeyPatch, lookup: Lookup
) -> None:
    assert looked_up(monkeypatch, lookup, ("10.0.0.1",)) == (["10.0.0.1"], "")


def test_name_that_is_gone_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    _, said = looked_up(monkeypatch, failing(socket.EAI_NONAME), ("10.0.0.1",))

    assert said == "EAI_NONAME"


@pytest.mark.parametrize(
    ("lookup", "said"),
    [
        (hanging, "timeout"),
        (failing(socket.EAI_AGAIN), "EAI_AGAIN"),
        (failing(socket.EAI_NONAME), "EAI_NONAME"),
    ],
)
def test_name_that_does_not_resolve_says_why(
    monkeypatch: pytest.MonkeyPatch, lookup: Lookup, said: str
) -> None:
    assert looked_up(monkeypatch, lookup) == ([], said)
