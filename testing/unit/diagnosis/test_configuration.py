"""Configuration that leads nowhere, or lacks something."""

from __future__ import annotations

from typing import Any

import pytest

from nova_acceptance.components.kubernetes.marks import mark
from nova_acceptance.components.kubernetes.shapes import shape, without_values
from nova_acceptance.diagnosis import beforehand
from nova_acceptance.findings import Ref
from nova_acceptance.kube import Object
from nova_acceptance.kube.snapshot import Snapshot
from testing.unit.diagnosis.rendered import Nova

SECRET = "Secret/user-service-secrets"
USER_SECRETS = Ref("Secret", "nova-services", "user-service-secrets")
CONFIG = Ref("ConfigMap", "nova-services", "services-config")


@pytest.fixture
def nova() -> Nova:
    return Nova()


@pytest.mark.parametrize("knows_nova", [True, False])
def test_nova_as_it_is_rendered_has_nothing_wrong(nova: Nova, *, knows_nova: bool) -> None:
    assert nova.diagnoses(knows_nova=knows_nova) == []


@pytest.mark.parametrize("knows_nova", [True, False])
@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("redis-service.nova-redis", "cache-old.nova-redis"),
        ("redis-service.nova-redis.svc.cluster.local", "cache-old"),
        ("redis-service.nova-redis.svc.cluster.local", "cache-old.nova-redis"),
        ("redis-service.nova-redis", "redis-service.gone"),
        ("redis-service.nova-redis.svc.cluster.local", "redis-service.nova-old"),
    ],
)
def test_url_of_a_service_that_is_gone(nova: Nova, old: str, new: str, *, knows_nova: bool) -> None:
    nova.rewrite(SECRET, "REDIS_URL", old, new)

    assert nova.causes(knows_nova=knows_nova) == {"STALE_ENDPOINT_URL": USER_SECRETS}
    (found,) = nova.diagnoses()
    assert "REDIS_URL" in found.summary
    assert found.headline.isprintable()


def test_stale_url_names_what_there_is_instead(nova: Nova) -> None:
    nova.rewrite(SECRET, "REDIS_URL", "redis-service.", "cache-old.")

    (found,) = nova.diagnoses()
    assert "redis-service" in found.cure
    assert "read by Deployment nova-services/user-service" in found.evidence


def test_service_that_is_missing_is_not_its_urls_fault(nova: Nova) -> None:
    nova.remove("Service/redis-service")

    assert nova.causes() == {"SERVICE_MISSING": Ref("Service", "nova-redis", "redis-service")}


def test_name_outside_the_cluster_is_not_stale(nova: Nova) -> None:
    nova.rewrite(SECRET, "KAFKA_BROKERS", "kafka.nova.internal", "kafka")

    assert nova.causes() == {}


def test_nothing_is_stale_where_services_were_not_listed(nova: Nova) -> None:
    nova.rewrite(SECRET, "REDIS_URL", "redis-service.", "cache-old.")
    snapshot = nova.snapshot()
    snapshot.listed = {("Secret", ""), ("Deployment", "")}

    assert [each.cause for each in beforehand(snapshot)] == ["URL_TARGET_WRONG"]


def workload(**container: Any) -> Object:
    labels = {"app": "shop"}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "shop", "namespace": "shop"},
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {"containers": [{"name": "main", "image": "shop:2", **container}]},
            },
        },
    }


def service(name: str, port: int = 5432, namespace: str = "shop") -> Object:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"ports": [{"port": port}]},
    }


def causes_of(*objects: Object) -> list[str]:
    namespace: Object = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}
    return [str(found.cause) for found in beforehand(Snapshot.of([namespace, *objects]))]


