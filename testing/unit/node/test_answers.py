"""Queries to responses, both read and written here by an implementation of its own (dnspython)."""

from __future__ import annotations

import random

import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rcode
import dns.rdataclass
import dns.rrset
import pytest

from nova_node.api import Object
from nova_node.dns import answers as answers_module
from nova_node.dns.answers import Answers
from nova_node.dns.records import Zones, records_of_cluster

WEB = "web.ns.svc.cluster.local."
DB = "db.ns.svc.cluster.local."


def headless(members: int) -> tuple[Object, Object]:
    ports = [{"name": "client", "port": 2379, "protocol": "TCP"}]
    addresses = [{"ip": f"10.244.1.{n}", "hostname": f"db-{n}"} for n in range(1, members + 1)]
    service = {"metadata": {"name": "db", "namespace": "ns"}, "spec": {"clusterIP": "None"}}
    return service, {"subsets": [{"addresses": addresses, "ports": ports}]}


def alias(name: str, target: str) -> Object:
    spec = {"type": "ExternalName", "externalName": target}
    return {"metadata": {"name": name, "namespace": "ns"}, "spec": spec}


@pytest.fixture
def answers() -> Answers:
    ports = [{"name": "http", "port": 80, "protocol": "TCP"}]
    web = {
        "metadata": {"name": "web", "namespace": "ns"},
        "spec": {"clusterIP": "10.96.0.7", "ports": ports},
    }
    db, members = headless(3)
    aliases = [
        alias("out", "mx.example.org"),
        alias("in", "web.ns.svc.cluster.local"),
        alias("lost", "absent.ns.svc.cluster.local"),
        alias("ping", "pong.ns.svc.cluster.local"),
        alias("pong", "ping.ns.svc.cluster.local"),
    ]
    zones = Zones()
    return Answers(zones, records_of_cluster(zones, [web, db, *aliases], {"ns/db": members}))


def ask(
    answers: Answers, name: str | dns.name.Name, type_: str = "A", **options: object
) -> dns.message.Message:
    query = dns.message.make_query(name, type_, **options)  # type: ignore[arg-type]
    wire = answers.over_udp(query.to_wire())
    assert wire is not None
    response = dns.message.from_wire(wire)
    assert query.is_response(response)
    return response


def data(section: list[dns.rrset.RRset]) -> list[str]:
    return sorted(rdata.to_text() for rrset in section for rdata in rrset)


def test_answer_is_authoritative_and_final(answers: Answers) -> None:
    """A resolver must not take it for a referral and ask somebody else."""
    response = ask(answers, WEB)

    assert data(response.answer) == ["10.96.0.7"]
    assert response.flags & dns.flags.AA
    assert response.flags & dns.flags.RA
    assert response.flags & dns.flags.RD


def test_recursion_desired_is_repeated_only_when_asked(answers: Answers) -> None:
    assert not ask(answers, WEB, flags=0).flags & dns.flags.RD


def test_case_of_the_question_does_not_matter_and_is_kept(answers: Answers) -> None:
    """RFC 4343; resolvers that mix the case (0x20) compare it."""
    response = ask(answers, "wEb.NS.svc.Cluster.LOCAL.")

    assert data(response.answer) == ["10.96.0.7"]
    assert response.question[0].name.to_text() == "wEb.NS.svc.Cluster.LOCAL."


def test_octets_that_merely_end_alike_do_not_make_an_ancestor(answers: Answers) -> None:
    """A label that ends in the octets of `cluster.local` is outside of that zone."""
    name = dns.name.Name([b"x\x07cluster", b"local", b""])

    response = ask(answers, name)

    assert response.rcode() == dns.rcode.NXDOMAIN
    assert response.authority[0].name == dns.name.root


@pytest.mark.parametrize(
    ("name", "apex"),
    [
        ("absent.ns.svc.cluster.local.", "cluster.local."),
        ("web.absent.svc.cluster.local.", "cluster.local."),
        ("db-9.db.ns.svc.cluster.local.", "cluster.local."),
        ("9.0.96.10.in-addr.arpa.", "in-addr.arpa."),
        ("example.org.", "."),
        # What the search list makes of names that are whole already.
        ("web.ns.svc.cluster.local.other.svc.cluster.local.", "cluster.local."),
        ("web.ns.svc.cluster.local.svc.cluster.local.", "cluster.local."),
        ("web.ns.svc.cluster.local.cluster.local.", "cluster.local."),
        ("web.ns.svc.cluster.local.lan.", "."),
        ("example.org.ns.svc.cluster.local.", "cluster.local."),
    ],
)
def test_absent_name_is_denied_by_its_zone(answers: Answers, name: str, apex: str) -> None:
    """NXDOMAIN with the start of authority (RFC 2308), so that the search goes on at once."""
    response = ask(answers, name)

    assert response.rcode() == dns.rcode.NXDOMAIN
    assert not response.answer
    assert response.authority[0].name.to_text() == apex
    assert response.authority[0].rdtype == dns.rdatatype.SOA


