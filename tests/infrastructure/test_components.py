"""Components of kinds that other packages bring, by the checks that come with them."""

from __future__ import annotations

from nova_acceptance.components.kind import ComponentCheck
from nova_acceptance.verification.access import Clients


def test_component_is_as_its_kind_checks(clients: Clients, component_check: ComponentCheck) -> None:
    """What the kind of the component checks of it is as it should be."""
    assert component_check.found(clients.of(component_check.component)) == []
