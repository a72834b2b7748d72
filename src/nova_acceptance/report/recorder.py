"""What fixtures hand to the record: facts about the run, and the evidence of one test."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from nova_acceptance.evidence import Evidence
from nova_acceptance.phrase import NOTHING, Phrase, told

Fact = dict[str, Any]
"""One event of the record: a `type`, a `time`, and whatever the type holds; JSON-like."""


def timestamp() -> str:
    """Return the wall-clock time as the record writes it."""
    return spelled(datetime.now(UTC))


def spelled(moment: datetime) -> str:
    """Return a time in UTC as the record writes it: ISO 8601, milliseconds."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


class EvidenceLog:
    """The questions and answers of one test, in the order in which they came.

    May be added to from several threads.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: list[Evidence] = []
        self._drained = 0

    def add(self, evidence: Evidence | Iterable[Evidence]) -> None:
        """Keep one piece of evidence, or several."""
        entries = [evidence] if isinstance(evidence, Evidence) else list(evidence)
        with self._lock:
            self._entries += entries

    def drain(self) -> list[Evidence]:
        """Return what was added since the last drain; it stays in the log."""
        with self._lock:
            fresh = self._entries[self._drained :]
            self._drained = len(self._entries)
        return fresh

    def __iter__(self) -> Iterator[Evidence]:
        return iter(tuple(self._entries))

    def __len__(self) -> int:
        return len(self._entries)

    def __getitem__(self, index: int) -> Evidence:
        return self._entries[index]


class Recorder:
    """Takes facts about the run from fixtures and sends them on to the record.

    In one process they are written at once. In a worker of pytest-xdist they travel to the
    controller, which alone writes the record, on the next test report; see `plugin.workers`.

    Args:
        send: takes one fact; may be called from several threads.
    """

    def __init__(self, send: Callable[[Fact], None]) -> None:
        self._send = send

    def cluster(
        self,
        *,
        name: str,
        provider: str,
        reason: Phrase = NOTHING,
        version: str = "",
        nodes: Iterable[Mapping[str, Any]] = (),
        reuse_hint: str = "",
        remove_hint: str = "",
        **more: Any,
    ) -> None:
        """Record the cluster that is verified.

        Args:
            name: the cluster's or context's name.
            provider: `kind`, `k3d`, `minikube`, `docker-desktop` or `context`.
            reason: why this one was taken.
            version: the API server's version.
            nodes: one row a node: `name`, `roles` (such as `control-plane`, none for a worker),
                `version` of its kubelet, its internal `address`, and whether it is `ready`.
            reuse_hint: the command that verifies the same cluster again.
            remove_hint: the command that removes it.
            more: anything else worth keeping.
        """
        self._emit(
            "cluster",
            name=name,
            provider=provider,
            reason=reason,
            version=version,
            nodes=[dict(row) for row in nodes],
            reuse_hint=reuse_hint,
            remove_hint=remove_hint,
            **more,
        )

    def deployment(
        self,
        *,
        overlay: str = "",
        seconds: float | None = None,
        counts: Mapping[str, int] | None = None,
        timeline: Sequence[Mapping[str, Any]] = (),
        **more: Any,
    ) -> None:
        """Record what was deployed, or that it was there already.

        Args:
            overlay: the kustomize overlay.
            seconds: from the first object applied to the last workload ready.
            counts: objects by what happened to them (`created`, `changed`, `unchanged`) or kind.
            timeline: one row a pod: `pod` as `namespace/name`, its `workload`, its `node`,
                `created_at` by the API's clock, and seconds since the deployment's start, null
                where that was not seen, under `applied` (what makes the pod), `created`,
                `scheduled`, `pulled` (its last image), `started`, `ready`.
            more: anything else worth keeping.
        """
        self._emit(
            "deployment",
            overlay=overlay,
            seconds=seconds,
            counts=dict(counts or {}),
            timeline=[dict(row) for row in timeline],
            **more,
        )

    def snapshot(
        self,
        rows: Iterable[Mapping[str, Any]],
        *,
        counts: Mapping[str, int] | None = None,
        external: Iterable[Mapping[str, Any]] = (),
        nodes: Iterable[Mapping[str, Any]] = (),
        pods: Iterable[Mapping[str, Any]] = (),
        services: Iterable[Mapping[str, Any]] = (),
        limits: Iterable[Mapping[str, Any]] = (),
        needs: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        """Record the system's state as the cluster tells it; the last snapshot counts.

        Args:
            rows: one a component: `layer` (`infrastructure`, `services`, `networking`),
                `component`, `kind`, `namespace`, `wanted`, `ready`, and where known `restarts`,
                `image`, `node`.
            counts: objects by kind, in the plural (`namespaces`, `pods`, `services`, `claims`,
                `configmaps`, `secrets`, `deployments`, `statefulsets`).
            external: systems that are declared and not verified: `name`, and where known
                `address` and `used_by`.
            nodes: as those of a cluster.
            pods: one row a pod: `namespace`, `name`, the `workload` whose it is, `node`, `address`,
                `phase`, whether it is `ready`, and `restarts`; empty what it has not.
            services: one row a Service: `namespace`, `name`, `type`, `address` (`None` for a
                headless one, the name that an alias stands for), `ports` with `name`, `number` and
                `target`, and the names of the ready `pods` behind it.
            limits: what is deliberately less on this cluster: `name`, the `components` that it
                concerns, and `reasons` by language (`en`, `zh-Hant`).
            needs: the workloads that a workload asks, by its name.
        """
        self._emit(
            "snapshot",
            rows=[dict(row) for row in rows],
            counts=dict(counts or {}),
            external=[dict(row) for row in external],
            nodes=[dict(row) for row in nodes],
            pods=[dict(row) for row in pods],
            services=[dict(row) for row in services],
            limits=[dict(row) for row in limits],
            needs={name: list(others) for name, others in (needs or {}).items()},
        )

    def reachability(self, cells: Iterable[Mapping[str, Any]]) -> None:
        """Record who was asked to connect where, and what came of it.

        Args:
            cells: one a connection: `source`, the service whose pod dialled; `target`, the Service
                that was dialled, and its `port`; `wanted`, `open` or `closed`; `state`, such as
                `open`, `refused` or `timeout`, empty where it could not be asked; `detail`, what
                else was said; `seconds` that it took.
        """
        self._emit("reachability", cells=[dict(cell) for cell in cells])

    def no_cluster(self, text: Phrase) -> None:
        """Record that no cluster was found, and why: nothing is known of the system."""
        self._emit("no-cluster", text=text)

    def note(self, text: Phrase, **more: Any) -> None:
        """Record anything that a reader of the report should know."""
        self._emit("note", text=text, **more)

    def diagnosis(self, source: str, found: Mapping[str, Any], *, nodeid: str = "") -> None:
        """Record a cause at the moment at which it is first named.

        Args:
            source: who named it: `preflight`, `deployment` or `test`.
            found: the fields of a diagnosis, see `report.record`.
            nodeid: the test that named it.
        """
        self._emit("diagnosis", source=source, nodeid=nodeid, **found)

    def collected(
        self,
        found: Mapping[str, Any],
        *,
        directory: str,
        written: Sequence[str],
        failed: Sequence[str],
    ) -> None:
        """Record what was kept beside the record for a cause.

        Args:
            found: the fields of its diagnosis.
            directory: where, relative to the run's directory.
            written: the names of the files.
            failed: what could not be written or collected, a line each.
        """
        self._emit(
            "collected-material",
            cause=found["cause"],
            subject=found["subject"],
            directory=directory,
            written=list(written),
            failed=list(failed),
        )

    def _emit(self, kind: str, **fields: Any) -> None:
        self._send(told({"type": kind, "time": timestamp(), **fields}))