@pytest.mark.parametrize(
    ("name", "type_"),
    [
        (WEB, "AAAA"),
        (WEB, "SRV"),
        (WEB, "TYPE65"),
        ("ns.svc.cluster.local.", "A"),
        ("_tcp.web.ns.svc.cluster.local.", "SRV"),
        ("cluster.local.", "A"),
        ("10.in-addr.arpa.", "PTR"),
        ("in.ns.svc.cluster.local.", "AAAA"),
    ],
)
def test_name_without_such_records_exists(answers: Answers, name: str, type_: str) -> None:
    """NOERROR without an answer: NXDOMAIN to AAAA would deny the A records too."""
    response = ask(answers, name, type_)

    assert response.rcode() == dns.rcode.NOERROR
    assert not [r for r in response.answer if r.rdtype != dns.rdatatype.CNAME]
    assert response.authority[0].rdtype == dns.rdatatype.SOA


def test_service_records_bring_their_targets_addresses(answers: Answers) -> None:
    response = ask(answers, f"_client._tcp.{DB}", "SRV")

    assert data(response.answer) == [f"0 10 2379 db-{n}.{DB}" for n in (1, 2, 3)]
    assert data(response.additional) == ["10.244.1.1", "10.244.1.2", "10.244.1.3"]


def test_address_leads_back_to_the_pods_name(answers: Answers) -> None:
    assert data(ask(answers, "2.1.244.10.in-addr.arpa.", "PTR").answer) == [f"db-2.{DB}"]


def test_any_gives_everything(answers: Answers) -> None:
    types = {rrset.rdtype for rrset in ask(answers, "cluster.local.", "ANY").answer}

    assert types == {dns.rdatatype.SOA, dns.rdatatype.NS}


def test_alias_inside_brings_its_targets_records(answers: Answers) -> None:
    response = ask(answers, "in.ns.svc.cluster.local.")

    assert data(response.answer) == ["10.96.0.7", WEB]


def test_alias_outside_is_all_there_is_to_say(answers: Answers) -> None:
    """Whether mx.example.org exists is not this server's to deny."""
    response = ask(answers, "out.ns.svc.cluster.local.")

    assert response.rcode() == dns.rcode.NOERROR
    assert data(response.answer) == ["mx.example.org."]


def test_alias_to_an_absent_name_says_so(answers: Answers) -> None:
    """RFC 2308, 2.1: the code is the last name's."""
    response = ask(answers, "lost.ns.svc.cluster.local.")

    assert response.rcode() == dns.rcode.NXDOMAIN
    assert data(response.answer) == ["absent.ns.svc.cluster.local."]


def test_alias_itself_can_be_asked_for(answers: Answers) -> None:
    response = ask(answers, "in.ns.svc.cluster.local.", "CNAME")

    assert data(response.answer) == [WEB]


def test_aliases_in_a_circle_end(answers: Answers) -> None:
    assert ask(answers, "ping.ns.svc.cluster.local.").answer


def many() -> Answers:
    db, members = headless(60)
    zones = Zones()
    return Answers(zones, records_of_cluster(zones, [db], {"ns/db": members}))


@pytest.mark.parametrize(
    ("options", "limit"),
    [
        ({"use_edns": False}, 512),
        ({"use_edns": 0, "payload": 800}, 800),
        ({"use_edns": 0, "payload": 100}, 512),
        ({"use_edns": 0, "payload": 4096}, 1232),
    ],
)
def test_datagram_keeps_to_what_the_resolver_takes(options: dict[str, object], limit: int) -> None:
    """What does not fit is marked as truncated, and 1232 octets pass every path."""
    answers = many()
    query = dns.message.make_query(DB, "A", **options)  # type: ignore[arg-type]
    wire = answers.over_udp(query.to_wire())
    assert wire is not None

    # A record takes sixteen octets: as many as fit are there.
    assert limit - 16 < len(wire) <= limit or len(data(dns.message.from_wire(wire).answer)) == 60
    response = dns.message.from_wire(wire)
    assert bool(response.flags & dns.flags.TC) == (len(data(response.answer)) < 60)


def test_connection_brings_everything() -> None:
    wire = many().over_tcp(dns.message.make_query(f"_client._tcp.{DB}", "SRV").to_wire())
    assert wire is not None

    response = dns.message.from_wire(wire)
    assert len(data(response.answer)) == 60
    assert len(data(response.additional)) == 60
    assert not response.flags & dns.flags.TC


