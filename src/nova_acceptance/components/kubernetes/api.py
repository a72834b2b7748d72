"""The Kubernetes API itself: what its errors say of their cause."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from nova_acceptance.findings import NOWHERE, Finding
from nova_acceptance.kube import ApiError, ApiUnreachableError
from nova_acceptance.phrase import verbatim

_TURNED_AWAY: Final = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})


def of_error(error: BaseException) -> Finding | None:
    """Return what an error of the API shows; None where it is of something else."""
    match error:
        case ApiUnreachableError() | ApiError() if error.is_away:
            cause = "API_UNREACHABLE"
        case ApiError() if error.status in _TURNED_AWAY:
            cause = "API_REFUSED"
        case _:
            return None
    return Finding(cause, NOWHERE, verbatim(error.message), evidence=error.evidence)
