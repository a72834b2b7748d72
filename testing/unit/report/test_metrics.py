"""A run as Prometheus reads it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from nova_acceptance.report import load, metrics
from nova_acceptance.report.model import Outcome
from testing.unit.report.events import (
    END,
    HEALTH,
    REDIS,
    START,
    collected,
    finished,
    phase,
    write,
)

HOSTILE = 'a"} 1\nnova_acceptance_tests 7\n# TYPE \\" \ud800\x00'

Samples = dict[str, dict[tuple[str, ...], float]]


@pytest.fixture
def samples_of(tmp_path: Path) -> Any:
    def built(*events: dict[str, Any]) -> Samples:
        """Return values by the metric's name and its labels' values, as Prometheus reads them."""
        directory = write(tmp_path / "a-run", *events)
        text = metrics.render(load(directory))
        found: Samples = {}
        for family in text_string_to_metric_families(text):
            assert family.documentation
            assert family.type == "gauge"
            for sample in family.samples:
                labels = tuple(sample.labels.values())
                found.setdefault(sample.name, {})[labels] = sample.value
        return found

    return built


def test_verdict_is_one_of_its_states(samples_of: Any) -> None:
    found = samples_of(START, *finished(REDIS, "failed"), END)

    assert found["nova_acceptance_run_verdict"] == {
        ("accepted",): 0.0,
        ("rejected",): 1.0,
        ("incomplete",): 0.0,
        ("not verified",): 0.0,
    }


def test_tests_are_counted_by_layer_and_outcome(samples_of: Any) -> None:
    found = samples_of(
        START,
        collected(REDIS, HEALTH, "tests/infrastructure/test_x.py::test_x"),
        *finished(REDIS),
        *finished(HEALTH, "failed"),
        END,
    )

    tests = found["nova_acceptance_tests"]
    assert {labels: value for labels, value in tests.items() if value} == {
        ("infrastructure", "passed"): 1.0,
        ("infrastructure", "no result"): 1.0,
        ("services", "failed"): 1.0,
    }
    assert len(tests) == 2 * len(Outcome)
    assert found["nova_acceptance_test_seconds"] == {("infrastructure",): 1.5, ("services",): 1.5}


def test_durations_are_in_seconds(samples_of: Any) -> None:
    found = samples_of(START, {"type": "deployment", "seconds": 12.5}, *finished(REDIS), END)

    assert found["nova_acceptance_run_duration_seconds"] == {(): 5.0}
    assert found["nova_acceptance_run_start_timestamp_seconds"] == {(): 1893456000.0}
    assert found["nova_acceptance_deployment_seconds"] == {(): 12.5}


def test_components_are_told_by_layer(samples_of: Any) -> None:
    row = {"component": "redis", "namespace": "nova-redis", "wanted": 3, "ready": 2}
    rows = [row | {"layer": "infrastructure", "restarts": 4}, row | {"layer": "networking"}]
    found = samples_of(START, {"type": "snapshot", "rows": rows}, *finished(REDIS), END)

    here = ("redis", "infrastructure", "nova-redis")
    there = ("redis", "networking", "nova-redis")
    assert found["nova_acceptance_component_wanted"] == {here: 3.0, there: 3.0}
    assert found["nova_acceptance_component_ready"] == {here: 2.0, there: 2.0}
    assert found["nova_acceptance_component_restarts"] == {here: 4.0}


def test_cause_is_counted_by_the_objects_at_which_it_is(samples_of: Any) -> None:
    causes = [
        {"type": "diagnosis", "cause": cause, "subject": subject}
        for cause, subject in (("IMAGE_PULL", "a"), ("IMAGE_PULL", "b"), ("NO_LEADER", "c"))
    ]
    found = samples_of(START, *causes, END)

    assert found["nova_acceptance_cause_named"] == {("IMAGE_PULL",): 2.0, ("NO_LEADER",): 1.0}


def test_run_says_which_it_was(samples_of: Any) -> None:
    found = samples_of(
        START | {"manifests": {"commit": "c" * 40, "digest": "d" * 64}},
        {"type": "cluster", "name": "nova", "provider": "kind", "version": "v1", "nodes": ["a"]},
        {"type": "deployment", "overlay": "multi-node"},
        *finished(REDIS),
        END,
    )

    # In the alphabetical order of the labels.
    told = ("nova", "c" * 40, "d" * 64, "v1", "1", "multi-node", "kind", "a-run")
    assert found["nova_acceptance_run_info"] == {told: 1.0}


def test_empty_record_has_metrics(samples_of: Any) -> None:
    found = samples_of()

    assert found["nova_acceptance_run_verdict"]["incomplete",] == 1.0
    assert "nova_acceptance_run_start_timestamp_seconds" not in found


def test_hostile_text_stays_in_its_label(samples_of: Any) -> None:
    row = dict.fromkeys(("component", "namespace", "image"), HOSTILE) | {"wanted": 1, "ready": 1}
    found = samples_of(
        START | {"run": HOSTILE},
        {"type": "cluster"} | dict.fromkeys(("name", "provider", "version"), HOSTILE),
        {"type": "snapshot", "rows": [row]},
        phase(HOSTILE, "call", "failed", diagnosis={"cause": HOSTILE, "subject": HOSTILE}),
        END,
    )

    shown = 'a"} 1 nova_acceptance_tests 7 # TYPE \\" \\ud800\\x00'
    assert found["nova_acceptance_cause_named"] == {(shown,): 1.0}
    assert found["nova_acceptance_component_wanted"] == {(shown, "other", shown): 1.0}
    assert () not in found["nova_acceptance_tests"]
