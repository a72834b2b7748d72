"""A name, a port, or somebody else who answers: no Kubernetes API, and each told apart."""

from __future__ import annotations

import socket
import threading
import time

import pytest

from nova_acceptance import timeouts
from nova_acceptance.errors import ClusterError
from nova_acceptance.kube import ApiError, ApiUnreachableError, Kube
from testing.unit.kube.scripted_api import Answer, Request, reserved_port, scripted_api, status
from testing.unit.way.conftest import Kubeconfig, SecureApi, version

PAGE = b"<!doctype html><html><head><title>Sign in\n to go on</title></head></html>"


def failed(kube: Kube) -> ClusterError:
    with pytest.raises(ClusterError) as caught:
        _ = kube.server_version
    return caught.value


def test_name_that_nobody_knows_is_told(kubeconfig: Kubeconfig) -> None:
    path = kubeconfig("https://api.nova.invalid:6443")

    error = failed(Kube(path))

    assert error.message == (
        "the name api.nova.invalid of the Kubernetes API at https://api.nova.invalid:6443 "
        "cannot be resolved"
    )
    assert "VPN" in error.hint
    assert str(path) in error.hint


def test_refused_connection_is_told(kubeconfig: Kubeconfig) -> None:
    with reserved_port() as port:
        error = failed(Kube(kubeconfig(f"https://127.0.0.1:{port}")))

    assert isinstance(error, ApiUnreachableError)
    assert f"https://127.0.0.1:{port} did not answer" in error.message
    assert "refused" in error.evidence[0]


def test_silence_ends_within_its_budget(
    kubeconfig: Kubeconfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timeouts, "API_ABSENT", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        kube = Kube(kubeconfig(f"https://127.0.0.1:{silent.getsockname()[1]}"))
        began = time.monotonic()
        assert not kube.answers()
        assert time.monotonic() - began < timeouts.CONNECT + 2


@pytest.mark.parametrize("code", [200, 401, 403, 404])
def test_page_for_people_is_no_answer_of_an_api(
    secure_api: SecureApi, kubeconfig: Kubeconfig, code: int
) -> None:
    page = Answer(PAGE, code, headers={"Content-Type": "text/html; charset=utf-8"})
    with secure_api(lambda _: page) as api:
        path = kubeconfig(api)
        error = failed(Kube(path))

    assert not isinstance(error, ApiError)
    assert "answers, but not as a Kubernetes API does" in error.message
    assert "a page: Sign in to go on" in error.evidence
    assert f"`server` of the cluster shop in the kubeconfig {path}" in error.hint


def test_answer_that_sends_elsewhere_is_not_followed(
    secure_api: SecureApi, kubeconfig: Kubeconfig
) -> None:
    def script(request: Request) -> Answer:
        if request.path == "/login":
            return version(request)
        return Answer(b"", 302, headers={"Location": "/login?secret=1"})

    with secure_api(script) as api:
        error = failed(Kube(kubeconfig(api)))

    assert "answers, but not as a Kubernetes API does" in error.message
    assert "it sends to /login" in error.evidence
    assert len(api.requests) == 1


def test_page_of_a_busy_gateway_is_waited_out(
    secure_api: SecureApi, kubeconfig: Kubeconfig
) -> None:
    answers = [Answer(PAGE, 503, headers={"Content-Type": "text/html"})]
    with secure_api(lambda request: answers.pop() if answers else version(request)) as api:
        assert Kube(kubeconfig(api)).server_version == "v1.30.0"


def test_api_that_wants_tls_is_told(kubeconfig: Kubeconfig) -> None:
    said = b"Client sent an HTTP request to an HTTPS server.\n"
    with scripted_api(lambda _: Answer(said, 400)) as api:
        error = failed(Kube(kubeconfig(f"http://127.0.0.1:{api.port}")))

    assert error.message.endswith("answers, but not as a Kubernetes API does: it wants https")
    assert error.hint == (
        f"`kubectl config set-cluster shop --server=https://127.0.0.1:{api.port}`"
    )


def test_server_without_tls_is_told(kubeconfig: Kubeconfig) -> None:
    def greet(listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            with client:
                client.recv(1000)
                client.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with socket.create_server(("127.0.0.1", 0)) as plain:
        threading.Thread(target=greet, args=(plain,), daemon=True).start()
        error = failed(Kube(kubeconfig(f"https://127.0.0.1:{plain.getsockname()[1]}")))
        plain.shutdown(socket.SHUT_RDWR)

    assert error.message.endswith("does not speak TLS, so it is no Kubernetes API")
    assert "`server` of the cluster shop" in error.hint


def test_refusal_of_an_api_is_its_own(secure_api: SecureApi, kubeconfig: Kubeconfig) -> None:
    with secure_api(lambda _: Answer(status(404, "NotFound"), 404)) as api:
        assert isinstance(failed(Kube(kubeconfig(api))), ApiError)
