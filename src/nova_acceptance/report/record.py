"""The record of a run: an append-only file of JSON lines, written while the run goes on.

Every line is one event, `{"type": …, "time": …, …}`; the first is `run-started` and carries the
schema's number. The types and their fields beside `type` and `time`:

    run-started     schema, run, versions, options, arguments,
                    manifests {commit, changed, digest}
    collected       tests [{nodeid, layer, markers, subjects, doc}], deselected,
                    uncollected [layers of which none was wanted, so that none was counted]
    collect-failed  nodeid, text
    cluster         name, provider, reason, version, reuse_hint, remove_hint,
                    nodes [{name, roles, version, address, ready}]
    deployment      overlay, seconds, counts, phases {phase: seconds},
                    timeline [{pod, workload, node, created_at, applied, created, scheduled,
                    pulled, started, ready}]
    snapshot        rows [{layer, component, kind, namespace, wanted, ready, restarts, image,
                    node}], counts {kind: number}, external [{name, used_by}], nodes as a cluster's,
                    pods [{namespace, name, workload, node, address, phase, ready, restarts}],
                    services [{namespace, name, type, address, ports [{name, number, target}],
                    pods}], limits [{name, components, reasons {language: text}}],
                    needs {workload: [workloads that it asks]}
    reachability    cells [{source, target, port, wanted (open, closed), state, detail, seconds}]
    note            text
    phase           nodeid, when (setup, call, teardown), outcome (passed, failed, skipped,
                    not asked, quarantined), expected_failure, seconds, text, message, evidence,
                    sections, worker, test;
                    diagnosis where it failed, why_not where it could not be asked,
                    quarantined {reason, owner, until} where its failure does not count
    diagnosis       source (preflight, deployment, test), nodeid, and the fields of a diagnosis:
                    the moment at which a cause is first named; follows {cause, subject, summary}
                    where it is only the consequence of another one
    collected-material
                    cause, subject, directory (relative to the run's), written, failed: what was
                    kept beside the record for a cause, and what could not be
    crashed         nodeid, worker, text            a worker of pytest-xdist died in a test
    worker-lost     worker, text                    a worker ended otherwise than it should
    no-cluster      text, lines (of the terminal)   no cluster was found, made or reached: why
    refused         text, lines                     the suite does not write to it: why
    not-deployed    text, lines                     the deployment failed as a whole
    shard           number, of, tests, split        which part of a run of several this is: of how
                    many tests, and the digest of which test is whose
    shard-missing   shard (2/3)                     of a merged run: a part that left no record
    interrupted     text                            Ctrl-C, or pytest.exit
    internal-error  message, text
    usage           requests, execs, forwards: how often this process has asked the API
    run-finished    exit_status, seconds

`schema/run.schema.json` beside this module says what the fields mean and of which types they are. A
reader passes over types and fields that it does not know: further ones may be added under the same
number.

Evidence of a phase is {asked, source, target, answer, seconds}, and {same, seconds} where the
record has had these words before: `same` is their digest (`repeated`). A phase is written without
those of its fields that say nothing: `expected_failure` where it is false, `message`, `text`,
`worker`, `evidence` and `sections` where they are empty. `read` puts all of it back.

Schema 2 had all of it in full. Schema 1 had neither `manifests` nor `reachability` besides, of a
cluster's nodes their names alone, of a pod's times neither workload nor applied and pulled, and of
a snapshot no more than rows, counts and external. Both are read as well.

A diagnosis is {cause, subject, summary, cure, evidence, chain, symptoms, others}: the cause's
stable name (`UNKNOWN` where none is known), the object at which it is (`Kind namespace/name`), what
is wrong in a sentence, what to do, what was seen line by line, the objects on the way to the
subject, and two lists of {cause, subject, summary}: what the cause brought about, and what else is
wrong there and may have part in it.

A sentence of the run's own (summary, cure, a note's text, a cluster's reason or why there is none)
is in English. Beside it, under `told` and by its field's name, is what it was made of, {template,
values}, so that it can be told in another language.

Each line is flushed as it is written, so that a killed run leaves what it knew. Times are UTC.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import re
import secrets
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Self

from nova_acceptance import masking
from nova_acceptance.errors import UsageError
from nova_acceptance.report.recorder import Fact, event
from nova_acceptance.report.repeated import Expander, Shortener
from nova_acceptance.report.values import text

SCHEMA: Final = 3
"""The newest one that is read, and the one that is written."""
FILE_NAME: Final = "run.jsonl"
LATEST: Final = "latest"
MOMENT: Final = "%Y%m%dT%H%M%SZ"
"""How the name of a run tells when it began, in UTC (`datetime.strftime`)."""
_SHORT: Final = 20
_HALF: Final = re.compile("[\ud800-\udfff]")
"""Surrogates (Unicode 16, section 3.8), as undecodable octets of an output become in Python."""


def new_name() -> str:
    """Return a name for a run: this moment in UTC and a random part."""
    return f"{datetime.now(UTC):{MOMENT}}-{secrets.token_hex(3)}"


class Record:
    """Writes the record of one run, masked by value, from any thread.

    Args:
        directory: the run's own directory; made when it is not there.
    """

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.directory = directory
        self._started = time.monotonic()
        self._lock = threading.Lock()
        self._shortener = Shortener()
        self._file = (directory / FILE_NAME).open(
            "a", encoding="utf-8", errors="backslashreplace", newline="\n"
        )
        # Tells others that the run goes on, until the file is closed or the process is gone.
        with contextlib.suppress(OSError):  # a file system without locks
            fcntl.flock(self._file, fcntl.LOCK_SH | fcntl.LOCK_NB)

    @classmethod
    def of_new_run(cls, reports: Path) -> Self:
        """Begin a record in a directory of its own, and let `latest` point to it.

        Args:
            reports: the directory of all runs.
        """
        run = new_name()
        record = cls(reports / run)
        point(reports, run)
        return record

    @property
    def run(self) -> str:
        """The run's name: its start in UTC and a random part."""
        return self.directory.name

    @property
    def seconds(self) -> float:
        """Seconds since the record was begun."""
        return time.monotonic() - self._started

    def write(self, kind: str, **fields: Any) -> None:
        """Append one event of this moment."""
        self.append(event(kind, **fields))

    def append(self, fact: Fact) -> None:
        """Append one event that carries its own type and time; nothing once it is closed."""
        said = masking.masked(fact)
        with self._lock:
            if not self._file.closed:
                line = json.dumps(self._shortener.shortened(said), ensure_ascii=False)
                self._file.write(f"{line}\n")
                self._file.flush()

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._file.close()


