"""What containers have against what is meant for them, asked of a real shell."""

from __future__ import annotations

import base64
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from nova_acceptance.collect.started import compare
from nova_acceptance.components.kubernetes import outdated
from nova_acceptance.components.kubernetes.shapes import without_values
from nova_acceptance.components.urls.outdated import outdated_containers
from nova_acceptance.errors import ProbeError
from nova_acceptance.findings import Finding
from nova_acceptance.kube import Object, PodRef
from nova_acceptance.kube.exec import ExecResult
from nova_acceptance.kube.snapshot import Snapshot
from nova_acceptance.vantage.digests import Held, differing
from testing.unit.diagnosis.rendered import Nova

POD = PodRef("shop", "till-0")
OLD, NEW = "Autumn-hidden\n", "Winter-hidden"
STARTED = "2026-03-01T10:00:00Z"
BEFORE, AFTER = "2026-03-01T09:00:00Z", "2026-03-01T11:00:00Z"


class Shell:
    """A container whose commands a shell of this machine runs, and the API with its objects."""

    def __init__(self, environment: dict[str, str], *objects: Object) -> None:
        self.environment = {"PATH": "/usr/bin:/bin", **environment}
        self.objects = {(it["kind"], it["metadata"]["name"]): it for it in objects}
        self.asked: list[str] = []
        self.said = ""

    def exec(self, pod: PodRef, argv: Sequence[str], **_: Any) -> ExecResult:
        self.asked.append(str(pod))
        done = subprocess.run(
            argv, env=self.environment, capture_output=True, text=True, check=False, timeout=20
        )
        self.said += done.stdout + done.stderr + " ".join(argv)
        return ExecResult(done.stdout, done.stderr, done.returncode, 0.1)

    def list(self, _: str, kind: str, *, namespace: str, field_selector: str) -> list[Object]:
        assert namespace == POD.namespace
        found = self.objects.get((kind, field_selector.removeprefix("metadata.name=")))
        return [found] if found else []


def test_only_what_differs_is_found_and_nothing_is_told(tmp_path: Path) -> None:
    file = tmp_path / "app.conf"
    file.write_bytes(b"a\0b\xff\n")
    shell = Shell({"SAME": OLD, "OTHER": OLD, "QUOTED": "'$(id)'\"`x`\\n"})
    wanted = [
        Held("SAME", False, OLD.encode()),
        Held("OTHER", False, OLD.strip().encode()),
        Held("QUOTED", False, b"'$(id)'\"`x`\\n"),
        Held("GONE", False, b""),
        Held(str(file), True, b"a\0b\xff\n"),
        Held(str(tmp_path / "none"), True, b""),
    ]

    found = differing(shell, POD, "main", wanted)  # type: ignore[arg-type]

    assert [Path(it.name).name for it in found] == ["OTHER", "GONE", "none"]
    assert "hidden" not in shell.said


@pytest.mark.parametrize(("since", "is_told"), [(BEFORE, True), (AFTER, False)])
def test_file_that_was_renewed_since_the_start(tmp_path: Path, since: str, is_told: bool) -> None:
    written = tmp_path / "..2026_03_01_10_00_00.123456"
    written.mkdir()
    (written / "app.conf").write_text("new")
    (tmp_path / "..data").symlink_to(written.name)
    (tmp_path / "app.conf").symlink_to("..data/app.conf")
    held = Held(str(tmp_path / "app.conf"), True, b"new", str(tmp_path), since)

    assert bool(differing(Shell({}), POD, "main", [held])) is is_told  # type: ignore[arg-type]


def test_container_without_a_shell_is_not_asked() -> None:
    class Silent(Shell):
        def exec(self, *_: Any, **__: Any) -> ExecResult:
            return ExecResult("", "sha256sum: not found", 127, 0.1)

    with pytest.raises(ProbeError):
        differing(Silent({}), POD, "main", [Held("A", False, b"")])  # type: ignore[arg-type]


