"""A packet that is lost is sent again, as every resolver does; silence stays silence."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import dns.message
import dns.rcode
import pytest

from nova_acceptance.vantage import in_pod_agent
from nova_acceptance.vantage.questions import Exchange
from testing.unit.waiting import SOON

QUERY = Exchange("absent.shop.svc.cluster.local", "A")


@contextmanager
def name_server(lost: int) -> Iterator[int]:
    """Serve a DNS that loses the first packets, and return its port."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(SOON)

        def serve() -> None:
            for number in range(lost + 1):
                wire, client = server.recvfrom(65535)
                if number == lost:
                    response = dns.message.make_response(dns.message.from_wire(wire))
                    response.set_rcode(dns.rcode.NXDOMAIN)
                    server.sendto(response.to_wire(), client)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        thread.join(0)


@pytest.fixture(autouse=True)
def _prompt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(in_pod_agent, "AGAIN", 0.05)


def asked(port: int, timeout: float) -> dict[str, object]:
    question = {**QUERY.as_json(), "host": "127.0.0.1", "port": port, "timeout": timeout}
    return in_pod_agent.answer(question)


@pytest.mark.parametrize(
    ("lost", "told"), [(0, "answered NXDOMAIN"), (2, "answered NXDOMAIN (asked 3 times)")]
)
def test_lost_packet_is_sent_again(lost: int, told: str) -> None:
    with name_server(lost) as port:
        raw = asked(port, SOON)

    assert raw["state"] == "answered"
    assert raw["sent"] == lost + 1
    answer = QUERY.read(raw, "here")
    assert answer.message is not None
    assert answer.message.rcode() == dns.rcode.NXDOMAIN
    assert answer.evidence.answer == told


def test_silence_is_a_timeout() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        raw = asked(silent.getsockname()[1], 0.2)

    assert raw["state"] == "timeout"
