"""What a pod's specification and status come to."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from nova_acceptance.components.kubernetes.checks.security import security_context
from nova_acceptance.components.kubernetes.status import is_ready
from nova_acceptance.components.kubernetes.successor import (
    await_ready,
    await_successor,
    crash,
    kill,
)
from nova_acceptance.components.kubernetes.summaries import summary
from nova_acceptance.components.kubernetes.workloads import containers, is_leaving, restarts
from nova_acceptance.errors import ProbeError, UnaskedError
from nova_acceptance.kube import ApiError, ExecResult, PodRef
from nova_acceptance.vantage import in_pod
from nova_acceptance.verification.secret_values import SecretValues
from testing.unit.waiting import SOON

POD = PodRef("nova-redis", "redis-0")


def pod(uid: str, ready: str = "True", **status: Any) -> dict[str, Any]:
    return {
        "kind": "Pod",
        "metadata": {"name": POD.name, "namespace": POD.namespace, "uid": uid},
        "spec": {"containers": [{"name": "main"}]},
        "status": {
            "phase": "Running",
            "conditions": [{"type": "Ready", "status": ready}],
            **status,
        },
    }


def status(count: int, **terminated: Any) -> dict[str, Any]:
    return {"restartCount": count, "lastState": {"terminated": terminated} if terminated else {}}


def test_container_inherits_from_its_pod_what_it_does_not_say() -> None:
    container = {"name": "a", "securityContext": {"runAsUser": 7, "readOnlyRootFilesystem": True}}
    of_pod = {"runAsNonRoot": True, "runAsUser": 5, "fsGroup": 9}
    one = {"spec": {"securityContext": of_pod, "containers": [container]}}

    assert security_context(one, container) == {
        "runAsNonRoot": True,
        "runAsUser": 7,
        "readOnlyRootFilesystem": True,
    }


def test_containers_that_initialise_count() -> None:
    one = {"spec": {"initContainers": [{"name": "first"}], "containers": [{"name": "second"}]}}

    assert [container["name"] for container in containers(one)] == ["first", "second"]


def test_pod_without_status_is_not_ready() -> None:
    assert not is_ready({"metadata": {}})
    assert not is_ready(pod("a", ready="False"))
    assert is_ready(pod("a"))


@pytest.mark.parametrize(
    ("deleted", "leaving"),
    [(None, False), ("12:00:20", True), ("11:59:50", True), ("11:58:00", False)],
)
def test_pod_under_deletion_is_leaving_until_it_is_stuck(deleted: str, *, leaving: bool) -> None:
    pod: dict[str, Any] = {"metadata": {"name": "x"}}
    if deleted:
        pod["metadata"]["deletionTimestamp"] = f"2026-01-01T{deleted}Z"

    assert is_leaving(pod, datetime(2026, 1, 1, 12, tzinfo=UTC)) is leaving


def test_restart_with_the_node_is_not_the_containers() -> None:
    with_node = status(1, reason="Unknown", exitCode=255)

    assert restarts(pod("a", containerStatuses=[with_node])) == 0
    assert restarts(pod("a", containerStatuses=[status(2, reason="Error", exitCode=1)])) == 2
    assert restarts(pod("a", containerStatuses=[status(0)])) == 0


def test_summary_shows_keys_and_no_value() -> None:
    secret = {"kind": "Secret", "metadata": {"name": "a"}, "data": {"PASSWORD": "aHVudGVyMg=="}}

    assert summary(secret) == "keys PASSWORD"


class Api:
    """A stand-in for the API with one pod and a script of what happens to it."""

    def __init__(self, *events: tuple[str, dict[str, Any]]) -> None:
        self._events = events
        self.deleted: list[dict[str, Any]] = []

    def get(self, *_: str) -> dict[str, Any] | None:
        return self._events[0][1] if self._events else None

    def delete(self, *_: str, **options: Any) -> None:
        self.deleted.append(options)

    def watch(self, *_: str, **__: Any) -> Iterator[tuple[str, dict[str, Any]]]:
        yield from self._events


def test_successor_is_another_pod_that_is_ready() -> None:
    api: Any = Api(
        ("ADDED", pod("old")),
        ("MODIFIED", pod("old", ready="False")),
        ("DELETED", pod("old")),
        ("ADDED", pod("new", ready="False")),
        ("MODIFIED", pod("new")),
    )

    assert await_successor(api, POD, "old", within=SOON) < SOON


def test_successor_that_is_never_ready_is_told() -> None:
    api: Any = Api(("ADDED", pod("old")), ("ADDED", pod("new", ready="False")))

    with pytest.raises(ProbeError, match="no ready successor") as caught:
        await_successor(api, POD, "old", within=0)

    assert caught.value.evidence == ("it is Running",)


def member(number: int, *, is_ready: bool = True) -> dict[str, Any]:
    made = pod("any", ready=str(is_ready))
    return {**made, "metadata": {**made["metadata"], "name": f"redis-{number}"}}


MEMBERS = [PodRef("nova-redis", f"redis-{number}") for number in range(2)]


@pytest.mark.parametrize(
    ("events", "are_ready"),
    [
        ([("ADDED", member(0)), ("ADDED", member(7)), ("ADDED", member(1))], True),
        ([("ADDED", member(0)), ("ADDED", member(1, is_ready=False))], False),
        (
            [
                ("ADDED", member(0)),
                ("ADDED", member(1, is_ready=False)),
                ("MODIFIED", member(0, is_ready=False)),
                ("MODIFIED", member(1)),
            ],
            False,  # each was, and never both
        ),
        (
            [
                ("ADDED", member(0)),
                ("ADDED", member(1, is_ready=False)),
                ("MODIFIED", member(1)),
            ],
            True,
        ),
        ([("ADDED", member(0)), ("DELETED", member(0)), ("ADDED", member(1))], False),
    ],
)
def test_pods_are_ready_together(
    events: list[tuple[str, dict[str, Any]]], *, are_ready: bool
) -> None:
    api: Any = Api(*events)

    assert await_ready(api, MEMBERS, within=SOON) is are_ready


def test_kill_gives_no_grace_and_names_the_very_pod() -> None:
    api: Any = Api(("ADDED", pod("old")))

    assert kill(api, POD, "old") == "old"
    assert api.deleted == [{"grace_period_seconds": 0, "precondition_uid": "old"}]


def test_kill_of_nothing_is_told() -> None:
    api: Any = Api()

    with pytest.raises(ProbeError, match="there is no pod nova-redis/redis-0"):
        kill(api, POD, "old")


def test_kill_of_another_incarnation_than_was_judged_is_told() -> None:
    api: Any = Api(("ADDED", pod("new")))

    with pytest.raises(ProbeError, match="there is no pod nova-redis/redis-0"):
        kill(api, POD, "old")
    assert api.deleted == []


class Secrets:
    """A stand-in for the API that holds Secrets."""

    def list(self, _: str, kind: str, *, namespace: str) -> list[dict[str, Any]]:
        if kind != "Secret":
            return []
        data = {
            "PASSWORD": "aHVudGVyMg==",  # hunter2
            "URL": "cmVkaXM6Ly86aHVudCUyMWVyQGhvc3Q6NjM3OS8w",  # redis://:hunt%21er@host:6379/0
            "KAFKA_BROKERS": "a2Fma2E6OTA5Mg==",  # kafka:9092
            "CLICKHOUSE_URL": "aHR0cDovL2NsaWNraG91c2U6ODEyMw==",  # http://clickhouse:8123
            "tls.crt": "Y2VydGlmaWNhdGU=",
        }
        return [{"metadata": {"name": "one", "namespace": namespace}, "data": data}]


def test_secret_values_mask_passwords_and_nothing_public() -> None:
    api: Any = Secrets()
    values = SecretValues(api, ("here",), frozenset({"KAFKA_BROKERS", "CLICKHOUSE_URL"}))

    masked = set(values.to_mask())

    assert masked == {"hunter2", "hunt%21er", "hunt!er"}
    assert values.text("Secret", "here", "one", "PASSWORD") == "hunter2"


def test_absent_secret_value_is_told() -> None:
    api: Any = Secrets()

    with pytest.raises(ProbeError, match="here/one has no key OTHER"):
        SecretValues(api, ("here",), frozenset()).text("Secret", "here", "one", "OTHER")


def test_kill_script_ends_only_processes_of_that_name() -> None:
    # The script looks at the whole machine, where these tests may run a second time.
    victim, transcript = f"victim-{os.getpid()}", f"other-{os.getpid()}"
    named = "open('/proc/self/comm', 'w').write({!r}); print(1); input()"
    started = [
        subprocess.Popen(
            [sys.executable, "-uc", named.format(name)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for name in (victim, transcript)
    ]
    try:
        for process in started:
            assert process.stdout
            process.stdout.readline()
        done = subprocess.run(
            [sys.executable, "-c", in_pod.SCRIPTS["in_pod_kill"]],
            input=json.dumps(victim) + "\n",
            capture_output=True,
            text=True,
            check=True,
        )

        assert json.loads(done.stdout) == [started[0].pid]
        assert started[0].wait(SOON) == -signal.SIGKILL
        assert started[1].poll() is None
    finally:
        for process in started:
            process.kill()
            process.communicate()


class Crashing(Api):
    """A stand-in for the API in whose pod a command answers as it is told to."""

    stdout = "[7, 8]\n"
    is_allowed = True
    server_version = "v1.30.0"

    def can_i(self, *_: str) -> bool:
        return self.is_allowed

    def exec(self, *_: Any, **__: Any) -> ExecResult:
        return ExecResult(self.stdout, "", 0, 0.1)


def test_crash_kills_processes_and_then_the_pod() -> None:
    api: Any = Crashing(("ADDED", pod("old")))

    assert crash(api, POD, "postgres", "old") == ("old", True)
    assert api.deleted[0]["grace_period_seconds"] == 0


def test_crash_that_found_no_process_is_told() -> None:
    api: Any = Crashing(("ADDED", pod("old")))
    api.stdout = "[]\n"

    with pytest.raises(ProbeError, match="no process called postgres"):
        crash(api, POD, "postgres", "old")


def test_crash_that_may_not_end_in_a_deletion_kills_nothing() -> None:
    api: Any = Crashing(("ADDED", pod("old")))
    api.is_allowed = False
    api.exec = lambda *_, **__: pytest.fail("a process was killed")

    with pytest.raises(UnaskedError, match="may not delete pods"):
        crash(api, POD, "postgres", "old")
    assert api.deleted == []


def test_crash_kills_no_process_of_another_incarnation_than_was_judged() -> None:
    api: Any = Crashing(("ADDED", pod("new")))
    api.exec = lambda *_, **__: pytest.fail("a process was killed")

    with pytest.raises(ProbeError, match="there is no pod"):
        crash(api, POD, "postgres", "old")
    assert api.deleted == []


def test_crash_kills_no_process_by_name_where_a_pod_sees_those_of_its_node() -> None:
    seeing = pod("old")
    seeing["spec"]["hostPID"] = True
    api: Any = Crashing(("ADDED", seeing))
    api.exec = lambda *_, **__: pytest.fail("a process was killed")

    assert crash(api, POD, "postgres", "old") == ("old", False)
    assert len(api.deleted) == 1


class SomeSecrets(Secrets):
    """A stand-in for the API that shows those of one namespace alone."""

    def list(self, *asked: str, namespace: str) -> list[dict[str, Any]]:
        if namespace != "here":
            raise ApiError(f"GET /api/v1/namespaces/{namespace}/secrets", 403, b"")
        return super().list(*asked, namespace=namespace)


def test_secrets_that_may_not_be_read_are_missing_to_those_who_want_them() -> None:
    api: Any = SomeSecrets()
    values = SecretValues(api, ("there", "here"), frozenset())

    assert values.text("Secret", "here", "one", "PASSWORD") == "hunter2"
    with pytest.raises(ApiError) as caught:
        values.text("Secret", "there", "one", "PASSWORD")
    assert caught.value.forbidden
