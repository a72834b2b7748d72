"""With several things wrong, a test is told what is wrong with what it uses itself."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from nova_acceptance.components.kubernetes.shapes import without_values
from nova_acceptance.components.network.connections import Connections
from nova_acceptance.findings import NOWHERE, Finding, Ref, ref
from nova_acceptance.kube import Object
from nova_acceptance.kube.snapshot import Snapshot
from nova_acceptance.phrase import Phrase
from nova_acceptance.system.parts import Url, passages, urls
from nova_acceptance.verification.examiner import Examiner
from nova_acceptance.verification.scope import Scope, scope_of
from testing.unit.diagnosis.members import (
    DATABASE,
    REDIS,
    member,
    moved,
    snapshot,
    stateful_set,
    system,
)
from testing.unit.diagnosis.recorded import deployment, service, with_container

SERVICES = "nova-services"
PRIMARY = f"postgres-primary.{DATABASE}"
PORTS = {"auth-service": 8084, "streaming-api": 8081}
POSTGRES = Ref("StatefulSet", DATABASE, "postgres")
REFUSED = Finding("PASSWORD_REFUSED", NOWHERE, Phrase("the password of app_user is refused"))
SILENT = Finding("PORT_SILENT", NOWHERE, Phrase("nothing comes back"))
EVERYWHERE = [object.__new__(Connections)]
"""What a test's fixtures are where they ask from every pod."""


def settings(name: str, ending: str = "") -> Object:
    values = {
        "DATABASE_URL": f"postgresql://app_user:s3cr3t@{PRIMARY}:5432/nova_auth{ending}",
        "REDIS_URL": "redis://:s3cr3t@redis-service.nova-redis:6379/0",
        **({"KAFKA_BROKERS": "kafka.example.net:9092"} if name == "streaming-api" else {}),
    }
    data = {key: base64.b64encode(value.encode()).decode() for key, value in values.items()}
    metadata = {"name": f"{name}-secrets", "namespace": SERVICES, "uid": f"uid-of-{name}"}
    return without_values({"kind": "Secret", "metadata": metadata, "data": data})


def program(name: str, *, ready: bool = True, **env: str) -> Object:
    counted = {} if ready else {"readyReplicas": 0, "availableReplicas": 0}
    made = with_container(
        deployment(**counted),
        envFrom=[{"secretRef": {"name": f"{name}-secrets"}}],
        env=[{"name": key, "value": value} for key, value in env.items()],
    )
    labels = {"app": name}
    made["metadata"] |= {"name": name, "uid": f"uid-of-{name}"}
    made["spec"]["selector"]["matchLabels"] = made["spec"]["template"]["metadata"]["labels"] = (
        labels
    )
    return made


def front(name: str) -> Object:
    return {
        "kind": "Service",
        "metadata": {"name": name, "namespace": SERVICES, "uid": f"uid-of-front-{name}"},
        "spec": {"selector": {"app": name}, "ports": [{"name": "http", "port": PORTS[name]}]},
    }


def there(*objects: Object) -> Snapshot:
    """Return a Nova of a database and two services; of several of a name the last one counts."""
    postgres = stateful_set("postgres", DATABASE, 3)
    return snapshot(
        postgres,
        *(member(postgres, number) for number in range(3)),
        *(each for name in PORTS for each in (program(name), settings(name), front(name))),
        *objects,
    )


def url_of(name: str) -> Url:
    found = urls(system(), inside=True)
    return next(
        each
        for each in found
        if each.source and (each.source.name, each.target) == (name, "nova_auth")
    )


def told(seen: Snapshot, shown: Finding, about: Any) -> Finding:
    found = Examiner(lambda: seen, system()).explain(
        scope_of(system(), [about], fixtures=EVERYWHERE), shown, "…"
    )
    assert found.root is not None
    return found.root


BLANK = settings("streaming-api", "\n")


def test_refused_url_is_not_explained_by_the_settings_of_another_service() -> None:
    found = told(there(BLANK), REFUSED, url_of("auth-service"))

    assert (found.cause, found.subject) == (REFUSED.cause, POSTGRES)


def test_refused_url_is_explained_by_its_own_settings_before_those_of_another() -> None:
    seen = there(BLANK, settings("auth-service", " "))

    for name in PORTS:
        found = told(seen, REFUSED, url_of(name))
        assert found.cause == "VALUE_WITH_BLANKS"
        assert found.subject == Ref("Secret", SERVICES, f"{name}-secrets")


def test_refused_url_is_not_explained_by_what_its_service_asks() -> None:
    asking = program("auth-service", ready=False, STREAMING_URL="http://streaming-api:8081")

    found = told(there(BLANK, asking), REFUSED, url_of("auth-service"))

    assert (found.cause, found.subject) == (REFUSED.cause, POSTGRES)


def test_service_that_is_not_ready_is_explained_by_what_it_asks() -> None:
    asking = program("auth-service", ready=False, STREAMING_URL="http://streaming-api:8081")
    lost = program("streaming-api", ready=False)
    seen = there(BLANK, asking, lost)

    found = Examiner(lambda: seen, system()).explain(Scope((ref(asking),)), None, "…")

    assert found.root is not None
    assert found.root.subject == ref(BLANK)


@pytest.mark.parametrize("fixtures", [EVERYWHERE, []])
def test_url_is_asked_from_the_service_that_uses_it(fixtures: list[object]) -> None:
    found = scope_of(system(), [url_of("auth-service")], fixtures=fixtures)

    assert found.sources == (Ref("Deployment", SERVICES, "auth-service"),)


def test_connection_is_asked_from_its_own_source_alone() -> None:
    passage = next(each for each in passages(system()) if each.source.name == "auth-service")

    found = scope_of(system(), [passage], fixtures=EVERYWHERE)

    assert passage.source.workload.ref in found.sources
    assert {each.name for each in found.sources if each.kind == "Deployment"} == {"auth-service"}


def test_silence_is_not_explained_by_the_settings_of_who_did_not_ask() -> None:
    passage = next(
        each
        for each in passages(system())
        if (each.source.name, each.door.front.name) == ("auth-service", "redis-service")
    )
    redis = stateful_set("redis", REDIS, 1)
    behind = {"selector": {"app": "etcd"}, "ports": [{"name": "redis", "port": 6379}]}
    names = ("redis", "redis-service")
    fronts = [moved(service(name, **behind), REDIS) for name in names]
    fronts[0]["spec"]["clusterIP"] = "None"
    seen = there(BLANK, redis, member(redis, 0), *fronts)

    found = Examiner(lambda: seen, system()).explain(
        scope_of(system(), [passage], fixtures=EVERYWHERE), SILENT, "…"
    )

    assert "VALUE_WITH_BLANKS" not in str(found.as_dict())
