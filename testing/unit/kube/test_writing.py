"""What leaves this machine in a run that only reads, and in a rehearsal."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from nova_acceptance.errors import RefusedError, UnaskedError
from nova_acceptance.kube import Kube, Object, PodRef, Writing
from nova_acceptance.vantage import in_pod
from testing.unit.kube.scripted_api import Answer, ScriptedApi, scripted_api
from testing.unit.way.pki import Authority

SECRET: Object = {
    "apiVersion": "v1",
    "kind": "Secret",
    "metadata": {"name": "it", "namespace": "here"},
}
POD = PodRef("here", "pod")
WRITES: dict[str, Callable[[Kube], object]] = {
    "apply": lambda kube: kube.apply(SECRET),
    "create": lambda kube: kube.create(SECRET),
    "delete": lambda kube: kube.delete("v1", "Secret", "it", "here"),
    "ephemeral container": lambda kube: kube.add_ephemeral_container(POD, {"name": "a"}),
}
ALLOWED: dict[str, Callable[[Kube], object]] = {
    "access review": lambda kube: kube.can_i("get", "", "pods"),
    "rehearsal": lambda kube: kube.apply(SECRET, dry_run=True),
}


def echo() -> ScriptedApi:
    return ScriptedApi(
        lambda request: Answer(
            {"status": {"allowed": True}, **(json.loads(request.body) if request.body else {})}
            if request.path.endswith("secrets/it")
            else {"status": {"allowed": True}, "items": [], "gitVersion": "v1"}
        )
    )


def methods(api: ScriptedApi) -> set[str]:
    return {request.method for request in api.requests}


@pytest.mark.parametrize("write", [*WRITES, *ALLOWED])
def test_nothing_but_get_is_sent_in_a_run_that_only_reads(write: str, tmp_path: Path) -> None:
    with scripted_api(echo().script) as api:
        kube = Kube(api.kubeconfig(tmp_path), writing=Writing.NEVER)
        kube.list("v1", "Secret", namespace="here")
        with pytest.raises(UnaskedError, match="--read-only"):
            {**WRITES, **ALLOWED}[write](kube)

    assert methods(api) == {"GET"}


@pytest.mark.parametrize("write", WRITES)
def test_nothing_that_is_carried_out_is_sent_in_a_rehearsal(write: str, tmp_path: Path) -> None:
    with scripted_api(echo().script) as api:
        kube = Kube(api.kubeconfig(tmp_path), writing=Writing.REHEARSED)
        with pytest.raises(RefusedError, match="--dry-run"):
            WRITES[write](kube)

    assert methods(api) <= {"GET"}


@pytest.mark.parametrize("question", ALLOWED)
def test_what_the_server_does_not_carry_out_is_sent_in_a_rehearsal(
    question: str, tmp_path: Path
) -> None:
    with scripted_api(echo().script) as api:
        ALLOWED[question](Kube(api.kubeconfig(tmp_path), writing=Writing.REHEARSED))

    assert methods(api) - {"GET"}


def test_a_command_that_may_change_something_is_not_run(tmp_path: Path) -> None:
    with scripted_api(echo().script) as api:
        kube = Kube(api.kubeconfig(tmp_path), writing=Writing.NEVER)
        with pytest.raises(UnaskedError, match="--read-only"):
            kube.exec(POD, ["rm", "-r", "/"])
        with pytest.raises(UnaskedError, match="--read-only"):
            in_pod.run(kube, POD, "in_pod_kill", "1", container="main", timeout=1)

    assert api.requests == []


def test_authority_is_what_the_kubeconfig_holds(tmp_path: Path) -> None:
    with scripted_api(echo().script) as api:
        path = api.kubeconfig(tmp_path)
        assert Kube(path).authority == ""
        content = json.loads(path.read_text())
        certificate = Authority().certificate
        (tmp_path / "ca.crt").write_bytes(certificate + b"\n")
        content["clusters"][0]["cluster"]["certificate-authority"] = str(tmp_path / "ca.crt")
        content["clusters"][0]["cluster"]["server"] = "https://127.0.0.1:1"
        path.write_text(json.dumps(content))

        assert Kube(path).authority == hashlib.sha256(certificate.strip()).hexdigest()
