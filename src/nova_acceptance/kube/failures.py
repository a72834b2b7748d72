"""Why a request to the API failed, and what a person can do about it.

ClusterError
├── WayError                there is no way to the API, for a reason on this side of it
├── ApiError                the API answered, with an error status; some say that it is busy
└── ApiUnreachableError     no answer: refused, reset, timed out; asking again may help

Source: Kubernetes API conventions, "Response Status Kind".
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from http import HTTPStatus

from nova_acceptance.errors import ClusterError
from nova_acceptance.kube.objects import Object
from nova_acceptance.kube.refusals import cure_of_policy, is_of_kubelet, kubelet_refusal
from nova_acceptance.phrase import Phrase

TRANSIENT = frozenset(
    {
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.BAD_GATEWAY,
        HTTPStatus.SERVICE_UNAVAILABLE,
        HTTPStatus.GATEWAY_TIMEOUT,
    }
)

# A 500 is as often for good (a patch that the server cannot type) as it is passing.
_TRANSIENT_500 = (
    "etcdserver",
    "leader",
    "timeout",
    "timed out",
    "deadline exceeded",
    "connection refused",
    "connection reset",
    "context canceled",
    "shutting down",
    "not ready",
    "unexpected eof",
    "transport is closing",
)
# Whom the API could not reach on our behalf, while it was there itself.
_BEHIND_IT = (
    *("webhook", "dialing", "proxy error", ":10250", "containerlogs", "kubelet"),
    "disruption budget",  # an eviction that is refused has the status of an API that is busy
)

_TURNED_AWAY = frozenset(
    {
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.SERVICE_UNAVAILABLE,
    }
)

_MAY_NOT = re.compile(r'cannot (\S+) resource "([^"]+)"')
"""How the API names the right that a user lacks, whichever authorizer said so."""
_VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}

_HINTS = {
    HTTPStatus.UNAUTHORIZED: Phrase(
        "the kubeconfig's credentials have expired or belong to another cluster: "
        "log in again, or fetch the kubeconfig anew (`nova-cluster kubeconfig`)"
    ),
    HTTPStatus.FORBIDDEN: Phrase(
        "this user may not do that: see `kubectl auth can-i --list`, "
        "and use a context whose user may"
    ),
}


class WayError(ClusterError):
    """There is no way to the API: credentials, a proxy's URL, a certificate, a clock.

    Nothing is shown by that of what runs behind it.
    """


class ApiError(ClusterError):
    """The API answered a request with an error status.

    Attributes:
        status: the HTTP status, such as 404.
        reason: the API's own word for it, such as `NotFound` or `Invalid`.
        detail: the API's own sentence.
        causes: the fields that it refused, as `field: message`.
        retry_after: seconds after which it wants to be asked again; 0 where it does not say.
        date: the API's own clock, as the header `Date` has it; empty where it does not say.
        was_repeated: whether an attempt before this answer had none, and may have had effects.
    """

    def __init__(
        self,
        asked: str,
        status: int,
        body: bytes | str,
        *,
        retry_after: str | None = None,
        date: str = "",
    ) -> None:
        answer = _decode(body)
        self._asked = asked
        self.status = int(answer.get("code") or status)
        self.retry_after = float(retry_after) if retry_after and retry_after.isdecimal() else 0.0
        self.date = date
        self.was_repeated = False
        self.reason = str(answer.get("reason") or "")
        self.detail = str(answer.get("message") or "").strip()
        self.causes = tuple(
            f"{cause.get('field', '?')}: {cause.get('message', '')}"
            for cause in (answer.get("details") or {}).get("causes") or ()
        )
        super().__init__(
            Phrase(
                "the API refused `{asked}`: {said}",
                asked=asked,
                said=f"{self.status} {self.reason or self.detail}".rstrip(),
            ),
            hint=self._hint(),
            evidence=(self.detail,) if self.detail and self.reason else (),
        )

    def _hint(self) -> str:
        if self.status == HTTPStatus.FORBIDDEN and (cure := cure_of_policy(self.detail)):
            return cure
        return _HINTS[HTTPStatus(self.status)] if self.status in _HINTS else ""

    @property
    def is_of_policy(self) -> bool:
        """Whether a policy forbids it, and no right would help."""
        return self.status == HTTPStatus.FORBIDDEN and cure_of_policy(self.detail) is not None

    @property
    def pod(self) -> tuple[str, str] | None:
        """The pod that was asked for, by namespace and name; None where it was none."""
        found = re.search(r"/namespaces/([^/ ]+)/pods/([^/ ]+)", self._asked)
        return (found[1], found[2]) if found else None

    @property
    def is_of_kubelet(self) -> bool:
        """Whether the API could not speak to a node's kubelet because of a certificate."""
        return self.status >= HTTPStatus.INTERNAL_SERVER_ERROR and is_of_kubelet(
            self._asked, self.detail
        )

    def blame_kubelet(self, node: str) -> None:
        """Say which node's kubelet it is; empty where that is not known."""
        self.evidence = tuple(dict.fromkeys((*self.evidence, self.detail)))
        self.message, self.hint = kubelet_refusal(node)

    @property
    def forbidden(self) -> Phrase | None:
        """What the API does not let this user do, the same for all objects alike; else None.

        A policy forbids with the same status as a missing right, and names neither verb nor
        resource: they are those that were asked for.
        """
        if self.status != HTTPStatus.FORBIDDEN:
            return None
        if named := _MAY_NOT.search(self.detail):
            verb, resource = named.groups()
            return Phrase("this user may not {verb} {resource}", verb=verb, resource=resource)
        verb, resource = _right(self._asked)
        return Phrase(
            "a policy of the cluster does not let this user {verb} {resource}",
            verb=verb,
            resource=resource,
        )

    @property
    def is_transient(self) -> bool:
        """Whether the same request may well succeed a moment later."""
        if self.status == HTTPStatus.INTERNAL_SERVER_ERROR:
            return any(phrase in self.detail.lower() for phrase in _TRANSIENT_500)
        return self.status in TRANSIENT

    @property
    def is_away(self) -> bool:
        """Whether it is the API itself that cannot answer now, and nobody behind it."""
        return self.is_transient and not any(phrase in self.detail.lower() for phrase in _BEHIND_IT)

    @property
    def was_turned_away(self) -> bool:
        """Whether the request certainly had no effect."""
        return self.status in _TURNED_AWAY


