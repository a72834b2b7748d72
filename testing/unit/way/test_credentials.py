"""Whom the kubeconfig says that we are, and what is told where it cannot be found out."""

from __future__ import annotations

import base64
import json
import os
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from nova_acceptance import masking, timeouts
from nova_acceptance.errors import ClusterError
from nova_acceptance.kube import ApiError, Kube, PodRef
from testing.unit.kube.scripted_api import Answer, Request, status
from testing.unit.waiting import wait_until
from testing.unit.way.conftest import Kubeconfig, SecureApi, version
from testing.unit.way.pki import Authority

V1 = "client.authentication.k8s.io/v1"
BETA = "client.authentication.k8s.io/v1beta1"
SECRET = "the-very-secret-token"

Write = Callable[..., dict[str, Any]]


@pytest.fixture
def plugin(tmp_path: Path) -> Write:
    """Write a credential plug-in as a shell script; return the `exec` of a user that runs it."""

    def write(script: str, **fields: object) -> dict[str, Any]:
        path = tmp_path / "login"
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        given = {"apiVersion": V1, "command": "./login", "interactiveMode": "IfAvailable", **fields}
        return {"exec": given}

    return write


def printing(status: Mapping[str, object], of: str = V1) -> str:
    answer = {"apiVersion": of, "kind": "ExecCredential", "status": status}
    return f"cat <<'END'\n{json.dumps(answer)}\nEND"


def refusing(good: Sequence[str] = ()) -> Callable[[Request], Answer]:
    """Answer whoever comes with one of these tokens; refuse all others."""

    def script(request: Request) -> Answer:
        if request.headers.get("authorization", "").removeprefix("Bearer ") in good:
            return version(request)
        return Answer(status(401, "Unauthorized", "Unauthorized"), 401)

    return script


def jwt(ends: datetime) -> str:
    payload = base64.urlsafe_b64encode(json.dumps({"exp": ends.timestamp()}).encode())
    return f"eyJhbGciOiJub25lIn0.{payload.decode().rstrip('=')}.c2lnbmF0dXJl"


def failed(kube: Kube) -> ClusterError:
    with pytest.raises(ClusterError) as caught:
        _ = kube.server_version
    return caught.value


# Plug-ins


@pytest.mark.parametrize("api_version", [V1, BETA])
def test_token_of_a_plugin_is_sent(
    secure_api: SecureApi, kubeconfig: Kubeconfig, plugin: Write, api_version: str
) -> None:
    user = plugin(printing({"token": SECRET}, api_version), apiVersion=api_version)
    with secure_api(refusing([SECRET])) as api:
        assert Kube(kubeconfig(api, user=user)).server_version == "v1.30.0"

    assert masking.mask(f"it said {SECRET}") != f"it said {SECRET}"


def test_plugin_is_told_what_kubectl_tells_it(
    secure_api: SecureApi, kubeconfig: Kubeconfig, plugin: Write, tmp_path: Path
) -> None:
    user = plugin(
        f'printf %s "$KUBERNETES_EXEC_INFO" > told; echo "$1 $REGION" > called\n'
        f"{printing({'token': SECRET})}",
        args=["--now"],
        env=[{"name": "REGION", "value": "eu"}],
        provideClusterInfo=True,
    )
    script = (tmp_path / "login").read_text()
    (tmp_path / "login").write_text(
        script.replace("> told", f"> {tmp_path}/told").replace("> called", f"> {tmp_path}/called")
    )
    with secure_api() as api:
        _ = Kube(kubeconfig(api, user=user)).server_version

    told = json.loads((tmp_path / "told").read_text())
    assert told["apiVersion"] == V1
    assert told["kind"] == "ExecCredential"
    assert told["spec"]["interactive"] is False
    assert told["spec"]["cluster"]["server"] == f"https://127.0.0.1:{api.port}"
    assert told["spec"]["cluster"]["certificate-authority-data"]
    assert (tmp_path / "called").read_text() == "--now eu\n"


