"""The last runs as the page shows them: how long each took, and what became of their tests."""

from __future__ import annotations

import os
import urllib.parse

from nova_acceptance.report.history import PAGE, History
from nova_acceptance.report.outcomes import Past
from nova_acceptance.report.wording import key_of


def past_of(history: History) -> dict[str, list[tuple[int, str, float]]]:
    """Return what became of each test in the runs before this one.

    Returns:
        By pytest's name of the test: the run's number in the history, the outcome as a key of the
        texts, and seconds.
    """
    found: dict[str, list[tuple[int, str, float]]] = {}
    for number, run in enumerate(history.runs[:-1]):
        for nodeid, taken in run.tests.items():
            outcome = key_of(taken.outcome)
            found.setdefault(nodeid, []).append((number, outcome, round(taken.seconds, 3)))
    return found


def moment_of(run: Past) -> str:
    """Return when a run began; its name where that is not known."""
    return f"{run.started:%m-%d %H:%M:%S}" if run.started else run.name


def link_to(run: Past) -> str:
    """Return the way from one run's report to another's, which lies beside it."""
    return f"../{urllib.parse.quote(os.fsencode(run.name), safe='')}/{PAGE}"
