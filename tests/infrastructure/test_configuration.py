"""ConfigMaps and Secrets with their keys; a Secret's value is never shown."""

from __future__ import annotations

import pytest

from nova_acceptance.claims import broken, exactly
from nova_acceptance.components.kubernetes.seen import Seen
from nova_acceptance.phrase import Phrase, verbatim
from nova_acceptance.system import Configuration, System, parts

pytestmark = pytest.mark.configuration


def data_of(objects: Seen, configuration: Configuration) -> dict[str, str]:
    """Return what the ConfigMap or Secret holds; that it is there is claimed as well."""
    found = objects.find(configuration.kind, configuration.name, configuration.namespace)
    if found is None:
        where = f"{configuration.kind} {configuration.namespace}/{configuration.name}"
        raise broken("CONFIGURATION_MISSING", Phrase("there is no {where}", where=where))
    return found.get("data") or {}


@pytest.mark.means(
    "CONFIGURATION_KEY_MISSING", "CONFIGURATION_MISSING", "CONFIGURATION_KEY_UNDECLARED"
)
def test_configuration_has_exactly_its_keys(objects: Seen, configuration: Configuration) -> None:
    """The ConfigMap or Secret has the keys of nova.yaml and no others."""
    data = data_of(objects, configuration)
    exactly(
        data if configuration.exactly else data.keys() & configuration.keys.keys(),
        configuration.keys,
        lacking="CONFIGURATION_KEY_MISSING",
        beyond="CONFIGURATION_KEY_UNDECLARED",
        what=verbatim(f"{configuration.kind} {configuration.name}"),
    )


@pytest.mark.means("CONFIGURATION_KEY_MISSING", "CONFIGURATION_MISSING")
def test_configuration_has_no_empty_value(objects: Seen, configuration: Configuration) -> None:
    """Behind every key there is something."""
    data = data_of(objects, configuration)

    assert [key for key, value in data.items() if not value.strip()] == []


@pytest.mark.means("ADDRESS_WRONG", "CONFIGURATION_MISSING")
def test_configuration_tells_where_the_service_is(
    objects: Seen, addressed: tuple[Configuration, str], system: System
) -> None:
    """The key holds the service's address, by its full name and port."""
    configuration, key = addressed
    component = system.component(str(configuration.keys[key].address))
    front = parts.front_of(component)

    assert front is not None
    assert (
        data_of(objects, configuration).get(key)
        == f"http://{front.full_name(system.zone)}:{component.client_port}"
    )
