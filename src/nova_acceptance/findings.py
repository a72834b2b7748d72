"""A cause found at an object: what checks return, and everything after them is made of."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple

from nova_acceptance.causes import Cause, causes
from nova_acceptance.kube import Object
from nova_acceptance.phrase import NOTHING, Phrase, told


class Ref(NamedTuple):
    """An object by its kind, namespace (empty where it has none) and name."""

    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {f'{self.namespace}/' if self.namespace else ''}{self.name}"


def ref(obj: Object) -> Ref:
    """Return the reference of an object of the API."""
    metadata = obj["metadata"]
    return Ref(obj["kind"], metadata.get("namespace", ""), metadata["name"])


NOWHERE: Final = Ref("", "", "")
"""No object in particular: it is at whatever the question was about."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A cause, found.

    Attributes:
        cause: the stable name of the cause.
        subject: the object at which it is: the one to mend, or the nearest to it; `NOWHERE`
            where it is at whatever the question was about.
        summary: what is wrong there, in one sentence with the names concerned.
        cure: what to do here; a command or a place in a file where there is one.
        evidence: what was seen, a line each; never a secret.
        container: the container concerned, whose log may tell more.
        grace: seconds for which a wait that sees it goes on before it believes that the subject
            is lost; None where it says nothing about becoming ready.
        is_root: whether it is no consequence here, although its cause is mostly one.
        concerns: other objects that it is about, there or not: what they stand on may be why.
        asked_from: every pod that was answered the same: where all are on one node, that may be
            why, as well as what is asked.
    """

    cause: str
    subject: Ref
    summary: Phrase
    cure: Phrase = NOTHING
    evidence: tuple[str, ...] = ()
    container: str = ""
    grace: float | None = None
    is_root: bool = False
    concerns: tuple[Ref, ...] = ()
    asked_from: tuple[Ref, ...] = ()

    def __post_init__(self) -> None:
        if self.cause not in causes():
            raise ValueError(f"there is no cause {self.cause}")

    @classmethod
    def here(cls, cause: str, summary: Phrase, *evidence: str, cure: Phrase = NOTHING) -> Finding:
        """Return a finding at whatever the question was about."""
        return cls(cause, NOWHERE, summary, cure, evidence=evidence)

    def at(self, subject: Ref) -> Finding:
        """Return the same at an object, unless it is at one already."""
        return replace(self, subject=subject) if self.subject == NOWHERE else self

    @property
    def meaning(self) -> Cause:
        """What the cause says in general."""
        return causes()[self.cause]

    @property
    def is_symptom(self) -> bool:
        """Whether it comes under any other cause that its subject depends on."""
        return self.meaning.is_symptom and not self.is_root

    @property
    def key(self) -> tuple[str, Ref, str]:
        """What makes two diagnoses the same one, seen again."""
        return self.cause, self.subject, self.container

    @property
    def brief(self) -> dict[str, Any]:
        """Which cause it is, where, and what is wrong there, as the record has it."""
        fields = {"cause": self.cause, "subject": str(self.subject), "summary": self.summary}
        return told(fields)

    @property
    def headline(self) -> str:
        """The one line that a reader needs: the cause, where, and the cure."""
        return f"{self.cause}: {self.summary} → {self.cure or self.meaning.cure}"


class FindingError(AssertionError):
    """Something that a fixture or a client relies on does not hold, and what shows it."""

    def __init__(self, shown: Finding) -> None:
        super().__init__(shown.summary)
        self.shown = shown