def env(name: str, value: str) -> dict[str, Any]:
    return {"env": [{"name": name, "value": value}]}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("DATABASE_URL", "postgres://shop:secret@db-old:5432/shop"),
        ("DATABASE_URL", "jdbc:postgresql://db-old/shop"),
        ("DB_HOST", "db-old"),
        ("UPSTREAM", "db-old:5432"),
        ("PEERS", "a=http://db:5432,b=http://db-old:5432"),
        ("DATABASE_URL", "postgres://db-old.shop.svc:5432/shop"),
        ("DATABASE_URL", "mongodb://u:p@db-0.db-old.shop.svc.cluster.local:27017/x"),
    ],
)
def test_stale_name_of_any_workload(key: str, value: str) -> None:
    assert causes_of(workload(**env(key, value)), service("db")) == ["STALE_ENDPOINT_URL"]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("DATABASE_URL", "postgres://shop:secret@db:5432/shop"),
        ("DATABASE_URL", "postgres://db.example.com/shop"),
        ("UPSTREAM_URL", "https://api.github.io/x"),
        ("UPSTREAM_URL", "https://example.com"),
        ("IMAGE", "redis:7"),
        ("SIDECAR", "redis:7"),
        ("BUCKET_URL", "s3://photographs/2024"),
        ("LISTEN_ADDR", "shop:8080"),
        ("CALLBACK_URL", "http://localhost:8080"),
        ("QUEUES", "high:100,low:10"),
        ("POD_HOST", "whatever"),
        ("SELF_URL", "http://shop:8080"),
        ("GREETING", "hello world"),
        ("DATABASE_URL", "sqlite://local/x"),
        ("CONFIG", "# upstream: http://old-name:80\nupstream: http://db:5432\nlevel:80"),
        ("PEERS", "db-0.db:5432,db-1.db:5432"),
    ],
)
def test_what_is_no_stale_name(key: str, value: str) -> None:
    assert causes_of(workload(**env(key, value)), service("db")) == []


def test_name_in_the_pods_own_hosts_file_is_not_stale() -> None:
    user = workload(**env("DATABASE_URL", "postgres://db-old:5432/shop"))
    user["spec"]["template"]["spec"]["hostAliases"] = [{"ip": "192.0.2.1", "hostnames": ["db-old"]}]

    assert causes_of(user) == []


def test_stale_name_in_a_files_text() -> None:
    user = workload(envFrom=[{"configMapRef": {"name": "proxy"}}])
    text = "server:\n  upstream: http://db-old.shop.svc:80\n"
    config: Object = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "proxy", "namespace": "shop"},
        "data": {"proxy.yaml": text},
    }

    assert causes_of(user, config, service("db")) == ["STALE_ENDPOINT_URL"]


def test_port_that_the_service_does_not_have(nova: Nova) -> None:
    nova.rewrite(SECRET, "REDIS_URL", ":6379", ":6380")

    assert nova.causes() == {"URL_PORT_WRONG": USER_SECRETS}
    assert nova.causes(knows_nova=False) == {"URL_PORT_WRONG": USER_SECRETS}


@pytest.mark.parametrize(("port", "causes"), [("5432", []), ("5433", ["URL_PORT_WRONG"])])
def test_host_and_port_under_keys_of_their_own(port: str, causes: list[str]) -> None:
    apart = {"env": [{"name": "DB_HOST", "value": "db"}, {"name": "DB_PORT", "value": port}]}

    assert causes_of(workload(**apart), service("db")) == causes


@pytest.mark.parametrize(("host", "causes"), [("db", []), ("db-old", ["STALE_ENDPOINT_URL"])])
def test_host_in_a_secret(host: str, causes: list[str]) -> None:
    user = workload(envFrom=[{"secretRef": {"name": "keys"}}])
    keys = secret("keys", "shop", DB_HOST=host, DB_PORT="5432", DB_PASSWORD="correct-horse")

    assert "correct-horse" not in str(keys)
    assert causes_of(user, keys, service("db")) == causes


def test_any_port_of_a_headless_service_may_be_asked_for() -> None:
    headless = service("db")
    headless["spec"]["clusterIP"] = "None"

    assert causes_of(workload(**env("DB_URL", "tcp://db:9999")), headless) == []


@pytest.mark.parametrize(
    "new",
    [
        "http://search-service.nova-services.svc.cluster.local:8086",
        "http://auth.example.com:8084",
        "ftp://auth-service.nova-services.svc.cluster.local:8084",
        "soon",
    ],
)
def test_address_of_a_service_that_is_another(nova: Nova, new: str) -> None:
    nova["ConfigMap/services-config"]["data"]["AUTH_SERVICE_URL"] = new

    assert nova.causes() == {"ADDRESS_WRONG": CONFIG}


def test_address_of_a_service_that_is_gone_or_of_a_wrong_port(nova: Nova) -> None:
    nova.rewrite("ConfigMap/services-config", "AUTH_SERVICE_URL", "auth-service.", "login.")
    nova.rewrite("ConfigMap/services-config", "SEARCH_SERVICE_URL", "8086", "8087")

    assert nova.causes() == {"STALE_ENDPOINT_URL": CONFIG, "URL_PORT_WRONG": CONFIG}


