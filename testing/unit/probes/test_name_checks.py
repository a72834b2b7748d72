"""What is wrong with names, where a DNS or a resolver answers otherwise than it should."""

from __future__ import annotations

from typing import Any

import dns.message
import dns.rcode
import dns.rrset
import pytest

from nova_acceptance.components.dns import checks
from nova_acceptance.components.dns.client import Lookups
from nova_acceptance.components.dns.questions import absent_names, every_question
from nova_acceptance.components.kubernetes.backends import Endpoint
from nova_acceptance.components.kubernetes.vantage_points import VantagePoints
from nova_acceptance.findings import NOWHERE, Finding, FindingError, Ref
from nova_acceptance.kube import PodRef
from nova_acceptance.system.parts import fronts
from nova_acceptance.vantage.questions import Answer, Exchange, Exchanged, Resolve, Resolved
from testing.unit.probes.a_nova import nova, service
from testing.unit.probes.seen import Asked, Seen, told

NOVA = nova()
FRONTS = {front.name: front for front in fronts(NOVA)}
SERVICE, HEADLESS = FRONTS["redis-service"], FRONTS["redis"]
ZONE = "nova-redis.svc.cluster.local"
FULL = f"redis-service.{ZONE}"
ADDRESS, POD = "10.96.1.2", "10.244.0.5"
HOME, ELSEWHERE = PodRef("nova-redis", "redis-0"), PodRef("nova-services", "user-service-x")
VERSION = "dns-version.cluster.local"
RECORDS = {
    (FULL, "A"): [ADDRESS],
    ("2.1.96.10.in-addr.arpa", "PTR"): [f"{FULL}."],
    (f"_redis._tcp.{FULL}", "SRV"): [f"0 100 6379 {FULL}."],
    (f"redis.{ZONE}", "A"): [POD],
    (f"redis-0.redis.{ZONE}", "A"): [POD],
    ("5.0.244.10.in-addr.arpa", "PTR"): [f"redis-0.redis.{ZONE}."],
    (f"_redis._tcp.redis.{ZONE}", "SRV"): [f"0 100 6379 redis-0.redis.{ZONE}."],
    (VERSION, "TXT"): ["1.1.0"],
}


def message(
    name: str,
    rdtype: str,
    *held: str,
    rcode: dns.rcode.Rcode = dns.rcode.NOERROR,
    seconds: float = 0.01,
) -> Exchanged:
    found = dns.message.make_response(dns.message.make_query(name, rdtype))
    found.set_rcode(rcode)
    if held:
        found.answer.append(dns.rrset.from_text(name, 5, "IN", rdtype, *held))
    return Exchanged("answered", "", told("answered", seconds), "10.96.0.10", found)


def silence() -> Exchanged:
    return Exchanged("timeout", "", told("timeout", 3.0), "10.96.0.10", None)


def resolved(*addresses: str) -> Resolved:
    return Resolved("resolved", "", told("resolved"), frozenset(addresses))


def unresolved(detail: str = "EAI_NONAME") -> Resolved:
    return Resolved("unresolved", detail, told("unresolved"), frozenset())


def usual(pod: PodRef, question: Any) -> Answer:
    """Answer as a cluster does that is well."""
    if isinstance(question, Exchange):
        held = RECORDS.get((question.name, question.rdtype), ())
        known = any(name == question.name for name, _ in RECORDS)
        rcode = dns.rcode.NOERROR if known else dns.rcode.NXDOMAIN
        return message(question.name, question.rdtype, *held, rcode=rcode)
    name = str(question.host).rstrip(".")
    for end in ("", ".cluster.local", ".svc.cluster.local", f".{pod.namespace}.svc.cluster.local"):
        if found := RECORDS.get((f"{name}{end}", "A")):
            return resolved(*found)
    return unresolved()


@pytest.fixture
def asked() -> Asked:
    return Asked(usual)


@pytest.fixture
def seen() -> Seen:
    ports = [{"name": "redis", "port": 6379, "protocol": "TCP"}]
    there = Seen(
        service("redis-service", "nova-redis", clusterIP=ADDRESS, ports=ports),
        service("redis", "nova-redis", clusterIP="None", ports=ports),
    )
    there.pods["redis"] = {"redis-0": POD}
    there.behind["nova-redis/redis"] = [
        Endpoint(POD, pod="redis-0", hostname="redis-0", ports=(("redis", 6379),))
    ]
    return there


