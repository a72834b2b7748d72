"""Between which nodes packets do not pass, by what connections between their pods were answered.

What one pair of pods shows may be those pods' own, or their namespaces'. It is the nodes' where
nothing passes from one node to another, while the same namespaces reach each other elsewhere.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from nova_acceptance.findings import Finding, Ref
from nova_acceptance.kube import PodRef
from nova_acceptance.phrase import Phrase

_SHOWN: Final = 6
_PAIRS: Final = 2
"""Pairs of pods between which there is silence, before it is said to be their nodes'."""

Cell = tuple[str, str]
"""From which node to which other one."""


@dataclass(frozen=True, slots=True)
class Trial:
    """A connection from a pod to another pod's address, or to any of several.

    Attributes:
        source: who asked.
        source_node: its node.
        target: the pod that was asked, or the Service before it.
        target_node: its node; empty where it may be one of several.
        is_answered: whether anything came back, be it a refusal.
        said: how it ended, as evidence shows it.
    """

    source: PodRef
    source_node: str
    target: PodRef
    target_node: str
    is_answered: bool
    said: str

    @property
    def cell(self) -> Cell:
        """From which node to which one."""
        return self.source_node, self.target_node

    @property
    def namespaces(self) -> tuple[str, str]:
        """From which namespace to which one."""
        return self.source.namespace, self.target.namespace

    @property
    def evidence(self) -> str:
        """The trial as a line of evidence."""
        return (
            f"from {self.source} on {self.source_node} to {self.target} on {self.target_node}: "
            f"{self.said}"
        )


@dataclass(frozen=True, slots=True)
class Cut:
    """A node between which and others nothing passes.

    Attributes:
        cells: from which node to which other one nothing came back.
        finding: the same as a cause at the node.
    """

    cells: frozenset[Cell]
    finding: Finding


def cuts(trials: Iterable[Trial]) -> list[Cut]:
    """Return the nodes that are cut off from others, those first that most is cut off from.

    Args:
        trials: all that was tried between pods whose nodes are known.
    """
    known = [each for each in trials if each.source_node]
    by_cell: dict[Cell, list[Trial]] = defaultdict(list)
    for each in known:
        if each.target_node and each.source_node != each.target_node:
            by_cell[each.cell].append(each)
    dead = {cell: each for cell, each in by_cell.items() if not any(it.is_answered for it in each)}
    answered = [each for each in known if each.is_answered]
    return list(_grouped(dead, by_cell, answered))


def _grouped(
    dead: Mapping[Cell, Sequence[Trial]],
    tried: Mapping[Cell, Sequence[Trial]],
    answered: Sequence[Trial],
) -> Iterator[Cut]:
    """Yield one cut a node, so that each cell without an answer is told once."""
    left = dict(dead)
    while left:
        node = _most_common(left, tried)
        mine = {cell: each for cell, each in left.items() if node in cell}
        left = {cell: each for cell, each in left.items() if node not in cell}
        silent = [trial for each in mine.values() for trial in each]
        if _is_of_nodes(silent, answered):
            yield Cut(frozenset(mine), _finding(node, mine, tried, answered))


def _most_common(dead: Mapping[Cell, object], tried: Mapping[Cell, object]) -> str:
    """Return the node that the cells without an answer have in common, before others by name."""

    def rank(node: str) -> tuple[float, int, str]:
        silent = sum(node in cell for cell in dead)
        return (-silent / sum(node in cell for cell in tried), -silent, node)

    return min({node for cell in dead for node in cell}, key=rank)


def _is_of_nodes(silent: Sequence[Trial], answered: Sequence[Trial]) -> bool:
    """Whether neither single pods nor namespaces explain a silence between nodes."""
    if len({(each.source, each.target) for each in silent}) < _PAIRS:
        return False
    # one pod that answers nobody anywhere may be silent for a reason of its own
    targets = {each.target for each in silent}
    alive = {pod for each in answered for pod in (each.source, each.target)}
    if targets.isdisjoint(alive) and len(targets) == 1:
        return False
    between = {each.namespaces for each in silent}
    if between & {each.namespaces for each in answered}:
        return True
    sources, homes = ({pair[side] for pair in between} for side in (0, 1))
    return len(sources) >= _PAIRS and len(homes) >= _PAIRS and bool(answered)


def _finding(
    node: str,
    mine: Mapping[Cell, Sequence[Trial]],
    tried: Mapping[Cell, Sequence[Trial]],
    answered: Sequence[Trial],
) -> Finding:
    others = sorted({each for cell in mine for each in cell} - {node})
    back = {(target, source) for source, target in mine}
    is_one_way = any(cell in tried and cell not in mine for cell in back)
    leads_out = {source for source, _ in mine} == {node}
    silent = [trial for each in mine.values() for trial in each]
    where = Ref("Node", "", node)
    sentence = Phrase(
        "no packet passes between {node} and {others}: of {silent} connections between their pods "
        "none was answered, and {answered} others were"
        if not is_one_way
        else "connections from {node} to {others} are not answered ({silent} tried), and those in "
        "the other direction are"
        if leads_out
        else "connections from {others} to {node} are not answered ({silent} tried), and those in "
        "the other direction are",
        node=where,
        others=[Ref("Node", "", each) for each in others],
        silent=len(silent),
        answered=len(answered),
    )
    cure = Phrase(
        "see the network plugin's pod on {node} "
        "(`kubectl get pods -A -o wide --field-selector spec.nodeName={node}`), and what stops "
        "packets between it and {others}: a firewall, a route, or the port of the overlay",
        node=node,
        others=others,
    )
    shown = dict.fromkeys(each.evidence for each in silent)
    return Finding("NETWORK_CUT", where, sentence, cure, evidence=tuple(shown)[:_SHOWN])
