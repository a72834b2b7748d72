"""What a container is given otherwise than it is meant, or is not given, shown by objects alone."""

from __future__ import annotations

from typing import Any

import pytest

from nova_acceptance.components.kubernetes import outdated
from nova_acceptance.components.kubernetes.shapes import without_values
from nova_acceptance.findings import Finding
from nova_acceptance.kube import Object
from nova_acceptance.kube.snapshot import Snapshot
from testing.unit.diagnosis.rendered import Nova
from testing.unit.diagnosis.test_outdated import FROM_ALL, FROM_KEY, NEW, OLD, secret, workload


def beforehand(*objects: Object) -> list[Finding]:
    shown = [without_values(it) if it["kind"] == "Secret" else it for it in objects]
    snapshot = Snapshot.of(shown)
    return [each for rule in outdated.BEFOREHAND for each in rule(snapshot)]


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"env": [{"name": "PASS", "value": OLD}]}, "spelled out"),
        (
            {
                "env": [
                    {
                        "name": "PASS",
                        "valueFrom": {"secretKeyRef": {"name": "second", "key": "PASS"}},
                    }
                ]
            },
            "from Secret shop/second, PASS",
        ),
        (
            {"envFrom": [*FROM_ALL["envFrom"], {"secretRef": {"name": "second"}}]},
            "from Secret shop/second, PASS",
        ),
    ],
)
def test_variable_that_overrides_a_secret(more: dict[str, Any], words: str) -> None:
    objects = secret(NEW), secret(OLD, name="second")
    (found,) = beforehand(*objects, workload({**FROM_ALL, **more}))

    assert (found.cause, found.subject.name) == ("VARIABLE_OVERRIDDEN", "till")
    assert words in found.summary
    assert "hidden" not in found.headline


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"env": [{"name": "PASS", "value": NEW}]},
        {"env": [{"name": "OTHER", "value": OLD}]},
        {"env": FROM_KEY["env"]},
    ],
)
def test_variable_that_overrides_nothing(more: dict[str, Any]) -> None:
    assert beforehand(secret(NEW), workload({**FROM_ALL, **more})) == []


def config(*keys: str) -> Object:
    return {
        "kind": "ConfigMap",
        "metadata": {"name": "settings", "namespace": "shop"},
        "data": dict.fromkeys(keys, "x"),
    }


VOLUMES = [{"name": "v", "configMap": {"name": "settings"}}]


@pytest.mark.parametrize(
    ("container", "key", "words"),
    [
        ({"command": ["redis-server"]}, "redis.conf", "without a configuration file"),
        ({"image": "redis:7"}, "redis.conf", "without a configuration file"),
        (
            {"command": ["sh", "-c", "exec redis-server --port 6380"]},
            "cache.conf",
            "without a configuration file",
        ),
        (
            {"args": ["--config=/opt/app/app.toml"]},
            "app.toml",
            "is started with /opt/app/app.toml",
        ),
    ],
)
def test_program_that_is_started_without_its_configuration(
    container: dict[str, Any], key: str, words: str
) -> None:
    mounts = [{"name": "v", "mountPath": "/etc/app"}]
    (found,) = beforehand(config(key), workload({**container, "volumeMounts": mounts}, VOLUMES))

    assert (found.cause, found.subject.name) == ("CONFIGURATION_NOT_READ", "till")
    assert words in found.summary
    assert f"/etc/app/{key}" in str(found.cure)


def test_volume_that_nothing_mounts() -> None:
    (found,) = beforehand(config("a.conf"), workload({}, VOLUMES))

    assert found.cause == "CONFIGURATION_NOT_READ"
    assert "no container mounts it" in found.summary


@pytest.mark.parametrize(
    ("container", "key"),
    [
        ({"command": ["redis-server", "/etc/app/redis.conf"]}, "redis.conf"),
        ({"command": ["sh", "-c", "cp /etc/app/redis.conf /tmp/redis.conf"]}, "redis.conf"),
        ({"command": ["redis-server"]}, "users.acl"),
        ({"image": "bitnami/redis:7"}, "redis.conf"),
        ({"image": "nginx"}, "default.conf"),
        ({"args": ["--config=/opt/app/other.toml"]}, "app.toml"),
    ],
)
def test_program_that_may_well_read_its_configuration(container: dict[str, Any], key: str) -> None:
    mounts = [{"name": "v", "mountPath": "/etc/app"}]

    assert beforehand(config(key), workload({**container, "volumeMounts": mounts}, VOLUMES)) == []


def test_variable_of_nova_that_overrides_its_secret() -> None:
    nova = Nova()
    container = nova.container("Deployment/search-service")
    container["env"].append({"name": "DATABASE_URL", "value": "postgres://x@elsewhere/y"})

    assert "VARIABLE_OVERRIDDEN" in nova.causes()