@pytest.fixture
def pods() -> VantagePoints:
    homes = {pod.namespace: Ref("Pod", pod.namespace, pod.name) for pod in (HOME, ELSEWHERE)}
    found = VantagePoints(homes)
    found.update({pod.namespace: pod for pod in (HOME, ELSEWHERE)})
    return found


@pytest.fixture
def lookups(asked: Any, seen: Any, pods: VantagePoints) -> Lookups:
    return Lookups(asked, pods, seen, NOVA)


def causes(found: list[Finding]) -> list[str]:
    return list(dict.fromkeys(each.cause for each in found))


def everything(lookups: Lookups) -> list[Finding]:
    absent = absent_names(NOVA)[0]
    return [
        *checks.unresolved_forms(lookups, SERVICE),
        *checks.wrong_bare_name(lookups, SERVICE),
        *(f for t in ("A", "SRV", "PTR") for f in checks.wrong_records(lookups, SERVICE, t)),
        *(f for t in ("A", "SRV", "PTR") for f in checks.wrong_records(lookups, HEADLESS, t)),
        *checks.wrong_pod_names(lookups, HEADLESS),
        *checks.undenied_name(lookups, absent, tcp=True),
        *checks.resolved_absent_name(lookups, absent),
        *checks.denied_name(lookups, SERVICE),
        *checks.unspecified_dns(lookups),
    ]


def test_names_that_are_right(lookups: Lookups) -> None:
    assert everything(lookups) == []


def test_every_answer_that_is_read_was_asked_for_at_once(
    lookups: Lookups, asked: Asked, seen: Any
) -> None:
    everything(lookups)

    questions = {question for _, question in asked.read}
    assert questions
    assert questions <= set(every_question(NOVA, seen))


def test_dns_that_is_silent_gives_no_wrong_answer(
    lookups: Lookups, monkeypatch: pytest.MonkeyPatch, asked: Asked
) -> None:
    lost = Resolved("timeout", "", told("timeout", 3.0), frozenset())
    monkeypatch.setattr(
        asked, "_usual", lambda _, asked: silence() if isinstance(asked, Exchange) else lost
    )

    assert causes(everything(lookups)) == ["NAME_UNRESOLVED"]


def test_server_that_fails_gives_no_wrong_answer(
    lookups: Lookups, monkeypatch: pytest.MonkeyPatch, asked: Asked
) -> None:
    def failing(_: PodRef, asked: Any) -> Answer:
        if isinstance(asked, Exchange):
            return message(asked.name, asked.rdtype, rcode=dns.rcode.SERVFAIL)
        return unresolved("EAI_AGAIN")

    monkeypatch.setattr(asked, "_usual", failing)

    assert causes(everything(lookups)) == ["NAME_UNRESOLVED"]


def test_namespace_without_a_pod_to_ask_from_is_said(lookups: Lookups, pods: VantagePoints) -> None:
    del pods["nova-services"]

    with pytest.raises(FindingError) as raised:
        checks.unspecified_dns(lookups)
    assert raised.value.shown.cause == "VANTAGE_MISSING"


def test_nobody_to_ask_is_no_success(asked: Any, seen: Any) -> None:
    with pytest.raises(FindingError):
        checks.unspecified_dns(Lookups(asked, VantagePoints({}), seen, NOVA))
    assert causes(checks.failing_dns({})) == ["VANTAGE_MISSING"]


def test_pod_that_lost_its_search_list_is_named(lookups: Lookups, asked: Asked) -> None:
    for form in ("redis-service.nova-redis", "redis-service.nova-redis.svc"):
        asked.otherwise[ELSEWHERE, Resolve(form)] = unresolved()

    (found,) = checks.unresolved_forms(lookups, SERVICE)
    assert found.cause == "SEARCH_PATH_LOST"
    assert found.subject == Ref("Pod", ELSEWHERE.namespace, ELSEWHERE.name)


