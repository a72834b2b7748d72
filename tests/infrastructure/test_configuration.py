"""ConfigMaps and Secrets with their keys; a Secret's value is never shown."""

from __future__ import annotations

import pytest

from nova_acceptance.components.kubernetes import checks
from nova_acceptance.components.kubernetes.seen import Seen
from nova_acceptance.system import Configuration, System

pytestmark = pytest.mark.configuration


def test_configuration_has_exactly_its_keys(objects: Seen, configuration: Configuration) -> None:
    """The ConfigMap or Secret has the keys of nova.yaml and no others."""
    assert checks.configuration.wrong_keys(objects, configuration) == []


def test_configuration_has_no_empty_value(objects: Seen, configuration: Configuration) -> None:
    """Behind every key there is something."""
    assert checks.configuration.unfit_values(objects, configuration) == []


def test_configuration_tells_where_the_service_is(
    objects: Seen, addressed: tuple[Configuration, str], system: System
) -> None:
    """The key holds the service's address, by its full name and port."""
    assert checks.configuration.wrong_address(objects, system, *addressed) == []
