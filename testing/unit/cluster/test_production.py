"""What looks like production, and what does not."""

from __future__ import annotations

import pytest

from nova_acceptance.cluster.production import is_production, of_labels, signs


@pytest.mark.parametrize(
    "name",
    [
        "prod",
        "PROD",
        "production",
        "nova-prd",
        "prod01",
        "eu-prod-1",
        "live_eu",
        "gke_company_europe-west1_production",
        "arn:aws:eks:eu-west-1:123456789012:cluster/live",
        "admin@prod.example.com",
        "k8s.prod.example.com:6443",
        "pre-prod-and-prod",
        "copy-of-prod",
    ],
)
def test_name_of_production_is_seen(name: str) -> None:
    assert is_production(name)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "kind-nova",
        "product-dev",
        "products",
        "reproduction",
        "nonprod",
        "non-prod",
        "non_production",
        "preprod",
        "pre-prod",
        "not-live",
        "delivery",
        "alive",
        "liveness",
        "lived",
        "staging.example.com:6443",
    ],
)
def test_other_names_are_not_taken_for_it(name: str) -> None:
    assert not is_production(name)


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("environment", "production", True),
        ("env", "prod", True),
        ("example.com/environment", "live", True),
        ("company.example/cluster-stage", "eu-prod", True),
        ("example.com/production", "true", True),
        ("node-role.kubernetes.io/production", "", True),
        ("example.com/production", "false", False),
        ("environment", "non-prod", False),
        ("environment", "staging", False),
        ("prod.example.com/team", "search", False),
        ("kubernetes.io/hostname", "prod-1", False),
        ("app", "live", False),
    ],
)
def test_label_says_so_by_its_name_and_its_value(key: str, value: str, says: bool) -> None:
    assert list(of_labels({key: value, "zone": "a"})) == ([f"{key}={value}"] if says else [])


def test_each_sign_is_told_with_where_it_is() -> None:
    found = signs(
        {"context": "nova", "API": "k8s.prod.example.com:443"},
        {"Node a": {"env": "prod"}, "Node b": {}},
    )

    assert found == ["API: k8s.prod.example.com:443", "Node a: label env=prod"]
