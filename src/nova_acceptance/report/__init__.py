"""A record of each run, a model built from it, and all that is rendered from the model.

The record (`run.jsonl`) is the only source: it is written while the run goes on, so that what
crashed, hung or was interrupted is in it too. `nova-report render reports/<run>` renders
everything again from any record, a killed run's included.

    recorder, record      what fixtures tell, and the file that it is appended to; `repeated`
                          keeps evidence that is alike in it once
    reading               from the record's events to the model, with `causes`
    entries               its causes as they are read: what to do first, what only follows, policy
    model, topology       a run, and where the system ran; `tables` shows the latter
    outcomes              what came of a run, in short, for the runs after it
    history, comparison   the runs before it, and what differs between two
    kept, archives        a history that outlives the machine; `pruning` removes old runs
    page, pytest_html, junit, markdown, metrics
                          what is rendered; `rendering` writes all of it, and is imported by
                          whoever wants that alone; `compiled` keeps templates between runs
    watch                 renders a killed run
    merging, command      shards put together; `nova-report`
"""

from __future__ import annotations

from nova_acceptance.report.model import Outcome, Run, Verdict
from nova_acceptance.report.reading import layer_of, load
from nova_acceptance.report.record import Record
from nova_acceptance.report.recorder import EvidenceLog, Fact, Recorder, timestamp

__all__ = [
    "EvidenceLog",
    "Fact",
    "Outcome",
    "Record",
    "Recorder",
    "Run",
    "Verdict",
    "layer_of",
    "load",
    "timestamp",
]
