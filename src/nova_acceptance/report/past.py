"""The last runs as the page shows them: how long each took, and what became of their tests."""

from __future__ import annotations

import os
import urllib.parse
from typing import Final

from markupsafe import Markup

from nova_acceptance.report.chart import draw_durations
from nova_acceptance.report.history import PAGE, History
from nova_acceptance.report.model import Verdict
from nova_acceptance.report.outcomes import Past
from nova_acceptance.report.texts import Texts
from nova_acceptance.report.wording import Wording, key_of

LEAST: Final = 2
"""Runs that a picture of them needs."""

_COLOURS: Final = {
    Verdict.ACCEPTED: "var(--good)",
    Verdict.REJECTED: "var(--bad)",
    Verdict.INCOMPLETE: "var(--open)",
    Verdict.NOT_VERIFIED: "var(--soft)",
}


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


def duration_picture(history: History, say: Texts) -> Markup | str:
    """Return the picture of the last runs' durations; nothing where there are too few."""
    if len(history.runs) < LEAST:
        return ""
    word = Wording(say)

    def told(run: Past) -> str:
        return f"{moment_of(run)}: {word.verdict(run.verdict)}, {word.duration(run.seconds)}"

    there = {run.verdict for run in history.runs}
    return draw_durations(
        [
            {
                "run": f"{number}. {moment_of(run)}",
                "seconds": round(run.seconds, 1),
                "verdict": word.verdict(run.verdict),
                "told": told(run),
                "href": link_to(run) if _has_report(run, history) else "#history",
            }
            for number, run in enumerate(history.runs, 1)
        ],
        axis=say("page.history.seconds"),
        colours={
            word.verdict(verdict): colour
            for verdict, colour in _COLOURS.items()
            if verdict in there
        },
    )


def _has_report(run: Past, history: History) -> bool:
    """Tell whether there is another report to lead to."""
    return run is not history.runs[-1] and run.name not in history.elsewhere


def moment_of(run: Past) -> str:
    """Return when a run began; its name where that is not known."""
    return f"{run.started:%m-%d %H:%M:%S}" if run.started else run.name


def link_to(run: Past) -> str:
    """Return the way from one run's report to another's, which lies beside it."""
    return f"../{urllib.parse.quote(os.fsencode(run.name), safe='')}/{PAGE}"
