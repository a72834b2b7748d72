"""The work by pytest, the kubernetes client, `kubectl port-forward`, redis-py and psycopg.

The client's own port-forward is a Python socket, which libpq cannot take; so it is kubectl's, kept
open for all tests.
"""

from __future__ import annotations

import base64
import os
import re
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
import redis
from kubernetes import client, config
from kubernetes.stream import stream

from benchmarks.peers.work import DATABASES, NAMES, SERVICES


@pytest.fixture(scope="session")
def api() -> client.CoreV1Api:
    config.load_kube_config()
    return client.CoreV1Api()


@contextmanager
def forwarded(namespace: str, target: str, port: int) -> Iterator[int]:
    argv = [os.environ["KUBECTL"], "port-forward", "-n", namespace, target, f":{port}"]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        found = re.search(r":(\d+) ->", process.stdout.readline())
        assert found
        yield int(found[1])
        process.terminate()


@pytest.fixture(scope="session")
def redis_port() -> Iterator[int]:
    with forwarded("nova-redis", "service/redis-service", 6379) as port:
        yield port


@pytest.fixture(scope="session")
def postgres_port() -> Iterator[int]:
    with forwarded("nova-database", "service/postgres-primary", 5432) as port:
        yield port


def secret(api: client.CoreV1Api, namespace: str, name: str, key: str) -> str:
    return base64.b64decode(api.read_namespaced_secret(name, namespace).data[key]).decode()


def executed(api: client.CoreV1Api, *command: str) -> str:
    found = api.list_namespaced_pod(
        "nova-services", label_selector="app.kubernetes.io/name=user-service"
    )
    said: str = stream(
        api.connect_get_namespaced_pod_exec,
        found.items[0].metadata.name,
        "nova-services",
        command=list(command),
        stdout=True,
        stderr=True,
    )
    return said


def test_redis_answers(api: client.CoreV1Api, redis_port: int) -> None:
    password = secret(api, "nova-redis", "redis-credentials", "REDIS_PASSWORD")
    assert redis.Redis(port=redis_port, password=password).ping()


def test_redis_refuses(redis_port: int) -> None:
    with pytest.raises(redis.AuthenticationError):
        redis.Redis(port=redis_port).ping()


@pytest.mark.parametrize("database", DATABASES)
def test_database_answers(api: client.CoreV1Api, postgres_port: int, database: str) -> None:
    password = secret(api, "nova-database", "postgres-credentials", "APP_USER_PASSWORD")
    at = f"host=127.0.0.1 port={postgres_port} user=app_user dbname={database}"
    with psycopg.connect(at, password=password) as connection:
        assert connection.execute("select 1").fetchone() == (1,)


@pytest.mark.parametrize("database", DATABASES)
def test_database_refuses(postgres_port: int, database: str) -> None:
    at = f"host=127.0.0.1 port={postgres_port} user=app_user dbname={database}"
    with pytest.raises(psycopg.OperationalError, match="authentication failed"):
        psycopg.connect(at, password="wrong")


@pytest.mark.parametrize("name", NAMES)
def test_name_resolves(api: client.CoreV1Api, name: str) -> None:
    assert name in executed(api, "getent", "hosts", f"{name}.svc.cluster.local")


@pytest.mark.parametrize("service", SERVICES)
def test_service_is_well(service: str) -> None:
    with (
        forwarded("nova-services", f"service/{service}", SERVICES[service]) as port,
        urllib.request.urlopen(f"http://127.0.0.1:{port}/health") as answer,
    ):
        assert answer.status == 200
