"""What a way to the API is travelled by: the official client's HTTP, a socket for WebSockets."""

from __future__ import annotations

import os
import socket
import ssl
import threading
from typing import Final, NamedTuple
from urllib.parse import quote, urlsplit

import urllib3
from kubernetes import client

from nova_acceptance.kube.dial import dial
from nova_acceptance.kube.kubeconfig import Way

Pair = tuple[str | None, str | None]
"""The files of a client's certificate and of its key, where it shows one."""

_POOL_SIZE: Final = 32


class _Laid(NamedTuple):
    """Wires made of files as they were when they were written.

    Attributes:
        written: when each was, in nanoseconds.
        client: the official client.
        tls: shared by all connections.
    """

    written: list[int]
    client: client.ApiClient
    tls: ssl.SSLContext


class Wires:
    """The wires of a way to the API; threads may share them.

    The files of certificates are read once, and again where one of them is another by now.

    Args:
        way: the way.
        pair: the client's certificate and key.
    """

    def __init__(self, way: Way, pair: Pair) -> None:
        self._way = way
        self._files = [file for file in (way.ca_file, *pair) if file]
        self._pair = pair
        self._lock = threading.Lock()
        self._laid: _Laid | None = None

    def http_client(self) -> client.ApiClient:
        """Return the official client.

        Raises:
            OSError: a file is gone, or is no certificate or key any more.
        """
        return self._present().client

    def dialled(self, timeout: float) -> socket.socket:
        """Return a connection to the API that goes the way of every other request.

        Raises:
            OSError: there is none.
            WayError: the proxy on the way takes no such connection.
        """
        way, parts = self._way, urlsplit(self._way.server)
        is_secure = parts.scheme == "https"
        host, port = parts.hostname or "", parts.port or (443 if is_secure else 80)
        plain = dial(host, port, way.proxy, timeout)
        if not is_secure:
            return plain
        try:
            tls = self._present().tls
            return tls.wrap_socket(plain, server_hostname=way.server_name or host)
        except BaseException:
            plain.close()
            raise

    def _present(self) -> _Laid:
        with self._lock:
            written = [os.stat(file).st_mtime_ns for file in self._files]
            if self._laid is None or self._laid.written != written:
                tls = _tls(self._way, self._pair)
                self._laid = _Laid(written, _http_client(self._way, self._pair, tls), tls)
            return self._laid


def _http_client(way: Way, pair: Pair, tls: ssl.SSLContext) -> client.ApiClient:
    configuration = client.Configuration(host=way.server)
    configuration.ssl_ca_cert = way.ca_file
    configuration.verify_ssl = way.verifies
    configuration.cert_file, configuration.key_file = pair
    configuration.tls_server_name = way.server_name
    configuration.retries = False
    configuration.connection_pool_maxsize = _POOL_SIZE
    configuration.proxy = way.proxy.url if way.proxy else None
    configuration.no_proxy = ""  # the proxy is chosen already
    if way.proxy and way.proxy.user:
        known = f"{way.proxy.user}:{way.proxy.password}"
        if way.proxy.is_socks:
            start, _, place = way.proxy.url.partition("//")
            user, password = quote(way.proxy.user, ""), quote(way.proxy.password, "")
            configuration.proxy = f"{start}//{user}:{password}@{place}"
        else:
            configuration.proxy_headers = urllib3.make_headers(proxy_basic_auth=known)
    found = client.ApiClient(configuration)
    if not (way.proxy and way.proxy.scheme == "https"):  # which is known by these files as well
        arguments = found.rest_client.pool_manager.connection_pool_kw
        for name in ("ca_certs", "ca_cert_data", "cert_file", "key_file"):
            arguments.pop(name, None)  # a connection would read them once more
        arguments["ssl_context"] = tls
    return found


def _tls(way: Way, pair: Pair) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=way.ca_file)
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    if not way.verifies:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    certificate, key = pair
    if certificate:
        context.load_cert_chain(certificate, key)
    return context
