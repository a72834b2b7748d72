"""From something that failed to the cause that explains it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from nova_acceptance.diagnosis.catalogue import CAUSES, examine
from nova_acceptance.diagnosis.cause import Diagnosis, Ref
from nova_acceptance.diagnosis.graph import Graph
from nova_acceptance.diagnosis.ranking import Ranked, ranked
from nova_acceptance.diagnosis.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why something failed.

    Attributes:
        causes: each with its consequences, the deepest first; empty where none is known.
        chain: from an object of what failed to the first cause's subject.
    """

    causes: tuple[Ranked, ...]
    chain: tuple[Ref, ...] = ()

    @property
    def headline(self) -> str:
        """The first cause's line; empty where none is known."""
        return self.causes[0].root.headline if self.causes else ""


class Doctor:
    """Explains failures by one snapshot, examined once."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self.graph = Graph.of(snapshot)
        self.diagnoses = tuple(examine(snapshot))

    def overall(self) -> tuple[Ranked, ...]:
        """Return all that is wrong, causes first with their consequences under them."""
        return ranked(self.diagnoses, self.graph, CAUSES)

    def explain(self, concerned: Iterable[Ref], own: Diagnosis | None = None) -> Explanation:
        """Return why something failed.

        What was plainly answered, and answered wrongly, explains itself. Where nothing answered,
        or only a consequence is known, the explanation is what the objects concerned depend on.

        Args:
            concerned: the objects that it was about.
            own: what the failure itself says, if it says anything.
        """
        if own and not own.is_symptom:
            return Explanation((Ranked(own),), (own.subject,))
        start = (*concerned, *((own.subject,) if own else ()))
        steps = self.graph.reach(start)
        within = [each for each in self.diagnoses if each.subject in steps]
        found = ranked((*within, own) if own else within, self.graph, CAUSES)
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
                    not (each.root.is_root and each.root.subject in start),
                    each.root.is_symptom or each.root.subject not in parts,
                ),
            )
        )
        chain = self.graph.chain(start, found[0].root.subject) if found else []
        return Explanation(found, tuple(chain))
