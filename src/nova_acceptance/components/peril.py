"""What speaks against taking a pod away: why what it holds would not outlive it."""

from __future__ import annotations

from dataclasses import dataclass

from nova_acceptance.findings import Ref
from nova_acceptance.phrase import Phrase


@dataclass(frozen=True, slots=True)
class Peril:
    """One reason.

    Attributes:
        subject: the object at which it was seen.
        said: what was seen there, in one sentence with the names concerned.
        cure: what to do there.
    """

    subject: Ref
    said: Phrase
    cure: Phrase

    def __str__(self) -> str:
        return f"{self.subject}: {self.said} → {self.cure}"


@dataclass(frozen=True, slots=True)
class Holding:
    """What a member of a component says for itself about its data.

    Attributes:
        directory: where it keeps them, as a path in its container; empty where it keeps none.
        perils: why its loss would cost some of them, or leave nobody to take over.
    """

    directory: str = ""
    perils: tuple[Peril, ...] = ()
