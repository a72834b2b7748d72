"""Why a request to the API failed, and what a person can do about it.

ClusterError
├── ApiError                the API answered, with an error status
└── ApiUnreachableError     no answer: refused, reset, timed out; asking again may help

Source: Kubernetes API conventions, "Response Status Kind".
"""

from __future__ import annotations

import json
from http import HTTPStatus

from nova_acceptance.errors import ClusterError
from nova_acceptance.kube.objects import Object

TRANSIENT = frozenset(
    {
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.BAD_GATEWAY,
        HTTPStatus.SERVICE_UNAVAILABLE,
        HTTPStatus.GATEWAY_TIMEOUT,
    }
)

# A 500 is as often for good (a patch that the server cannot type) as it is passing.
_TRANSIENT_500 = ("etcdserver", "leader", "timeout", "deadline exceeded", "connection refused")

_HINTS = {
    HTTPStatus.UNAUTHORIZED: (
        "the kubeconfig's credentials have expired or belong to another cluster: "
        "log in again, or fetch the kubeconfig anew (`nova-cluster kubeconfig`)"
    ),
    HTTPStatus.FORBIDDEN: (
        "this user may not do that: see `kubectl auth can-i --list`, "
        "and use a context whose user may"
    ),
}


class ApiError(ClusterError):
    """The API answered a request with an error status.

    Attributes:
        status: the HTTP status, such as 404.
        reason: the API's own word for it, such as `NotFound` or `Invalid`.
        detail: the API's own sentence.
        causes: the fields that it refused, as `field: message`.
    """

    def __init__(self, asked: str, status: int, body: bytes | str) -> None:
        answer = _decode(body)
        self.status = int(answer.get("code") or status)
        self.reason = str(answer.get("reason") or "")
        self.detail = str(answer.get("message") or "").strip()
        self.causes = tuple(
            f"{cause.get('field', '?')}: {cause.get('message', '')}"
            for cause in (answer.get("details") or {}).get("causes") or ()
        )
        super().__init__(
            f"the API refused `{asked}`: {self.status} {self.reason or self.detail}".rstrip(),
            hint=_HINTS.get(HTTPStatus(self.status), "") if self.status in _HINTS else "",
            evidence=(self.detail,) if self.detail and self.reason else (),
        )

    @property
    def is_transient(self) -> bool:
        """Whether the same request may well succeed a moment later."""
        if self.status == HTTPStatus.INTERNAL_SERVER_ERROR:
            return any(phrase in self.detail for phrase in _TRANSIENT_500)
        return self.status in TRANSIENT


class ApiUnreachableError(ClusterError):
    """The API gave no answer; the connection was refused, reset, or timed out."""

    def __init__(self, asked: str, server: str, cause: BaseException) -> None:
        super().__init__(
            f"the Kubernetes API at {server} did not answer `{asked}`",
            hint="is the cluster running? `nova-cluster status` tells; `nova-cluster up` starts it",
            evidence=(f"{type(cause).__name__}: {cause}",),
        )


def certificate_error(server: str, cause: BaseException) -> ClusterError:
    """Return the error for a server whose certificate the kubeconfig does not vouch for."""
    return ClusterError(
        f"the Kubernetes API at {server} is not the one that the kubeconfig describes",
        hint=(
            "the cluster was probably created anew: fetch its kubeconfig "
            "(`nova-cluster kubeconfig`, `kind export kubeconfig`)"
        ),
        evidence=(f"{type(cause).__name__}: {cause}",),
    )


def _decode(body: bytes | str) -> Object:
    text = body.decode("utf-8", "replace") if isinstance(body, bytes) else body
    try:
        answer = json.loads(text)
    except ValueError:
        answer = None
    return answer if isinstance(answer, dict) else {"message": text.strip()[:500]}