def secret(value: str, written: str = AFTER, name: str = "login") -> Object:
    fields: Object = {"f:data": {"f:PASS": {}, "f:dotted.name": {}}}
    return {
        "kind": "Secret",
        "metadata": {
            "name": name,
            "namespace": "shop",
            "creationTimestamp": "2026-02-01T00:00:00Z",
            "managedFields": [{"time": written, "fieldsV1": fields}],
        },
        "data": {
            "PASS": base64.b64encode(value.encode()).decode(),
            "dotted.name": base64.b64encode(b"x").decode(),
        },
    }


def workload(container: dict[str, Any], volumes: Sequence[Object] = ()) -> Object:
    spec = {"containers": [{"name": "main", **container}], "volumes": list(volumes)}
    return {
        "kind": "StatefulSet",
        "metadata": {"name": "till", "namespace": "shop", "uid": "s"},
        "spec": {"template": {"metadata": {}, "spec": spec}},
    }


def pod_of(owner: Object) -> Object:
    return {
        "kind": "Pod",
        "metadata": {
            "name": "till-0",
            "namespace": "shop",
            "uid": "p",
            "ownerReferences": [{"kind": "StatefulSet", "name": "till", "uid": "s"}],
        },
        "spec": owner["spec"]["template"]["spec"],
        "status": {
            "containerStatuses": [{"name": "main", "state": {"running": {"startedAt": STARTED}}}]
        },
    }


def compared(
    shell: Shell, container: dict[str, Any], *held: Object, volumes: Sequence[Object] = ()
) -> list[Finding]:
    owner = workload(container, volumes)
    pod = pod_of(owner)
    shown = [without_values(it) if it["kind"] == "Secret" else it for it in held]
    snapshot = Snapshot.of((owner, pod, *shown))
    soon = time.monotonic() + 20
    assert compare(shell, snapshot, [pod], soon) == {}  # type: ignore[arg-type]
    found = list(outdated_containers(snapshot))
    assert all("hidden" not in f"{it.headline} {it.evidence}" for it in found)
    return found


FROM_ALL = {"envFrom": [{"secretRef": {"name": "login"}}]}
FROM_KEY = {
    "env": [{"name": "DB_PASS", "valueFrom": {"secretKeyRef": {"name": "login", "key": "PASS"}}}]
}


@pytest.mark.parametrize(("container", "name"), [(FROM_ALL, "PASS"), (FROM_KEY, "DB_PASS")])
def test_secret_that_was_rotated_after_the_start(container: dict[str, Any], name: str) -> None:
    rotated = secret(NEW)
    (found,) = compared(Shell({name: OLD}, rotated), container, rotated)

    assert (found.cause, found.subject.name) == ("CONTAINER_OUTDATED", "till")
    assert name in found.summary
    assert STARTED in found.summary
    assert "rollout restart statefulset till" in str(found.cure)


def test_secret_that_was_written_again_with_the_same_value() -> None:
    same = secret(NEW)

    assert compared(Shell({"PASS": NEW}, same), FROM_ALL, same) == []


def test_container_that_started_later_is_not_even_asked() -> None:
    older = secret(NEW, BEFORE)
    shell = Shell({"PASS": OLD}, older)

    assert compared(shell, FROM_ALL, older) == []
    assert shell.asked == []


def test_container_is_not_to_start_with_what_is_wrong() -> None:
    broken = secret("change_me")

    assert compared(Shell({"PASS": OLD}, broken), FROM_ALL, broken) == []


def test_file_by_sub_path_stays_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "app.ini"
    path.write_text("level=1\n")
    config = {
        "kind": "ConfigMap",
        "metadata": {"name": "till", "namespace": "shop"},
        "data": {"app.ini": "level=2\n"},
    }
    mount = {"name": "v", "mountPath": str(path), "subPath": "app.ini"}
    volumes = [{"name": "v", "configMap": {"name": "till"}}]
    (found,) = compared(Shell({}, config), {"volumeMounts": [mount]}, config, volumes=volumes)

    assert found.cause == "CONTAINER_OUTDATED"
    assert "app.ini" in found.summary


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
