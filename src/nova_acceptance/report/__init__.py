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
                          what is rendered; `rendering` writes all of it, `compiled` keeps
                          templates between runs
    watch                 renders a killed run
    merging, command      shards put together; `nova-report`
"""

from __future__ import annotations

from pathlib import Path

from nova_acceptance.errors import NovaError
from nova_acceptance.report import page
from nova_acceptance.report.kept import KeptHistory
from nova_acceptance.report.model import Outcome, Run, Verdict
from nova_acceptance.report.reading import layer_of, load
from nova_acceptance.report.record import Record
from nova_acceptance.report.recorder import EvidenceLog, Fact, Recorder, timestamp
from nova_acceptance.report.rendering import write_all

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
    "render",
    "timestamp",
    "write_all",
]


def render(
    directory: Path, *, language: str | None = None, history: Path | None = None
) -> tuple[Run, Path]:
    """Render everything of a run from its record.

    Args:
        directory: the run's directory; what is rendered is written into it.
        language: one of `texts.LANGUAGES`; the one that the run was asked for unless named.
        history: a directory or an archive that keeps earlier runs; it is only read.

    Returns:
        The run, and the path of its HTML report.

    Raises:
        UsageError: there is no record, or one of an unknown schema, or the history is none.
        NovaError: something could not be written; the rest is.
    """
    run = load(directory)
    kept = KeptHistory(history).pasts() if history else ()
    if unwritten := write_all(run, directory, language=language, kept=kept):
        reasons = [f"{name}: {reason}" for name, reason in unwritten.items()]
        raise NovaError(f"{directory}: not everything could be written", evidence=reasons)
    return run, directory / page.FILE_NAME
