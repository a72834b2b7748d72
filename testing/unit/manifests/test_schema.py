"""Every rendered object against the API's schema."""

from __future__ import annotations

from typing import Any

import pytest

from testing.unit.manifests.objects import Overlay, identity
from testing.unit.manifests.schema import violations


def test_every_object_fits_the_schema_of_the_api(overlay: Overlay) -> None:
    found = {identity(obj): violations(obj) for obj in overlay.objects}

    assert not {name: wrong for name, wrong in found.items() if wrong}


@pytest.mark.parametrize(
    ("spec", "complaint"),
    [
        ({"ports": [{"port": 1}], "porst": []}, "spec.porst: Extra inputs are not permitted"),
        ({"ports": [{"port": "http"}]}, "spec.ports.0.port: Input should be a valid integer"),
        ({"ports": {"port": 1}}, "spec.ports: Input should be a valid list"),
        ({"ports": [{"name": "http"}]}, "spec.ports.0.port: Field required"),
    ],
)
def test_schema_finds_what_is_wrong(spec: dict[str, Any], complaint: str) -> None:
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "x"}, "spec": spec}

    assert violations(service) == [complaint]
