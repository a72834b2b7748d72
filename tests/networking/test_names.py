"""Names: every form from every namespace, every type of record, and the API's own view of them."""

from __future__ import annotations

import pytest

from nova_acceptance.components.dns import checks
from nova_acceptance.components.dns.client import Lookups
from nova_acceptance.system import Front

pytestmark = pytest.mark.dns


def test_service_resolves_in_every_form(lookups: Lookups, front: Front) -> None:
    """From every namespace each form of the name gives an application the API's addresses."""
    assert checks.unresolved_forms(lookups, front) == []


def test_service_resolves_by_its_bare_name_at_home_only(lookups: Lookups, front: Front) -> None:
    """The bare name works within the namespace, and from another one does not exist."""
    assert checks.wrong_bare_name(lookups, front) == []


@pytest.mark.parametrize("rdtype", ["A", "SRV", "PTR"])
def test_records_equal_the_api(lookups: Lookups, front: Front, rdtype: str) -> None:
    """From every namespace, over UDP and TCP, the records served are those the API implies."""
    assert checks.wrong_records(lookups, front, rdtype) == []


def test_pod_of_headless_service_has_a_name_of_its_own(lookups: Lookups, named_pods: Front) -> None:
    """From every namespace each pod's own name, in each form, gives that pod's address."""
    assert checks.wrong_pod_names(lookups, named_pods) == []


@pytest.mark.parametrize("transport", ["UDP", "TCP"])
def test_absent_name_is_said_to_be_absent_at_once(
    lookups: Lookups, absent: str, transport: str
) -> None:
    """A name that does not exist is NXDOMAIN, without waiting for anybody."""
    assert checks.undenied_name(lookups, absent, tcp=transport == "TCP") == []


def test_absent_name_does_not_resolve(lookups: Lookups, absent: str) -> None:
    """To an application a name that does not exist is unknown, not a server that fails."""
    assert checks.resolved_absent_name(lookups, absent) == []


def test_name_without_records_of_a_type_still_exists(lookups: Lookups, front: Front) -> None:
    """Asked for a type that it has no record of, the name is not denied (NOERROR, no answer)."""
    assert checks.denied_name(lookups, front) == []


def test_dns_follows_the_specification(lookups: Lookups) -> None:
    """The name server says which version of the specification it follows."""
    assert checks.unspecified_dns(lookups) == []
