"""The parts that tests run over, worked out from nova.yaml."""

from __future__ import annotations

from pathlib import Path

import pytest

from nova_acceptance.components.postgres.parts import (
    PARTS,
    clients,
    denials,
    others_in,
    reaches,
    schemas,
    strangers,
    writers,
)
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


def deeds(old: str = "", new: str = "") -> set[str]:
    """Return what app_user must not do in nova_auth once a part of nova.yaml reads otherwise."""
    (postgres,) = changed(old, new).of(Postgres)
    return {
        str(each.deed.what)
        for each in denials(postgres)
        if each.reach.name == "app_user in nova_auth"
    }


@pytest.mark.parametrize(
    ("old", "new", "permitted"),
    [
        (
            "on_schemas: [USAGE]",
            "on_schemas: [USAGE, CREATE]",
            {"create a table", "create a view", "create a function"},
        ),
        ("on_database: [CONNECT]", "on_database: [CONNECT, CREATE]", {"create a schema"}),
        (
            "on_database: [CONNECT]",
            "on_database: [CONNECT, TEMPORARY]",
            {"create a temporary table"},
        ),
        (
            "on_tables: [SELECT, INSERT, UPDATE, DELETE]",
            "on_tables: [SELECT, TRUNCATE, TRIGGER]",
            {"truncate a table", "put a trigger on a table"},
        ),
        (
            "schemas: [auth, streaming]\n            on_schemas: [USAGE]",
            "schemas: [auth, public]\n            on_schemas: [USAGE, CREATE]",
            {"create a table", "create a table in public", "create a view", "create a function"},
        ),
        (
            "{public: nova_owner, auth: nova_owner",
            "{auth: nova_owner",
            {"create a table in public"},
        ),
        (
            'version: "15"\n    patroni',
            'version: "15"\n    public: not judged\n    patroni',
            {"create a table in public", "create a temporary table"},
        ),
        ("attributes: [LOGIN]", "attributes: [LOGIN, CREATEDB]", {"create a database"}),
        (
            "attributes: [LOGIN]",
            "attributes: [LOGIN, CREATEROLE]",
            {"create a role", "join the owner"},
        ),
    ],
)
def test_what_nova_yaml_permits_is_not_denied(old: str, new: str, permitted: set[str]) -> None:
    assert deeds() - deeds(old, new) == permitted


def test_role_that_stays_in_its_pod_is_no_client() -> None:
    (postgres,) = changed(
        "APP_USER_PASSWORD}\n", "APP_USER_PASSWORD}\n        over_the_network: false\n"
    ).of(Postgres)

    assert clients(postgres) == []
    assert writers(postgres) == []


def test_schema_of_whoever_owns_the_database_is_made_in_by_that_role() -> None:
    (postgres,) = changed("{public: nova_owner", "{public: pg_database_owner").of(Postgres)

    public, auth, *_ = schemas(postgres)

    assert (public.owner, public.maker) == ("pg_database_owner", "nova_owner")
    assert (auth.owner, auth.maker) == ("nova_owner", "nova_owner")
    assert [reach.name for reach in others_in(postgres, public)] == [
        "replication_user in nova_auth",
        "app_user in nova_auth",
    ]


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


@pytest.mark.parametrize(("replicas", "names"), [(1, []), (3, ["replication_user"])])
def test_nobody_follows_a_single_server(system: System, replicas: int, names: list[str]) -> None:
    (postgres,) = system.of(Postgres)
    runs = postgres.runs.model_copy(update={"replicas": replicas})

    found = PARTS["follower"](postgres.model_copy(update={"runs": runs}))
    assert [role.name for role in found] == names
