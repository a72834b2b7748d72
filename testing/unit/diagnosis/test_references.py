"""Secrets, ConfigMaps and keys that pods name and that are not there."""

from __future__ import annotations

from typing import Any

import pytest

from nova_acceptance.components.kubernetes import references
from nova_acceptance.findings import Finding
from nova_acceptance.kube import Object
from nova_acceptance.kube.snapshot import Snapshot
from testing.unit.diagnosis.recorded import (
    asking,
    config_map,
    deployment,
    event,
    replica_set,
    secret,
    stuck_pod,
    with_container,
)


def variable(kind: str, name: str, key: str, **more: Any) -> dict[str, Any]:
    return {"name": key, "valueFrom": {kind: {"name": name, "key": key, **more}}}


def using(*variables: dict[str, Any]) -> Object:
    workload = deployment(readyReplicas=0, availableReplicas=0)
    return with_container(workload, env=list(variables))


def found(*objects: Object, known: bool = True) -> list[Finding]:
    snapshot = Snapshot.of(objects)
    if not known:
        snapshot.listed.clear()
    rules = (*references.BEFOREHAND, *references.LIVE)
    return [each for rule in rules for each in rule(snapshot)]


def names(*objects: Object, known: bool = True) -> list[tuple[str, str]]:
    return [(each.cause, str(each.subject)) for each in found(*objects, known=known)]


DATABASE_URL = variable("secretKeyRef", "user-service-secrets", "DATABASE_URL")
LOG_LEVEL = variable("configMapKeyRef", "services-config", "LOG_LEVEL")


def test_what_is_there_is_no_finding() -> None:
    there = secret("user-service-secrets", "DATABASE_URL")

    assert (
        found(using(DATABASE_URL, LOG_LEVEL), there, config_map("services-config", LOG_LEVEL="i"))
        == []
    )


def test_missing_objects_are_found_beforehand() -> None:
    assert names(using(DATABASE_URL, LOG_LEVEL)) == [
        ("SECRET_MISSING", "Secret nova-services/user-service-secrets"),
        ("CONFIG_MAP_MISSING", "ConfigMap nova-services/services-config"),
    ]


def test_object_that_is_missing_is_not_told_as_one_that_lacks_a_key() -> None:
    (diagnosis,) = found(using(DATABASE_URL))

    assert diagnosis.summary.startswith("Secret nova-services/user-service-secrets does not exist")
    assert diagnosis.cure.startswith("create Secret")


def test_missing_keys_are_found_beforehand() -> None:
    there = [secret("user-service-secrets", "REDIS_URL"), config_map("services-config", A="1")]

    assert names(using(DATABASE_URL, LOG_LEVEL), *there) == [
        ("SECRET_KEY_MISSING", "Secret nova-services/user-service-secrets"),
        ("CONFIG_MAP_KEY_MISSING", "ConfigMap nova-services/services-config"),
    ]


def test_optional_references_are_no_finding() -> None:
    maybe = variable("secretKeyRef", "extra", "A", optional=True)

    assert found(using(maybe)) == []


def test_nothing_is_concluded_from_what_was_not_listed() -> None:
    assert found(using(DATABASE_URL), known=False) == []


def test_one_missing_object_is_one_diagnosis_however_many_want_it() -> None:
    (each,) = found(using(DATABASE_URL, variable("secretKeyRef", "user-service-secrets", "B")))

    assert len(each.evidence) == 2


@pytest.mark.parametrize(
    "source",
    [
        {"secret": {"secretName": "nova-tls"}},
        {"projected": {"sources": [{"secret": {"name": "nova-tls"}}]}},
    ],
)
def test_volumes_are_looked_at(source: dict[str, Any]) -> None:
    workload = asking(deployment(readyReplicas=0), volumes=[{"name": "tls", **source}])

    assert names(workload) == [("SECRET_MISSING", "Secret nova-services/nova-tls")]


@pytest.mark.parametrize(
    ("said", "cause", "subject"),
    [
        ('secret "user-service-secrets" not found', "SECRET_MISSING", "user-service-secrets"),
        ('configmap "services-config" not found', "CONFIG_MAP_MISSING", "services-config"),
        (
            "couldn't find key DATABASE_URL in Secret nova-services/user-service-secrets",
            "SECRET_KEY_MISSING",
            "user-service-secrets",
        ),
        (
            "couldn't find key LOG_LEVEL in ConfigMap nova-services/services-config",
            "CONFIG_MAP_KEY_MISSING",
            "services-config",
        ),
    ],
)
def test_kubelet_is_understood(said: str, cause: str, subject: str) -> None:
    workload = deployment(readyReplicas=0)
    owner = replica_set(workload)
    stuck = stuck_pod(owner, "CreateContainerConfigError", said)
    (each,) = found(workload, owner, stuck, known=False)

    assert (each.cause, each.subject.name, each.grace) == (cause, subject, 5)


def mounting() -> Object:
    stuck = stuck_pod(None, "ContainerCreating")
    stuck["spec"]["volumes"] = [{"name": "tls", "secret": {"secretName": "nova-tls"}}]
    return stuck


@pytest.mark.parametrize(
    ("said", "cause"),
    [
        (
            'MountVolume.SetUp failed for volume "tls" : secret "nova-tls" not found',
            "SECRET_MISSING",
        ),
        (
            'MountVolume.SetUp failed for volume "tls" : references non-existent secret key: ca',
            "SECRET_KEY_MISSING",
        ),
    ],
)
def test_mount_without_its_source_is_understood(said: str, cause: str) -> None:
    stuck = mounting()

    assert names(stuck, event(stuck, "FailedMount", said), known=False) == [
        (cause, "Secret nova-services/nova-tls")
    ]


def test_mount_that_succeeded_in_the_end_is_no_finding() -> None:
    stuck = mounting()
    failed = event(stuck, "FailedMount", 'volume "tls" : secret "nova-tls" not found', second=1)
    pulling = event(stuck, "Pulling", "Pulling image", kind="Normal", second=3)

    assert found(stuck, failed, pulling, known=False) == []