def test_service_with_nothing_behind_it_resolves_to_nothing(lookups: Lookups, seen: Seen) -> None:
    seen.objects.clear()

    for found in (
        checks.unresolved_forms(lookups, SERVICE),
        checks.wrong_records(lookups, SERVICE, "A"),
        checks.wrong_records(lookups, SERVICE, "SRV"),
    ):
        assert causes(found) == ["NAME_UNRESOLVED"]
        assert found[0].subject == Ref("Service", "nova-redis", "redis-service")


@pytest.mark.parametrize(
    ("pod", "answer", "found"),
    [
        (HOME, unresolved(), ("SEARCH_PATH_LOST", "redis-0")),
        (HOME, unresolved("EAI_AGAIN"), ("NAME_UNRESOLVED", "redis-service")),
        (HOME, resolved("10.96.9.9"), ("NAME_RESOLVES_WRONGLY", "redis-service")),
        (ELSEWHERE, resolved(ADDRESS), ("NAME_RESOLVES_WRONGLY", "redis-service")),
        (ELSEWHERE, unresolved("EAI_AGAIN"), ("NAME_UNRESOLVED", "redis-service")),
    ],
)
def test_bare_name(
    lookups: Lookups, asked: Asked, pod: PodRef, answer: Resolved, found: tuple[str, str]
) -> None:
    asked.otherwise[pod, Resolve("redis-service")] = answer

    (each,) = checks.wrong_bare_name(lookups, SERVICE)
    assert (each.cause, each.subject.name) == found


def test_bare_name_may_mean_another_service_in_another_namespace(
    lookups: Lookups, asked: Asked, seen: Seen
) -> None:
    seen.objects.append(service("redis-service", "nova-services", clusterIP="10.96.7.7"))
    asked.otherwise[ELSEWHERE, Resolve("redis-service")] = resolved("10.96.7.7")

    assert checks.wrong_bare_name(lookups, SERVICE) == []


@pytest.mark.parametrize("tcp", [False, True])
def test_record_of_another_value(lookups: Lookups, asked: Asked, *, tcp: bool) -> None:
    name = f"_redis._tcp.{FULL}"
    other = message(name, "SRV", f"0 100 6380 {FULL}.")
    asked.otherwise[ELSEWHERE, Exchange(name, "SRV", tcp)] = other

    (found,) = checks.wrong_records(lookups, SERVICE, "SRV")
    assert found.cause == "DNS_WRONG_ANSWER"
    assert str(ELSEWHERE) in found.summary


def test_record_that_is_denied(lookups: Lookups, asked: Asked) -> None:
    denied = message(FULL, "A", rcode=dns.rcode.NXDOMAIN)
    asked.otherwise[HOME, Exchange(FULL, "A", True)] = denied

    (found,) = checks.wrong_records(lookups, SERVICE, "A")
    assert found.cause == "DNS_WRONG_ANSWER"
    assert "NXDOMAIN" in found.summary


def test_addresses_of_both_versions_are_records_of_type_a(lookups: Lookups, seen: Seen) -> None:
    seen.objects[0]["spec"]["clusterIPs"] = [ADDRESS, "fd00::2"]

    found = checks.wrong_records(lookups, SERVICE, "A")
    assert causes(found) == ["DNS_WRONG_ANSWER"]
    assert all("AAAA" in each.summary for each in found)


@pytest.mark.parametrize(("is_before_it", "found"), [(True, []), (False, ["DNS_WRONG_ANSWER"])])
def test_address_has_a_name_by_each_headless_service_before_it(
    lookups: Lookups, asked: Asked, seen: Seen, is_before_it: bool, found: list[str]
) -> None:
    pointer = "5.0.244.10.in-addr.arpa"
    names = (f"redis-0.redis.{ZONE}.", f"10-244-0-5.other.{ZONE}.")
    other = service("other", "nova-redis", clusterIP="None")
    seen.objects.append(other)
    seen.behind["nova-redis/other"] = [Endpoint(POD)] if is_before_it else []
    for tcp in (False, True):
        asked.otherwise[Exchange(pointer, "PTR", tcp)] = message(pointer, "PTR", *names)

    assert causes(checks.wrong_records(lookups, HEADLESS, "PTR")) == found


