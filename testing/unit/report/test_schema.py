"""The published schema takes what is written, and refuses what lacks a field or has a wrong one."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterator
from typing import Any, cast

import pytest

from nova_acceptance.report import record
from nova_acceptance.report.record import SCHEMA
from testing.unit.report.every_event import Event, events
from testing.unit.report.schema import published, violations

Place = tuple[str | int, ...]
"""The way to a value inside an event."""
OPTIONAL = {
    "collected": {"tests", "uncollected"},
    "deployment": {"phases"},
    "internal-error": {"message"},
    "no-cluster": {"told", "lines"},
    "not-deployed": {"told", "lines"},
    "refused": {"told", "lines"},
    "note": {"told"},
    "diagnosis": {"follows"},
    "phase": {
        *("test", "diagnosis", "quarantined"),
        *("expected_failure", "message", "text", "evidence", "sections", "worker"),
    },
}


@pytest.mark.parametrize("event", events(), ids=lambda event: str(event["type"]))
def test_event_with_every_field_fits(event: Event) -> None:
    assert violations(event) == []


def test_schema_knows_the_types_that_the_documentation_lists() -> None:
    listed = re.findall(r"^    ([a-z][a-z-]+)(?=\s)", record.__doc__ or "", re.MULTILINE)
    known = {
        branch["if"]["properties"]["type"]["const"]: branch["then"]["$ref"].rpartition("/")[2]
        for branch in published()["allOf"]
    }

    assert set(listed) == known.keys() == {event["type"] for event in events()}
    assert all(definition in published()["$defs"] for definition in known.values())


def test_documentation_names_every_field_of_the_schema() -> None:
    words = set(re.findall(r"[a-z_]+", record.__doc__ or ""))
    fields = {
        field
        for definition in published()["$defs"].values()
        for field in definition.get("properties", ())
    }

    of_evidence = {"asked", "answer"}  # `evidence.Evidence` has these
    assert fields - words - of_evidence == set()


def test_number_of_the_schema_is_the_one_that_is_written() -> None:
    assert published()["$defs"]["event-run-started"]["properties"]["schema"]["const"] == SCHEMA
    assert published()["$id"].endswith(f":{SCHEMA}")


@pytest.mark.parametrize("event", events(), ids=lambda event: str(event["type"]))
def test_event_that_lacks_a_required_field_is_refused(event: Event) -> None:
    required = event.keys() - OPTIONAL.get(event["type"], set())
    for field in required:
        assert violations({key: it for key, it in event.items() if key != field}), field


def of_type(kind: str) -> Event:
    return copy.deepcopy(next(each for each in events() if each["type"] == kind))


def with_value(event: Event, path: Place, value: Callable[[Any], Any]) -> Event:
    """Return a copy of an event with something else at a path, given what is there."""
    changed: Any = copy.deepcopy(event)
    inner = changed
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value(inner[path[-1]])
    return cast(Event, changed)


def places(value: Any, path: Place = ()) -> Iterator[Place]:
    """Yield the path of everything that an event holds."""
    inner = value.items() if isinstance(value, dict) else enumerate(value)
    for key, each in inner:
        yield (*path, key)
        if isinstance(each, dict | list):
            yield from places(each, (*path, key))


@pytest.mark.parametrize("event", events(), ids=lambda event: str(event["type"]))
def test_event_with_a_field_of_a_wrong_type_is_refused(event: Event) -> None:
    for path in places({key: it for key, it in event.items() if key != "type"}):
        spoilt = with_value(event, path, lambda was: "a text" if isinstance(was, list) else [0.5])
        assert violations(spoilt), path


@pytest.mark.parametrize(
    ("kind", "path", "value"),
    [
        ("snapshot", ("pods", 0, "restarts"), -1),
        ("snapshot", ("services", 0, "ports", 0, "number"), 0),
        ("reachability", ("cells", 0, "wanted"), "ajar"),
        ("deployment", ("timeline", 0, "ready"), True),
        ("phase", ("outcome",), "xfailed"),
        ("run-started", ("manifests", "commit"), "HEAD"),
        ("run-started", ("schema",), 1),
        ("note", ("time",), "yesterday"),
    ],
)
def test_value_that_cannot_be_is_refused(kind: str, path: Place, value: object) -> None:
    assert violations(with_value(of_type(kind), path, lambda _was: value))


@pytest.mark.parametrize("row", ["nodes", "pods", "services", "limits", "rows"])
def test_row_that_lacks_its_name_is_refused(row: str) -> None:
    event = of_type("snapshot")
    name = "component" if row == "rows" else "name"
    del event[row][0][name]

    assert violations(event) == [f"snapshot.{row}[0]: {name!r} is a required property"]


def test_fields_and_types_that_are_not_known_are_let_pass() -> None:
    note = of_type("note")

    assert violations({**note, "more": {"of": "it"}}) == []
    assert violations({**note, "type": "of-the-future"}) == []
