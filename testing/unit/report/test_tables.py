"""Who is where, and who reached whom, as tables."""

from __future__ import annotations

from nova_acceptance.report.tables import matrix_of, pods_by_node
from nova_acceptance.report.topology import Node, Pod, Reach, Service, Topology


def pod(name: str, node: str, namespace: str = "app") -> Pod:
    return Pod(namespace, name, node=node)


def test_pods_are_placed_by_namespace_and_node() -> None:
    topology = Topology(
        nodes=(Node("a"), Node("b")),
        pods=(pod("web-0", "b"), pod("web-1", "a"), pod("db-0", "a", "data")),
        services=(Service("data", "db"),),
    )

    table = pods_by_node(topology)

    assert [node.name for node in table.nodes] == ["a", "b"]
    assert not table.has_homeless
    there = {
        row.namespace: [[each.name for each in pods] for pods in row.pods] for row in table.rows
    }
    assert there == {"data": [["db-0"], []], "app": [["web-1"], ["web-0"]]}
    assert [service.name for row in table.rows for service in row.services] == ["db"]


def test_pod_without_a_node_has_a_column_of_its_own() -> None:
    table = pods_by_node(Topology(nodes=(Node("a"),), pods=(pod("web-0", ""),)))

    assert table.has_homeless
    (row,) = table.rows
    assert [len(pods) for pods in row.pods] == [0, 1]


def test_node_that_is_not_listed_and_runs_a_pod_is_shown() -> None:
    table = pods_by_node(Topology(nodes=(Node("a"),), pods=(pod("web-0", "gone"),)))

    assert [node.name for node in table.nodes] == ["a", "gone"]


def test_record_that_tells_nothing_has_an_empty_plan() -> None:
    assert pods_by_node(Topology()).rows == ()


def test_matrix_holds_what_was_wanted_and_leaves_gaps() -> None:
    reaches = [
        Reach("web", "db", 5432, "open", "open"),
        Reach("api", "db", 5432, "open", "timeout"),
        Reach("web", "cache", 6379, "open", "open"),
        Reach("web", "db", 7, "closed", "refused"),
    ]

    opened, closed = matrix_of(reaches, "open"), matrix_of(reaches, "closed")

    assert opened.sources == ("web", "api")
    assert [(row.target, row.port) for row in opened.rows] == [("db", 5432), ("cache", 6379)]
    assert [reach and reach.state for reach in opened.rows[0].reaches] == ["open", "timeout"]
    assert opened.rows[1].reaches[1] is None
    assert opened.has_undeclared
    assert not opened.has_gaps
    assert not closed.has_undeclared
    assert [row.port for row in closed.rows] == [7]


def test_declared_port_that_could_not_be_asked_for_is_a_gap() -> None:
    assert matrix_of([Reach("web", "db", 5432, "open", "")], "open").has_gaps


def test_reach_is_as_wanted_or_not_or_not_known() -> None:
    assert Reach("web", "db", 1, "open", "open").is_as_wanted is True
    assert Reach("web", "db", 1, "open", "refused").is_as_wanted is False
    assert Reach("web", "db", 1, "closed", "timeout").is_as_wanted is True
    assert Reach("web", "db", 1, "closed", "open").is_as_wanted is False
    assert Reach("web", "db", 1, "closed", "unresolved").is_as_wanted is False
    assert Reach("web", "db", 1, "open", "").is_as_wanted is None
