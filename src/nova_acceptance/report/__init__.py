"""A record of each run, a model built from it, and the pages that are rendered from the model.

The record (`run.jsonl`) is the only source: it is written while the run goes on, so that what
crashed, hung or was interrupted is in it too. `python -m nova_acceptance.report reports/<run>`
renders the pages again from any record, a killed run's included.
"""

from __future__ import annotations

from pathlib import Path

from nova_acceptance.report import junit, page
from nova_acceptance.report.model import Outcome, Run, Verdict
from nova_acceptance.report.reading import layer_of, load
from nova_acceptance.report.record import Record
from nova_acceptance.report.recorder import EvidenceLog, Fact, Recorder, now

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
    "now",
    "render",
]


def render(directory: Path) -> tuple[Run, Path]:
    """Render every page of a run from its record.

    Args:
        directory: the run's directory; `report.html` and `junit.xml` are written into it.

    Returns:
        The run, and the path of its HTML report.

    Raises:
        UsageError: there is no record, or one of an unknown schema.
    """
    run = load(directory)
    junit.write(run, directory)
    return run, page.write(run, directory)
