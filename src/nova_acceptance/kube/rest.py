"""Requests to one Kubernetes API over HTTP and WebSocket, JSON in and JSON out.

The official client reads the kubeconfig, refreshes credentials and carries HTTP. One `ApiClient`
serves every thread: its connection pool is safe to share, and `kubernetes.stream`, which swaps a
method on the client while it runs, is not used; WebSockets are opened here.
"""

from __future__ import annotations

import ipaddress
import json
import math
import os
import ssl
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import urllib3
import websocket
import yaml
from kubernetes import client, config

from nova_acceptance import timeouts
from nova_acceptance.errors import ClusterError
from nova_acceptance.kube.availability import Availability, patiently
from nova_acceptance.kube.failures import (
    ApiError,
    ApiUnreachableError,
    certificate_error,
    is_api_away,
)
from nova_acceptance.kube.objects import Object

APPLY = "application/apply-patch+yaml"
STRATEGIC_MERGE = "application/strategic-merge-patch+json"
CHANNELS = "v4.channel.k8s.io"
CHANNELS_WITH_CLOSE = "v5.channel.k8s.io"

Query = Mapping[str, str | Iterable[str]]

_POOL_SIZE = 32
_TIMEOUTS = (
    TimeoutError,
    urllib3.exceptions.ReadTimeoutError,
    websocket.WebSocketTimeoutException,
)


