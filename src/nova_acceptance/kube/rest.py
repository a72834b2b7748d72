"""Requests to one Kubernetes API over HTTP and WebSocket, JSON in and JSON out.

The official client carries HTTP. One `ApiClient` serves every thread: its connection pool is safe
to share, and `kubernetes.stream`, which swaps a method on the client while it runs, is not used;
WebSockets are opened here. It reads no kubeconfig: it would run a credential plug-in without a time
limit and only log what that says (`kubeconfig`, `credentials`, `proxies` do so instead).
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from http import HTTPStatus
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlencode

import urllib3
import websocket
from kubernetes import client

from nova_acceptance import masking, secrecy, timeouts
from nova_acceptance.errors import ClusterError
from nova_acceptance.kube.availability import Availability, patiently
from nova_acceptance.kube.credential_plugin import Credential
from nova_acceptance.kube.failures import TRANSIENT, ApiError, ApiUnreachableError, is_api_away
from nova_acceptance.kube.in_cluster import is_service_account, way_in_cluster
from nova_acceptance.kube.kubeconfig import kept, way_of
from nova_acceptance.kube.objects import Object
from nova_acceptance.kube.obstacles import is_page, not_kubernetes, unreachable
from nova_acceptance.kube.trust import unauthorized
from nova_acceptance.kube.usage import Usage
from nova_acceptance.kube.wires import Wires
from nova_acceptance.kube.writing import Writing

APPLY = "application/apply-patch+yaml"
STRATEGIC_MERGE = "application/strategic-merge-patch+json"
CHANNELS = "v4.channel.k8s.io"
CHANNELS_WITH_CLOSE = "v5.channel.k8s.io"

Query = Mapping[str, str | Iterable[str]]
T = TypeVar("T")

_TIMEOUTS = (
    TimeoutError,
    urllib3.exceptions.ReadTimeoutError,
    websocket.WebSocketTimeoutException,
)


class Rest:
    """One API server, with the credentials of one context.

    Args:
        kubeconfig: the file to read; None takes `$KUBECONFIG`, else `~/.kube/config`. The directory
            of a ServiceAccount, which a pod has instead, leads to the API of the pod's cluster.
        context: the context in it; None takes the current one.
        writing: what may be sent to it.

    Attributes:
        server: the API's address, such as `https://127.0.0.1:6443`.
        verifies: whether the API's certificate is looked at.
        writing: what may be sent to it.
        availability: when it was away.
        usage: how often it was asked.

    Raises:
        ClusterError: the kubeconfig cannot be used.
    """

    def __init__(
        self,
        kubeconfig: Path | None,
        context: str | None,
        writing: Writing = Writing.FREELY,
    ) -> None:
        self.writing = writing
        if kubeconfig is not None and is_service_account(kubeconfig):
            self._way = way_in_cluster(kubeconfig)
        else:
            self._way = way_of(kubeconfig, context)
        _hide_key(self._way.key)
        self._wires = Wires(self._way, (self._way.certificate, self._way.key))
        self._way.credentials.on_certificate(self._take)
        self.server = self._way.server
        self.verifies = self._way.verifies
        if not self.verifies:
            # one for each request would be no news: who has said so is told once
            urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
        self.availability = Availability()
        self.usage = Usage()

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
        if isinstance(body, dict):
            secrecy.hide(body)

        def attempt() -> Object:
            data = self._whole(
                method, path, timeout=timeout, query=query, body=body, content_type=content_type
            )
            try:
                answer = json.loads(data)
            except ValueError as error:
                if not data.lstrip().startswith(b"{"):
                    raise not_kubernetes(self._way, path, HTTPStatus.OK, {}, data) from error
                # half an answer is none
                raise ApiUnreachableError(f"{method} {path}", self.server, error) from error
            if not isinstance(answer, dict):
                raise not_kubernetes(self._way, path, HTTPStatus.OK, {}, data)
            return answer

        answer = patiently(self.availability, attempt, limit=patience)
        # here and in `watch`, through which every Secret comes that anybody reads
        secrecy.hide(answer)
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

    @property
    def authority(self) -> bytes:
        """The certificates by which the kubeconfig knows the API; nothing where it has none."""
        file = self._way.ca_file
        return Path(file).read_bytes().strip() if file else b""

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

        def attempt(headers: dict[str, str]) -> websocket.WebSocket:
            self.usage.stream(path)
            connection = websocket.WebSocket(skip_utf8_validation=True)
            connection.connect(  # type: ignore[no-untyped-call]
                _url("ws" + self.server.removeprefix("http"), path, query),
                socket=self._wires.dialled(timeout),
                header=[f"{name}: {value}" for name, value in headers.items()],
                subprotocols=[CHANNELS_WITH_CLOSE, CHANNELS],
                suppress_origin=True,
                redirect_limit=0,
                timeout=timeout,
            )
            return connection

        def told(headers: dict[str, str]) -> websocket.WebSocket:
            try:
                return attempt(headers)
            except websocket.WebSocketBadStatusException as error:
                answered = error.resp_headers or {}
                raise ApiError(
                    asked,
                    error.status_code,
                    error.resp_body or b"",
                    retry_after=answered.get("retry-after"),
                    date=answered.get("date", ""),
                ) from error
            except (OSError, websocket.WebSocketException) as error:
                raise unreachable(asked, self._way, error) from error

        connection = self._as_user(told)
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
            if isinstance(error, ApiError) and error.is_of_kubelet:
                error.blame_kubelet(self._node_of(error))
            if isinstance(error, ApiUnreachableError) and for_a_node:
                timed_out = isinstance(error.__cause__, _TIMEOUTS)
                error.is_away = not (timed_out and self.answers())
            self.availability.away(error)
            raise
        self.availability.back()

    def _node_of(self, error: ApiError) -> str:
        """Return the node of the pod that was asked for; empty where that cannot be found out."""
        if error.pod is None:
            return ""
        namespace, name = error.pod
        path = f"/api/v1/namespaces/{namespace}/pods/{name}"
        try:
            pod = json.loads(self._whole("GET", path, timeout=timeouts.CONNECT))
            return str(pod["spec"].get("nodeName") or "")
        except (ClusterError, ValueError, KeyError, TypeError, AttributeError):
            return ""

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
        self.writing.require(method, path, query or {})
        asked = f"{method} {path}"

        def attempt(headers: dict[str, str]) -> urllib3.HTTPResponse:
            self.usage.request()
            sent = {**headers, "Accept": "application/json"}
            if body is not None:
                sent["Content-Type"] = content_type
            try:
                response: urllib3.HTTPResponse = (
                    self._wires.http_client()
                    .call_api(
                        method,
                        _url(self.server, path, query),
                        header_params=sent,
                        body=body,
                        _request_timeout=timeout,
                    )
                    .response
                )
            except (
                client.ApiException
            ) as error:  # the official client's word for a failed handshake
                raise unreachable(asked, self._way, error.__context__ or error) from error
            except (urllib3.exceptions.HTTPError, OSError) as error:
                raise unreachable(asked, self._way, error) from error
            if response.status >= HTTPStatus.MULTIPLE_CHOICES:
                raise self._refused(asked, path, response)
            return response

        return self._as_user(attempt)

    def _refused(self, asked: str, path: str, response: urllib3.HTTPResponse) -> ClusterError:
        """Return the error for an answer with a status of one."""
        data = self._read(asked, response)
        status = response.status
        is_other = status < HTTPStatus.BAD_REQUEST or (
            is_page(response.headers, data) and status not in TRANSIENT
        )
        if (is_other and _is_of_the_api(path)) or b"HTTP request to an HTTPS server" in data:
            return not_kubernetes(self._way, path, status, response.headers, data)
        return ApiError(
            asked,
            status,
            data,
            retry_after=response.headers.get("Retry-After"),
            date=response.headers.get("Date") or "",
        )

    def _as_user(self, attempt: Callable[[dict[str, str]], T]) -> T:
        """Return what an attempt does with our credentials; it gets others once, if there are."""
        credentials = self._way.credentials
        headers = credentials.headers()
        try:
            return attempt(headers)
        except ApiError as error:
            if error.status != HTTPStatus.UNAUTHORIZED:
                raise
            if not credentials.renew(headers):
                raise self._unknown(error) from error.__cause__
        try:
            return attempt(credentials.headers())
        except ApiError as error:
            raise self._unknown(error) from error.__cause__

    def _unknown(self, error: ApiError) -> ApiError:
        """Return an error with why the API does not know the user, where that shows."""
        if error.status == HTTPStatus.UNAUTHORIZED:
            who = f"asked as the user {self._way.credentials.user} of {self._way.context}"
            error.evidence = (*error.evidence, who)
            if told := unauthorized(self._way, error.date):
                error.evidence = (error.message, *error.evidence)
                error.message, error.hint = told
        return error

    def _read(self, asked: str, response: urllib3.HTTPResponse) -> bytes:
        try:
            return response.data
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise ApiUnreachableError(asked, self.server, error) from error

    def _take(self, given: Credential) -> None:
        """Be whom a credential plug-in says from now on, by a certificate."""
        pair = kept(given.certificate.encode()), kept(given.key.encode())
        self._wires = Wires(self._way, pair)


def _hide_key(file: str | None) -> None:
    """Have nothing of a client's key written from now on."""
    if file:
        with suppress(OSError):
            masking.register(secrecy.secrets_of("key", Path(file).read_text("utf-8", "replace")))


def _is_of_the_api(path: str) -> bool:
    """Whether it is the API itself that answers there, and nobody behind it."""
    return "/proxy/" not in path


def _url(server: str, path: str, query: Query | None) -> str:
    return f"{server}{path}?{urlencode(query, doseq=True)}" if query else f"{server}{path}"
