"""Names: every form from every namespace, every type of record, and the API's own view of them."""

from __future__ import annotations

import dns.rcode
import pytest

from nova_acceptance.claims import BrokenClaimError, broken, none_of
from nova_acceptance.components.dns.lookups import Lookup, of_lookup
from nova_acceptance.components.dns.records import SCHEMA_VERSION, is_absent, values
from nova_acceptance.components.kubernetes.objects import Objects, addresses_of, of_front
from nova_acceptance.components.network.questions import (
    expected_records,
    forms,
    other_family,
    pod_names,
    schema_version,
)
from nova_acceptance.findings import Ref
from nova_acceptance.kube import PodRef
from nova_acceptance.phrase import Phrase
from nova_acceptance.system import Front, System
from nova_acceptance.vantage.questions import Exchange, Resolve
from nova_acceptance.vantage.survey import Survey
from nova_acceptance.verification.vantage_points import VantagePoints

pytestmark = pytest.mark.dns

AT_ONCE = 1.0
"""Seconds within which an absent name is said to be absent."""
TRANSPORTS = {"UDP": False, "TCP": True}


@pytest.fixture
def addresses(objects: Objects, front: Front) -> set[str]:
    """What the API says a Service's name stands for."""
    return set(addresses_of(objects, front))


@pytest.fixture
def wanted(
    objects: Objects, front: Front, system: System, rdtype: str
) -> dict[str, frozenset[str]]:
    """The values of each name that the API implies for a Service, of one type."""
    records = expected_records(objects, front, system)
    return {record.name: record.values for record in records if record.rdtype == rdtype}


def who_asked(cause: str, pod: PodRef, front: Front) -> Ref:
    """Return at what it is that a name does not resolve: the pod that asked, or the Service."""
    if cause == "SEARCH_PATH_LOST":
        return Ref("Pod", pod.namespace, pod.name)
    return of_front(front)


def answered(names: Survey, pod: PodRef, name: str, rdtype: str, tcp: bool) -> bool:
    """Whether the name server said anything at all."""
    return names.answer(pod, Exchange(name, rdtype, tcp)).message is not None


@pytest.mark.means(
    "NAME_RESOLVES_WRONGLY", "DNS_WRONG_ANSWER", "NAME_UNRESOLVED", "SEARCH_PATH_LOST"
)
def test_service_resolves_in_every_form(
    names: Survey,
    namespace_pods: VantagePoints,
    front: Front,
    addresses: set[str],
    system: System,
) -> None:
    """From every namespace each form of the name gives an application the API's addresses."""
    for pod in namespace_pods.all().values():
        *short, full = forms(front.name, front.namespace, system)
        lookup = Lookup(
            full=full,
            by_full=names.answer(pod, Resolve(full)),
            by_form={form: names.answer(pod, Resolve(form)) for form in short},
            served=names.answer(pod, Exchange(front.full_name(system.zone), "A")),
            wanted=frozenset(addresses),
        )
        if found := of_lookup(lookup):
            raise BrokenClaimError(found.at(who_asked(found.cause, pod, front)))
    assert addresses


@pytest.mark.means("NAME_RESOLVES_WRONGLY", "SEARCH_PATH_LOST", "NAME_UNRESOLVED")
def test_service_resolves_by_its_bare_name_at_home_only(
    names: Survey, namespace_pods: VantagePoints, front: Front, addresses: set[str]
) -> None:
    """The bare name works within the namespace, and from another one does not exist."""
    home = names.answer(namespace_pods[front.namespace], Resolve(front.name))
    answers = {
        namespace: names.answer(pod, Resolve(front.name))
        for namespace, pod in namespace_pods.all().items()
        if namespace != front.namespace
    }

    if home.is_absent:
        cause = "SEARCH_PATH_LOST" if addresses else "NAME_UNRESOLVED"
        raise broken(
            cause,
            Phrase(
                "{service} does not resolve in its own namespace {namespace}",
                service=front.name,
                namespace=front.namespace,
            ),
            subject=who_asked(cause, namespace_pods[front.namespace], front),
        )
    assert home.addresses == addresses
    assert [namespace for namespace, answer in answers.items() if not answer.is_absent] == []


