"""What was seen, kept as files beside a record."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import yaml

from nova_acceptance import masking
from nova_acceptance.collect.values import without_passwords
from nova_acceptance.components.kubernetes.workloads import KINDS, pods_of
from nova_acceptance.findings import Ref, ref
from nova_acceptance.kube import Object
from nova_acceptance.kube.snapshot import Snapshot

EVENTS: Final = "events.txt"
_UNSAFE: Final = re.compile(r"[^A-Za-z0-9._-]+")
_LONGEST_NAME: Final = 200
_DUMPER: Final = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


@dataclass(frozen=True, slots=True)
class Kept:
    """What was written, and what could not be.

    Attributes:
        written: the names of the files, in the order of writing.
        failed: a line each: the file and why it could not be written.
    """

    written: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()


def keep(directory: Path, snapshot: Snapshot, refs: Iterable[Ref]) -> Kept:
    """Write the objects concerned, their events and their logs as files, masked.

    A workload's pods are concerned with it. An object is `KIND.NAMESPACE.NAME.yaml`, a log
    `NAMESPACE.POD.CONTAINER[.previous].log`, the events of all of them `events.txt`. Of a Secret
    the shapes of its values are written.

    Args:
        directory: where; made when it is not there.
        snapshot: what was seen.
        refs: the objects concerned.
    """
    written: list[str] = []
    failed: list[str] = []
    for name, text in _files(snapshot, _concerned(snapshot, refs)):
        path = directory / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(without_passwords(text), "utf-8", errors="backslashreplace")
            written.append(name)
        except OSError as error:
            failed.append(f"{path.name}: {error.strerror or error}")
    return Kept(tuple(written), tuple(failed))


def _concerned(snapshot: Snapshot, refs: Iterable[Ref]) -> Iterator[Object]:
    seen: set[Ref] = set()
    for obj in filter(None, map(snapshot.at, refs)):
        pods = pods_of(snapshot, obj) if obj["kind"] in KINDS else ()
        for each in (obj, *pods):
            if ref(each) not in seen:
                seen.add(ref(each))
                yield each


def _files(snapshot: Snapshot, objects: Iterable[Object]) -> Iterator[tuple[str, str]]:
    events: list[str] = []
    for obj in objects:
        where = ref(obj)
        yield _name(*filter(None, where), suffix="yaml"), _document(obj)
        events += [_line(where, event) for event in snapshot.events_about(obj)]
        if where.kind == "Pod":
            yield from _logs(snapshot, where)
    if events:
        yield EVENTS, "\n".join(events) + "\n"


def _logs(snapshot: Snapshot, pod: Ref) -> Iterator[tuple[str, str]]:
    for (namespace, name, container), logs in snapshot.logs.items():
        if (namespace, name) == (pod.namespace, pod.name):
            for log in logs:
                suffix = "previous.log" if log.previous else "log"
                yield _name(namespace, name, container, suffix=suffix), log.text


def _document(obj: Object) -> str:
    metadata = {key: value for key, value in obj["metadata"].items() if key != "managedFields"}
    # before YAML doubles quotes and folds lines, after which a secret is not recognised
    masked = masking.masked({**obj, "metadata": metadata})
    return str(yaml.dump(masked, Dumper=_DUMPER, sort_keys=False, allow_unicode=True))


def _line(about: Ref, event: Object) -> str:
    at = event.get("lastTimestamp") or event.get("eventTime") or "-"
    times = f" ×{event['count']}" if event.get("count", 1) > 1 else ""  # noqa: RUF001 - a times sign
    said = " ".join(str(event.get("message", "")).split())
    return f"{at} {event.get('type', '')} {about}: {event.get('reason', '')}: {said}{times}"


def _name(*parts: str, suffix: str) -> str:
    return f"{_UNSAFE.sub('_', '.'.join(parts))[:_LONGEST_NAME]}.{suffix}"
