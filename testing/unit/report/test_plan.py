"""Who is where, and who reached whom, as tables."""

from __future__ import annotations

from nova_acceptance.report.plan import matrix_of, plan_of
from nova_acceptance.report.scene import Node, Pod, Reach, Scene, Service


def pod(name: str, node: str, namespace: str = "app") -> Pod:
    return Pod(namespace, name, node=node)


def test_pods_are_placed_by_namespace_and_node() -> None:
    scene = Scene(
        nodes=(Node("a"), Node("b")),
        pods=(pod("web-0", "b"), pod("web-1", "a"), pod("db-0", "a", "data")),
        services=(Service("data", "db"),),
    )

    plan = plan_of(scene)

    assert [node.name for node in plan.nodes] == ["a", "b"]
    assert not plan.has_homeless
    there = {
        place.namespace: [[each.name for each in pods] for pods in place.pods]
        for place in plan.places
    }
    assert there == {"data": [["db-0"], []], "app": [["web-1"], ["web-0"]]}
    assert [service.name for place in plan.places for service in place.services] == ["db"]


def test_pod_without_a_node_has_a_column_of_its_own() -> None:
    plan = plan_of(Scene(nodes=(Node("a"),), pods=(pod("web-0", ""),)))

    assert plan.has_homeless
    (place,) = plan.places
    assert [len(pods) for pods in place.pods] == [0, 1]


def test_node_that_is_not_listed_and_runs_a_pod_is_shown() -> None:
    plan = plan_of(Scene(nodes=(Node("a"),), pods=(pod("web-0", "gone"),)))

    assert [node.name for node in plan.nodes] == ["a", "gone"]


def test_record_that_tells_nothing_has_an_empty_plan() -> None:
    assert plan_of(Scene()).places == ()


def test_matrix_holds_what_was_wanted_and_leaves_gaps() -> None:
    reaches = [
        Reach("web", "db", 5432, "open", "open"),
        Reach("api", "db", 5432, "open", "timeout"),
        Reach("web", "cache", 6379, "open", "open"),
        Reach("web", "db", 7, "closed", "refused"),
    ]

    opened, closed = matrix_of(reaches, "open"), matrix_of(reaches, "closed")

    assert opened.sources == ("web", "api")
    assert [(door.target, door.port) for door in opened.doors] == [("db", 5432), ("cache", 6379)]
    assert [reach and reach.state for reach in opened.doors[0].reaches] == ["open", "timeout"]
    assert opened.doors[1].reaches[1] is None
    assert [door.port for door in closed.doors] == [7]


def test_reach_is_as_wanted_or_not_or_not_known() -> None:
    assert Reach("web", "db", 1, "open", "open").is_as_wanted is True
    assert Reach("web", "db", 1, "open", "refused").is_as_wanted is False
    assert Reach("web", "db", 1, "closed", "timeout").is_as_wanted is True
    assert Reach("web", "db", 1, "closed", "open").is_as_wanted is False
    assert Reach("web", "db", 1, "closed", "unresolved").is_as_wanted is False
    assert Reach("web", "db", 1, "open", "").is_as_wanted is None
