"""Causes that stand by themselves at their objects, and still only follow from another one.

`ranking` puts symptoms under what their objects depend on. A claim that nobody has made is no
symptom: mostly its name is wrong. It is one where the pod that it is for has not been made, since
the pod before it has no node. The catalogue says of which causes a cause may be the consequence
(`follows`, and `explained_by` for what is answered); here the objects decide whether it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from nova_acceptance.causes import ANY, following, places
from nova_acceptance.components.dns.service import DNS
from nova_acceptance.components.kubernetes.graph import Graph
from nova_acceptance.components.kubernetes.status import is_ready
from nova_acceptance.components.kubernetes.workloads import KINDS, pods_of
from nova_acceptance.diagnosis.ranking import Ranked, behind
from nova_acceptance.findings import Finding, Ref, ref
from nova_acceptance.kube.snapshot import Snapshot
from nova_acceptance.system.parts import uses

_About = tuple[str, Ref, tuple[Ref, ...], tuple[Ref, ...]]
"""A cause, its object, and what else it is about: of the same, the same is reached."""


@dataclass(slots=True)
class Folding:
    """What follows from what at one moment.

    Args:
        snapshot: the objects.
    """

    _snapshot: Snapshot
    _reached: dict[_About, dict[Ref, int]] = field(default_factory=dict)

    def folded(self, found: Iterable[Ranked]) -> tuple[Ranked, ...]:
        """Return causes with those under them that only follow, the deepest first.

        Args:
            found: causes and their symptoms; of two with the same key the first counts.
        """
        by_key = {each.root.key: each for each in reversed(tuple(found))}
        ordered = sorted(by_key.values(), key=lambda each: _depth(each.root))
        roots = [each.root for each in ordered]
        under = {root.key: end for root in roots if (end := self.end_of(root, roots))}
        symptoms = {each.root.key: list(each.symptoms) for each in ordered}
        for each in ordered:
            if end := under.get(each.root.key):
                symptoms[end.key] += (each.root, *each.symptoms)
        return tuple(
            Ranked(root, tuple(symptoms[root.key])) for root in roots if root.key not in under
        )

    def end_of(self, finding: Finding, among: Sequence[Finding]) -> Finding | None:
        """Return what a cause follows from in the end; None where it stands by itself.

        Causes that follow from each other come under the deepest of them.

        Args:
            finding: the cause.
            among: what else is known to be wrong.
        """
        seen = [finding]
        while deeper := self._deeper(seen[-1], among):
            if any(deeper.key == each.key for each in seen):
                circle = seen[[each.key for each in seen].index(deeper.key) :]
                end = min(circle, key=_depth)
                return end if end.key != finding.key else None
            seen.append(deeper)
        return seen[-1] if len(seen) > 1 else None

    def _deeper(self, finding: Finding, among: Iterable[Finding]) -> Finding | None:
        if finding.is_root or finding.meaning.is_policy or not following(finding.cause):
            return None
        fits = [each for each in among if _may_follow(finding, each)]
        if not fits:
            return None
        steps = self._reach(finding)
        reached = behind(fits, steps, Graph.of(self._snapshot))
        within = [each for each in reached if self._is_behind(finding, each)]
        if finding.is_symptom:  # of two that need each other only one can be the other's
            within = [
                each
                for each in within
                if not each.is_symptom or finding.subject not in self._reach(each)
            ]
        return min(within, key=lambda each: (*_depth(each), steps[each.subject]), default=None)

    def _reach(self, finding: Finding) -> dict[Ref, int]:
        """Return all that a cause's object stands on, that no configuration names as well."""
        key = (finding.cause, finding.subject, finding.concerns, finding.asked_from)
        if key not in self._reached:
            graph, well = Graph.of(self._snapshot), self._well(finding.subject)
            about = (finding.subject, *finding.concerns)
            homes = (Ref("Namespace", "", each.namespace) for each in about if each.namespace)
            asking = self._asked_from(finding)
            start = dict.fromkeys((*about, *self._behind(finding), *homes, *asking))
            steps = graph.reach(start, without=well)
            while more := [each for each in self._needed(steps, finding) if each not in steps]:
                steps |= {
                    where: 1 + n for where, n in graph.reach(more, without=well).items()
                } | steps
            self._reached[key] = steps
        return self._reached[key]

    def _asked_from(self, finding: Finding) -> Iterator[Ref]:
        """Yield the node on which all are that were answered the same; none where they differ.

        Of these pods only their node is behind what they were answered: how they are configured
        decides what they ask, not whether it answers.
        """
        nodes = {self._node_of(pod) for pod in finding.asked_from}
        if len(nodes) == 1 and (name := nodes.pop()):
            yield Ref("Node", "", name)

    def _node_of(self, pod: Ref) -> str:
        """Return the name of a pod's node; empty where nobody knows it."""
        return str(((self._snapshot.at(pod) or {}).get("spec") or {}).get("nodeName") or "")

    def _well(self, subject: Ref) -> frozenset[Ref]:
        """Return the pods of a workload that are ready while others of it are not.

        Of a member that is lost nothing is told by where the members are that are there.
        """
        obj = self._snapshot.at(subject)
        pods = pods_of(self._snapshot, obj) if obj and subject.kind in KINDS else []
        ready = frozenset(ref(pod) for pod in pods if is_ready(pod))
        return ready if len(ready) < len(pods) else frozenset()

    def _is_behind(self, finding: Finding, other: Finding) -> bool:
        """Whether all pods that a cause is about are on the node at which the other one is.

        Where one of them is elsewhere, the node does not explain it. A cause that may follow from
        its own kind follows from that at a node alone.
        """
        if other.subject.kind != "Node":
            is_of_its_kind = finding.cause in finding.meaning.follows
            return not (is_of_its_kind and other.cause == finding.cause)
        pods = [each for each in finding.concerns if each.kind == "Pod"]
        return all(self._node_of(each) == other.subject.name for each in pods)

    def _needed(self, steps: Iterable[Ref], finding: Finding) -> Iterator[Ref]:
        """Yield the workloads that those of a Service are, and what these stand on in silence."""
        system = self._snapshot.system
        there = set(steps)
        for component in system.components:
            fronts = {
                Ref("Service", component.namespace, each.name) for each in component.every_service
            }
            if fronts & {finding.subject, *finding.concerns}:
                yield component.workload.ref
            if component.workload.ref in there:
                yield from (system.component(name).workload.ref for name in component.needs)
        if not finding.is_symptom:
            for component, used in uses(system):
                if component.workload.ref in there:
                    yield used.workload.ref

    def _behind(self, finding: Finding) -> Iterator[Ref]:
        match finding.meaning.behind:
            case "nodes":
                yield from map(ref, self._snapshot.of_kind("Node"))
            case "workloads":
                for workload in self._snapshot.system.every_workload:
                    if workload.namespace == finding.subject.namespace:
                        yield workload.ref
            case "dns":
                yield DNS


def _may_follow(finding: Finding, other: Finding) -> bool:
    """Whether a cause may be another's consequence, as far as the catalogue says."""
    if other.key == finding.key or other.meaning.is_policy:
        return False
    allowed = following(finding.cause)
    if other.cause in allowed or finding.is_symptom:
        return True
    # of any, but what is a consequence itself tells less than the cause that is asked about
    return ANY in allowed and not other.is_symptom and other.cause != finding.cause


def _depth(each: Finding) -> tuple[bool, bool, int, Ref]:
    return each.meaning.is_policy, each.is_symptom, places()[each.cause], each.subject