class Reading:
    """A record that is read event by event, so that all of them are never held at once.

    Args:
        path: a run's directory, or its `run.jsonl`.

    Attributes:
        run: the run's name.
        damaged: how many of the lines read so far say nothing that can be understood.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = path / FILE_NAME if path.is_dir() else path
        self.run = self._file.resolve().parent.name
        self.damaged = 0

    def __iter__(self) -> Iterator[Fact]:
        """Yield the events in their order, a killed run's with its cut last line included.

        Raises:
            UsageError: there is no record, or one of a schema that this version does not know.
        """
        self.damaged, expander = 0, Expander()
        for line in filter(None, self._lines()):
            entry = _entry(line)
            if isinstance(entry, dict) and isinstance(entry.get("type"), str):
                _check_schema(self._file, entry)
                yield expander.whole(entry)
            else:
                self.damaged += 1

    def _lines(self) -> Iterator[str]:
        try:
            if self._file.exists() and not self._file.is_file():  # a pipe may never end
                raise OSError(errno.EINVAL, "it is no file")
            # Only a newline ends a line here; text may hold what else could.
            with self._file.open(encoding="utf-8", errors="replace", newline="\n") as lines:
                for line in lines:
                    yield line.removesuffix("\n")
        except OSError as error:
            raise UsageError(
                f"{self._path}: no record of a run could be read: {error.strerror}",
                hint=f"name a directory that holds {FILE_NAME}, such as reports/{LATEST}",
            ) from error


@dataclass(frozen=True, slots=True)
class Events:
    """The events of a record, and how many of its lines could not be read."""

    run: str
    entries: tuple[Fact, ...]
    damaged: int

    def __iter__(self) -> Iterator[Fact]:
        return iter(self.entries)


def read(path: Path) -> Events:
    """Read a record as a whole.

    Args:
        path: a run's directory, or its `run.jsonl`.

    Raises:
        UsageError: there is no record, or one of a schema that this version does not know.
    """
    reading = Reading(path)
    entries = tuple(reading)
    return Events(run=reading.run, entries=entries, damaged=reading.damaged)


def _entry(line: str) -> Any:
    """Return what a line says; halves of characters, which no file can hold, are spelled out."""
    try:
        entry = json.loads(line)
        if "\\ud" in line.lower():
            whole = json.dumps(entry, ensure_ascii=False)
            entry = json.loads(_HALF.sub(lambda half: f"\\\\u{ord(half[0]):04x}", whole))
    except (ValueError, RecursionError):
        return None
    return entry


def _check_schema(file: Path, entry: Fact) -> None:
    schema = entry.get("schema", SCHEMA) if entry["type"] == "run-started" else SCHEMA
    if not isinstance(schema, int) or schema > SCHEMA:
        written = text(schema)[:_SHORT]
        raise UsageError(
            f"{file}: written with schema {written}; this version reads up to {SCHEMA}",
            hint="render it with the version of nova-acceptance that wrote it, or a newer one",
        )


def point(reports: Path, target: str) -> None:
    """Let `latest` lead to a run in the directory of all runs."""
    link = reports / LATEST
    fresh = link.with_name(f".{link.name}-{target}")
    try:
        fresh.symlink_to(target)
        fresh.replace(link)
    except OSError:
        # A convenience only: a file system without links, or a directory of that name.
        fresh.unlink(missing_ok=True)
