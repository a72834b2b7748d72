"""nova.yaml is read as it is, and a wrong one is refused with file, line and field."""

from __future__ import annotations

from pathlib import Path

import pytest

from nova_acceptance.components.etcd.spec import Etcd
from nova_acceptance.components.http.spec import Http
from nova_acceptance.components.postgres.spec import Postgres
from nova_acceptance.components.redis.spec import Redis
from nova_acceptance.components.registry import load
from nova_acceptance.errors import SpecError
from nova_acceptance.findings import Ref
from nova_acceptance.system import System
from testing.unit.system.specs import NOVA, TEXT, changed, spec

EXAMPLES = sorted(
    path
    for path in (NOVA.parent / "examples").glob("*/nova.yaml")
    if not (path.parent / "pyproject.toml").exists()  # it brings a kind of its own
)


@pytest.fixture(scope="module")
def system() -> System:
    return load(NOVA)


def line_of(part: str) -> int:
    return TEXT[: TEXT.index(part)].count("\n") + 1


def refusal(directory: Path, text: str) -> SpecError:
    path = directory / "nova.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SpecError) as caught:
        load(path)
    return caught.value


def test_nova_has_twelve_pods(system: System) -> None:
    assert sum(workload.replicas for workload in system.every_workload) == 12


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.parent.name)
def test_example_is_a_spec(path: Path) -> None:
    assert load(path).components


def test_namespaces_are_those_of_the_components(system: System) -> None:
    assert system.namespaces == ("nova-redis", "nova-database", "nova-services")


def test_service_is_one_line(system: System) -> None:
    first = "  - {kind: http, name: user-service"
    line = (
        "  - {kind: http, name: new-api, namespace: nova-services, port: 9000,"
        " uses: [nova_auth, redis]}\n"
    )

    larger = changed(first, f"{line}{first}")

    assert len(larger.every_workload) == len(system.every_workload) + 1
    secret = next(item for item in larger.every_configuration if item.name == "new-api-secrets")
    assert list(secret.keys) == ["DATABASE_URL", "REDIS_URL"]
    assert secret.keys["REDIS_URL"].url == "redis"
    config = next(item for item in larger.every_configuration if item.name == "services-config")
    assert config.keys["NEW_API_URL"].address == "new-api"


def test_claims_are_one_a_replica(system: System) -> None:
    claims = [claim.name for claim in system.component("etcd").workload.claimed]

    assert claims == ["data-etcd-0", "data-etcd-1", "data-etcd-2"]


def test_ungranted_database_grants_nothing(system: System) -> None:
    (postgres,) = system.of(Postgres)
    grant = postgres.role("replication_user").grant_in("nova_auth")

    assert (grant.on_database, grant.on_tables) == ((), ())


def test_store_of_patroni_is_needed_without_a_url(system: System) -> None:
    (postgres,) = system.of(Postgres)

    assert postgres.needs == ("etcd",)
    assert [each.name for each in postgres.services if each.role] == [
        "postgres-primary",
        "postgres-replicas",
    ]
    assert postgres.client_service is not None
    assert postgres.client_service.name == "postgres-primary"


def test_system_without_any_store() -> None:
    system = spec("components: [{kind: http, name: web, namespace: web, port: 80}]")

    assert (system.of(Redis), system.of(Postgres), system.of(Etcd)) == ((), (), ())
    assert system.component("web").targets == ("web",)
    assert system.every_configuration == ()


def test_several_of_a_kind_are_told_apart() -> None:
    system = spec(
        """
components:
  - kind: redis
    name: sessions
    namespace: a
    services: [{name: redis, ports: {redis: 6379}}]
    workload: {name: redis}
    password: {secret: auth, key: pw}
  - kind: redis
    name: cache
    namespace: b
    services: [{name: redis, ports: {redis: 6379}}]
    workload: {name: redis, kind: Deployment}
    persistence: none
  - kind: http
    name: web
    namespace: b
    port: 80
    uses:
      - {name: sessions, secret: web-env, key: sessions-url, env: SESSIONS_URL}
      - {name: cache, config_map: web-config, key: cache-url}
"""
    )
    sessions, cache = system.of(Redis)
    web = system.component("web")

    assert (sessions.password is None, cache.password is None) == (False, True)
    assert (cache.workload.name, cache.workload.kind) == ("redis", "Deployment")
    assert [system.holder_of(web, use) for use in web.uses] == [
        Ref("Secret", web.namespace, "web-env"),
        Ref("ConfigMap", web.namespace, "web-config"),
    ]
    assert [system.env_of(web, use) for use in web.uses] == ["SESSIONS_URL", None]


@pytest.mark.parametrize(
    ("env", "variable"),
    [
        ("true", "redis-url"),
        ("false", None),
        ('"{KEY}"', "REDIS_URL"),
        ('"APP_{KEY}"', "APP_REDIS_URL"),
        ('"app.{key}"', "app.redis-url"),
    ],
)
def test_convention_names_the_variable_of_a_key(env: str, variable: str | None) -> None:
    system = spec(
        f"""
components:
  - {{kind: redis, name: redis, namespace: a, services: [{{name: redis, ports: {{redis: 6379}}}}]}}
  - {{kind: http, name: web, namespace: a, port: 80, uses: [redis]}}
conventions: {{keys: {{redis: redis-url}}, env: {env}}}
"""
    )
    web = system.component("web")

    assert [system.env_of(web, use) for use in web.uses] == [variable]


