"""ConfigMaps and Secrets with their keys; a Secret's value is never shown."""

from __future__ import annotations

import pytest

from nova_acceptance.probes.objects import Objects
from nova_acceptance.system import Configuration, Service, System, parts

pytestmark = pytest.mark.configuration


def test_configuration_has_exactly_its_keys(objects: Objects, configuration: Configuration) -> None:
    """The ConfigMap or Secret has the keys of nova.yaml and no others."""
    found = objects.find(configuration.kind, configuration.name, configuration.namespace)

    assert found is not None
    assert set(found["data"]) == set(configuration.keys)


def test_configuration_has_no_empty_value(objects: Objects, configuration: Configuration) -> None:
    """Behind every key there is something."""
    found = objects.find(configuration.kind, configuration.name, configuration.namespace)

    assert found is not None
    assert [key for key, value in found["data"].items() if not value.strip()] == []


def test_configuration_tells_where_the_service_is(
    objects: Objects, service: Service, system: System
) -> None:
    """A ConfigMap of the namespace holds the service's address, by its full name and port."""
    front = next(f for f in parts.fronts(system) if f.name == service.name)
    told = [
        (objects.find("ConfigMap", item.name, item.namespace) or {}).get("data", {})
        for item in system.every_configuration
        if item.addresses and item.namespace == service.namespace
    ]

    assert [data.get(service.address_key) for data in told] == [
        f"http://{front.full_name(system.zone)}:{service.port}"
    ] * len(told)
    assert told
