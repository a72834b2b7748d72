"""What components are asked outside of a test run, and what comes of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest

from nova_acceptance.components.kind import ALONE, Check, ComponentCheck
from nova_acceptance.components.kubernetes.vantage_points import VantagePoints
from nova_acceptance.components.registry import component_checks, foreign_checks, load
from nova_acceptance.diagnosis.account import account
from nova_acceptance.diagnosis.coverage import COMPONENTS, Asked, Topic, Unasked
from nova_acceptance.errors import ClusterError, ProbeError, UnaskedError
from nova_acceptance.findings import Finding, FindingError
from nova_acceptance.kube import ApiError, PodRef
from nova_acceptance.kube.snapshot import Snapshot
from nova_acceptance.phrase import Phrase
from nova_acceptance.vantage.questions import Get
from nova_acceptance.verification import asking
from nova_acceptance.verification.asking import Answers, Round, ask
from nova_acceptance.verification.examiner import Examiner
from nova_acceptance.verification.protocol_questions import (
    CONNECTIONS,
    NAMES,
    URLS,
    Opened,
    Question,
    of_components,
    of_network,
)
from nova_acceptance.verification.visible import visible
from testing.unit.diagnosis.rendered import ROOT
from testing.unit.probes.seen import Asked as Survey
from testing.unit.probes.seen import Seen
from testing.unit.probes.test_reach_checks import (
    CACHE,
    SHOP,
    TAX,
    WEB,
    connected,
    page,
    state,
    usual,
)

NOVA = load(ROOT / "nova.yaml")
REDIS, ETCD = NOVA.component("redis"), NOVA.component("etcd")
KINDS = ("Pod", "Service", "EndpointSlice", "StatefulSet", "Deployment")


def begun() -> Round:
    return Round(Examiner(lambda: Snapshot.of([], system=NOVA), NOVA), NOVA)


def asked(*checks: tuple[Any, Callable[[Any], Any]]) -> Answers:
    """Return what comes of these checks, each of a component, on a cluster without objects."""
    here = begun()
    here.ask(
        Question(
            Topic(COMPONENTS, component.name),
            (ComponentCheck(component, Check(finds), ()),),
            partial(finds, component.name),
            is_last=True,
        )
        for component, finds in checks
    )
    return here.answers()


def found(cause: str) -> Callable[[Any], list[Finding]]:
    return lambda client: [Finding.here(cause, Phrase("{who} says so", who=client))]


def silent(_client: Any) -> list[Finding]:
    raise ProbeError("nothing answered")


def well(_client: Any) -> list[Finding]:
    return []


def unasked(answers: Answers) -> list[tuple[str, str, bool]]:
    return [(each.topic.name, each.why, each.was_begun) for each in answers.asked.unasked]


def names(answers: Answers) -> list[str]:
    return [each.name for each in answers.asked.topics]


def test_what_a_check_finds_is_at_its_component() -> None:
    (one,) = asked((REDIS, found("REDIS_PERSISTENCE_OFF"))).findings

    assert (one.cause, one.summary) == ("REDIS_PERSISTENCE_OFF", "redis says so")
    assert str(one.subject) == "StatefulSet nova-redis/redis"


def test_the_same_cause_is_told_once() -> None:
    twice = [(REDIS, found("REDIS_PERSISTENCE_OFF"))] * 2

    assert len(asked(*twice).findings) == 1


def test_what_gave_no_answer_is_neither_right_nor_wrong_and_is_not_asked_again() -> None:
    answers = asked((REDIS, silent), (REDIS, found("REDIS_PERSISTENCE_OFF")), (ETCD, well))

    assert answers.findings == ()
    assert unasked(answers) == [("redis", "nothing answered", False)]
    assert names(answers) == ["etcd"]


def test_what_stopped_on_the_way_is_told_as_begun() -> None:
    answers = asked((REDIS, well), (REDIS, silent))

    assert unasked(answers) == [("redis", "nothing answered", True)]
    assert names(answers) == []


def test_what_a_client_could_not_be_made_for_is_found_and_not_told_as_asked() -> None:
    def closed(_client: Any) -> list[Finding]:
        raise FindingError(Finding.here("PORT_CLOSED", Phrase("it refuses")))

    answers = asked((REDIS, closed))
    (one,) = answers.findings

    assert one.cause == "PORT_CLOSED"
    assert unasked(answers) == [("redis", "PORT_CLOSED, told above", False)]


def test_a_right_that_this_user_lacks_is_no_fault_of_the_system() -> None:
    said = 'pods is forbidden: User "eve" cannot create resource "pods/portforward" in API group ""'
    refused = ApiError("GET /api/v1/pods", 403, f'{{"reason": "Forbidden", "message": {said!r}}}')

    def forbidden(_client: Any) -> list[Finding]:
        raise ClusterError("no way") from refused

    def without_python(_client: Any) -> list[Finding]:
        raise UnaskedError("pod a/b has no python3")

    answers = asked((REDIS, forbidden), (ETCD, without_python))

    assert answers.findings == ()
    (redis, why, _), etcd = unasked(answers)
    assert redis == "redis"
    assert "user" in why
    assert etcd == ("etcd", "pod a/b has no python3", False)


def test_account_tells_what_was_asked_with_the_rest() -> None:
    finding = Finding.here("REDIS_PERSISTENCE_OFF", Phrase("appendonly is no"))
    etcd = Unasked(Topic(COMPONENTS, "etcd"), "nothing answered")

    told = account(Snapshot.of([]), [finding], Asked((Topic(COMPONENTS, "redis"),), (etcd,)))
    first, *_, before, last = told.lines()

    assert not told.is_well
    assert first.startswith("1. REDIS_PERSISTENCE_OFF: appendonly is no → ")
    assert before == "     etcd: nothing answered"
    assert last.endswith(
        "; asked by protocol: redis; not asked by protocol: etcd (nothing answered)"
    )


def opened(answer: Callable[[PodRef, Any], Any] = usual) -> Opened:
    """Return what is open to a shop whose pods are answered like that."""
    pods = VantagePoints({})
    pods.update(cache=CACHE, web=WEB, tax=TAX)
    nothing: Any = None
    there: Any = SimpleNamespace(points={})
    return Opened(
        system=SHOP,
        clients=nothing,
        connections=connected(Survey(answer), Seen(), pods),
        lookups=there,
        secrets=nothing,
        transcript=nothing,
    )


def test_services_connections_and_names_are_asked_as_well() -> None:
    components = {it.topic for it in of_components(opened())}
    network = {it.topic for it in of_network(opened())}

    assert {each.name for each in components} == {"cache", "web", "tax"}
    assert {each.kind for each in network} == {CONNECTIONS, NAMES}
    for name in ("web to cache:6379", "tax to cache:6379", "pay"):
        assert Topic(CONNECTIONS, name) in network
    urls = [it.topic.name for it in of_network(replace(opened(), system=NOVA)) if _is_url(it)]
    assert "auth-service to redis" in urls


def _is_url(question: Question) -> bool:
    return question.topic.kind == URLS


def test_a_service_that_is_not_well_is_found() -> None:
    def ill(pod: PodRef, question: Any) -> Any:
        return page(500) if isinstance(question, Get) else usual(pod, question)

    def causes(there: Opened) -> list[str]:
        asked = [it for it in of_components(there) if it.topic.name == "web"]
        return [each.cause for it in asked for each in it.find()]

    assert causes(opened()) == []
    assert "SERVICE_UNHEALTHY" in causes(opened(ill))


def test_a_port_that_is_closed_is_found() -> None:
    def closed(pod: PodRef, question: Any) -> Any:
        is_cache = getattr(question, "port", 0) == 6379
        return state("refused") if is_cache else usual(pod, question)

    def causes(there: Opened) -> list[str]:
        wanted = Topic(CONNECTIONS, "web to cache:6379")
        asked = [it for it in of_network(there) if it.topic == wanted]
        return [each.cause for it in asked for each in it.find()]

    assert causes(opened()) == []
    assert causes(opened(closed)) == ["PORT_CLOSED"]


def test_nothing_is_asked_with_api_only_or_without_a_description() -> None:
    nothing: Any = None
    left_out = ask(nothing, Snapshot.of([], system=NOVA), is_api_only=True)
    unsaid = ask(nothing, Snapshot.of([]))

    assert left_out.asked.why_nothing == "--api-only"
    assert unsaid.asked.why_nothing == "nova.yaml does not say what runs there"


def listed(*places: str, without: tuple[tuple[str, str], ...] = ()) -> Snapshot:
    snapshot = Snapshot(system=NOVA)
    snapshot.listed = {(kind, place) for kind in KINDS for place in places} - set(without)
    return snapshot


def test_what_was_not_looked_at_is_not_asked_and_the_rest_is() -> None:
    refused = ApiError("GET pods", 403, '{"reason": "Forbidden", "message": "no"}')
    there = listed("nova-redis", "nova-services", without=(("Pod", "nova-services"),))
    there.failures["Pod", "nova-services"] = refused
    part, hidden = visible(NOVA, there)

    assert [each.name for each in part.components] == ["redis"]
    assert set(part.namespaces) == {"nova-redis"}
    assert hidden["etcd"] == "namespace nova-database was not looked at"
    assert hidden["auth-service"] == "Pod in nova-services: this user may not list it"


def test_a_component_is_not_asked_without_what_it_needs() -> None:
    there = listed("nova-redis", "nova-services", "nova-database")
    assert visible(NOVA, there) == (NOVA, {})

    etcd = NOVA.component("etcd").model_copy(update={"namespace": "elsewhere"})
    components = tuple(etcd if it.name == "etcd" else it for it in NOVA.components)
    moved = NOVA.model_construct(
        **{
            **{name: getattr(NOVA, name) for name in type(NOVA).model_fields},
            "components": components,
        }
    )
    part, hidden = visible(moved, there)

    assert hidden["postgres"] == "it needs etcd"
    assert {"etcd", "postgres"}.isdisjoint(each.name for each in part.components)


def test_where_nothing_is_visible_every_component_is_told_with_the_reason() -> None:
    nothing: Any = None
    snapshot = listed("nova-elsewhere")
    answers = ask(nothing, snapshot)

    assert {name for name, *_ in unasked(answers)} == {it.name for it in NOVA.components}
    assert answers.asked.topics == ()


def test_names_and_connections_are_left_where_the_dns_does_not_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    down = Finding.here("DNS_DOWN", Phrase("it answers nobody"))
    monkeypatch.setattr(asking, "ask_dns", lambda *_: down)
    monkeypatch.setattr(asking, "of_components", lambda _: [])
    here = Round(Examiner(lambda: Snapshot.of([], system=SHOP), SHOP), SHOP)
    asking._ask_all(opened(), here)
    answers = here.answers()

    assert [each.cause for each in answers.findings] == ["DNS_DOWN"]
    assert answers.asked.topics == ()
    assert {why for _, why, _ in unasked(answers)} == {
        "DNS_DOWN, told above",
        "nothing is known to ask of its kind",
    }


def test_a_component_of_which_nothing_runs_is_not_told_as_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(asking, "ask_dns", lambda *_: None)
    monkeypatch.setattr(asking, "of_network", lambda _: [])
    there = opened()
    del there.connections.pods["cache"]  # type: ignore[attr-defined]
    here = Round(Examiner(lambda: Snapshot.of([], system=SHOP), SHOP), SHOP)
    asking._ask_all(there, here)
    answers = here.answers()

    assert unasked(answers) == [("cache", "no container of it runs", False)]
    assert names(answers) == ["web", "tax"]


def test_every_kind_with_a_client_brings_checks_and_the_suite_tests_its_own() -> None:
    asked_of = {each.component.name for each in component_checks(NOVA)}

    assert asked_of == {"redis", "etcd", "postgres"}
    assert list(foreign_checks(NOVA)) == []
    names = [each.name for each in component_checks(NOVA)]
    assert len(names) == len(set(names))
    assert "redis-silence" in names
    assert ALONE == ((),)
