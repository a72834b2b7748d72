"""What a way to the API is travelled by: the official client's HTTP, a socket for WebSockets."""

from __future__ import annotations

import socket
import ssl
from typing import Final
from urllib.parse import quote, urlsplit

import urllib3
from kubernetes import client

from nova_acceptance.kube.dial import dial
from nova_acceptance.kube.kubeconfig import Way

Pair = tuple[str | None, str | None]
"""The files of a client's certificate and of its key, where it shows one."""

_POOL_SIZE: Final = 32


def http_client(way: Way, pair: Pair) -> client.ApiClient:
    """Return the official client for a way to the API; threads may share it."""
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
    return client.ApiClient(configuration)


def dialled(way: Way, pair: Pair, timeout: float) -> socket.socket:
    """Return a connection to the API that goes the way of every other request.

    Raises:
        OSError: there is none.
        WayError: the proxy on the way takes no such connection.
    """
    parts = urlsplit(way.server)
    is_secure = parts.scheme == "https"
    host, port = parts.hostname or "", parts.port or (443 if is_secure else 80)
    plain = dial(host, port, way.proxy, timeout)
    if not is_secure:
        return plain
    try:
        return _tls(way, pair).wrap_socket(plain, server_hostname=way.server_name or host)
    except BaseException:
        plain.close()
        raise


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