def test_certificate_of_a_plugin_is_shown(
    secure_api: SecureApi, kubeconfig: Kubeconfig, plugin: Write, authority: Authority
) -> None:
    mine = authority.issue("tester")
    given = {
        "clientCertificateData": mine.certificate.decode(),
        "clientKeyData": mine.key.decode(),
    }
    with secure_api(clients=authority.certificate) as api:
        user = plugin(printing(given))
        assert Kube(kubeconfig(api, user=user)).server_version == "v1.30.0"


@pytest.mark.parametrize("hint", ["", "brew install\n  the-login"])
def test_missing_plugin_is_named_with_how_to_install_it(kubeconfig: Kubeconfig, hint: str) -> None:
    user = {"exec": {"apiVersion": V1, "command": "the-login-of-nobody", "installHint": hint}}

    error = failed(Kube(kubeconfig("https://127.0.0.1:1", user=user)))

    assert error.message == (
        "the credential plug-in `the-login-of-nobody` of the user tester cannot be started: "
        "No such file or directory"
    )
    assert error.hint == ("brew install the-login" if hint else error.hint)
    assert "the-login" in error.hint


def test_failing_plugin_is_told_with_what_it_said(kubeconfig: Kubeconfig, plugin: Write) -> None:
    masking.register([SECRET])
    user = plugin(f"echo 'no session for {SECRET}' >&2; exit 3")

    error = failed(Kube(kubeconfig("https://127.0.0.1:1", user=user)))

    assert error.message.endswith("of the user tester failed with status 3")
    assert error.evidence[0].startswith("no session for ")
    assert SECRET not in str(error)
    assert "`kubectl get --raw /version --context shop-test`" in error.hint


@pytest.mark.parametrize(
    ("printed", "why"),
    [
        ("echo Please log in", "it printed no ExecCredential"),
        ("echo '[]'", "it printed no ExecCredential"),
        ("true", "it printed no ExecCredential"),
        (printing({}), "it gave neither a token nor a certificate with its key"),
        (printing({"clientCertificateData": "x"}), "it gave neither a token nor a certificate"),
        (printing({"token": SECRET}, BETA), f"it printed one of {BETA} where {V1} was asked for"),
        (
            printing({"token": SECRET, "expirationTimestamp": "soon"}),
            "it printed no ExecCredential",
        ),
    ],
)
def test_nonsense_of_a_plugin_is_told(
    kubeconfig: Kubeconfig, plugin: Write, printed: str, why: str
) -> None:
    error = failed(Kube(kubeconfig("https://127.0.0.1:1", user=plugin(printed))))

    assert "gave no credentials: " in error.message
    assert why in error.message
    assert SECRET not in str(error)


@pytest.mark.parametrize("of", ["", "client.authentication.k8s.io/v1alpha1"])
def test_plugin_of_an_unknown_version_is_told(
    kubeconfig: Kubeconfig, plugin: Write, of: str
) -> None:
    error = failed(Kube(kubeconfig("https://127.0.0.1:1", user=plugin("true", apiVersion=of))))

    assert "cannot be run" in error.message
    assert V1 in error.hint


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def test_plugin_that_waits_for_a_person_is_ended_with_its_children(
    kubeconfig: Kubeconfig, plugin: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timeouts, "CREDENTIALS", 1.0)
    script = f"sleep 600 & echo $! > {tmp_path}/child\necho 'opening a browser' >&2\nwait"
    began = time.monotonic()

    error = failed(Kube(kubeconfig("https://127.0.0.1:1", user=plugin(script))))

    assert time.monotonic() - began < 1 + timeouts.COMMAND_END
    assert "wants a person to log in" in error.message
    assert "still waiting after 1 s" in error.message
    assert error.evidence == ("opening a browser",)
    assert error.hint == ("log in once by hand: `kubectl get --raw /version --context shop-test`")
    child = int((tmp_path / "child").read_text())
    wait_until(lambda: not is_alive(child), 5)
    assert not is_alive(child)


