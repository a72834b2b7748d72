"""Why a test failed, as reports show it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from nova_acceptance.diagnosis import Diagnosis, Explanation, Ref
from nova_acceptance.phrase import told

UNKNOWN: Final = "UNKNOWN"
_LINES: Final = 12


@dataclass(frozen=True, slots=True)
class Finding:
    """Why a test failed, as reports show it.

    Attributes:
        explanation: the causes; empty where none is known.
        summary: what failed, for the case that none is known.
        seen: what was seen of the objects concerned, a line each.
        refs: the objects that tell of it.
    """

    explanation: Explanation
    summary: str
    seen: tuple[str, ...]
    refs: tuple[Ref, ...]

    @property
    def root(self) -> Diagnosis | None:
        """The first cause; None where none is known."""
        return self.explanation.causes[0].root if self.explanation.causes else None

    @property
    def headline(self) -> str:
        """The one line that a reader needs."""
        if self.root:
            return self.explanation.headline
        return f"{UNKNOWN}: {self.summary} → no known cause explains it; what was seen is below"

    @property
    def key(self) -> tuple[str, str]:
        """What makes two findings tell of the same cause."""
        said = self.as_dict()
        return said["cause"], said["subject"]

    def as_dict(self) -> dict[str, Any]:
        """Return the fields of a diagnosis in the record."""
        root = self.root
        symptoms = self.explanation.causes[0].symptoms if root else ()
        others = [each.root for each in self.explanation.causes[1:]]
        fields = {
            "cause": root.cause.id if root else UNKNOWN,
            "subject": str(root.subject) if root else str(next(iter(self.refs), "")),
            "summary": root.summary if root else self.summary,
            "cure": (root.cure or root.cause.cure) if root else "",
            "evidence": list(root.evidence if root else self.seen),
            "chain": [str(each) for each in self.explanation.chain],
            "symptoms": [_brief(each) for each in symptoms],
            "others": [_brief(each) for each in others],
        }
        return told(fields)

    def lines(self) -> list[str]:
        """Return the headline and what belongs to it, line by line."""
        said = self.as_dict()
        found = [self.headline]
        if len(said["chain"]) > 1:
            found.append(f"  the way there: {' → '.join(said['chain'])}")
        found += [f"  seen: {line}" for line in said["evidence"][:_LINES]]
        found += [f"  with it: {each['cause']}: {each['summary']}" for each in said["symptoms"]]
        found += [f"  besides: {each['cause']}: {each['summary']}" for each in said["others"]]
        return found


def _brief(each: Diagnosis) -> dict[str, Any]:
    fields = {"cause": each.cause.id, "subject": str(each.subject), "summary": each.summary}
    return told(fields)
