"""From something that failed to the cause that explains it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from nova_acceptance.components.kubernetes.graph import Graph
from nova_acceptance.diagnosis.catalogue import examine
from nova_acceptance.diagnosis.folding import Folding
from nova_acceptance.diagnosis.ranking import Ranked, behind, ranked
from nova_acceptance.findings import Finding, Ref
from nova_acceptance.kube.snapshot import Snapshot
from nova_acceptance.phrase import told

UNKNOWN: Final = "UNKNOWN"
_LINES: Final = 12


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why something failed, as reports show it.

    Attributes:
        causes: each with its consequences, the deepest first; empty where none is known.
        chain: from an object of what failed to the first cause's subject.
        summary: what failed, for the case that no cause is known.
        seen: what was seen of its objects, a line each.
        refs: the objects that tell of it.
    """

    causes: tuple[Ranked, ...]
    chain: tuple[Ref, ...] = ()
    summary: str = ""
    seen: tuple[str, ...] = ()
    refs: tuple[Ref, ...] = ()

    @property
    def root(self) -> Finding | None:
        """The first cause; None where none is known."""
        return self.causes[0].root if self.causes else None

    @property
    def subjects(self) -> tuple[Ref, ...]:
        """The objects at which the causes are."""
        return tuple(dict.fromkeys(each.root.subject for each in self.causes))

    @property
    def headline(self) -> str:
        """The one line that a reader needs."""
        if self.root:
            return self.root.headline
        return f"{UNKNOWN}: {self.summary} → no known cause explains it; what was seen is below"

    @property
    def key(self) -> tuple[str, str]:
        """What makes two explanations tell of the same cause."""
        said = self.as_dict()
        return said["cause"], said["subject"]

    def as_dict(self) -> dict[str, Any]:
        """Return the fields of a diagnosis in the record."""
        root = self.root
        symptoms = self.causes[0].symptoms if root else ()
        fields = {
            "cause": root.cause if root else UNKNOWN,
            "subject": str(root.subject if root else next(iter(self.refs), "")),
            "summary": root.summary if root else self.summary,
            "cure": (root.cure or root.meaning.cure) if root else "",
            "evidence": list(root.evidence if root else self.seen),
            "chain": [str(each) for each in self.chain],
            "symptoms": [each.brief for each in symptoms],
            "others": [each.root.brief for each in self.causes[1:]],
        }
        return told(fields)

    def lines(self) -> list[str]:
        """Return the headline and what belongs to it, line by line."""
        said = self.as_dict()
        found = [self.headline]
        if len(said["chain"]) > 1:
            found.append(f"  the way there: {' → '.join(said['chain'])}")
        found += [f"  seen: {line}" for line in said["evidence"][:_LINES]]
        found += [f"  with it: {line}" for line in _by_cause(said["symptoms"])]
        found += [f"  besides: {line}" for line in _by_cause(said["others"])]
        return found


class Doctor:
    """Explains failures by one snapshot, examined once."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self.graph = Graph.of(snapshot)
        self.diagnoses = tuple(examine(snapshot))
        self.folding = Folding(snapshot)

    def overall(self) -> tuple[Ranked, ...]:
        """Return all that is wrong, causes first with their consequences under them."""
        return self.folding.folded(ranked(self.diagnoses, self.graph))

    def within(self, reached: Collection[Ref]) -> list[Finding]:
        """Return what is wrong with objects that something needs, as far as it may be why.

        Args:
            reached: these objects, as `Graph.reach` gives them.
        """
        return behind(self.diagnoses, reached, self.graph)

    def explain(self, subjects: Iterable[Ref], own: Finding | None = None) -> Explanation:
        """Return why something failed.

        What was plainly answered, and answered wrongly, explains itself. Where nothing answered,
        or only a consequence is known, the explanation is what the objects concerned depend on.

        Args:
            subjects: the objects that it was about.
            own: what the failure itself says, if it says anything.
        """
        if own and not own.is_symptom:
            return Explanation((Ranked(own),), (own.subject,))
        start = (*subjects, *((own.subject,) if own else ()))
        steps = self.graph.reach(start)
        within = self.within(steps)
        found = ranked((*within, _fuller(own, within)) if own else within, self.graph)
        if own:  # what it comes under goes first; a cause beside it is no explanation of symptoms
            causes = [each for each in found if not each.root.is_symptom]
            if causes:
                found = (*causes, *(each for each in found if each not in causes))
        # what the object itself is to blame for precedes what is wrong with its parts, and that
        # precedes what is wrong with the programs that it asks
        parts = self.graph.reach(start, others=False)
        found = tuple(
            sorted(
                found,
                key=lambda each: (
                    each.root.meaning.is_policy,
                    not (each.root.is_root and each.root.subject in start),
                    each.root.is_symptom or each.root.subject not in parts,
                ),
            )
        )
        chain = self.graph.chain(start, found[0].root.subject) if found else []
        return Explanation(found, tuple(chain))


def _by_cause(named: Iterable[dict[str, Any]]) -> Iterator[str]:
    """Yield causes a line each; one of several objects with the first, and their number."""
    found: dict[str, list[str]] = {}
    for each in named:
        found.setdefault(each["cause"], []).append(each["summary"])
    for cause, (first, *more) in found.items():
        yield f"{cause}: {first}" + (f" (and at {len(more)} more)" if more else "")


def _fuller(own: Finding, within: Iterable[Finding]) -> Finding:
    """Return the same finding as the snapshot tells it, where that says more: it has the logs."""
    same = (each for each in within if each.key == own.key)
    return next((each for each in same if _is_begun_by(own, each)), own)


def _is_begun_by(own: Finding, other: Finding) -> bool:
    return other.summary.startswith(own.summary) and set(own.evidence) <= set(other.evidence)