def test_plugin_that_leaves_its_group_holds_nobody_up(
    kubeconfig: Kubeconfig, plugin: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timeouts, "CREDENTIALS", 0.5)
    monkeypatch.setattr(timeouts, "COMMAND_END", 0.5)
    script = f"setsid sh -c 'echo $$ > {tmp_path}/child; exec sleep 600' & wait"
    began = time.monotonic()
    try:
        error = failed(Kube(kubeconfig("https://127.0.0.1:1", user=plugin(script))))
    finally:
        os.kill(int((tmp_path / "child").read_text()), 9)

    assert "wants a person to log in" in error.message
    assert time.monotonic() - began < 5


def test_plugin_that_always_wants_a_terminal_is_not_run(
    kubeconfig: Kubeconfig, plugin: Write, tmp_path: Path
) -> None:
    user = plugin(f"touch {tmp_path}/ran", interactiveMode="Always")

    error = failed(Kube(kubeconfig("https://127.0.0.1:1", user=user)))

    assert "it runs only where somebody is at a terminal" in error.message
    assert not (tmp_path / "ran").exists()


def counting(tmp_path: Path, first: str, then: str) -> str:
    return f"""
echo run >> {tmp_path}/runs
if [ $(wc -l < {tmp_path}/runs) = 1 ]; then
{first}
else
{then}
fi"""


@pytest.mark.parametrize("expires", [True, False])
def test_token_that_ends_during_a_run_is_fetched_anew_once(
    secure_api: SecureApi, kubeconfig: Kubeconfig, plugin: Write, tmp_path: Path, *, expires: bool
) -> None:
    good = ["the-first-token"]
    until = datetime.now(UTC) + timedelta(seconds=1)
    first: dict[str, object] = {"token": "the-first-token"}
    if expires:
        first["expirationTimestamp"] = f"{until:%FT%TZ}"
    script = counting(tmp_path, printing(first), printing({"token": "the-second-token"}))
    with secure_api(refusing(good)) as api:
        kube = Kube(kubeconfig(api, user=plugin(script)))
        assert kube.answers()
        if expires:
            time.sleep(max(0.0, (until - datetime.now(UTC)).total_seconds()))
        good[:] = ["the-second-token"]
        assert kube.server_version == "v1.30.0"
        for _ in range(3):
            assert kube.answers()

    assert (tmp_path / "runs").read_text() == "run\nrun\n"
    refused = [r for r in api.requests if r.headers["authorization"].endswith("the-first-token")]
    assert len(refused) == (1 if expires else 2)


def test_websocket_gets_a_new_token_as_well(
    secure_api: SecureApi, kubeconfig: Kubeconfig, plugin: Write, tmp_path: Path
) -> None:
    def script(request: Request) -> Answer:
        if not request.headers["authorization"].endswith("the-second-token"):
            return Answer(status(401, "Unauthorized"), 401)
        return Answer(websocket=lambda channels: channels.send(3, b'{"status": "Success"}'))

    first, then = printing({"token": "the-first-token"}), printing({"token": "the-second-token"})
    with secure_api(script) as api:
        kube = Kube(kubeconfig(api, user=plugin(counting(tmp_path, first, then))))
        assert kube.exec(PodRef("here", "it"), ["true"]).exit_code == 0


def test_plugin_whose_new_token_is_refused_too_is_not_run_for_ever(
    secure_api: SecureApi, kubeconfig: Kubeconfig, plugin: Write, tmp_path: Path
) -> None:
    script = f"echo run >> {tmp_path}/runs\n{printing({'token': 'the-bad-token'})}"
    with secure_api(refusing(["another"])) as api:
        error = failed(Kube(kubeconfig(api, user=plugin(script))))

    assert isinstance(error, ApiError)
    assert error.status == 401
    assert (tmp_path / "runs").read_text() == "run\nrun\n"
    assert len(api.requests) == 1


# Tokens and certificates that have ended


def test_token_that_expired_is_told_with_since_when(
    secure_api: SecureApi, kubeconfig: Kubeconfig
) -> None:
    token = jwt(datetime.now(UTC) - timedelta(hours=5, minutes=1))
    with secure_api(refusing()) as api:
        error = failed(Kube(kubeconfig(api, user={"token": token})))

    assert error.message.startswith("the token of the user tester expired 5 h ago, at ")
    assert "--context shop-test" in error.hint
    assert any("401 Unauthorized" in line for line in error.evidence)
    assert token not in str(error)


