"""What RabbitMQ answers instead of doing what it was asked to do, and what its words say."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from nova_acceptance.errors import ProbeError
from nova_acceptance.findings import NOWHERE, Finding
from nova_acceptance.phrase import Phrase

ACCESS_REFUSED: Final = "ACCESS_REFUSED"
NOT_FOUND: Final = "NOT_FOUND"
RESOURCE_LOCKED: Final = "RESOURCE_LOCKED"
NO_ROUTE: Final = "NO_ROUTE"
NOT_CONFIRMED: Final = "NOT_CONFIRMED"
BLOCKED: Final = "BLOCKED"

_CAUSES: Final = tuple(
    (cause, re.compile(pattern))
    for cause, pattern in (
        ("AMQP_PASSWORD_REFUSED", r"ACCESS_REFUSED - Login was refused"),
        ("AMQP_VHOST_MISSING", r"NOT_ALLOWED - vhost .* not found"),
        ("AMQP_PERMISSION_MISSING", r"(?:ACCESS_REFUSED|NOT_ALLOWED) - .*refused for user"),
        ("AMQP_QUEUE_MISSING", r"NOT_FOUND - no queue|NO_ROUTE"),
        ("AMQP_MEMORY_ALARM", r"BLOCKED - .*memory"),
        ("AMQP_DISK_ALARM", r"BLOCKED - .*disk"),
    )
)


@dataclass(frozen=True, slots=True)
class Login:
    """Who connects, and to which part of the broker.

    Attributes:
        user: the user's name.
        password: the user's password, known to `nova_acceptance.masking` before it is used.
        vhost: the virtual host.
    """

    user: str
    password: str
    vhost: str

    def __repr__(self) -> str:
        return f"Login({self.user!r}, vhost={self.vhost!r})"


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer of "no".

    Attributes:
        word: the name of the reply code (AMQP 0-9-1, 1.2 "AMQP constants"), such as
            `ACCESS_REFUSED`; or what RabbitMQ adds to the protocol: `NOT_CONFIRMED`, `BLOCKED`.
        text: the broker's own sentence, which begins with the word.
    """

    word: str
    text: str

    def __str__(self) -> str:
        return self.text

    @property
    def cause(self) -> str | None:
        """The cause that the words name; None where they name none."""
        return next((cause for cause, words in _CAUSES if words.search(self.text)), None)

    @classmethod
    def of(cls, text: str) -> Refusal:
        """Return the refusal that a reply text says: `WORD - sentence`."""
        return cls(text.partition(" - ")[0], text)


class RefusedError(ProbeError):
    """The question could not be asked, since RabbitMQ refused what comes before it."""

    def __init__(self, asked: str, refusal: Refusal, target: str) -> None:
        super().__init__(
            f"RabbitMQ at {target} could not be asked for {asked}", evidence=[refusal.text]
        )
        self.refusal = refusal


def of_error(error: BaseException) -> Finding | None:
    """Return what RabbitMQ's refusal shows, where it refused what comes before a question."""
    if isinstance(error, RefusedError) and (cause := error.refusal.cause):
        said = Phrase("RabbitMQ answers: {said}", said=error.refusal.text)
        return Finding(cause, NOWHERE, said, evidence=tuple(error.evidence))
    return None