def test_key_that_is_missing_empty_or_undeclared(nova: Nova) -> None:
    data = nova["ConfigMap/services-config"]["data"]
    del data["LOG_LEVEL"]
    assert nova.causes() == {"CONFIGURATION_KEY_MISSING": CONFIG}

    data |= {"LOG_LEVEL": " "}
    assert nova.causes() == {"CONFIGURATION_KEY_MISSING": CONFIG}

    data |= {"LOG_LEVEL": "info", "SURPLUS": "1"}
    assert nova.causes() == {"CONFIGURATION_KEY_UNDECLARED": CONFIG}


def test_empty_value_of_a_secret_is_seen_by_its_shape(nova: Nova) -> None:
    nova[SECRET]["data"]["KAFKA_BROKERS"] = shape(b" ")

    assert nova.causes() == {"CONFIGURATION_KEY_MISSING": USER_SECRETS}


def test_secret_that_is_missing_is_named_once(nova: Nova) -> None:
    nova.remove(SECRET)

    assert list(nova.causes()) == ["SECRET_MISSING"]


@pytest.mark.parametrize(
    ("old", "new", "cause"),
    [
        ("redis://", "rediss+x-", "URL_MALFORMED"),
        ("redis://", "http://", "URL_SCHEME_WRONG"),
        (
            "redis-service.nova-redis",
            "auth-service.nova-services",
            "URL_PORT_WRONG",
        ),
        ("redis-service.nova-redis.svc.cluster.local", "cache.example.com", "URL_TARGET_WRONG"),
        ("redis-service.nova-redis", "redis.nova-redis", "URL_TARGET_WRONG"),
    ],
)
def test_redis_url_against_nova_yaml(nova: Nova, old: str, new: str, cause: str) -> None:
    nova.rewrite(SECRET, "REDIS_URL", old, new)

    assert nova.causes()[cause] == USER_SECRETS


@pytest.mark.parametrize(
    ("old", "new", "cause"),
    [
        ("/nova_auth", "/nova_messaging", "URL_DATABASE_WRONG"),
        ("/nova_auth", "", "URL_DATABASE_WRONG"),
        ("app_user:", "replication_user:", "URL_USER_WRONG"),
        ("postgresql://", "mysql://", "URL_SCHEME_WRONG"),
        ("postgres-primary", "postgres-replicas", "URL_TARGET_WRONG"),
        ("postgres-primary.nova", "postgres-0.postgres.nova", "URL_TARGET_WRONG"),
    ],
)
def test_postgres_url_against_nova_yaml(nova: Nova, old: str, new: str, cause: str) -> None:
    nova.rewrite(SECRET, "DATABASE_URL", old, new)

    assert nova.causes()[cause] == USER_SECRETS


def test_postgres_and_postgresql_are_one_scheme(nova: Nova) -> None:
    nova.rewrite(SECRET, "DATABASE_URL", "postgresql://", "postgres://")

    assert nova.causes() == {}


def secret(name: str, namespace: str, **values: str) -> Object:
    metadata = {"name": name, "namespace": namespace}
    return without_values({"kind": "Secret", "metadata": metadata, "stringData": values})


def test_password_in_one_url_that_is_another_than_the_secrets(nova: Nova) -> None:
    text = nova[SECRET]["data"]["REDIS_URL"]
    other = f":{mark('correct-horse')}@"
    nova[SECRET]["data"]["REDIS_URL"] = f"redis://{other}{text.partition('@')[2]}"

    assert nova.causes() == {"URL_PASSWORD_WRONG": USER_SECRETS}
    (found,) = nova.diagnoses()
    assert "correct-horse" not in "".join((found.headline, *found.evidence))


def test_password_that_differs_from_every_url_is_the_odd_one(nova: Nova) -> None:
    nova.add(secret("redis-credentials", "nova-redis", REDIS_PASSWORD="another"))

    home = Ref("Secret", "nova-redis", "redis-credentials")
    assert nova.causes() == {"URL_PASSWORD_WRONG": home}


def test_url_without_a_password(nova: Nova) -> None:
    text = nova[SECRET]["data"]["REDIS_URL"]
    nova[SECRET]["data"]["REDIS_URL"] = f"redis://{text.partition('@')[2]}"

    assert nova.causes() == {"URL_PASSWORD_WRONG": USER_SECRETS}
