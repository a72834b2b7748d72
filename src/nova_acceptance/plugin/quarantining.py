"""Known failures, which `--quarantine FILE` lists, do not turn a run red, until they run out."""

from __future__ import annotations

from collections.abc import Generator
from datetime import UTC, date, datetime
from typing import Final

import pytest

from nova_acceptance.phrase import Phrase
from nova_acceptance.plugin import facts, layers
from nova_acceptance.plugin.diagnosing import UNASKED, put_first
from nova_acceptance.plugin.facts import extra
from nova_acceptance.verification.quarantine import Entry, Quarantine

QUARANTINED: Final = "quarantined"
"""The key of a report's extra that says why its failure does not count."""

_MET: Final = "quarantine-met"
_WHOLE: Final = (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED)


class Quarantining:
    """Judges failures by what is known of them, in a worker of pytest-xdist as well.

    Args:
        config: pytest's configuration.
        quarantine: what is known.
    """

    def __init__(self, config: pytest.Config, quarantine: Quarantine) -> None:
        self._config = config
        self._quarantine = quarantine
        self._unshown: set[str] = set()
        self._is_partial = bool(layers.unwanted(config))

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Take a known failure out of those that count, or say that its time is over."""
        report = yield
        if not report.failed:
            return report
        more = extra(report)
        cause = str(more.get("diagnosis", {}).get("cause") or "")
        found = self._quarantine.find(item.nodeid, cause, _today())
        if found is None:
            return report
        more[_MET], entry = found
        if entry.until < _today():
            said = f"its quarantine has run out on {entry.until}: {_told(entry)}"
            put_first(report, [f"{_headline(report)} ({said})"])
            return report
        more[QUARANTINED] = {
            "reason": entry.reason,
            "owner": entry.owner,
            "until": entry.until.isoformat(),
        }
        said = f"quarantined until {entry.until}: {_told(entry)}"
        put_first(report, [said])
        # pytest knows one sort of failure that does not count
        report.outcome = "skipped"
        report.wasxfail = said
        return report

    @pytest.hookimpl(tryfirst=True)
    def pytest_report_teststatus(
        self, report: pytest.CollectReport | pytest.TestReport
    ) -> tuple[str, str, tuple[str, dict[str, bool]]] | None:
        """Give it a word of its own."""
        if not isinstance(report, pytest.TestReport) or QUARANTINED not in extra(report):
            return None
        return QUARANTINED, "q", ("QUARANTINED", {"yellow": True})

    def pytest_deselected(self) -> None:
        """Note that the run looks at a part only."""
        self._is_partial = True

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note which entries were met, and which tests have shown nothing."""
        more = extra(report)
        if _MET in more:
            self._quarantine.met.add(more[_MET])
        elif report.skipped or UNASKED in more:
            self._unshown.add(report.nodeid)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_sessionfinish(
        self, session: pytest.Session, exitstatus: int
    ) -> Generator[None, None, None]:
        """Tell of entries that met nothing in a whole run, while its record is still open."""
        is_whole = (
            self._config.args_source is not pytest.Config.ArgsSource.ARGS
            and exitstatus in _WHOLE
            and not (self._is_partial or session.shouldstop or session.shouldfail)
            and not hasattr(self._config, "workerinput")
        )
        if is_whole:
            for entry in self._quarantine.unmet(self._unshown):
                self._config.stash[facts.RECORDER].tell(
                    "note",
                    text=Phrase(
                        "--quarantine: nothing has failed as {what}: {owner} may take it out",
                        what=entry.what,
                        owner=entry.owner,
                    ),
                )
        return (yield)


def _told(entry: Entry) -> str:
    return f"{entry.reason} ({entry.owner})"


def _headline(report: pytest.TestReport) -> str:
    crash = getattr(report.longrepr, "reprcrash", None)
    said = str(crash.message if crash else report.longrepr or "").strip()
    return said.split("\n", 1)[0] if said else "it failed"


def _today() -> date:
    return datetime.now(UTC).date()
