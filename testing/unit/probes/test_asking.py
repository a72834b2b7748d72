"""What components are asked outside of a test run, and what comes of it."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from nova_acceptance.components.kind import ALONE, Check, ComponentCheck
from nova_acceptance.components.registry import component_checks, foreign_checks, load
from nova_acceptance.diagnosis.account import account
from nova_acceptance.errors import ProbeError
from nova_acceptance.findings import Finding, FindingError
from nova_acceptance.kube.snapshot import Snapshot
from nova_acceptance.phrase import Phrase
from nova_acceptance.verification.asking import Answers, _asked
from nova_acceptance.verification.examiner import Examiner
from testing.unit.diagnosis.rendered import ROOT

NOVA = load(ROOT / "nova.yaml")
REDIS, ETCD = NOVA.component("redis"), NOVA.component("etcd")


def asked(*checks: tuple[Any, Callable[[Any], Any]]) -> Answers:
    """Return what comes of these checks, each of a component, on a cluster without objects."""
    each = [ComponentCheck(component, Check(finds), ()) for component, finds in checks]
    clients: Any = SimpleNamespace(of=lambda component: component.name)
    return _asked(clients, each, Examiner(lambda: Snapshot.of([], system=NOVA), NOVA), NOVA)


def found(cause: str) -> Callable[[Any], list[Finding]]:
    return lambda client: [Finding.here(cause, Phrase("{who} says so", who=client))]


def silent(_client: Any) -> list[Finding]:
    raise ProbeError("nothing answered")


def test_what_a_check_finds_is_at_its_component() -> None:
    (one,) = asked((REDIS, found("REDIS_PERSISTENCE_OFF"))).findings

    assert (one.cause, one.summary) == ("REDIS_PERSISTENCE_OFF", "redis says so")
    assert str(one.subject) == "StatefulSet nova-redis/redis"


def test_the_same_cause_is_told_once() -> None:
    twice = [(REDIS, found("REDIS_PERSISTENCE_OFF"))] * 2

    assert len(asked(*twice).findings) == 1


def test_what_gave_no_answer_is_neither_right_nor_wrong_and_is_not_asked_again() -> None:
    answers = asked((REDIS, silent), (REDIS, found("REDIS_PERSISTENCE_OFF")), (ETCD, lambda _: []))

    assert answers == Answers((), ("redis: ProbeError: nothing answered",))


def test_what_a_client_could_not_be_made_for_is_found() -> None:
    def closed(_client: Any) -> list[Finding]:
        raise FindingError(Finding.here("PORT_CLOSED", Phrase("it refuses")))

    (one,) = asked((REDIS, closed)).findings

    assert one.cause == "PORT_CLOSED"


def test_account_tells_what_was_asked_with_the_rest() -> None:
    finding = Finding.here("REDIS_PERSISTENCE_OFF", Phrase("appendonly is no"))

    told = account(Snapshot.of([]), [finding], ["etcd: nothing answered"])
    first, *_, last = told.lines()

    assert not told.is_well
    assert first.startswith("1. REDIS_PERSISTENCE_OFF: appendonly is no → ")
    assert last == "     etcd: nothing answered"


def test_every_kind_with_a_client_brings_checks_and_the_suite_tests_its_own() -> None:
    asked_of = {each.component.name for each in component_checks(NOVA)}

    assert asked_of == {"redis", "etcd", "postgres"}
    assert list(foreign_checks(NOVA)) == []
    names = [each.name for each in component_checks(NOVA)]
    assert len(names) == len(set(names))
    assert "redis-silence" in names
    assert ALONE == ((),)
