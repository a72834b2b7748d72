"""How far one may write through an API: kept at the lowest place, which sends the requests.

Whoever forgets that a run only reads is refused here, before anything leaves this machine.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import Enum
from typing import Final

from nova_acceptance.errors import RefusedError, UnaskedError
from nova_acceptance.phrase import Phrase

ACCESS_REVIEWS: Final = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
"""What is created there is an answer, and kept by nobody."""
REHEARSAL: Final = {"dryRun": "All"}
"""What makes a request one that the server checks and does not carry out."""


def unwritten() -> UnaskedError:
    """Return why nothing is asked that takes a write, in the same words wherever it is met."""
    return UnaskedError(
        Phrase("--read-only: what has to write something is not asked"),
        hint=Phrase("run without --read-only to have it asked"),
    )


class Writing(Enum):
    """What may be sent to an API."""

    FREELY = "everything"
    REHEARSED = "what the server does not carry out"
    NEVER = "nothing but GET"

    def require(self, method: str, path: str, query: Mapping[str, str | Iterable[str]]) -> None:
        """See that a request may be sent.

        Raises:
            UnaskedError: nothing is written through this API.
            RefusedError: it would be carried out, and is not to be.
        """
        if self is Writing.FREELY or method == "GET":
            return
        if self is Writing.NEVER:
            raise unwritten()
        if path != ACCESS_REVIEWS and not REHEARSAL.items() <= query.items():
            raise RefusedError(
                Phrase("--dry-run: {request} would be carried out", request=f"{method} {path}"),
                hint=Phrase("this is a fault of the suite, and worth a report"),
            )
