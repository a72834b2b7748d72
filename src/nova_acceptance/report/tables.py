"""The topology and the reachability as tables: who is where, and who reached whom."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from nova_acceptance.report.topology import Node, Pod, Reach, Service, Topology


@dataclass(frozen=True, slots=True)
class NamespaceRow:
    """A namespace's row: its Services, and its pods in the order of the columns."""

    namespace: str
    services: tuple[Service, ...]
    pods: tuple[tuple[Pod, ...], ...]


@dataclass(frozen=True, slots=True)
class PodTable:
    """Namespaces by nodes.

    Attributes:
        nodes: the columns.
        rows: the rows.
        has_homeless: whether there is one more column, of pods that are on no node.
    """

    nodes: tuple[Node, ...]
    rows: tuple[NamespaceRow, ...]
    has_homeless: bool


@dataclass(frozen=True, slots=True)
class PortRow:
    """A row of the matrix: a port of a Service, and what came of it from each source.

    There is None for a source of which nothing is declared.
    """

    target: str
    port: int
    reaches: tuple[Reach | None, ...]


@dataclass(frozen=True, slots=True)
class Matrix:
    """Who reached whom, for ports that are wanted open, or for those that are wanted closed."""

    sources: tuple[str, ...]
    rows: tuple[PortRow, ...]

    @property
    def has_gaps(self) -> bool:
        """Whether something declared was not asked."""
        every = (reach for row in self.rows for reach in row.reaches)
        return any(reach and reach.is_as_wanted is None for reach in every)

    @property
    def has_undeclared(self) -> bool:
        """Whether there is a source and a port of which nothing is declared."""
        return any(reach is None for row in self.rows for reach in row.reaches)


def pods_by_node(topology: Topology) -> PodTable:
    """Return the topology as a table; nodes that run pods and are not listed get a column."""
    known = {node.name for node in topology.nodes}
    strangers = dict.fromkeys(
        pod.node for pod in topology.pods if pod.node and pod.node not in known
    )
    nodes = (*topology.nodes, *(Node(name) for name in strangers))
    has_homeless = any(not pod.node for pod in topology.pods)
    columns = [*(node.name for node in nodes), *([""] if has_homeless else [])]
    of_services = (service.namespace for service in topology.services)
    namespaces = dict.fromkeys([*of_services, *(pod.namespace for pod in topology.pods)])
    return PodTable(
        nodes=nodes,
        rows=tuple(
            NamespaceRow(
                namespace,
                tuple(each for each in topology.services if each.namespace == namespace),
                tuple(
                    tuple(
                        pod
                        for pod in topology.pods
                        if (pod.namespace, pod.node) == (namespace, column)
                    )
                    for column in columns
                ),
            )
            for namespace in namespaces
        ),
        has_homeless=has_homeless,
    )


def matrix_of(reaches: Iterable[Reach], wanted: str) -> Matrix:
    """Return who reached whom, in the order in which it was recorded.

    Args:
        reaches: all of them.
        wanted: `open` or `closed`: which to take.
    """
    mine = [reach for reach in reaches if reach.wanted == wanted]
    sources = tuple(dict.fromkeys(reach.source for reach in mine))
    rows = dict.fromkeys((reach.target, reach.port) for reach in mine)
    found = {(reach.source, reach.target, reach.port): reach for reach in mine}
    return Matrix(
        sources,
        tuple(
            PortRow(target, port, tuple(found.get((source, target, port)) for source in sources))
            for target, port in rows
        ),
    )
