"""The pytest plugin: options, markers, order, masking, and the record of the run.

It is an entry point and so is loaded into every pytest of its environment. There it only makes the
ini option `nova_reports` known, which names the directory of the reports. A run is an acceptance
run when that is set, as the acceptance suite's `pyproject.toml` does; only then are options added
and everything else imported and registered. This module imports nothing of ours, for every other
pytest of the environment would pay for it.

    acceptance  what an acceptance run consists of, put together
    options     what the command line may say, checked before anything is touched
    clash       options of the same name that another plugin has
    layers      markers by directory, disruptive tests last
    sharding    one part of the tests, of a run that several processes share
    facts       what fixtures tell of the run, and the evidence of each test
    dry_run     what a deployment would change, in the place of every test
    read_only   tests that write, which are not asked then
    diagnosing  the cause of every failure, in its first line
    quarantining known failures, which do not turn the run red
    ending      a run that cannot be begun: one message, and an exit status of its own
    collected   what tells of a cause, kept beside the record
    masked      secrets out of every report, traceback and log
    keeping     what stays of earlier runs, in a history and among the reports
    termination a polite end from outside, taken as Ctrl-C
    recording   the record of the run, the reports rendered from it, the summary at the end
    workers     the same from the workers of pytest-xdist
"""

from __future__ import annotations

import gc
import sys
import threading
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType

import pytest

REPORTS = "nova_reports"
"""The ini option that makes a pytest run an acceptance run: the directory of the reports."""
_OURS = f"{__package__.partition('.')[0]}."
TELLING = ("collectonly", "showfixtures", "show_fixtures_per_test", "setupplan")
"""Options of runs that tell of tests and run none."""


class _AsTheyAre(MetaPathFinder):
    """Finds modules before pytest does, which would rewrite the assertions of each of ours.

    They claim nothing by assertions. Where nothing can be written, as in a container, pytest would
    compile all of them in every run. Of every other module it asks first whether a test is in it,
    which for some seven hundred takes as long as thirty tests.

    Attributes:
        importing: the thread for which what others have made is found, too: while ours import it.
    """

    def __init__(self) -> None:
        self.importing: int | None = None

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None, /
    ) -> ModuleSpec | None:
        if name.startswith(_OURS) or threading.get_ident() == self.importing:
            return PathFinder.find_spec(name, path, target)
        return None


_FINDER = _AsTheyAre()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Make the ini option known; whether it is set is not known yet."""
    parser.addini(REPORTS, "directory of the acceptance reports; unset: not an acceptance run")


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(
    early_config: pytest.Config, parser: pytest.Parser, args: list[str]
) -> Generator[None, None, None]:
    """Add the options, if this is the acceptance suite.

    Not in `pytest_addoption`, where a plugin that is loaded after this one and has an option of the
    same name would fail with a traceback of its own.

    Raises:
        pytest.UsageError: an option's name is taken, or an option is given to another pytest run.
    """
    if early_config.getini(REPORTS):
        if _FINDER not in sys.meta_path:
            sys.meta_path.insert(0, _FINDER)
        with importing():
            from nova_acceptance.plugin import options  # noqa: PLC0415 -- no other run pays for it

        with options.added(early_config, parser, args):
            return (yield)
    yield
    if parser.parse_known_and_unknown_args(args)[1]:  # pytest is about to end with an error
        from nova_acceptance.plugin import options  # noqa: PLC0415

        options.refuse(early_config, parser, args)


def pytest_configure(config: pytest.Config) -> None:
    """Check the options and register the rest, if this is the acceptance suite.

    Raises:
        pytest.UsageError: an option cannot be used.
    """
    if config.getini(REPORTS):
        with _no_garbage():
            with _as_they_are():
                from nova_acceptance.plugin import acceptance  # noqa: PLC0415 -- see above

            acceptance.register(config)


@contextmanager
def importing() -> Iterator[None]:
    """Import quickly meanwhile.

    Without asking pytest, which has no part in what ours import, and without the collector of
    garbage, since nearly all that is made by imports stays.
    """
    with _no_garbage(), _as_they_are():
        yield


@contextmanager
def _no_garbage() -> Iterator[None]:
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if was_enabled:
            gc.enable()


@contextmanager
def _as_they_are() -> Iterator[None]:
    _FINDER.importing = threading.get_ident()
    try:
        yield
    finally:
        _FINDER.importing = None