def test_token_that_says_nothing_of_its_end_is_a_401(
    secure_api: SecureApi, kubeconfig: Kubeconfig
) -> None:
    with secure_api(refusing()) as api:
        error = failed(Kube(kubeconfig(api, user={"token": jwt(datetime.now(UTC) + timedelta(1))})))

    assert "401 Unauthorized" in error.message
    assert "log in again" in error.hint


def test_clock_that_makes_a_token_look_ended_is_told(
    secure_api: SecureApi, kubeconfig: Kubeconfig
) -> None:
    token = jwt(datetime.now(UTC) + timedelta(hours=1))
    with secure_api(refusing()) as api:
        api.clock = 7200.0
        error = failed(Kube(kubeconfig(api, user={"token": token})))

    assert "this machine's clock is off by " in error.message


def test_clients_certificate_that_expired_is_told(
    secure_api: SecureApi, kubeconfig: Kubeconfig, authority: Authority
) -> None:
    mine = authority.issue("tester", begin=timedelta(-30), end=timedelta(-2, -60))
    user = {
        "client-certificate-data": base64.b64encode(mine.certificate).decode(),
        "client-key-data": base64.b64encode(mine.key).decode(),
    }
    with secure_api(refusing()) as api:
        error = failed(Kube(kubeconfig(api, user=user)))

    assert error.message.startswith("the client certificate of the user tester expired 2 d ago")


def test_file_with_a_token_is_read_anew_once_its_token_is_refused(
    secure_api: SecureApi, kubeconfig: Kubeconfig, tmp_path: Path
) -> None:
    good = ["the-first-token"]
    file = tmp_path / "token"
    file.write_text("the-first-token\n")
    with secure_api(refusing(good)) as api:
        kube = Kube(kubeconfig(api, user={"tokenFile": "token"}))
        assert kube.answers()
        good[:] = ["the-second-token"]
        file.write_text("the-second-token\n")
        assert kube.server_version == "v1.30.0"


def test_name_and_password_are_sent(secure_api: SecureApi, kubeconfig: Kubeconfig) -> None:
    with secure_api() as api:
        _ = Kube(kubeconfig(api, user={"username": "me", "password": "pass-word"})).server_version

    assert api.requests[0].headers["authorization"] == "Basic bWU6cGFzcy13b3Jk"


# Kubeconfigs of old


@pytest.mark.parametrize(
    ("kind", "cure"),
    [("gcp", "gcloud container clusters"), ("azure", "kubelogin"), ("other", "provider's")],
)
def test_auth_provider_that_nobody_knows_is_named(
    kubeconfig: Kubeconfig, kind: str, cure: str
) -> None:
    user = {"auth-provider": {"name": kind, "config": {}}}

    with pytest.raises(ClusterError, match=f"by the auth-provider {kind}") as caught:
        Kube(kubeconfig("https://127.0.0.1:1", user=user))

    assert cure in caught.value.hint


def test_token_of_oidc_is_sent(secure_api: SecureApi, kubeconfig: Kubeconfig) -> None:
    token = jwt(datetime.now(UTC) + timedelta(hours=1))
    user = {"auth-provider": {"name": "oidc", "config": {"id-token": token}}}
    with secure_api(refusing([token])) as api:
        assert Kube(kubeconfig(api, user=user)).server_version == "v1.30.0"


def test_token_of_oidc_that_expired_is_told(kubeconfig: Kubeconfig) -> None:
    token = jwt(datetime.now(UTC) - timedelta(hours=1))
    user = {"auth-provider": {"name": "oidc", "config": {"id-token": token}}}

    with pytest.raises(ClusterError, match="has expired") as caught:
        Kube(kubeconfig("https://127.0.0.1:1", user=user))

    assert "kubectl get --raw /version --context shop-test" in caught.value.hint
    assert token not in str(caught.value)
