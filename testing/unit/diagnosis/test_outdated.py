"""What containers have against what is meant for them, asked of a real shell."""

from __future__ import annotations

import base64
import subprocess
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from nova_acceptance.collect.started import compare
from nova_acceptance.components.kubernetes.shapes import without_values
from nova_acceptance.components.urls.outdated import outdated_containers
from nova_acceptance.errors import ProbeError
from nova_acceptance.findings import Finding, ref
from nova_acceptance.kube import Object, PodRef
from nova_acceptance.kube.exec import ExecResult
from nova_acceptance.kube.snapshot import Snapshot
from nova_acceptance.vantage.digests import Held, differing
from testing.unit.waiting import SOON

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


@pytest.mark.parametrize(
    ("said", "hint"),
    [
        ('exec: "sh": executable file not found in $PATH: unknown', "restart it"),
        ("container not found", "is it running?"),
    ],
)
def test_container_that_has_no_shell_is_told_with_what_helps(said: str, hint: str) -> None:
    class Shellless(Shell):
        def exec(self, *_: Any, **__: Any) -> ExecResult:
            raise ProbeError("`sh` could not be run", hint="is it running?", evidence=[said])

    with pytest.raises(ProbeError) as caught:
        differing(Shellless({}), POD, "main", [Held("A", False, b"")])  # type: ignore[arg-type]

    assert hint in caught.value.hint


def secret(
    value: str,
    written: str = AFTER,
    name: str = "login",
    created: str = "2026-02-01T00:00:00Z",
) -> Object:
    fields: Object = {"f:data": {"f:PASS": {}, "f:dotted.name": {}}}
    return {
        "kind": "Secret",
        "metadata": {
            "name": name,
            "namespace": "shop",
            "creationTimestamp": created,
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


def of_one_pod(held: Object) -> tuple[Snapshot, Object]:
    owner = workload(FROM_ALL)
    pod = pod_of(owner)
    return Snapshot.of((owner, pod, without_values(held))), pod


def test_container_is_asked_once_for_a_snapshot() -> None:
    shell = Shell({"PASS": "old"}, secret("new"))
    snapshot, pod = of_one_pod(secret("new"))

    for _ in range(2):
        assert compare(shell, snapshot, [pod], time.monotonic() + 20) == {}  # type: ignore[arg-type]

        assert [it.name for it in snapshot.outdated[ref(pod)]] == ["PASS"]
    assert len(shell.asked) == 1


class Refusing(Shell):
    """A container that has no shell."""

    def exec(self, pod: PodRef, *_: Any, **__: Any) -> ExecResult:
        self.asked.append(str(pod))
        raise ProbeError("it has no shell")


def test_container_that_could_not_be_asked_is_not_asked_again() -> None:
    shell = Refusing({}, secret("new"))
    snapshot, pod = of_one_pod(secret("new"))

    for _ in range(2):
        found = compare(shell, snapshot, [pod], time.monotonic() + 20)  # type: ignore[arg-type]

        assert str(found[ref(pod)]) == "it has no shell"
    assert len(shell.asked) == 1


@pytest.mark.parametrize(
    ("created", "written", "more", "is_known"),
    [
        (STARTED, STARTED, {}, True),
        (STARTED, STARTED, {"optional": True}, False),  # it would have started without
        (BEFORE, STARTED, {}, False),  # before or after the start
        (STARTED, AFTER, {}, False),
        (AFTER, AFTER, {}, False),  # another one was there before
        (STARTED, "", {}, False),  # nobody took down who wrote it
    ],
)
def test_container_without_a_shell_waited_for_what_was_made_in_that_second(
    created: str, written: str, more: Object, is_known: bool
) -> None:
    made = secret("new", written, created=created)
    if not written:
        del made["metadata"]["managedFields"]
    owner = workload({"envFrom": [{"secretRef": {"name": "login", **more}}]})
    pod = pod_of(owner)
    shell = Refusing({}, made)
    snapshot = Snapshot.of((owner, pod, without_values(made)))

    unasked = compare(shell, snapshot, [pod], time.monotonic() + 20)  # type: ignore[arg-type]

    assert len(shell.asked) == 1
    assert (unasked == {}) is is_known


def test_whoever_has_more_time_asks_again() -> None:
    may_answer = threading.Event()

    class Late(Shell):
        def exec(self, pod: PodRef, argv: Sequence[str], **_: Any) -> ExecResult:
            assert may_answer.wait(SOON)
            return super().exec(pod, argv)

    shell = Late({"PASS": "old"}, secret("new"))
    snapshot, pod = of_one_pod(secret("new"))

    late = compare(shell, snapshot, [pod], time.monotonic() - 1)  # type: ignore[arg-type]
    may_answer.set()
    found = compare(shell, snapshot, [pod], time.monotonic() + 20)  # type: ignore[arg-type]

    assert isinstance(late[ref(pod)], TimeoutError)
    assert found == {}
    assert [it.name for it in snapshot.outdated[ref(pod)]] == ["PASS"]


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