def test_database_of_one_of_two_servers_is_named_with_its_server() -> None:
    server = """
  - kind: postgres
    name: {name}
    namespace: {name}
    services: [{{name: db, ports: {{sql: 5432}}}}]
    databases: [{{name: app, owner: postgres, schemas: {{public: postgres}}}}]
    roles: [{{name: postgres, attributes: [SUPERUSER, LOGIN], password: {{secret: s, key: k}}}}]"""
    web = "\n  - {{kind: http, name: web, namespace: web, port: 80, uses: [{use}]}}\n"
    two = f"components:{server.format(name='one')}{server.format(name='two')}"

    system = spec(two + web.format(use="two/app"))

    owner = system.owner_of("two/app")
    assert owner is not None
    assert owner.name == "two"
    with pytest.raises(SpecError, match="app is there twice: write two/app"):
        spec(two + web.format(use="app"))


def test_health_may_be_told_otherwise() -> None:
    system = spec(
        "components: [{kind: http, name: web, namespace: web, port: 80, target: http,"
        " ports: {metrics: 9100}, health: {path: /, status: 204}}]"
    )
    (web,) = system.of(Http)

    assert web.health is not None
    assert (web.health.path, web.health.status, web.health.names_itself) == ("/", 204, None)
    assert web.workload.services[0].ports == {"http": 80, "metrics": 9100}
    assert web.workload.services[0].targets == {"http": "http"}


@pytest.mark.parametrize(
    ("old", "new", "field", "message"),
    [
        ("port: 8086", "port: 80860", "components[5].port", "less than or equal to 65535"),
        ("port: 8086", "port: eight", "components[5].port", "must be a whole number"),
        ("port: 8086", "port: true", "components[5].port", "must be a whole number"),
        ("port: 8086", "prot: 8086", "components[5].prot", "is not a known key"),
        ("kind: etcd", "kind: consul", "components[1].kind", "there is no kind 'consul'"),
        (
            "{replicas: 3, claims: {data: 1Gi}}",
            "{replicas: 0}",
            "components[1].workload.replicas",
            "greater than or equal to 1",
        ),
        (
            "{claims: {data: 2Gi}}",
            "{kind: CronJob}",
            "components[0].workload.kind",
            "'Deployment'",
        ),
        ("{data: 2Gi}", "{data: 2 Gi}", "components[0].workload.claims.data", "does not match"),
        ("{data: 2Gi}", "[data]", "components[0].workload.claims", "must be a mapping"),
        ("owner: nova_owner", "owner: no", "components[2].databases[0].owner", "must be text"),
        ("uses: [nova_auth, redis, kafka]", "uses: nova_auth", "components[3].uses", "a list"),
        ("redis, kafka]", "redis, kfka]", "components[3].uses[2]", "kfka is neither"),
        ("name: auth-service", "name: user-service", "components[4].name", "is there twice"),
        (
            'version: "7."',
            "client: cache",
            "components[0].client",
            "redis has no service called cache",
        ),
        (
            'version: "7."',
            "sentinel: {service: watch}",
            "components[0].sentinel.service",
            "has a Service watch",
        ),
        (
            "key: REDIS_PASSWORD}",
            "key: REDIS}",
            "components[0]",
            "the Secret redis-credentials has no key REDIS",
        ),
        ("store: etcd", "store: consul", "components[2]", "no component is called so"),
        (
            "schemas: [auth, streaming]",
            "schemas: [auth, stream]",
            "components[2].roles[3].grants[0].schemas[1]",
            "nova_auth has no schema called stream",
        ),
        (
            "owner: nova_owner",
            "owner: nova_owners",
            "components[2].databases[0].owner",
            "no role is called nova_owners",
        ),
        (
            "{from: nova-services,",
            "{from: nova-servces,",
            "reachability.open[0].from",
            "no component or namespace is called nova-servces",
        ),
    ],
)
def test_mistake_is_refused_with_line_and_field(
    tmp_path: Path, old: str, new: str, field: str, message: str
) -> None:
    wrong = TEXT.replace(old, new, 1)
    assert wrong != TEXT

    error = refusal(tmp_path, wrong)

    place, _, said = error.message.partition(f": {field}: ")
    assert place.startswith(f"{tmp_path / 'nova.yaml'}:")
    assert message in said
    assert error.hint
    if not field.endswith("]"):
        assert place.endswith(f":{line_of(old)}")


def test_key_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    error = refusal(tmp_path, f"zone: a.b\nzone: other\n{TEXT}")

    assert error.message.endswith("nova.yaml:2: zone: is there twice")


def test_missing_field_is_refused_at_what_lacks_it(tmp_path: Path) -> None:
    error = refusal(tmp_path, TEXT.replace("    namespace: nova-redis\n", "", 1))

    line = line_of("  - kind: redis")
    assert error.message.endswith(f":{line}: components[0].namespace: is missing")


def test_every_mistake_is_told_at_once(tmp_path: Path) -> None:
    error = refusal(
        tmp_path, TEXT.replace("port: 8086", "port: 0").replace("port: 3000", "port: x")
    )

    assert "components[5].port" in error.message
    assert [line for line in error.evidence if "components[7].port" in line]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "must be a mapping"),
        ("- a\n- b\n", "must be a mapping"),
        ("a: [1\n", "nova.yaml:2:"),
        ("? [a]\n: b\n", "a key must be a plain word"),
        ("a: *nowhere\n", "undefined alias"),
        ("a: b\n---\nc: d\n", "another document"),
        ("components: [{name: x}]", "has no kind"),
    ],
)
def test_text_that_is_no_mapping_is_refused(tmp_path: Path, text: str, message: str) -> None:
    assert message in str(refusal(tmp_path, text))


def test_absent_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="cannot be read: No such file"):
        load(tmp_path / "nova.yaml")