def test_pods_of_a_stateful_set_without_names_have_no_records(lookups: Lookups, seen: Seen) -> None:
    seen.behind["nova-redis/redis"] = [Endpoint(POD, pod="redis-0", ports=(("redis", 6379),))]

    assert causes(checks.wrong_records(lookups, HEADLESS, "PTR")) == ["NAME_UNRESOLVED"]
    assert causes(checks.wrong_records(lookups, HEADLESS, "SRV")) == ["NAME_UNRESOLVED"]
    assert checks.wrong_records(lookups, HEADLESS, "A") == []


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        (unresolved(), "NAME_UNRESOLVED"),
        (unresolved("EAI_AGAIN"), "NAME_UNRESOLVED"),
        (resolved("10.244.0.9"), "NAME_RESOLVES_WRONGLY"),
        (resolved(POD, "10.244.0.9"), "NAME_RESOLVES_WRONGLY"),
    ],
)
def test_name_of_a_pod(lookups: Lookups, asked: Asked, answer: Resolved, cause: str) -> None:
    asked.otherwise[ELSEWHERE, Resolve("redis-0.redis.nova-redis.svc")] = answer

    (found,) = checks.wrong_pod_names(lookups, HEADLESS)
    assert (found.cause, found.subject.name) == (cause, "redis")


def test_pod_that_is_not_there_has_no_name(lookups: Lookups, seen: Seen) -> None:
    seen.pods.clear()

    assert causes(checks.wrong_pod_names(lookups, HEADLESS)) == ["NAME_UNRESOLVED"]


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        (message("absent", "A", rcode=dns.rcode.NXDOMAIN, seconds=1.4), "DNS_SLOW"),
        (message("absent", "A"), "DNS_WRONG_ANSWER"),
        (message("absent", "A", "192.0.2.1"), "DNS_WRONG_ANSWER"),
        (silence(), "NAME_UNRESOLVED"),
    ],
)
def test_absent_name(lookups: Lookups, asked: Asked, answer: Exchanged, cause: str) -> None:
    absent = absent_names(NOVA)[0]
    asked.otherwise[HOME, Exchange(absent, "A", False)] = answer

    assert causes(checks.undenied_name(lookups, absent, tcp=False)) == [cause]
    assert checks.undenied_name(lookups, absent, tcp=True) == []


@pytest.mark.parametrize(
    ("answer", "cause"),
    [(resolved("192.0.2.1"), "DNS_WRONG_ANSWER"), (unresolved("EAI_AGAIN"), "NAME_UNRESOLVED")],
)
def test_absent_name_to_an_application(
    lookups: Lookups, asked: Asked, answer: Resolved, cause: str
) -> None:
    absent = absent_names(NOVA)[0]
    asked.otherwise[HOME, Resolve(f"{absent}.")] = answer

    assert causes(checks.resolved_absent_name(lookups, absent)) == [cause]


@pytest.mark.parametrize(
    "answer",
    [
        message(FULL, "MX", rcode=dns.rcode.NXDOMAIN),
        message(FULL, "MX", "10 mail.example.com."),
    ],
)
def test_name_without_records_of_a_type(lookups: Lookups, asked: Asked, answer: Exchanged) -> None:
    asked.otherwise[HOME, Exchange(FULL, "MX")] = answer

    assert causes(checks.denied_name(lookups, SERVICE)) == ["DNS_WRONG_ANSWER"]


@pytest.mark.parametrize(
    "answer",
    [message(VERSION, "TXT", "1.0.0"), message(VERSION, "TXT", rcode=dns.rcode.NXDOMAIN)],
)
def test_dns_of_another_specification(lookups: Lookups, asked: Asked, answer: Exchanged) -> None:
    asked.otherwise[HOME, Exchange(VERSION, "TXT")] = answer

    assert causes(checks.unspecified_dns(lookups)) == ["DNS_NO_SPECIFICATION"]


def test_finding_of_a_service_is_at_that_service(lookups: Lookups, asked: Asked) -> None:
    asked.otherwise[Exchange(FULL, "MX")] = silence()
    asked.otherwise[Exchange(FULL, "A", True)] = silence()

    for found in (
        *checks.denied_name(lookups, SERVICE),
        *checks.wrong_records(lookups, SERVICE, "A"),
    ):
        assert found.subject not in (NOWHERE, None)
        assert found.subject.name == "redis-service"
