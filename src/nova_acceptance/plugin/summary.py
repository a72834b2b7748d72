"""The end of the terminal's output: verdicts by layer, and how to go on."""

from __future__ import annotations

from collections import Counter
from typing import Final

import pytest

from nova_acceptance import masking
from nova_acceptance.report import Outcome, Run, Verdict
from nova_acceptance.report.escaping import plain
from nova_acceptance.report.texts import ENGLISH, texts
from nova_acceptance.report.wording import Wording

_LONGEST: Final = 4000
_COLOURS: Final = {
    Verdict.ACCEPTED: "green",
    Verdict.REJECTED: "red",
    Verdict.INCOMPLETE: "yellow",
    Verdict.NOT_VERIFIED: "yellow",
}


def write(run: Run, terminal: pytest.TerminalReporter) -> None:
    """Write a run's verdicts to the terminal, and the causes of what failed, deepest first.

    Args:
        run: the run, as read back from its record.
        terminal: pytest's terminal reporter.
    """
    terminal.section("Nova acceptance")
    width = max((len(layer.name) for layer in run.layers), default=0)
    for layer in run.layers:
        terminal.write(f"{layer.name:<{width}}  ")
        _write_verdict(terminal, layer.verdict)
        terminal.line(f"{'':<{14 - len(layer.verdict)}}{_counts(layer.outcomes)}")
        for component in layer.components:
            if component.ready < component.wanted:
                ready = f"{component.ready} of {component.wanted} ready"
                terminal.line(f"{'':<{width}}  {_shown(component.name)}: {ready}", red=True)
    wording = Wording(texts(ENGLISH))
    for problem in run.problems:
        terminal.line(_shown(wording.problem(problem)), yellow=True)
    for named in run.causes:
        explained = f"{named.tests} test{'' if named.tests == 1 else 's'}"
        colour = "red" if named.tests else "yellow"
        terminal.line(f"{_shown(named.headline)} ({explained})", **{colour: True})
    for system in run.external:
        terminal.line(f"{_shown(system['name'])}: declared, not verified")
    terminal.write("verdict: ")
    _write_verdict(terminal, run.verdict)
    part = ", as far as this run looked" if run.is_partial else ""
    terminal.line(f"  {_counts(run.outcomes)}{part}")
    for word, key in (("reuse", "reuse_hint"), ("remove", "remove_hint")):
        if (hint := run.cluster.get(key)) and not run.options.get("teardown"):
            terminal.line(f"{word}: {masking.mask(str(hint))}")


def _shown(text: str) -> str:
    """Return foreign text as a terminal may have it."""
    return plain(text, _LONGEST)


def _write_verdict(terminal: pytest.TerminalReporter, verdict: Verdict) -> None:
    terminal.write(verdict.upper(), bold=True, **{_COLOURS[verdict]: True})


def _counts(outcomes: Counter[Outcome]) -> str:
    words = [f"{outcomes[outcome]} {outcome}" for outcome in reversed(Outcome) if outcomes[outcome]]
    return ", ".join(words) or "no test"
