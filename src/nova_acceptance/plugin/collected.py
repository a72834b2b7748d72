"""What tells of a cause, kept beside the record: objects, events, logs and the probe's answers."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

from nova_acceptance import masking, timeouts
from nova_acceptance.collect import Kept, keep
from nova_acceptance.collect.logs import Source, read_all
from nova_acceptance.components.kubernetes.workloads import KINDS, pods_of, statuses
from nova_acceptance.errors import NovaError
from nova_acceptance.evidence import Evidence
from nova_acceptance.findings import Ref
from nova_acceptance.kube import Kube, Object
from nova_acceptance.kube.snapshot import Snapshot

ANSWERS: Final = "answers.json"
_MOST_LOGS: Final = 12
"""Logs of containers that are well; those that are not were read when the cluster was looked at."""


def keep_collected(
    directory: Path,
    snapshot: Snapshot,
    refs: Sequence[Ref],
    *,
    kube: Kube | None,
    asked: Iterable[Evidence] = (),
) -> Kept:
    """Write what tells of a cause into a directory of its own.

    Args:
        directory: where; made when it is not there.
        snapshot: what was seen; the logs that are read now are added to it.
        refs: the objects concerned.
        kube: the API that logs are read from; None leaves it at those that were read.
        asked: what the test asked, and what came back.

    Returns:
        What was written, and what could neither be written nor read.
    """
    late = _read_logs(kube, snapshot, refs) if kube else ()
    kept = keep(directory, snapshot, refs)
    # what a server of another version does not know was not lost
    unread = [line for line in snapshot.unread if "does not serve" not in line]
    written = [*kept.written]
    failed = [*kept.failed, *unread, *late]
    if answers := [each.as_json() for each in asked]:
        try:
            directory.mkdir(parents=True, exist_ok=True)
            text = json.dumps(masking.masked(answers), indent=1, ensure_ascii=False)
            (directory / ANSWERS).write_text(text, encoding="utf-8")
            written.append(ANSWERS)
        except OSError as error:
            failed.append(f"{ANSWERS}: {error.strerror or error}")
    return Kept(tuple(written), tuple(failed))


def _read_logs(kube: Kube, snapshot: Snapshot, refs: Iterable[Ref]) -> list[str]:
    """Read the logs that are not there yet, side by side; return why some could not be had."""
    asked = list(_sources(snapshot, refs))[:_MOST_LOGS]
    failed = []
    for source, error in read_all(kube, snapshot, asked, until=time.monotonic() + timeouts.LOOK):
        said = error.message if isinstance(error, NovaError) else str(error)
        why = "not in time" if isinstance(error, TimeoutError) else masking.mask(said)
        failed.append(f"log of {source.namespace}/{source.pod}: {why}")
    return list(dict.fromkeys(failed))


def _sources(snapshot: Snapshot, refs: Iterable[Ref]) -> Iterator[Source]:
    for pod in _pods(snapshot, refs):
        metadata = pod["metadata"]
        for status in statuses(pod):
            where = metadata.get("namespace", ""), metadata["name"], status["name"]
            if where in snapshot.logs or "waiting" in (status.get("state") or {}):
                continue
            yield Source(*where, previous=False)


def _pods(snapshot: Snapshot, refs: Iterable[Ref]) -> Iterator[Object]:
    seen: set[str] = set()
    for found in filter(None, map(snapshot.at, refs)):
        pods = pods_of(snapshot, found) if found["kind"] in (*KINDS, "Pod") else ()
        for pod in pods:
            name = f"{pod['metadata'].get('namespace', '')}/{pod['metadata']['name']}"
            if name not in seen:
                seen.add(name)
                yield pod