def test_additional_records_that_do_not_fit_are_no_truncation() -> None:
    """RFC 2181, 9: what was asked for is there in full."""
    query = dns.message.make_query(f"_client._tcp.{DB}", "SRV", use_edns=False)
    db, members = headless(5)
    zones = Zones()
    crowded = Answers(zones, records_of_cluster(zones, [db], {"ns/db": members}))
    wire = crowded.over_udp(query.to_wire())
    assert wire is not None

    response = dns.message.from_wire(wire)
    assert len(data(response.answer)) == 5
    assert len(data(response.additional)) < 5
    assert not response.flags & dns.flags.TC


def test_edns_is_answered_with_edns(answers: Answers) -> None:
    """RFC 6891, 6.1.1; and not to those who did not ask."""
    assert ask(answers, WEB, use_edns=0).payload == 1232
    assert ask(answers, WEB, use_edns=False).edns == -1


def test_edns_of_a_later_version_is_refused(answers: Answers) -> None:
    """RFC 6891, 6.1.3."""
    assert ask(answers, WEB, use_edns=1).rcode() == dns.rcode.BADVERS


def test_other_class_is_refused(answers: Answers) -> None:
    query = dns.message.make_query("version.bind.", "TXT", dns.rdataclass.CH)
    wire = answers.over_udp(query.to_wire())
    assert wire is not None

    assert dns.message.from_wire(wire).rcode() == dns.rcode.REFUSED


def test_other_operation_is_not_implemented(answers: Answers) -> None:
    query = dns.message.make_query(WEB, "A")
    query.set_opcode(dns.opcode.STATUS)
    wire = answers.over_udp(query.to_wire())
    assert wire is not None

    assert int.from_bytes(wire[2:4], "big") & 0xF == dns.rcode.NOTIMP


def test_response_is_never_answered(answers: Answers) -> None:
    """Or two servers could go on for ever."""
    response = dns.message.make_response(dns.message.make_query(WEB, "A"))

    assert answers.over_udp(response.to_wire()) is None


@pytest.mark.parametrize("length", range(12))
def test_noise_is_not_answered(answers: Answers, length: int) -> None:
    assert answers.over_udp(b"\0" * length) is None


@pytest.mark.parametrize("cut", range(12, len(dns.message.make_query(WEB, "A").to_wire())))
def test_query_cut_short_is_a_format_error(answers: Answers, cut: int) -> None:
    wire = answers.over_udp(dns.message.make_query(WEB, "A").to_wire()[:cut])
    assert wire is not None

    assert wire[3] & 0xF == dns.rcode.FORMERR


@pytest.mark.parametrize(
    "name",
    [
        b"\xc0\x0c",
        b"\x03web\xc0\x0c",
        b"\x40" + b"x" * 64 + b"\0",
        (b"\x3f" + b"x" * 63) * 4 + b"\0",
    ],
    ids=["pointer to itself", "pointer", "label of 64 octets", "name of 257 octets"],
)
def test_question_with_an_impossible_name_is_a_format_error(answers: Answers, name: bytes) -> None:
    header = b"\0\1\1\0\0\1\0\0\0\0\0\0"
    wire = answers.over_udp(header + name + b"\0\1\0\1")
    assert wire is not None

    assert wire[3] & 0xF == dns.rcode.FORMERR


def test_same_question_gets_the_same_answer_under_its_own_id(answers: Answers) -> None:
    first, second = (ask(answers, WEB, id=number) for number in (1, 2))

    assert (first.id, second.id) == (1, 2)
    assert first.answer == second.answer


def test_questions_without_number_take_no_memory_without_bound(
    answers: Answers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answers_module, "KEPT", 10)
    for number in range(100):
        ask(answers, f"absent-{number}.cluster.local.")

    assert len(answers._kept) <= 10


def test_mangled_queries_get_a_well_formed_response_or_none(answers: Answers) -> None:
    """Whatever comes in, nothing is raised and what goes out can be read."""
    chance = random.Random(20)  # noqa: S311  the same at every run
    wire = dns.message.make_query(f"_client._tcp.{DB}", "SRV", use_edns=0).to_wire()
    for _ in range(3000):
        mangled = bytearray(wire[: chance.randint(0, len(wire))])
        for _ in range(chance.randint(0, 4)):
            if mangled:
                mangled[chance.randrange(len(mangled))] = chance.randrange(256)
        for response in (answers.over_udp(bytes(mangled)), answers.over_tcp(bytes(mangled))):
            if response is not None:
                dns.message.from_wire(response)
