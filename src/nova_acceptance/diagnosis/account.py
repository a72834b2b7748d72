"""All that is wrong with a cluster, in words: causes, what each brought about, and the rest."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from nova_acceptance.components.kubernetes.pods import ill_pods, last_words
from nova_acceptance.components.kubernetes.rollouts import is_rolling_over
from nova_acceptance.components.kubernetes.status import State, status_of
from nova_acceptance.components.kubernetes.workloads import statuses, workloads
from nova_acceptance.diagnosis.coverage import NOT_ASKED, Asked, covered, is_whole, lines
from nova_acceptance.diagnosis.explanation import Doctor
from nova_acceptance.diagnosis.ranking import Ranked, ranked
from nova_acceptance.findings import Finding, Ref, ref
from nova_acceptance.kube.snapshot import Snapshot

_EVENTS = 3


@dataclass(frozen=True, slots=True)
class Account:
    """What is wrong, and what could not be seen.

    Attributes:
        causes: each with its consequences, the deepest first.
        chains: for each consequence the objects from it down to its cause.
        unready: what is not ready, with what was seen of it.
        unexplained: what of that depends on none of the causes.
        unread: what could not be read or asked, a line each.
        coverage: in one line, what was looked at and asked, and what was not.
        is_whole: whether everything was.
    """

    causes: tuple[Ranked, ...]
    chains: dict[tuple[str, Ref, str], list[Ref]]
    unready: dict[Ref, tuple[str, ...]]
    unexplained: tuple[Ref, ...]
    unread: tuple[str, ...]
    coverage: str
    is_whole: bool

    @property
    def is_well(self) -> bool:
        """Whether nothing was found."""
        return not (self.causes or self.unexplained)

    def lines(self) -> Iterator[str]:
        """Yield it as text, a line each; the last says what all of it rests on.

        A cause at several objects is told once; what is a matter of policy stands apart.
        """
        by_cause: dict[str, list[Ranked]] = {}
        for each in sorted(self.causes, key=lambda each: each.root.meaning.is_policy):
            by_cause.setdefault(each.root.cause, []).append(each)
        is_apart = False
        for number, same in enumerate(by_cause.values(), 1):
            if same[0].root.meaning.is_policy and not is_apart:
                is_apart = True
                yield "matters of policy, for which nothing stops working:"
            yield from self._told(number, same)
        if not self.causes:
            limits = "" if self.is_whole else " in what was looked at and asked"
            yield f"nothing known is wrong{limits}"
        for where in self.unexplained:
            yield f"UNKNOWN: {where} is not ready, and no cause of it is known"
            yield from (f"     seen: {line}" for line in self.unready[where])
        if self.unread:
            yield "not read or not asked, so that nothing is said of it:"
            yield from (f"     {line}" for line in self.unread)
        yield self.coverage

    def _told(self, number: int, same: list[Ranked]) -> Iterator[str]:
        """Yield a cause with its objects, and under each what comes of it."""
        first = same[0].root
        if len(same) == 1:
            yield f"{number}. {first.headline}"
        else:
            yield f"{number}. {first.cause}: at {len(same)} objects → {first.meaning.cure}"
        if first.is_symptom:
            yield "     this is a consequence, and no cause of it is known"
        for each in same:
            if len(same) > 1:
                cure = f" → {each.root.cure}" if each.root.cure else ""
                yield f"   - {each.root.summary}{cure}"
            yield from (f"     seen: {line}" for line in self._seen(each))
            for symptom in each.symptoms:
                yield f"     hence {symptom.cause}: {symptom.summary}"
                chain = self.chains.get(symptom.key, [])
                if len(chain) > 1:
                    yield f"       by way of {' → '.join(map(str, chain))}"

    def _seen(self, each: Ranked) -> Iterable[str]:
        """Return a cause's evidence; of a mere consequence all that there was to see."""
        more = self.unready.get(each.root.subject, ()) if each.root.is_symptom else ()
        return dict.fromkeys((*each.root.evidence, *more))


def account(snapshot: Snapshot, found: Iterable[Finding] = (), asked: Asked = NOT_ASKED) -> Account:
    """Return all that is wrong with what a snapshot shows, and with what was asked besides.

    Args:
        snapshot: the objects.
        found: what else was found, by asking.
        asked: what was asked by protocol, and what could not be.
    """
    doctor = Doctor(snapshot)
    causes = doctor.folding.folded(ranked((*doctor.diagnoses, *found), doctor.graph))
    chains = {
        symptom.key: doctor.graph.chain([symptom.subject], each.root.subject)
        for each in causes
        for symptom in each.symptoms
    }
    named = {each.subject for each in doctor.diagnoses}
    unready = _unready(snapshot)
    unexplained = [where for where in unready if named.isdisjoint(doctor.graph.reach([where]))]
    return Account(
        causes,
        chains,
        unready,
        tuple(unexplained),
        unread=(*snapshot.unread, *lines(asked)),
        coverage=covered(snapshot, asked),
        is_whole=is_whole(snapshot, asked),
    )


def _unready(snapshot: Snapshot) -> dict[Ref, tuple[str, ...]]:
    """Return the workloads and pods that are not ready, and what they say of themselves."""
    found: dict[Ref, tuple[str, ...]] = {}
    for workload in workloads(snapshot):
        status = status_of(workload)
        if workload["kind"] == "Job" and status.state is State.IN_PROGRESS:
            continue  # at work, or suspended
        if is_rolling_over(snapshot, workload):
            continue
        if not status.is_current and workload["metadata"].get("uid"):
            found[ref(workload)] = (status.message or status.reason,)
    for ill in ill_pods(snapshot):
        if is_rolling_over(snapshot, ill.workload):
            continue
        seen = [f"{ill.where}: {ill.phase}"]
        seen += [
            f"event {event.get('reason', '')}: {' '.join(str(event.get('message', '')).split())}"
            for event in ill.events
            if event.get("type") == "Warning"
        ][-_EVENTS:]
        for entry in statuses(ill.pod):
            seen += last_words(snapshot, ill.pod, entry["name"])
        found[ill.subject] = (*found.get(ill.subject, ()), *dict.fromkeys(seen))
    return found