class Rest:
    """One API server, with the credentials of one context.

    Args:
        kubeconfig: the file to read; None takes `$KUBECONFIG`, else `~/.kube/config`.
        context: the context in it; None takes the current one.

    Attributes:
        server: the API's address, such as `https://127.0.0.1:6443`.
        availability: when it was away.

    Raises:
        ClusterError: the kubeconfig cannot be used.
    """

    def __init__(self, kubeconfig: Path | None, context: str | None) -> None:
        self._configuration = _load(kubeconfig, context)
        self._client = client.ApiClient(self._configuration)
        self._credentials = threading.Lock()
        self.server = str(self._configuration.host).rstrip("/")
        self.availability = Availability()

    def request(
        self,
        method: str,
        path: str,
        *,
        query: Query | None = None,
        body: object = None,
        content_type: str = "application/json",
        timeout: float = timeouts.API_REQUEST,
        patience: float = math.inf,
    ) -> Object:
        """Send a request and return the decoded answer.

        Every request that this package sends may be sent twice, so one without an answer, or with
        one that says that the API is busy, is repeated until the API is back, within its budget.

        Args:
            method: the HTTP method.
            path: the resource's path.
            query: the query's parameters.
            body: what is sent as JSON.
            content_type: what it is.
            timeout: seconds for one attempt.
            patience: seconds after which no further attempt is made, however little was waited.

        Raises:
            ApiError: the API answered with an error status.
            ApiUnreachableError: the API did not answer.
        """

        def attempt() -> object:
            data = self._whole(
                method, path, timeout=timeout, query=query, body=body, content_type=content_type
            )
            try:
                return json.loads(data)
            except ValueError as error:
                if not data.lstrip().startswith(b"{"):
                    return None
                # half an answer is none
                raise ApiUnreachableError(f"{method} {path}", self.server, error) from error

        answer = patiently(self.availability, attempt, limit=patience)
        if not isinstance(answer, dict):
            raise ClusterError(f"{self.server}{path} answers, but not as a Kubernetes API does")
        return answer

    def text(self, path: str, *, query: Query | None = None) -> str:
        """Return what a GET answers as text; raises as `request` does."""

        def attempt() -> bytes:
            return self._whole("GET", path, query=query, for_a_node=True)

        data = patiently(self.availability, attempt)
        return data.decode("utf-8", "replace")

    def refused_by(self, path: str) -> str:
        """Return what the API says of a refusal behind it; empty where it met none.

        What a GET of the path is answered otherwise is nobody's trouble here, and no word on
        whether the API is well.
        """
        try:
            self._once("GET", path, timeout=timeouts.CONNECT).close()
        except ApiError as error:
            return error.detail if "connection refused" in error.detail else ""
        except ClusterError:
            return ""
        return ""

    def answers(self) -> bool:
        """Whether the API answers now, whatever it says; asked once."""
        try:
            self._whole("GET", "/version", timeout=timeouts.CONNECT)
        except ClusterError as error:
            return not is_api_away(error)
        return True

    def stream(self, path: str, *, query: Query, read_timeout: float) -> urllib3.HTTPResponse:
        """Open a GET whose body arrives bit by bit; the caller closes it.

        Args:
            path: the resource's path.
            query: the query's parameters.
            read_timeout: seconds of silence after which a read fails.

        Raises:
            ApiError: the API answered with an error status.
            ApiUnreachableError: the API did not answer.
        """
        timeout = (timeouts.API_REQUEST, read_timeout)
        with self._noted():
            return self._once("GET", path, query=query, timeout=timeout)

    def channels(self, path: str, *, query: Query, timeout: float) -> websocket.WebSocket:
        """Open a WebSocket that carries numbered channels (exec, port-forward).

        Raises:
            ApiError: the API refused the upgrade.
            ApiUnreachableError: the API did not answer.
        """
        with self._noted(for_a_node=True):
            return self._upgraded(path, query, timeout)

    def _upgraded(self, path: str, query: Query, timeout: float) -> websocket.WebSocket:
        asked = f"GET {path}"
        secure = self.server.startswith("https:")
        connection = websocket.WebSocket(
            sslopt=self._tls() if secure else None, skip_utf8_validation=True
        )
        headers = [f"{name}: {value}" for name, value in self._headers().items()]
        try:
            connection.connect(  # type: ignore[no-untyped-call]
                _url("ws" + self.server.removeprefix("http"), path, query),
                header=headers,
                subprotocols=[CHANNELS_WITH_CLOSE, CHANNELS],
                suppress_origin=True,
                timeout=timeout,
                **self._proxy(),
            )
        except websocket.WebSocketBadStatusException as error:
            retry_after = (error.resp_headers or {}).get("retry-after")
            raise ApiError(
                asked, error.status_code, error.resp_body or b"", retry_after=retry_after
            ) from error
        except ssl.SSLCertVerificationError as error:
            raise certificate_error(self.server, error) from error
        except (OSError, websocket.WebSocketException) as error:
            raise ApiUnreachableError(asked, self.server, error) from error
        connection.settimeout(timeouts.API_REQUEST)  # no longer that of the handshake
        return connection

    def _whole(
        self,
        method: str,
        path: str,
        *,
        query: Query | None = None,
        body: object = None,
        content_type: str = "application/json",
        timeout: float = timeouts.API_REQUEST,
        for_a_node: bool = False,
    ) -> bytes:
        with self._noted(for_a_node=for_a_node):
            response = self._once(
                method, path, timeout=timeout, query=query, body=body, content_type=content_type
            )
            return self._read(f"{method} {path}", response)

    @contextmanager
    def _noted(self, *, for_a_node: bool = False) -> Iterator[None]:
        """Tell the availability how it went; what a node's kubelet must answer is not the API's."""
        try:
            yield
        except (ApiError, ApiUnreachableError) as error:
            if isinstance(error, ApiUnreachableError) and for_a_node:
                timed_out = isinstance(error.__cause__, _TIMEOUTS)
                error.is_away = not (timed_out and self.answers())
            self.availability.away(error)
            raise
        self.availability.back()

    def _once(
        self,
        method: str,
        path: str,
        *,
        timeout: float | tuple[float, float],
        query: Query | None = None,
        body: object = None,
        content_type: str = "",
    ) -> urllib3.HTTPResponse:
        asked = f"{method} {path}"
        headers = {**self._headers(), "Accept": "application/json"}
        if body is not None:
            headers["Content-Type"] = content_type
        try:
            response: urllib3.HTTPResponse = self._client.call_api(
                method,
                _url(self.server, path, query),
                header_params=headers,
                body=body,
                _request_timeout=timeout,
            ).response
        except client.ApiException as error:  # how the official client reports a failed handshake
            cause = error.__context__ or error
            if "CERTIFICATE_VERIFY_FAILED" in str(cause):
                raise certificate_error(self.server, cause) from error
            raise ApiUnreachableError(asked, self.server, cause) from error
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise ApiUnreachableError(asked, self.server, error) from error
        if response.status >= HTTPStatus.BAD_REQUEST:
            raise ApiError(
                asked,
                response.status,
                self._read(asked, response),
                retry_after=response.headers.get("Retry-After"),
            )
        return response

    def _read(self, asked: str, response: urllib3.HTTPResponse) -> bytes:
        try:
            return response.data
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise ApiUnreachableError(asked, self.server, error) from error

    def _headers(self) -> dict[str, str]:
        with self._credentials:  # an expired token is fetched anew once, not by every thread
            settings = self._configuration.auth_settings()
        headers = {s["key"]: s["value"] for s in settings.values() if s["in"] == "header"}
        if self._configuration.username:
            headers["authorization"] = self._configuration.get_basic_auth_token()
        return headers

    def _tls(self) -> dict[str, Any]:
        source = self._configuration
        verify = ssl.CERT_REQUIRED if source.verify_ssl else ssl.CERT_NONE
        options = {
            "ca_certs": source.ssl_ca_cert,
            "certfile": source.cert_file,
            "keyfile": source.key_file,
            "server_hostname": source.tls_server_name,
        }
        return {
            "cert_reqs": verify,
            "check_hostname": bool(source.verify_ssl) and source.assert_hostname is not False,
            **{name: value for name, value in options.items() if value},
        }

    def _proxy(self) -> dict[str, Any]:
        if not self._configuration.proxy:
            return {"http_no_proxy": ["*"]}  # else websocket-client takes the environment's
        proxy = urlsplit(self._configuration.proxy)
        return {"http_proxy_host": proxy.hostname, "http_proxy_port": proxy.port or 80}


def _load(kubeconfig: Path | None, context: str | None) -> Any:
    source = str(kubeconfig or os.environ.get("KUBECONFIG") or Path.home() / ".kube" / "config")
    configuration = client.Configuration()
    try:
        config.load_kube_config(  # type: ignore[no-untyped-call]
            source, context, client_configuration=configuration, persist_config=False
        )
    except (config.ConfigException, OSError, yaml.YAMLError, KeyError, TypeError) as error:
        raise ClusterError(
            f"the kubeconfig {source} cannot be used"
            + (f" with the context {context}" if context else ""),
            hint="`kubectl config get-contexts` lists contexts; `nova-cluster up` makes a cluster",
            evidence=(f"{type(error).__name__}: {error}",),
        ) from error
    configuration.retries = False
    configuration.connection_pool_maxsize = _POOL_SIZE
    if _is_loopback(urlsplit(configuration.host).hostname or ""):
        configuration.proxy = None  # as kubectl does: a proxy cannot reach this machine's loopback
    return configuration


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _url(server: str, path: str, query: Query | None) -> str:
    return f"{server}{path}?{urlencode(query, doseq=True)}" if query else f"{server}{path}"
