from __future__ import annotations

import sys

import dns.message
import dns.rrset
import pytest

QUESTION = "redis-service.nova-redis.svc.cluster.local."


@pytest.fixture
def changed(monkeypatch: pytest.MonkeyPatch) -> object:
    monkeypatch.setattr(sys, "argv", ["x", "10.0.0.10", "0", "redis-service.", "192.0.2.7"])
    monkeypatch.delitem(sys.modules, "testing.faults.parts.name_relay", raising=False)
    from testing.faults.parts.name_relay import changed  # noqa: PLC0415 -- it reads its arguments

    return changed


def answer(name: str) -> bytes:
    message = dns.message.make_response(dns.message.make_query(name, "A"))
    message.answer.append(dns.rrset.from_text(name, 30, "IN", "A", "10.96.1.2", "10.96.0.1"))
    return message.to_wire()


def addresses(wire: bytes) -> set[str]:
    return {str(item) for rrset in dns.message.from_wire(wire).answer for item in rrset}


def test_address_of_the_name_is_replaced(changed: object) -> None:
    assert callable(changed)
    assert addresses(changed(answer(QUESTION))) == {"192.0.2.7"}


def test_other_names_keep_their_addresses(changed: object) -> None:
    assert callable(changed)
    wire = answer("user-service.nova-services.svc.cluster.local.")

    assert changed(wire) == wire
