"""The work by pytest-kubernetes: its fixture of an existing cluster, and its port-forwarding."""

from __future__ import annotations

import base64
import urllib.request
from collections.abc import Callable, Iterator

import psycopg
import pytest
import redis
from pytest_kubernetes.providers import AClusterManager

from benchmarks.peers.work import DATABASES, NAMES, SERVICES


@pytest.fixture(scope="session")
def k8s(k8s_manager: Callable[[str], type[AClusterManager]]) -> AClusterManager:
    cluster = k8s_manager("external")("peers")
    cluster.create()
    return cluster


def secret(k8s: AClusterManager, namespace: str, name: str, key: str) -> str:
    found = k8s.kubectl(["get", "secret", "-n", namespace, name])
    assert isinstance(found, dict)
    return base64.b64decode(found["data"][key]).decode()


@pytest.fixture(scope="session")
def redis_port(k8s: AClusterManager) -> Iterator[int]:
    with k8s.port_forwarding("service/redis-service", 16379, 6379, "nova-redis"):
        yield 16379


@pytest.fixture(scope="session")
def postgres_port(k8s: AClusterManager) -> Iterator[int]:
    with k8s.port_forwarding("service/postgres-primary", 15432, 5432, "nova-database"):
        yield 15432


def test_redis_answers(k8s: AClusterManager, redis_port: int) -> None:
    password = secret(k8s, "nova-redis", "redis-credentials", "REDIS_PASSWORD")
    assert redis.Redis(port=redis_port, password=password).ping()


def test_redis_refuses(redis_port: int) -> None:
    with pytest.raises(redis.AuthenticationError):
        redis.Redis(port=redis_port).ping()


@pytest.mark.parametrize("database", DATABASES)
def test_database_answers(k8s: AClusterManager, postgres_port: int, database: str) -> None:
    password = secret(k8s, "nova-database", "postgres-credentials", "APP_USER_PASSWORD")
    at = f"host=127.0.0.1 port={postgres_port} user=app_user dbname={database}"
    with psycopg.connect(at, password=password) as connection:
        assert connection.execute("select 1").fetchone() == (1,)


@pytest.mark.parametrize("database", DATABASES)
def test_database_refuses(postgres_port: int, database: str) -> None:
    at = f"host=127.0.0.1 port={postgres_port} user=app_user dbname={database}"
    with pytest.raises(psycopg.OperationalError, match="authentication failed"):
        psycopg.connect(at, password="wrong")


@pytest.mark.parametrize("name", NAMES)
def test_name_resolves(k8s: AClusterManager, name: str) -> None:
    argv = ["exec", "-n", "nova-services", "deploy/user-service", "--"]
    said = k8s.kubectl([*argv, "getent", "hosts", f"{name}.svc.cluster.local"], as_dict=False)
    assert name in said


@pytest.mark.parametrize("service", SERVICES)
def test_service_is_well(k8s: AClusterManager, service: str) -> None:
    port = SERVICES[service]
    with (
        k8s.port_forwarding(f"service/{service}", 20000 + port, port, "nova-services"),
        urllib.request.urlopen(f"http://127.0.0.1:{20000 + port}/health") as answer,
    ):
        assert answer.status == 200
