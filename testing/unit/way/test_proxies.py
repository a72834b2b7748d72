"""Every request goes through the proxy that kubectl would go through, WebSockets too."""

from __future__ import annotations

import pytest

from nova_acceptance import masking
from nova_acceptance.errors import ClusterError
from nova_acceptance.kube import Kube, PodRef
from nova_acceptance.kube.proxies import proxy_of
from testing.unit.kube.scripted_api import Answer, Request, reserved_port
from testing.unit.way.conftest import Kubeconfig, SecureApi, version
from testing.unit.way.pki import Authority
from testing.unit.way.proxying import http_proxy, socks_proxy

API = "https://api.nova.invalid:6443"
"""An address that only a proxy of the test's leads to."""


def both(request: Request) -> Answer:
    if request.path.endswith("/exec"):
        return Answer(websocket=lambda channels: channels.send(3, b'{"status": "Success"}'))
    return version(request)


def reached(kube: Kube) -> None:
    assert kube.server_version == "v1.30.0"
    assert kube.exec(PodRef("here", "it"), ["true"]).exit_code == 0


def failed(kube: Kube) -> ClusterError:
    with pytest.raises(ClusterError) as caught:
        _ = kube.server_version
    return caught.value


@pytest.mark.parametrize("where", ["kubeconfig", "HTTPS_PROXY", "https_proxy"])
def test_socks_proxy_is_gone_through_and_resolves_the_name(
    secure_api: SecureApi, kubeconfig: Kubeconfig, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    with secure_api(both) as api, socks_proxy(api.port) as proxy:
        url = f"socks5://127.0.0.1:{proxy.port}"
        cluster = {"proxy-url": url} if where == "kubeconfig" else {}
        if where != "kubeconfig":
            monkeypatch.setenv(where, url)

        reached(Kube(kubeconfig(API, cluster=cluster)))

    assert set(proxy.asked) == {"api.nova.invalid:6443"}
    assert len(proxy.asked) == 2


@pytest.mark.parametrize("where", ["kubeconfig", "HTTPS_PROXY"])
def test_http_proxy_is_gone_through(
    secure_api: SecureApi, kubeconfig: Kubeconfig, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    with secure_api(both) as api, http_proxy(api.port) as proxy:
        url = f"http://127.0.0.1:{proxy.port}"
        cluster = {"proxy-url": url} if where == "kubeconfig" else {}
        if where != "kubeconfig":
            monkeypatch.setenv(where, url)

        reached(Kube(kubeconfig(API, cluster=cluster)))

    assert proxy.asked == ["api.nova.invalid:6443"] * 2


def test_socks_proxy_is_told_who_asks(secure_api: SecureApi, kubeconfig: Kubeconfig) -> None:
    with secure_api(both) as api, socks_proxy(api.port) as proxy:
        url = f"socks5://me:tolstoy%40home@127.0.0.1:{proxy.port}"
        reached(Kube(kubeconfig(API, cluster={"proxy-url": url})))

    assert proxy.known == ["me:tolstoy@home"] * 2
    assert "tolstoy" not in masking.mask("it was tolstoy@home or tolstoy%40home")


def test_http_proxy_is_told_who_asks(secure_api: SecureApi, kubeconfig: Kubeconfig) -> None:
    with secure_api(both) as api, http_proxy(api.port) as proxy:
        url = f"http://me:tolstoy%40home@127.0.0.1:{proxy.port}"
        reached(Kube(kubeconfig(API, cluster={"proxy-url": url})))

    assert proxy.known == ["Basic bWU6dG9sc3RveUBob21l"] * 2


@pytest.mark.parametrize("answer", ["403 Forbidden", "502 Bad Gateway", "407 Who Are You"])
def test_http_proxy_that_lets_nothing_through_is_named(
    kubeconfig: Kubeconfig, monkeypatch: pytest.MonkeyPatch, answer: str
) -> None:
    with http_proxy(1, answer) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://me:password@127.0.0.1:{proxy.port}")
        kube = Kube(kubeconfig(API))
        error = failed(kube)
        with pytest.raises(ClusterError, match="does not let through") as caught:
            kube.exec(PodRef("here", "it"), ["true"])

    told = f"the proxy http://127.0.0.1:{proxy.port} does not let through to the Kubernetes API"
    assert error.message == f"{told} at {API}: {answer}"
    assert error.hint == (
        "$HTTPS_PROXY names it; where the API is to be reached without it, "
        "`export NO_PROXY=api.nova.invalid,$NO_PROXY`"
    )
    assert told in str(caught.value)
    assert "password" not in str(error)


def test_socks_proxy_that_lets_nothing_through_is_named(kubeconfig: Kubeconfig) -> None:
    with socks_proxy(1, refuses=True) as proxy:
        cluster = {"proxy-url": f"socks5://127.0.0.1:{proxy.port}"}
        path = kubeconfig(API, cluster=cluster)
        error = failed(Kube(path))

    assert f"the proxy socks5://127.0.0.1:{proxy.port} does not let through" in error.message
    assert "Connection refused" in error.message
    assert f"`proxy-url` of the cluster shop names it, in the kubeconfig {path}" in error.hint


@pytest.mark.parametrize("scheme", ["http", "socks5"])
def test_proxy_that_is_not_there_is_named(
    kubeconfig: Kubeconfig, monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    with reserved_port() as port:
        monkeypatch.setenv("HTTPS_PROXY", f"{scheme}://127.0.0.1:{port}")
        error = failed(Kube(kubeconfig(API)))

    assert f"the proxy {scheme}://127.0.0.1:{port} on the way to" in error.message
    assert "cannot be reached: " in error.message
    assert "refused" in error.message
    assert "NO_PROXY=api.nova.invalid" in error.hint


def test_proxy_that_opens_tls_itself_is_named(
    secure_api: SecureApi, kubeconfig: Kubeconfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair = Authority("the inspecting one").issue("api.nova.invalid")
    with secure_api(pair=pair) as api, http_proxy(api.port) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.port}")
        error = failed(Kube(kubeconfig(API)))

    assert any("CN=the inspecting one" in line for line in error.evidence)
    assert any("NO_PROXY=api.nova.invalid goes past it" in line for line in error.evidence)


@pytest.mark.parametrize("url", ["ftp://it:1", "http://", "http://it:notaport"])
def test_proxy_that_is_none_is_named(kubeconfig: Kubeconfig, url: str) -> None:
    with pytest.raises(ClusterError, match="`proxy-url` of the cluster shop"):
        Kube(kubeconfig(API, cluster={"proxy-url": url}))


@pytest.mark.parametrize(
    ("server", "excepted", "is_gone_through"),
    [
        ("https://api.shop.example", "", True),
        ("https://api.shop.example", "*", False),
        ("https://api.shop.example", "shop.example", False),
        ("https://api.shop.example", ".shop.example", False),
        ("https://api.shop.example", "*.shop.example", False),
        ("https://shop.example", ".shop.example", True),
        ("https://shop.example", "shop.example", False),
        ("https://workshop.example", "shop.example", True),
        ("https://api.shop.example:6443", "api.shop.example:6443", False),
        ("https://api.shop.example:6443", "api.shop.example:443", True),
        ("https://10.1.2.3:6443", "other, 10.1.0.0/16", False),
        ("https://10.2.2.3:6443", "10.1.0.0/16", True),
        ("https://10.1.2.3:6443", "10.1.2.3", False),
        ("https://[fd00::7]:6443", "fd00::/8", False),
        ("https://[fd00::7]:6443", "[fd00::7]:6443", False),
        ("https://127.0.0.1:6443", "", False),
        ("https://localhost:6443", "", False),
        ("https://[::1]:6443", "", False),
        ("http://api.shop.example", "", False),
    ],
)
def test_no_proxy_is_read_as_kubectl_reads_it(
    monkeypatch: pytest.MonkeyPatch, server: str, excepted: str, *, is_gone_through: bool
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "proxy.example:3128")
    monkeypatch.setenv("NO_PROXY", excepted)

    found = proxy_of(server, "", "")

    assert (found is not None) == is_gone_through
    if found:
        assert (found.shown, found.source) == ("http://proxy.example:3128", "$HTTPS_PROXY")


def test_proxy_of_the_kubeconfig_is_gone_through_whatever_the_environment_says(
    secure_api: SecureApi, kubeconfig: Kubeconfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_PROXY", "*")
    with secure_api(both) as api, http_proxy(api.port) as proxy:
        cluster = {"proxy-url": f"http://127.0.0.1:{proxy.port}"}
        reached(Kube(kubeconfig(api, cluster=cluster)))

    assert proxy.asked == [f"127.0.0.1:{api.port}"] * 2
