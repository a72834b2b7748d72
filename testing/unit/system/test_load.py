"""nova.yaml is read as it is, and a wrong one is refused with file, line and field."""

from __future__ import annotations

from pathlib import Path

import pytest

from nova_acceptance.errors import SpecError
from nova_acceptance.system import System, load

NOVA = Path(__file__).parents[3] / "nova.yaml"
TEXT = NOVA.read_text(encoding="utf-8")


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


def test_service_is_one_line(system: System, tmp_path: Path) -> None:
    line = "  - {name: new-api, namespace: nova-services, port: 9000, uses: [nova_auth, redis]}\n"
    path = tmp_path / "nova.yaml"
    path.write_text(
        TEXT.replace("services:\n  - {name: user", f"services:\n{line}  - {{name: user")
    )

    larger = load(path)

    assert len(larger.every_workload) == len(system.every_workload) + 1
    secret = next(item for item in larger.every_configuration if item.name == "new-api-secrets")
    assert secret.keys == ("DATABASE_URL", "REDIS_URL")
    config = next(item for item in larger.every_configuration if item.name == "services-config")
    assert "NEW_API_URL" in config.keys


def test_claims_are_one_a_replica(system: System) -> None:
    claims = [claim.name for claim in system.workload("etcd").claimed]

    assert claims == ["data-etcd-0", "data-etcd-1", "data-etcd-2"]


def test_ungranted_database_grants_nothing(system: System) -> None:
    grant = system.postgres.role("replication_user").grant_in("nova_auth")

    assert (grant.on_database, grant.on_tables) == ((), ())


@pytest.mark.parametrize(
    ("old", "new", "field", "message"),
    [
        ("port: 8086", "port: 80860", "services[2].port", "less than or equal to 65535"),
        ("port: 8086", "port: eight", "services[2].port", "must be a whole number"),
        ("port: 8086", "port: true", "services[2].port", "must be a whole number"),
        ("port: 8086", "prot: 8086", "services[2].prot", "is not a known key"),
        ("replicas: 1", "replicas: 0", "workloads[0].replicas", "greater than or equal to 1"),
        ("kind: StatefulSet", "kind: DaemonSet", "workloads[0].kind", "'Deployment'"),
        ("{data: 2Gi}", "{data: 2 Gi}", "workloads[0].claims.data", "does not match"),
        ("{data: 2Gi}", "[data]", "workloads[0].claims", "must be a mapping"),
        ("owner: nova_owner", "owner: no", "postgres.databases[0].owner", "must be text"),
        ("[nova_auth, redis, kafka]", "nova_auth", "services[0].uses", "must be a list"),
        ("redis, kafka]", "redis, kfka]", "services[0].uses[2]", "kfka is neither"),
        (
            "nova-services, port: 8081",
            "nova-servces, port: 8081",
            "services[3].namespace",
            "no namespace is called nova-servces",
        ),
        ("name: auth-service", "name: user-service", "services[1].name", "is there twice"),
        ("service: redis-service", "service: cache", "redis.service", "redis has no service"),
        ("key: REDIS_PASSWORD}", "key: REDIS}", "redis.password.key", "has no key REDIS"),
        ("workload: etcd", "workload: consul", "etcd.workload", "no workload is called consul"),
        (
            "schemas: [auth, streaming]",
            "schemas: [auth, stream]",
            "postgres.roles[3].grants[0].schemas[1]",
            "nova_auth has no schema called stream",
        ),
        (
            "owner: nova_owner",
            "owner: nova_owners",
            "postgres.databases[0].owner",
            "no role is called nova_owners",
        ),
        ("zone: cluster.local", "zone: cluster.local\nzone: other", "zone", "is there twice"),
    ],
)
def test_mistake_is_refused_with_line_and_field(
    tmp_path: Path, old: str, new: str, field: str, message: str
) -> None:
    wrong = TEXT.replace(old, new, 1)

    error = refusal(tmp_path, wrong)

    line = line_of(old) + (old.startswith("zone"))
    assert error.message.startswith(f"{tmp_path / 'nova.yaml'}:{line}: {field}: ")
    assert message in error.message
    assert error.hint


def test_missing_field_is_refused_at_what_lacks_it(tmp_path: Path) -> None:
    error = refusal(tmp_path, TEXT.replace("    replicas: 1\n", "", 1))

    assert error.message.endswith(":11: workloads[0].replicas: is missing")


def test_every_mistake_is_told_at_once(tmp_path: Path) -> None:
    error = refusal(
        tmp_path, TEXT.replace("port: 8086", "port: 0").replace("port: 3000", "port: x")
    )

    assert "services[2].port" in error.message
    assert [line for line in error.evidence if "services[4].port" in line]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "must be a mapping"),
        ("- a\n- b\n", "must be a mapping"),
        ("a: [1\n", "nova.yaml:2:"),
        ("? [a]\n: b\n", "a key must be a plain word"),
        ("a: *nowhere\n", "undefined alias"),
        ("a: b\n---\nc: d\n", "another document"),
    ],
)
def test_text_that_is_no_mapping_is_refused(tmp_path: Path, text: str, message: str) -> None:
    assert message in str(refusal(tmp_path, text))


def test_absent_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="cannot be read: No such file"):
        load(tmp_path / "nova.yaml")
