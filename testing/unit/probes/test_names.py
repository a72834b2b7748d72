"""The records that the API implies, and the reading of what is served."""

from __future__ import annotations

from typing import Any

import dns.message
import dns.rcode
import dns.rrset
import pytest

from nova_acceptance.components.dns.records import Records, is_absent, records, values
from nova_acceptance.components.kubernetes.backends import Endpoint
from nova_acceptance.evidence import Evidence
from nova_acceptance.vantage.questions import Exchanged

ZONE = "cluster.local"
NAME = "redis-service.nova-redis.svc.cluster.local"


def service(name: str, address: str, **ports: int) -> dict[str, Any]:
    return {
        "metadata": {"name": name, "namespace": "nova-redis"},
        "spec": {
            "clusterIP": address,
            "ports": [
                {"name": key, "port": port, "protocol": "TCP"} for key, port in ports.items()
            ],
        },
    }


def exchanged(*lines: str, rcode: dns.rcode.Rcode = dns.rcode.NOERROR) -> Exchanged:
    message = dns.message.make_response(dns.message.make_query(NAME, "A"))
    message.set_rcode(rcode)
    for line in lines:
        name, _, kind, *rest = line.split(maxsplit=3)
        message.answer.append(dns.rrset.from_text(name, 5, "IN", kind, " ".join(rest)))
    evidence = Evidence("A", "pod", "server", "", 0.0)
    return Exchanged("answered", "", evidence, "10.96.0.10", message)


def test_service_with_an_address_has_it_and_its_ports() -> None:
    found = list(records(service("redis-service", "10.96.1.2", redis=6379), [], ZONE))

    assert found == [
        Records(NAME, "A", frozenset({"10.96.1.2"})),
        Records("2.1.96.10.in-addr.arpa", "PTR", frozenset({NAME})),
        Records(f"_redis._tcp.{NAME}", "SRV", frozenset({f"6379 {NAME}"})),
    ]


def test_alias_of_a_name_outside_has_no_records_of_its_own() -> None:
    alias = service("redis-service", "", redis=6379)
    del alias["spec"]["clusterIP"]
    alias["spec"].update(type="ExternalName", externalName="redis.example.com")

    assert list(records(alias, [], ZONE)) == []


def test_service_of_two_families_has_both() -> None:
    dual = service("redis-service", "10.96.1.2")
    dual["spec"]["clusterIPs"] = ["10.96.1.2", "fd00::2"]

    found = {(record.rdtype, *record.values) for record in records(dual, [], ZONE)}

    assert ("A", "10.96.1.2") in found
    assert ("AAAA", "fd00::2") in found


def test_headless_service_has_its_pods() -> None:
    headless = service("redis", "None", redis=6379)
    pods = [
        Endpoint(
            f"10.244.0.{number}",
            pod=f"redis-{number}",
            hostname=f"redis-{number}",
            ports=(("redis", 6380),),
        )
        for number in range(2)
    ]

    found = {record.name: record.values for record in records(headless, pods, ZONE)}

    base = "redis.nova-redis.svc.cluster.local"
    assert found[base] == {"10.244.0.0", "10.244.0.1"}
    assert found[f"redis-1.{base}"] == {"10.244.0.1"}
    assert found["1.0.244.10.in-addr.arpa"] == {f"redis-1.{base}"}
    assert found[f"_redis._tcp.{base}"] == {f"6380 redis-0.{base}", f"6380 redis-1.{base}"}


def test_values_are_read_by_type() -> None:
    answer = exchanged(
        f"{NAME}. 5 A 10.0.0.1",
        f"{NAME}. 5 A 10.0.0.2",
        f"_redis._tcp.{NAME}. 5 SRV 0 50 6379 {NAME}.",
        'dns-version.cluster.local. 5 TXT "1.1.0"',
    )

    assert values(answer, "A") == {"10.0.0.1", "10.0.0.2"}
    assert values(answer, "SRV") == {f"6379 {NAME}"}
    assert values(answer, "TXT") == {"1.1.0"}
    assert values(answer, "AAAA") == frozenset()


@pytest.mark.parametrize(
    ("rcode", "absent"),
    [(dns.rcode.NXDOMAIN, True), (dns.rcode.NOERROR, False), (dns.rcode.SERVFAIL, False)],
)
def test_only_nxdomain_says_absent(rcode: dns.rcode.Rcode, absent: bool) -> None:
    assert is_absent(exchanged(rcode=rcode)) is absent


def test_no_message_says_nothing() -> None:
    silent = Exchanged("timeout", "", Evidence("A", "pod", "server", "", 3.0), "", None)

    assert values(silent, "A") == frozenset()
    assert not is_absent(silent)
