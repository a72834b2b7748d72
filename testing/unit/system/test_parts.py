"""The parts that tests run over, worked out from nova.yaml."""

from __future__ import annotations

from pathlib import Path

import pytest

from nova_acceptance.components.postgres.parts import reaches, strangers, writers
from nova_acceptance.components.postgres.spec import Postgres
from nova_acceptance.components.registry import load
from nova_acceptance.system import System, parts
from testing.unit.system.specs import changed

ROOT = Path(__file__).parents[3]
EXAMPLES = ROOT / "examples"


@pytest.fixture(scope="module")
def system() -> System:
    return load(ROOT / "nova.yaml")


def test_passages_lead_from_every_service_to_everything_else(system: System) -> None:
    names = {passage.name for passage in parts.passages(system)}

    assert "user-service to redis-service:6379" in names
    assert "user-service to postgres:8008" in names
    assert "user-service to auth-service:8084" in names
    assert "user-service to user-service:8080" not in names
    of_services = {name for name in names if not name.startswith("postgres ")}
    assert len(of_services) == len(system.services) * (len(parts.doors(system)) - 1)


def test_component_reaches_what_it_needs(system: System) -> None:
    names = {passage.name for passage in parts.passages(system)}

    assert "postgres to etcd:2379" in names
    assert "postgres to etcd:2380" not in names
    assert "redis to etcd:2379" not in names


def test_only_what_is_used_is_judged_where_nothing_else_is_declared() -> None:
    system = load(EXAMPLES / "single-postgres" / "nova.yaml")

    names = {passage.name for passage in parts.passages(system)}

    assert "cart to postgres:5432" in names
    assert not any("cart to catalog" in name for name in names)


def test_reaches_leave_out_owners_and_superusers(system: System) -> None:
    (postgres,) = system.of(Postgres)

    assert {reach.name for reach in reaches(postgres)} == {
        "app_user in nova_auth",
        "app_user in nova_messaging",
        "replication_user in nova_auth",
        "replication_user in nova_messaging",
    }
    assert [reach.name for reach in strangers(postgres)] == [
        "replication_user in nova_auth",
        "replication_user in nova_messaging",
    ]
    assert [reach.name for reach in writers(postgres)] == ["app_user in nova_auth"]


def test_reach_denies_what_is_not_granted(system: System) -> None:
    (postgres,) = system.of(Postgres)
    reach = next(reach for reach in reaches(postgres) if reach.name == "app_user in nova_auth")

    assert reach.on_schema("auth") == {"USAGE"}
    assert reach.on_schema("public") == frozenset()
    assert reach.on_tables_of("public") == frozenset()
    assert reach.on_sequences_of("streaming") == {"USAGE", "SELECT"}


def test_urls_are_inside_or_outside(system: System) -> None:
    inside = {url.name for url in parts.urls(system, inside=True)}
    outside = {url.name for url in parts.urls(system, inside=False)}

    assert "search-service to nova_auth" in inside
    assert outside == {
        "user-service to kafka",
        "search-service to clickhouse",
        "streaming-api to kafka",
        "messaging-service to kafka",
    }


def test_url_of_the_configuration_has_no_component() -> None:
    system = changed(
        "keys: {REDIS_PASSWORD: password}", "keys: {REDIS_PASSWORD: password, URL: {url: redis}}"
    )

    url = next(url for url in parts.urls(system, inside=True) if url.source is None)

    assert (url.holder, url.key) == (("Secret", "nova-redis", "redis-credentials"), "URL")
    assert url.name == "URL to redis"
