"""Why a port is closed, from what everybody was answered."""

from __future__ import annotations

import pytest

from nova_acceptance.components.network.closed import why_closed
from nova_acceptance.evidence import Evidence
from nova_acceptance.findings import Ref
from nova_acceptance.kube import PodRef
from nova_acceptance.vantage.questions import Answer, Dial

SOURCE = PodRef("nova-services", "user-service-x")
OTHER = PodRef("nova-redis", "redis-0")
PORT = Dial("redis-service.nova-redis.svc.cluster.local", 6379)
SUBJECT = Ref("Service", "nova-redis", "redis-service")


def answer(state: str) -> Answer:
    return Answer(state, "", Evidence("connect", "pod", "port", state, 0.1))


@pytest.mark.parametrize(
    ("state", "elsewhere", "at_pods", "cause"),
    [
        ("open", "open", ["refused"], None),
        ("refused", "open", ["refused"], "PORT_CLOSED"),
        ("unresolved", "open", [], "NAME_UNRESOLVED"),
        ("cut", "open", [], "CONNECTION_CUT"),
        # packets get there and back, so it is this port alone
        ("timeout", "timeout", ["timeout", "refused"], "PORT_SILENT"),
        ("timeout", "timeout", [], "PORT_SILENT"),
        ("timeout", "open", ["timeout"], "NETWORK_CUT"),
        ("unreachable", "open", ["unreachable", "timeout"], "NETWORK_CUT"),
        # whoever is asked reaches itself
        ("timeout", "open", ["refused"], "PORT_SILENT"),
    ],
)
def test_port(state: str, elsewhere: str, at_pods: list[str], cause: str | None) -> None:
    found = why_closed(
        SOURCE,
        PORT,
        SUBJECT,
        seen={SOURCE: answer(state), OTHER: answer(elsewhere)},
        at_pods=[answer(each) for each in at_pods],
        reached=["nova-services", "nova-database"],
    )

    assert (found.cause if found else None) == cause


def test_port_that_answers_a_third_namespace_is_cut_off_from_one() -> None:
    seen = {SOURCE: answer("timeout"), PodRef("nova-database", "etcd-0"): answer("open")}

    found = why_closed(SOURCE, PORT, SUBJECT, seen=seen, at_pods=[answer("refused")], reached=[])
    assert found is not None
    assert (found.cause, found.subject) == ("NETWORK_CUT", Ref("Namespace", "", SOURCE.namespace))

    seen[PodRef(SOURCE.namespace, "auth-service-x")] = answer("open")
    found = why_closed(SOURCE, PORT, SUBJECT, seen=seen, at_pods=[answer("refused")], reached=[])
    assert found is not None
    assert found.cause == "PORT_SILENT"


@pytest.mark.parametrize(
    ("reached", "namespace"),
    [
        (["nova-services", "nova-database"], "nova-redis"),
        (["nova-services"], "nova-services"),
        ([], "nova-services"),
    ],
)
def test_namespace_that_is_cut_off(reached: list[str], namespace: str) -> None:
    found = why_closed(
        SOURCE,
        PORT,
        SUBJECT,
        seen={SOURCE: answer("timeout")},
        at_pods=[answer("timeout")],
        reached=reached,
    )

    assert found is not None
    assert found.subject == Ref("Namespace", "", namespace)


@pytest.mark.parametrize(
    ("state", "elsewhere", "are_alike"),
    [
        ("timeout", "timeout", True),
        ("timeout", "unreachable", True),
        ("timeout", "open", False),
        ("refused", "refused", True),
        ("refused", "timeout", False),
        ("unresolved", "unresolved", True),
    ],
)
def test_port_is_closed_to_all_who_were_answered_the_same(
    state: str, elsewhere: str, *, are_alike: bool
) -> None:
    seen = {SOURCE: answer(state), OTHER: answer(elsewhere)}

    found = why_closed(SOURCE, PORT, SUBJECT, seen=seen, at_pods=[], reached=[])

    assert found is not None
    pods = (SOURCE, OTHER) if are_alike else (SOURCE,)
    assert found.asked_from == tuple(Ref("Pod", it.namespace, it.name) for it in pods)
