"""What was asked, from where, of whom, what came back and how long it took."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Evidence:
    """One question and its answer, as a report shows it.

    Attributes:
        asked: the question in the terms of its protocol (`GET /health`, `SELECT 1`, `A redis…`).
        source: who asked: `runner`, or `namespace/pod`.
        target: of whom: `host:port`, `namespace/pod`, or an object of the API.
        answer: what came back, shortened to what a reader needs; never a secret.
        seconds: from the question to the answer.
    """

    asked: str
    source: str
    target: str
    answer: str
    seconds: float

    def as_json(self) -> dict[str, Any]:
        """Return the fields as the record names them; a run does so for each of its answers."""
        return {
            "asked": self.asked,
            "source": self.source,
            "target": self.target,
            "answer": self.answer,
            "seconds": self.seconds,
        }
