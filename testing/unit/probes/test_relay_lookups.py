"""How a relay resolves the host that it leads to: in a time of its own, and anew each time."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable
from typing import Any

import pytest

from nova_acceptance.vantage import in_pod_relay
from nova_acceptance.vantage.in_pod_relay import Lease, Tunnel

Lookup = Callable[..., Any]


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(in_pod_relay, "LOOKUP", 0.3)
    monkeypatch.setattr(in_pod_relay, "AGAIN", 0.1)


def answering(*addresses: str) -> Lookup:
    return lambda *_: [(socket.AF_INET, 1, 6, "", (each, 6379)) for each in addresses]


def hanging(*_: object) -> list[Any]:
    time.sleep(0.6)
    return []


def failing(code: int) -> Lookup:
    def fail(*_: object) -> None:
        raise socket.gaierror(code, "as the resolver says it")

    return fail


def found_with(
    monkeypatch: pytest.MonkeyPatch, lookup: Lookup, known: tuple[str, ...] = ()
) -> list[str]:
    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    tunnel = Tunnel("redis", 6379)
    tunnel.known = list(known)
    return asyncio.run(tunnel.find())


def test_host_is_resolved_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    assert found_with(monkeypatch, answering("10.0.0.2"), ("10.0.0.1",)) == ["10.0.0.2"]


@pytest.mark.parametrize("lookup", [hanging, failing(socket.EAI_AGAIN)])
def test_address_from_before_serves_where_no_answer_comes(
    monkeypatch: pytest.MonkeyPatch, lookup: Lookup
) -> None:
    assert found_with(monkeypatch, lookup, ("10.0.0.1",)) == ["10.0.0.1"]


def test_name_that_is_gone_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(socket.gaierror):
        found_with(monkeypatch, failing(socket.EAI_NONAME), ("10.0.0.1",))


@pytest.mark.parametrize(
    ("lookup", "said"),
    [
        (hanging, b"0 timeout\n"),
        (failing(socket.EAI_AGAIN), b"0 EAI_AGAIN\n"),
        (failing(socket.EAI_NONAME), b"0 EAI_NONAME\n"),
    ],
)
def test_tunnel_to_a_name_that_does_not_resolve_says_why(
    monkeypatch: pytest.MonkeyPatch, lookup: Lookup, said: bytes
) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lookup)

    async def opened() -> bytes:
        return await Lease().opened(Tunnel("redis", 6379))

    assert asyncio.run(opened()) == said
