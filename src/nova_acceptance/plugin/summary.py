"""The end of the terminal's output: what to do first, verdicts by layer, and how to go on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

import pytest

from nova_acceptance import masking
from nova_acceptance.report import Outcome, Run, Verdict
from nova_acceptance.report.entries import Entries, Entry, entries_of
from nova_acceptance.report.escaping import plain
from nova_acceptance.report.texts import ENGLISH, texts
from nova_acceptance.report.wording import Wording

_LONGEST: Final = 4000
_MOST: Final = 10
"""Objects of a cause that are told one by one."""
_COLOURS: Final = {
    Verdict.ACCEPTED: "green",
    Verdict.REJECTED: "red",
    Verdict.INCOMPLETE: "yellow",
    Verdict.NOT_VERIFIED: "yellow",
}


def write(run: Run, terminal: pytest.TerminalReporter, why_unbegun: Sequence[str] = ()) -> None:
    """Write to the terminal what to do first, a run's verdicts, and the causes of what failed.

    Args:
        run: the run, as read back from its record.
        terminal: pytest's terminal reporter.
        why_unbegun: why it could not be begun, a line each, which is then all there is to say.
    """
    terminal.section("Nova acceptance")
    if why_unbegun:
        for number, line in enumerate(why_unbegun):
            terminal.line(line[: len(line) - len(line.lstrip())] + _shown(line), red=not number)
        _write_end(run, terminal)
        return
    wording = Wording(texts(ENGLISH))
    entries = entries_of(run.causes)
    _write_first(entries, wording, terminal)
    width = max((len(layer.name) for layer in run.layers), default=0)
    for layer in run.layers:
        terminal.write(f"{layer.name:<{width}}  ")
        _write_verdict(terminal, layer.verdict)
        terminal.line(f"{'':<{14 - len(layer.verdict)}}{_counts(layer.outcomes)}")
        for component in layer.components:
            if component.ready < component.wanted:
                ready = f"{component.ready} of {component.wanted} ready"
                terminal.line(f"{'':<{width}}  {_shown(component.name)}: {ready}", red=True)
    for problem in run.problems:
        terminal.line(_shown(wording.problem(problem)), yellow=True)
    for test in run.tests:
        if test.quarantine:
            cause = f" {test.cause}" if test.cause else ""
            said = f"{test.nodeid}{cause}: quarantined until {test.quarantine}"
            terminal.line(_shown(said), yellow=True)
    for entry in entries.working:
        _write_entry(entry, wording, terminal)
    if entries.policy:
        terminal.line("matters of policy, for which nothing stops working:")
    for entry in entries.policy:
        _write_entry(entry, wording, terminal)
    for system in run.external:
        terminal.line(f"{_shown(system['name'])}: declared, not verified")
    _write_end(run, terminal)


def _write_first(entries: Entries, wording: Wording, terminal: pytest.TerminalReporter) -> None:
    """Write what to do first, where there is a choice."""
    if len(entries.every) < 2:  # noqa: PLR2004 - one is told below, and alone
        return
    terminal.line("to do first:", bold=True)
    for number, entry in enumerate(entries.first, 1):
        told = f"{entry.cause} at {wording.where(entry)}: {wording.cure(entry)[0]}"
        terminal.line(f"  {number}. {_shown(told)} ({wording.gain(entry)})")
    if entries.rest:
        terminal.line(f"  and {entries.rest} more, below")


def _write_entry(entry: Entry, wording: Wording, terminal: pytest.TerminalReporter) -> None:
    """Write a cause with its objects, and below it what only follows from it."""
    explained = f"{entry.tests} test{'' if entry.tests == 1 else 's'}"
    colour = {"red" if entry.tests else "yellow": True}
    if len(entry.places) == 1:
        terminal.line(f"{_shown(entry.first.headline)} ({explained})", **colour)
    else:
        told = f"{entry.cause}: {wording.objects(entry)} → {wording.cure(entry)[0]}"
        terminal.line(f"{_shown(told)} ({explained})", **colour)
        is_one = len({named.cure for named in entry.places}) == 1
        for named in entry.places[:_MOST]:
            cure = "" if is_one else wording.own_cure(named)
            terminal.line(f"  {_shown(f'{named.summary} → {cure}' if cure else named.summary)}")
        if rest := entry.places[_MOST:]:
            terminal.line(f"  and {len(rest)} more")
    for each in entry.consequences:
        terminal.line(f"  hence {_shown(f'{each.cause} at {wording.where(each)}')}")


def _write_end(run: Run, terminal: pytest.TerminalReporter) -> None:
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
