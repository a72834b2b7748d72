"""A run as metrics: `metrics.prom`, in Prometheus' text format.

The node exporter's textfile collector reads it from where it is copied to, for whoever watches runs
in Prometheus. What is measured has its unit in its name; `nova_acceptance_run_info` says which run
it was.
"""

from __future__ import annotations

from collections import Counter
from typing import Final

from prometheus_client import CollectorRegistry, Gauge, Info, generate_latest

from nova_acceptance.report.escaping import plain
from nova_acceptance.report.model import Component, Outcome, Run, Verdict
from nova_acceptance.report.values import number

FILE_NAME: Final = "metrics.prom"

_COMPONENT: Final = ("layer", "namespace", "component")


def render(run: Run) -> str:
    """Return the metrics of a run."""
    return generate_latest(registry_of(run)).decode()


def registry_of(run: Run) -> CollectorRegistry:
    """Return the metrics of a run."""
    metrics = _Metrics()
    metrics.tell_run(run)
    metrics.tell_tests(run)
    metrics.tell_components(run)
    return metrics.registry


class _Metrics:
    """Gauges of one run, each with its labels and their values."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()

    def tell_run(self, run: Run) -> None:
        info = Info("nova_acceptance_run", "Which run this was.", registry=self.registry)
        info.info({name: plain(value) for name, value in run.identity.items()})
        verdict = self._gauge("run_verdict", "Which verdict the run came to: 1.", "verdict")
        for each in Verdict:
            verdict.labels(str(each)).set(each is run.verdict)
        self._gauge("run_duration_seconds", "From the run's first event to its last.").set(
            run.seconds
        )
        if run.started:
            self._gauge("run_start_timestamp_seconds", "When the run began.").set(
                run.started.timestamp()
            )
        if (seconds := number(run.deployment.get("seconds"))) is not None:
            self._gauge(
                "deployment_seconds", "From the first object applied to the last workload ready."
            ).set(seconds)
        causes = self._gauge("cause_named", "Objects at which a cause was named.", "cause")
        for cause, objects in Counter(each.cause for each in run.causes).items():
            causes.labels(plain(cause)).set(objects)

    def tell_tests(self, run: Run) -> None:
        tests = self._gauge("tests", "Tests by what became of them.", "layer", "outcome")
        seconds = self._gauge("test_seconds", "What the tests of a layer took together.", "layer")
        for layer in run.layers:
            for outcome in Outcome:
                tests.labels(layer.name, str(outcome)).set(layer.outcomes[outcome])
            took = sum(test.seconds for test in run.tests if test.layer == layer.name)
            seconds.labels(layer.name).set(took)

    def tell_components(self, run: Run) -> None:
        wanted = self._gauge("component_wanted", "Replicas that are wanted.", *_COMPONENT)
        ready = self._gauge("component_ready", "Replicas that are ready.", *_COMPONENT)
        restarts = self._gauge("component_restarts", "Restarts of its containers.", *_COMPONENT)
        for layer in run.layers:
            for component in layer.components:
                labels = _labels(component)
                wanted.labels(*labels).set(component.wanted)
                ready.labels(*labels).set(component.ready)
                if component.restarts is not None:
                    restarts.labels(*labels).set(component.restarts)

    def _gauge(self, name: str, documentation: str, *labels: str) -> Gauge:
        return Gauge(f"nova_acceptance_{name}", documentation, labels, registry=self.registry)


def _labels(component: Component) -> tuple[str, str, str]:
    return component.layer, plain(component.namespace), plain(component.name)