@pytest.mark.parametrize("rdtype", ["A", "SRV", "PTR"])
@pytest.mark.means("DNS_WRONG_ANSWER", "NAME_UNRESOLVED")
def test_records_equal_the_api(
    *,
    names: Survey,
    namespace_pods: VantagePoints,
    front: Front,
    wanted: dict[str, frozenset[str]],
    rdtype: str,
) -> None:
    """From every namespace, over UDP and TCP, the records served are those the API implies."""
    for pod in namespace_pods.all().values():
        for tcp in TRANSPORTS.values():
            served = {
                name: values(names.answer(pod, Exchange(name, rdtype, tcp)), rdtype)
                for name in wanted
            }
            unanswered = [name for name in wanted if not answered(names, pod, name, rdtype, tcp)]
            what = Phrase("the DNS gives {pod} no answer for", pod=pod)
            none_of(unanswered, "NAME_UNRESOLVED", what)
            assert served == wanted
    if not wanted:
        said = Phrase("nothing is behind {service}, so it has no records", service=front.name)
        raise broken("NAME_UNRESOLVED", said)


@pytest.mark.means("NAME_UNRESOLVED")
def test_pod_of_headless_service_has_a_name_of_its_own(
    names: Survey,
    namespace_pods: VantagePoints,
    objects: Objects,
    headless: Front,
    system: System,
) -> None:
    """From every namespace each pod's own name, in each form, gives that pod's address."""
    pods = {
        pod["metadata"]["name"]: pod["status"]["podIP"]
        for pod in objects.pods_of(headless.workload)
    }
    wrong = {
        (namespace, form): answer.addresses
        for namespace, asker in namespace_pods.all().items()
        for name in pod_names(headless)
        for form in forms(name, headless.namespace, system)
        if (answer := names.answer(asker, Resolve(form))).addresses
        != {pods[name.partition(".")[0]]}
    }

    assert len(pods) == headless.workload.replicas
    assert wrong == {}


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.means("DNS_WRONG_ANSWER", "DNS_SLOW", "NAME_UNRESOLVED")
def test_absent_name_is_said_to_be_absent_at_once(
    names: Survey, namespace_pods: VantagePoints, absent: str, transport: str
) -> None:
    """A name that does not exist is NXDOMAIN, without waiting for anybody."""
    for pod in namespace_pods.all().values():
        answer = names.answer(pod, Exchange(absent, "A", TRANSPORTS[transport]))
        if answer.message is None:
            said = Phrase("the DNS gives {pod} no answer for {name}", pod=pod, name=absent)
            raise broken("NAME_UNRESOLVED", said)
        assert is_absent(answer)
        if answer.seconds >= AT_ONCE:
            said = Phrase(
                "{name} is said to be absent after {seconds:.1f} s",
                name=absent,
                seconds=answer.seconds,
            )
            raise broken("DNS_SLOW", said)


@pytest.mark.means("DNS_WRONG_ANSWER")
def test_absent_name_does_not_resolve(
    names: Survey, namespace_pods: VantagePoints, absent: str
) -> None:
    """To an application a name that does not exist is unknown, not a server that fails."""
    for pod in namespace_pods.all().values():
        assert names.answer(pod, Resolve(f"{absent}.")).is_absent


@pytest.mark.means("DNS_WRONG_ANSWER", "NAME_UNRESOLVED")
def test_name_without_records_of_a_type_still_exists(
    names: Survey,
    namespace_pods: VantagePoints,
    front: Front,
    addresses: set[str],
    system: System,
) -> None:
    """Asked for a type that it has no record of, the name is not denied (NOERROR, no answer)."""
    for pod in namespace_pods.all().values():
        answer = names.answer(pod, other_family(front, system))
        if answer.message is None:
            said = Phrase("the DNS gives {pod} no answer for {name}", pod=pod, name=front.name)
            raise broken("NAME_UNRESOLVED", said)
        if answer.message.rcode() == dns.rcode.NXDOMAIN and not addresses:
            said = Phrase("nothing is behind the name {name}", name=front.name)
            raise broken("NAME_UNRESOLVED", said)
        assert answer.message.rcode() == dns.rcode.NOERROR
        assert answer.message.answer == []


@pytest.mark.means("DNS_NO_SPECIFICATION")
def test_dns_follows_the_specification(
    names: Survey, namespace_pods: VantagePoints, system: System
) -> None:
    """The name server says which version of the specification it follows."""
    for pod in namespace_pods.all().values():
        assert values(names.answer(pod, schema_version(system)), "TXT") == {SCHEMA_VERSION}
