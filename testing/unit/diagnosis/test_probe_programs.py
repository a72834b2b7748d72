"""A probe whose program the image lacks, as runtimes and shells word it, and what sounds so."""

from __future__ import annotations

import pytest

from nova_acceptance.components.kubernetes import programs
from nova_acceptance.components.kubernetes.probe_programs import program_lacking
from nova_acceptance.findings import Finding
from nova_acceptance.kube.snapshot import Snapshot
from testing.unit.diagnosis.elsewhere import deployment, made, readiness

ERRORED = "Readiness probe errored: "
EXEC = "rpc error: code = Unknown desc = failed to exec in container: failed to start exec: "
RUNC = "OCI runtime exec failed: exec failed: unable to start container process: "


@pytest.mark.parametrize(
    ("command", "answer", "program"),
    [
        (
            ["pg_isready", "-q"],
            f'{EXEC}{RUNC}exec: "pg_isready": executable file not found in $PATH: unknown',
            "pg_isready",
        ),
        (
            ["/bin/grpc_health_probe", "-addr=:50051"],
            f'{RUNC}exec: "/bin/grpc_health_probe": stat /bin/grpc_health_probe: '
            "no such file or directory: unknown",
            "/bin/grpc_health_probe",
        ),
        (
            ["/check.sh"],
            "exec failed: container_linux.go:380: starting container process caused: "
            'exec: "/check.sh": permission denied',
            "/check.sh",
        ),
        (
            ["curl", "localhost"],
            "exec failed: executable file `curl` not found in $PATH: No such file or directory: "
            "OCI runtime attempted to invoke a command that was not found",
            "curl",
        ),
        (["sh", "-c", "curl -f :80"], "sh: 1: curl: not found", "curl"),
        (["sh", "-c", "curl -f :80"], "/bin/sh: curl: not found", "curl"),
        (["bash", "-c", "nc -z h 1"], "bash: line 1: nc: command not found", "nc"),
        (["/ready.sh"], "/ready.sh: line 3: wget: command not found", "wget"),
        (["/ready.sh"], "/ready.sh: 4: wget: not found", "wget"),
        (["bash", "-c", "/opt/ok"], "bash: line 1: /opt/ok: No such file or directory", "/opt/ok"),
        (["/ready"], "env: python3: No such file or directory", "python3"),
        (["sh", "-c", "mysqladmin ping"], "command terminated with exit code 127", "mysqladmin"),
        (["/ready"], "process exited with exit status 126", "/ready"),
    ],
)
def test_program_that_is_not_there_is_named(command: list[str], answer: str, program: str) -> None:
    assert program_lacking(command, answer) == program


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        (["cat", "/run/healthy"], "cat: /run/healthy: No such file or directory"),
        (["cat", "/run/healthy"], "cat: can't open '/run/healthy': No such file or directory"),
        (["bash", "-c", "read x < /run/ok"], "bash: /run/ok: No such file or directory"),
        (["sh", "-c", "read x < /run/ok"], "sh: 1: cannot open /run/ok: No such file"),
        (["bash", "-c", "cat /run/ok"], "cat: /run/ok: No such file or directory"),
        (["bash", "-c", "source /run/env"], "bash: /run/env: No such file or directory"),
        (["curl", "-f", "localhost"], "curl: (22) The requested URL returned error: 404 Not Found"),
        (["psql"], 'psql: error: FATAL:  database "ledger" not found'),
        (["ls", "/data"], "ls: /data: Permission denied"),
        (
            ["x"],
            "rpc error: code = NotFound desc = failed to exec: container not running: not found",
        ),
        (["x"], 'command "x" timed out'),
        (["x"], "command terminated with exit code 1"),
        ([], "HTTP probe failed with statuscode: 404"),
    ],
)
def test_program_that_ran_and_missed_something_else_is_there(
    command: list[str], answer: str
) -> None:
    assert program_lacking(command, answer) == ""


def found(
    said: str, probe: str = "readinessProbe", command: tuple[str, ...] = ("pg_isready",)
) -> list[Finding]:
    container = {"name": "front", "image": "acme/ledger:3", probe: {"exec": {"command": command}}}
    workload, replicas, its = deployment("ledger", container, ready=False)
    its["status"] |= {"conditions": [readiness(False)]}
    its["status"]["containerStatuses"] = [
        {"name": "front", "ready": False, "restartCount": 0, "state": {"running": {}}}
    ]
    about = {"uid": its["metadata"]["uid"], "fieldPath": "spec.containers{front}"}
    event = made("Event", "e") | {
        "involvedObject": about,
        "reason": "Unhealthy",
        "message": said,
        "lastTimestamp": "2026-01-01T00:00:00Z",
    }
    seen = Snapshot.of([workload, replicas, its, event])
    return [each for rule in programs.LIVE for each in rule(seen)]


@pytest.mark.parametrize(
    ("field", "word"),
    [("readinessProbe", "Readiness"), ("startupProbe", "Startup")],
)
@pytest.mark.parametrize("how", ["errored", "failed", "errored and resulted in unknown state"])
def test_probe_container_and_program_are_named(field: str, word: str, how: str) -> None:
    said = f'{word} probe {how}: {EXEC}{RUNC}exec: "pg_isready": executable file not found in $PATH'
    (each,) = found(said, field)

    assert (each.cause, str(each.subject)) == ("PROBE_PROGRAM_MISSING", "Deployment app/ledger")
    assert each.container == "front"
    assert f"its {word.lower()} probe runs pg_isready" in each.summary
    assert "acme/ledger:3" in each.summary
    assert f"the {field} of container front in Deployment app/ledger" in each.cure
    assert not each.is_symptom
    assert each.grace == 10


@pytest.mark.parametrize(
    "said",
    [
        "Readiness probe failed: cat: /run/healthy: No such file or directory",
        "Readiness probe failed: dial tcp 10.1.0.9:80: connect: connection refused",
    ],
)
def test_other_failing_probe_stays_what_it_is(said: str) -> None:
    (each,) = found(said, command=("cat", "/run/healthy"))

    assert each.cause == "READINESS_FAILING"


def test_probe_that_runs_no_program_lacks_none() -> None:
    said = "Readiness probe failed: sh: 1: curl: not found"
    (each,) = found(said, "livenessProbe")  # so that the readiness probe has no command

    assert each.cause == "READINESS_FAILING"
