"""What the answers of a DNS mean together."""

from __future__ import annotations

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest

from nova_acceptance.components.dns.lookups import state_of_dns, why_wrong
from nova_acceptance.evidence import Evidence
from nova_acceptance.kube import PodRef
from nova_acceptance.vantage.questions import Exchanged, Resolved

FIRST, SECOND = PodRef("nova-redis", "redis-0"), PodRef("nova-services", "user-service-x")
NAME = "redis-service.nova-redis.svc.cluster.local"


def told(state: str, seconds: float = 0.01) -> Evidence:
    return Evidence("A", "pod", "10.96.0.10", state, seconds)


def served(*addresses: str, rcode: int = dns.rcode.NOERROR, seconds: float = 0.01) -> Exchanged:
    message = dns.message.make_response(dns.message.make_query(NAME, "A"))
    message.set_rcode(dns.rcode.Rcode(rcode))
    if addresses:
        message.answer.append(dns.rrset.from_text(NAME, 5, "IN", "A", *addresses))
    return Exchanged("answered", "", told("answered", seconds), "10.96.0.10", message)


def unanswered(state: str = "timeout", server: str = "10.96.0.10") -> Exchanged:
    return Exchanged(state, "", told(state, 6.0), server, None)


def resolved(*addresses: str, detail: str = "") -> Resolved:
    state = "resolved" if addresses else "unresolved"
    return Resolved(state, detail, told(state), frozenset(addresses))


def silent() -> Resolved:
    return Resolved("timeout", "", told("timeout"), frozenset())


@pytest.mark.parametrize(
    ("first", "second", "cause"),
    [
        ([served("10.0.0.1")] * 3, [served("10.0.0.1")] * 3, None),
        ([unanswered()] * 3, [unanswered("refused")] * 3, "DNS_DOWN"),
        ([served(rcode=dns.rcode.SERVFAIL)] * 3, [served("10.0.0.1")] * 3, "DNS_DOWN"),
        ([served(rcode=dns.rcode.NXDOMAIN)] * 3, [served("10.0.0.1")] * 3, "DNS_WRONG_ANSWER"),
        ([unanswered()] * 3, [served("10.0.0.1")] * 3, "NETWORK_CUT"),
        ([unanswered(server="172.18.0.1")] * 3, [served("10.0.0.1")] * 3, "SEARCH_PATH_LOST"),
        ([unanswered(server="172.18.0.1")] * 3, [unanswered()] * 3, "DNS_DOWN"),
        ([served("10.0.0.1", seconds=2.0)] * 3, [served("10.0.0.1", seconds=1.5)] * 3, "DNS_SLOW"),
        # one lost packet, or one late answer, says nothing
        ([unanswered(), served("10.0.0.1")], [served("10.0.0.1", seconds=2.0)], None),
    ],
)
def test_dns_as_a_whole(first: list[Exchanged], second: list[Exchanged], cause: str | None) -> None:
    found = state_of_dns({FIRST: first, SECOND: second})

    assert (found.cause if found else None) == cause


def test_nothing_asked_says_nothing() -> None:
    assert state_of_dns({}) is None


@pytest.mark.parametrize(
    ("full", "short", "exchange", "cause"),
    [
        (resolved("10.0.0.1"), resolved("10.0.0.1"), served("10.0.0.1"), None),
        (
            resolved("10.0.0.1"),
            resolved(detail="EAI_NONAME"),
            served("10.0.0.1"),
            "SEARCH_PATH_LOST",
        ),
        (resolved("10.0.0.1"), resolved(detail="EAI_AGAIN"), served("10.0.0.1"), "NAME_UNRESOLVED"),
        (resolved("10.0.0.1"), resolved("10.0.0.9"), served("10.0.0.1"), "NAME_RESOLVES_WRONGLY"),
        (resolved("10.0.0.9"), resolved("10.0.0.9"), served("10.0.0.1"), "NAME_RESOLVES_WRONGLY"),
        (resolved("10.0.0.9"), resolved("10.0.0.9"), served("10.0.0.9"), "DNS_WRONG_ANSWER"),
        (resolved(), resolved(), served(rcode=dns.rcode.NXDOMAIN), "DNS_WRONG_ANSWER"),
        (resolved(), resolved(), unanswered(), "NAME_UNRESOLVED"),
        # a question that got no answer is no wrong answer
        (resolved(), resolved(), served(rcode=dns.rcode.SERVFAIL), "NAME_UNRESOLVED"),
        (resolved(detail="EAI_AGAIN"), resolved("10.0.0.1"), served("10.0.0.1"), "NAME_UNRESOLVED"),
        (silent(), silent(), served("10.0.0.1"), "NAME_UNRESOLVED"),
        (resolved("10.0.0.1"), silent(), served("10.0.0.1"), "NAME_UNRESOLVED"),
    ],
)
def test_one_name(full: Resolved, short: Resolved, exchange: Exchanged, cause: str | None) -> None:
    wanted = frozenset({"10.0.0.1"})
    found = why_wrong(
        f"{NAME}.", by_full=full, by_form={"redis-service": short}, served=exchange, wanted=wanted
    )

    assert (found.cause if found else None) == cause


def test_name_with_nothing_behind_it_is_not_the_fault_of_the_dns() -> None:
    absent = served(rcode=dns.rcode.NXDOMAIN)
    found = why_wrong(f"{NAME}.", by_full=resolved(), by_form={}, served=absent, wanted=frozenset())

    assert found is not None
    assert found.cause == "NAME_UNRESOLVED"


@pytest.mark.parametrize(
    ("wanted", "full", "exchange", "cause"),
    [
        # of two families a name server is asked for each by itself, and a resolver for both
        (
            {"10.0.0.1", "fd00::1"},
            resolved("10.0.0.1", "fd00::1"),
            served("10.0.0.1"),
            None,
        ),
        (
            {"10.0.0.1", "fd00::1"},
            resolved("10.0.0.1", "fd00::1"),
            served("10.0.0.9"),
            "DNS_WRONG_ANSWER",
        ),
        # of a cluster of IPv6 alone there are no addresses of the other family
        ({"fd00::1"}, resolved("fd00::1"), served(), None),
        ({"fd00::1"}, resolved("fd00::9"), served(), "NAME_RESOLVES_WRONGLY"),
    ],
)
def test_name_of_two_families(
    wanted: set[str], full: Resolved, exchange: Exchanged, cause: str | None
) -> None:
    found = why_wrong(
        f"{NAME}.",
        by_full=full,
        by_form={"redis-service": full},
        served=exchange,
        wanted=frozenset(wanted),
    )

    assert (found.cause if found else None) == cause


def test_form_that_got_no_answer_is_not_said_to_lead_elsewhere() -> None:
    found = why_wrong(
        f"{NAME}.",
        by_full=resolved("10.0.0.1"),
        by_form={"lost": silent(), "other": resolved("10.0.0.9")},
        served=served("10.0.0.1"),
        wanted=frozenset({"10.0.0.1"}),
    )

    assert found is not None
    assert found.cause == "NAME_RESOLVES_WRONGLY"
    assert "lost" not in found.summary
