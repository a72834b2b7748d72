"""What is in the way to the API: a name, a port, a proxy, or somebody else who answers.

Each is told by what was tried and what came back, with the cure; none says anything of the system.
"""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Iterator, Mapping
from typing import Final
from urllib.parse import urlsplit

import urllib3

from nova_acceptance.kube.dial import ProxyAbsentError, ProxyRefusedError
from nova_acceptance.kube.failures import ApiUnreachableError, WayError
from nova_acceptance.kube.kubeconfig import Way
from nova_acceptance.kube.proxies import Proxy, is_loopback
from nova_acceptance.kube.trust import distrusted
from nova_acceptance.phrase import Phrase

_NOT_TLS: Final = (
    "WRONG_VERSION_NUMBER",
    "RECORD_LAYER_FAILURE",
    "HTTP_REQUEST",
    "UNKNOWN_PROTOCOL",
)
_TITLE: Final = re.compile(rb"<title[^>]*>(.*?)</title>", re.IGNORECASE | re.DOTALL)


def chain(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error with all that it comes from, however that was wrapped."""
    waiting, seen = [error], set()
    while waiting:
        each = waiting.pop(0)
        if each is None or id(each) in seen:
            continue
        seen.add(id(each))
        yield each
        inside = (*each.args, getattr(each, "reason", None))
        waiting += [found for found in inside if isinstance(found, BaseException)]
        waiting += [each.__cause__, each.__context__]


def unreachable(asked: str, way: Way, cause: BaseException) -> WayError | ApiUnreachableError:
    """Return the error for a request that got no answer of the API.

    Args:
        asked: the request.
        way: the way that it went.
        cause: what came back instead.
    """
    errors = tuple(chain(cause))
    if distrust := next((e for e in errors if isinstance(e, ssl.SSLCertVerificationError)), None):
        return distrusted(way, distrust)
    told = _of_proxy(way, way.proxy, errors) if way.proxy else None
    what, hint = told or _of_server(way, errors)
    return ApiUnreachableError(asked, way.server, cause, what=what, hint=hint)


def not_kubernetes(
    way: Way, path: str, status: int, headers: Mapping[str, str], body: bytes
) -> WayError:
    """Return the error for an answer that no Kubernetes API gives."""
    title = _TITLE.search(body)
    said = [f"status {status}, {headers.get('Content-Type') or 'no content type'}"]
    if title:
        said.append(f"a page: {' '.join(title[1].decode('utf-8', 'replace').split())[:200]}")
    if target := headers.get("Location"):
        said.append(f"it sends to {target.partition('?')[0]}")
    if way.proxy:
        said.append(f"through the proxy {way.proxy.shown} ({way.proxy.source})")
    if b"HTTP request to an HTTPS server" in body:
        return WayError(
            Phrase(
                "{server} answers, but not as a Kubernetes API does: it wants https",
                server=way.server,
            ),
            hint=Phrase(
                "`kubectl config set-cluster {cluster} --server=https{rest}`",
                cluster=way.cluster,
                rest=way.server.removeprefix("http"),
            ),
            evidence=said,
        )
    return WayError(
        Phrase(
            "{place} answers, but not as a Kubernetes API does",
            place=f"{way.server}{path}",
        ),
        hint=Phrase(
            "something else is there, such as a portal that wants a login first: see `server` "
            "of the cluster {cluster} in the kubeconfig {file}",
            cluster=way.cluster,
            file=way.file,
        ),
        evidence=said,
    )


def is_page(headers: Mapping[str, str], body: bytes) -> bool:
    """Whether an answer is a page for people."""
    kind = (headers.get("Content-Type") or "").lower()
    return kind.startswith("text/html") or body.lstrip()[:1] == b"<"


def _of_proxy(
    way: Way, proxy: Proxy, errors: tuple[BaseException, ...]
) -> tuple[Phrase, Phrase] | None:
    absent, refused = _said_of_proxy(errors)
    if not refused and not absent:
        return None
    host = urlsplit(way.server).hostname or ""
    if absent:
        what = Phrase(
            "the proxy {proxy} on the way to the Kubernetes API at {server} cannot be reached: "
            "{said}",
            proxy=proxy.shown,
            server=way.server,
            said=absent,
        )
    else:
        what = Phrase(
            "the proxy {proxy} does not let through to the Kubernetes API at {server}: {said}",
            proxy=proxy.shown,
            server=way.server,
            said=refused,
        )
    if proxy.source.startswith("$"):
        return what, Phrase(
            "{variable} names it; where the API is to be reached without it, "
            "`export NO_PROXY={host},$NO_PROXY`",
            variable=proxy.source,
            host=host,
        )
    return what, Phrase(
        "{field} names it, in the kubeconfig {file}: mend it there, or start the proxy",
        field=proxy.source,
        file=way.file,
    )


def _said_of_proxy(errors: tuple[BaseException, ...]) -> tuple[str, str]:
    """Return why the proxy cannot be reached, and what it says itself; one is empty, or both."""
    absent = refused = ""
    for each in errors:
        is_of_socks = type(each).__module__ == "socks"
        said = str(getattr(each, "socket_err", None) or each)
        if isinstance(each, ProxyRefusedError):
            refused = refused or said
        elif isinstance(each, ProxyAbsentError) or type(each).__name__ == "ProxyConnectionError":
            absent = absent or said
        elif told := re.search(r"Tunnel connection failed: ([^')]*)", said):
            refused = refused or told[1].strip()
        elif is_of_socks:
            refused = refused or said
    if not refused and any(isinstance(each, urllib3.exceptions.ProxyError) for each in errors):
        absent = absent or str(errors[-1])
    return ("", refused) if refused else (absent, "")


def _of_server(way: Way, errors: tuple[BaseException, ...]) -> tuple[Phrase | None, Phrase | None]:
    """Return what is wrong and what to do; None for what is said of every API."""
    parts = urlsplit(way.server)
    host = parts.hostname or ""
    if any(
        isinstance(each, socket.gaierror | urllib3.exceptions.NameResolutionError)
        for each in errors
    ):
        return (
            Phrase(
                "the name {host} of the Kubernetes API at {server} cannot be resolved",
                host=host,
                server=way.server,
            ),
            Phrase(
                "is the VPN up, and `server` of the cluster {cluster} in the kubeconfig {file} "
                "right? `getent hosts {host}` has to find it",
                cluster=way.cluster,
                file=way.file,
                host=host,
            ),
        )
    if any(
        isinstance(each, ssl.SSLError) and (each.reason or "").upper() in _NOT_TLS
        for each in errors
    ):
        return (
            Phrase("{server} does not speak TLS, so it is no Kubernetes API", server=way.server),
            Phrase(
                "see scheme and port of `server` of the cluster {cluster} in the kubeconfig {file}",
                cluster=way.cluster,
                file=way.file,
            ),
        )
    if is_loopback(host):
        return None, None
    return None, Phrase(
        "is the VPN up, a proxy needed ($HTTPS_PROXY), and `server` of the cluster {cluster} in "
        "the kubeconfig {file} right? `curl -k {server}/version` has to answer",
        cluster=way.cluster,
        file=way.file,
        server=way.server,
    )
