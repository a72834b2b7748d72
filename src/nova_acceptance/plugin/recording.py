"""The record of the run, written while it goes on, and the reports rendered from it at its end."""

from __future__ import annotations

import contextlib
import gc
import platform
import threading
from collections.abc import Generator, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any, Final

import pytest

from nova_acceptance import libraries, masking
from nova_acceptance.deploy.provenance import provenance
from nova_acceptance.errors import NovaError
from nova_acceptance.plugin import (
    REPORTS,
    TELLING,
    ending,
    importing,
    layers,
    masked,
    options,
    sharding,
    summary,
    workers,
)
from nova_acceptance.plugin.diagnosing import UNASKED
from nova_acceptance.plugin.facts import DIRECTORY, extra
from nova_acceptance.plugin.keeping import Keeping
from nova_acceptance.plugin.quarantining import QUARANTINED
from nova_acceptance.report import (
    Fact,
    Outcome,
    Record,
    Run,
    layer_of,
    load,
)
from nova_acceptance.report.history import PAGE
from nova_acceptance.report.model import UNBEGUN
from nova_acceptance.report.record import FILE_NAME, SCHEMA
from nova_acceptance.report.watch import Watch

_PACKAGES: Final = ("nova-acceptance", "pytest", "pytest-html", "pytest-xdist", "kubernetes")
_LONGEST: Final = 60_000
"""Characters kept of one piece of captured output or of a traceback."""


def _prepare() -> None:
    with importing():
        libraries.load()
        from nova_acceptance.report import rendering  # noqa: PLC0415 - no test waits for it here

    rendering.prepare()


