"""The parts that tests run over, worked out from nova.yaml."""

from __future__ import annotations

from pathlib import Path

import pytest

from nova_acceptance.system import System, load, parts
from nova_acceptance.system.quantity import octets


@pytest.fixture(scope="module")
def system() -> System:
    return load(Path(__file__).parents[3] / "nova.yaml")


def test_passages_lead_from_every_service_to_everything_else(system: System) -> None:
    names = {passage.name for passage in parts.passages(system)}

    assert "user-service to redis-service:6379" in names
    assert "user-service to postgres:8008" in names
    assert "user-service to auth-service:8084" in names
    assert "user-service to user-service:8080" not in names
    assert len(names) == len(system.services) * (len(parts.doors(system)) - 1)


def test_reaches_leave_out_owners_and_superusers(system: System) -> None:
    names = {reach.name for reach in parts.reaches(system)}

    assert names == {
        "app_user in nova_auth",
        "app_user in nova_messaging",
        "replication_user in nova_auth",
        "replication_user in nova_messaging",
    }


def test_reach_denies_what_is_not_granted(system: System) -> None:
    reach = next(reach for reach in parts.reaches(system) if reach.name == "app_user in nova_auth")

    assert reach.on_schema("auth") == {"USAGE"}
    assert reach.on_schema("public") == frozenset()
    assert reach.on_tables_of("public") == frozenset()
    assert reach.on_sequences_of("streaming") == {"USAGE", "SELECT"}


def test_uses_are_inside_or_outside(system: System) -> None:
    inside = {use.name for use in parts.uses(system, inside=True)}
    outside = {use.name for use in parts.uses(system, inside=False)}

    assert "search-service to nova_auth" in inside
    assert outside == {
        "user-service to kafka",
        "search-service to clickhouse",
        "streaming-api to kafka",
        "messaging-service to kafka",
    }


@pytest.mark.parametrize(
    ("quantity", "bytes_"),
    [("2Gi", 2 * 1024**3), ("500M", 500_000_000), ("1024", 1024), ("1Ki", 1024), ("3k", 3000)],
)
def test_quantity_is_in_bytes(quantity: str, bytes_: int) -> None:
    assert octets(quantity) == bytes_


@pytest.mark.parametrize("quantity", ["", "Gi", "1Gib", "1.5Gi", "many"])
def test_odd_quantity_is_refused(quantity: str) -> None:
    with pytest.raises(ValueError, match=r"quantity|invalid literal"):
        octets(quantity)