class ApiUnreachableError(ClusterError):
    """The API gave no answer; the connection was refused, reset, or timed out.

    Args:
        asked: the request.
        server: the API.
        cause: what came back instead.
        what: what is in the way; None where nothing more is known.
        hint: the cure for that.

    Attributes:
        is_away: whether that is the API's own doing; it may as well wait for a node's kubelet.
        was_turned_away: whether the request certainly had no effect.
    """

    def __init__(
        self,
        asked: str,
        server: str,
        cause: BaseException,
        *,
        what: Phrase | None = None,
        hint: Phrase | None = None,
    ) -> None:
        self.is_away = True
        self.was_turned_away = isinstance(cause, ConnectionRefusedError)
        super().__init__(
            what
            or Phrase(
                "the Kubernetes API at {server} did not answer `{asked}`",
                server=server,
                asked=asked,
            ),
            hint=hint
            or Phrase(
                "is the cluster running? `nova-cluster status` tells; `nova-cluster up` starts it"
            ),
            evidence=(f"{type(cause).__name__}: {cause}",),
        )


def is_api_away(error: BaseException | None) -> bool:
    """Whether an error, or one that it comes from, says that the API was away or busy."""
    while error is not None:
        if isinstance(error, ApiError | ApiUnreachableError):
            return error.is_away
        error = error.__cause__
    return False


def forbidden(error: BaseException | None) -> ApiError | None:
    """Return what the API forbade, where an error comes from that."""
    while error is not None:
        if isinstance(error, ApiError) and error.forbidden:
            return error
        error = error.__cause__
    return None


def kubelet_trouble(error: BaseException | None) -> ApiError | None:
    """Return how the API says that it cannot speak to a kubelet; None where nothing says so."""
    while error is not None:
        if isinstance(error, ApiError) and error.is_of_kubelet:
            return error
        error = error.__cause__
    return None


def without_way(error: BaseException | None) -> WayError | ApiError | None:
    """Return what is wrong with the way to the API, or with who asks; None for other errors."""
    while error is not None:
        if isinstance(error, WayError):
            return error
        if isinstance(error, ApiError) and error.status == HTTPStatus.UNAUTHORIZED:
            return error
        error = error.__cause__
    return None


def certificate_error(server: str, cause: BaseException, evidence: Sequence[str] = ()) -> WayError:
    """Return the error for a server whose certificate the kubeconfig does not vouch for."""
    return WayError(
        Phrase(
            "the Kubernetes API at {server} is not the one that the kubeconfig describes",
            server=server,
        ),
        hint=Phrase(
            "the cluster was probably created anew: fetch its kubeconfig "
            "(`nova-cluster kubeconfig`, `kind export kubeconfig`)"
        ),
        evidence=evidence or (f"{type(cause).__name__}: {cause}",),
    )


def _right(asked: str) -> tuple[str, str]:
    """Return the verb and the resource of a request, by its method and its path."""
    method, _, path = asked.partition(" ")
    parts = path.strip("/").split("/")
    parts = parts[2:] if parts[0] == "api" else parts[3:]
    if parts[0:1] == ["namespaces"] and len(parts) > 2:  # noqa: PLR2004 - what is in one
        parts = parts[2:]
    resource, *name = parts or [path]
    verb = _VERBS.get(method, "get" if name else "list")
    return verb, "/".join((resource, *name[1:]))


def _decode(body: bytes | str) -> Object:
    text = body.decode("utf-8", "replace") if isinstance(body, bytes) else body
    try:
        answer = json.loads(text)
    except ValueError:
        answer = None
    return answer if isinstance(answer, dict) else {"message": text.strip()[:500]}
