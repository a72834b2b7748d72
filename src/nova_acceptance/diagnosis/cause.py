"""Causes by their stable names, and a cause found at an object."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from nova_acceptance.kube import Object
from nova_acceptance.phrase import NOTHING, Phrase


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


@dataclass(frozen=True, slots=True)
class Cause:
    """One way in which a deployment goes wrong; `docs/diagnosis.md` is made of these.

    Attributes:
        id: the stable name, such as `IMAGE_PULL`.
        title: what is wrong, as one sentence without a full stop.
        symptom: how it shows to somebody who does not know it.
        proof: what is looked at, and what there shows it.
        cure: what to do about it, in general.
        is_symptom: whether this is mostly the consequence of something deeper, and comes under
            any other cause that its subject depends on. What is not stays a cause of its own.
    """

    id: str
    title: str
    symptom: str
    proof: str
    cure: str
    is_symptom: bool = False

    def __str__(self) -> str:
        return self.id


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """A cause, found.

    Attributes:
        cause: what it is.
        subject: the object at which it is: the one to mend, or the nearest to it.
        summary: what is wrong there, in one sentence with the names concerned.
        cure: what to do here; a command or a place in a file where there is one.
        evidence: what was seen, a line each; never a secret.
        container: the container concerned, whose log may tell more.
        grace: seconds for which a wait that sees it goes on before it believes that the subject
            is lost; None where it says nothing about becoming ready.
        is_root: whether it is no consequence here, although its cause is mostly one.
    """

    cause: Cause
    subject: Ref
    summary: Phrase
    cure: Phrase = NOTHING
    evidence: tuple[str, ...] = ()
    container: str = ""
    grace: float | None = None
    is_root: bool = False

    @property
    def is_symptom(self) -> bool:
        """Whether it comes under any other cause that its subject depends on."""
        return self.cause.is_symptom and not self.is_root

    @property
    def key(self) -> tuple[str, Ref, str]:
        """What makes two diagnoses the same one, seen again."""
        return self.cause.id, self.subject, self.container

    @property
    def headline(self) -> str:
        """The one line that a reader needs: the cause, where, and the cure."""
        return f"{self.cause.id}: {self.summary} → {self.cure or self.cause.cure}"