class Recording:
    """Writes the record; lives in the process that reports, never in a worker of xdist."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._reports = config.rootpath / config.getini(REPORTS)
        self._record: Record | None = None
        self._collected: set[str] = set()
        self._deselected = 0
        self._run: Run | None = None
        self._unwritten: dict[str, str] = {}
        self._watch: Watch | None = None
        self._told: dict[str, Fact] = {}
        self._is_unasked = False
        self._keeping = Keeping(config, self._reports)
        self._removed = 0

    def send(self, fact: Fact) -> None:
        """Write a fact of a fixture."""
        self._told.setdefault(fact["type"], fact)
        if self._record:
            self._record.append(fact)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self) -> None:
        """Begin the record, unless nothing will be run.

        Raises:
            pytest.UsageError: the directory of the reports cannot be written to.
        """
        if any(self._config.getoption(name, default=False) for name in TELLING):
            return
        try:
            place = sharding.place_of(self._config)
            self._record = Record(place) if place else Record.of_new_run(self._reports)
        except OSError as error:
            raise pytest.UsageError(
                f"{self._reports}: no record can be written here: {error.strerror}"
            ) from error
        self._config.stash[DIRECTORY] = self._record.directory
        # Without a watcher a run that is killed has its record alone.
        with contextlib.suppress(OSError):
            self._watch = Watch(self._record.directory)
        self._record.write(
            "run-started",
            schema=SCHEMA,
            run=self._record.run,
            versions=_versions(),
            options=options.chosen(self._config),
            arguments=[str(argument) for argument in self._config.invocation_params.args],
            manifests=_manifests(self._config),
        )

    def pytest_report_header(self) -> str | None:
        """Say where the record is."""
        if not self._record:
            return None
        path = self._shown(self._record.directory / FILE_NAME)
        return f"nova: --cluster {self._config.option.cluster}, record {path}"

    # Collection

    def pytest_deselected(self, items: list[pytest.Item]) -> None:
        """Count the tests that the command line left out."""
        self._deselected += len(items)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Record what could not be collected; every worker of xdist tells it once."""
        if report.failed and report.nodeid not in self._collected:
            self._collected.add(report.nodeid)
            self._write("collect-failed", nodeid=report.nodeid, text=_text(report))

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Record every test that is going to run."""
        gc.freeze()  # modules and tests stay to the end: none of it is looked through for garbage
        if session.items or self._deselected:
            self._write_collected([layers.description(item) for item in session.items])

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids: list[str]) -> None:
        """Record what the workers collected; only names are known here."""
        fresh = [nodeid for nodeid in ids if nodeid not in self._collected]
        if fresh:
            self._collected.update(fresh)
            self._write_collected([{"nodeid": it, "layer": layer_of(it)} for it in fresh])

    # Tests

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self) -> None:
        """Import what asks and what draws while the API is waited for, and nobody needs Python."""
        if self._record:
            threading.Thread(target=_prepare, name="reports").start()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Record a phase of a test, and the facts that came with it."""
        worker = getattr(getattr(getattr(report, "node", None), "gateway", None), "id", "")
        if report.when not in ("setup", "call", "teardown"):
            self._write("crashed", nodeid=report.nodeid, worker=worker, text=_text(report))
            return
        more = extra(report)
        for fact in more.get(workers.OUTBOX, ()):
            self.send(fact)
        self._is_unasked = self._is_unasked or UNASKED in more
        described = {key: more[key] for key in ("test", "diagnosis", QUARANTINED) if key in more}
        self._write(
            "phase",
            nodeid=report.nodeid,
            when=report.when,
            outcome=_outcome(report),
            expected_failure=hasattr(report, "wasxfail") and QUARANTINED not in more,
            seconds=round(report.duration, 4),
            message=_message(report),
            text=_text(report),
            # pytest keeps reports to the end, and nobody reads this of them again
            evidence=more.pop("evidence", []),
            sections=[
                (heading, _shortened(content))
                for heading, content in report.sections
                # A report repeats the earlier phases' output.
                if heading.endswith(f" {report.when}") or not heading.startswith("Captured ")
            ],
            worker=worker,
            **described,
            **more.get(UNASKED, {}),
        )

    # Workers of pytest-xdist

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Tell a worker where the lock is that keeps disruptive tests alone."""
        directory = self._record.directory if self._record else self._config.rootpath
        node.workerinput[workers.LOCK] = str(directory / ".disruption")

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_make_scheduler(self, config: pytest.Config, log: Any) -> object | None:
        """Keep a module's tests on one worker, unless the command line distributes otherwise."""
        if config.option.dist != "load":
            return None
        from nova_acceptance.plugin.distribution import ByModule  # noqa: PLC0415 -- xdist is optional

        return ByModule(config, log)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any, error: object | None) -> None:
        """Record a worker's last facts, and that it was lost."""
        for fact in (getattr(node, "workeroutput", None) or {}).get(workers.OUTBOX, ()):
            self.send(fact)
        if error:
            self._write("worker-lost", worker=node.gateway.id, text=str(error))

    # The end

    @pytest.hookimpl(trylast=True)
    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Record Ctrl-C, pytest.exit, and pytest's own end after collection errors."""
        self._write("interrupted", text=str(excinfo.value) or "Ctrl-C")
        terminal = self._config.pluginmanager.get_plugin("terminalreporter")
        # The traceback that --full-trace prints at the very end; pytest offers no hook for it.
        masked.mask_in_place(getattr(terminal, "_keyboardinterrupt_memo", None))

    def pytest_internalerror(self, excrepr: object) -> None:
        """Record an error of the machinery."""
        self._write("internal-error", text=_shortened(str(excrepr)))

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_sessionfinish(
        self, session: pytest.Session, exitstatus: int
    ) -> Generator[None, None, None]:
        """End the record and render it, after the fixtures' last teardown."""
        try:
            yield
        except NovaError as error:
            # After an interrupt session fixtures are torn down here, outside any test.
            failure = f"clean-up failed: {error.message}"
            message = f"{failure} ({error.hint})" if error.hint else failure
            self._write("internal-error", message=message, text=str(error))
            session.exitstatus = exitstatus or pytest.ExitCode.TESTS_FAILED
        except BaseException as error:
            self._write("internal-error", text=f"{type(error).__name__}: {error}")
            raise
        finally:
            if self._record:
                session.exitstatus = ending.exit_status(
                    session.exitstatus, set(self._told), is_unasked=self._is_unasked
                )
            self._finish(int(session.exitstatus))

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print verdicts by layer, and how to go on."""
        if self._run:
            summary.write(self._run, terminalreporter, self._why_unbegun())

    @pytest.hookimpl(trylast=True)
    def pytest_unconfigure(self) -> None:
        """Print the report's path as the last line of all."""
        if not (self._run and self._record):
            return
        terminal = self._config.get_terminal_writer()
        directory = self._record.directory
        for name, reason in self._unwritten.items():
            terminal.line(f"{name} could not be written: {reason}", red=True)
        for failure in self._keeping.failures:
            terminal.line(failure, red=True)
        if self._removed:
            terminal.line(f"old runs removed: {self._removed}")
        if PAGE in self._unwritten:
            again = f"nova-report render {self._shown(directory)}"
            terminal.line(f"the record is kept: {again}")
        else:
            terminal.line(f"report: {self._shown(directory / PAGE)}")

    def _finish(self, exit_status: int) -> None:
        if not self._record:
            return
        self._record.write(
            "run-finished", exit_status=exit_status, seconds=round(self._record.seconds, 3)
        )
        self._record.close()
        (self._record.directory / ".disruption").unlink(missing_ok=True)
        from nova_acceptance.report.rendering import write_all  # noqa: PLC0415 - see `_prepare`

        directory = self._record.directory
        self._run = load(directory)
        # Before it is rendered: a report does not lead to runs that are gone.
        self._removed = self._keeping.remove_old(directory)
        self._unwritten = write_all(self._run, directory, kept=self._keeping.before())
        self._keeping.add(directory)
        if self._watch:
            self._watch.end()

    def _write_collected(self, tests: Sequence[dict[str, Any]]) -> None:
        self._write(
            "collected",
            tests=tests,
            deselected=self._deselected,
            uncollected=layers.unwanted(self._config),
        )

    def _write(self, kind: str, **fields: Any) -> None:
        if self._record:
            self._record.write(kind, **fields)

    def _why_unbegun(self) -> list[str]:
        """Return the one message of a run that could not be begun, a line each."""
        for kind in UNBEGUN & self._told.keys():
            return [masking.mask(line) for line in self._told[kind].get("lines", ())]
        return []

    def _shown(self, path: Path) -> str:
        root = self._config.invocation_params.dir
        return str(path.relative_to(root) if path.is_relative_to(root) else path)


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


def _manifests(config: pytest.Config) -> dict[str, str | bool]:
    # A plugin, which pytest imports itself, later than this module.
    from nova_acceptance.fixtures import manifests_of  # noqa: PLC0415

    return provenance(manifests_of(config), config.rootpath / config.option.spec).as_dict()


def _text(report: pytest.TestReport | pytest.CollectReport) -> str:
    if isinstance(report.longrepr, tuple):
        return str(report.longrepr[2])
    # Not report.longreprtext: with workers it begins with the worker's line, failure or not.
    return "" if report.longrepr is None else _shortened(str(report.longrepr))


def _outcome(report: pytest.TestReport) -> str:
    more = extra(report)
    if UNASKED in more:
        return str(Outcome.NOT_ASKED)
    return str(Outcome.QUARANTINED if QUARANTINED in more else report.outcome)


def _message(report: pytest.TestReport) -> str:
    crash = getattr(report.longrepr, "reprcrash", None)
    return str(crash.message).split("\n", 1)[0] if crash else ""


def _shortened(text: str) -> str:
    if len(text) <= _LONGEST:
        return text
    half = _LONGEST // 2
    return f"{text[:half]}\n… {len(text) - 2 * half} characters left out …\n{text[-half:]}"
