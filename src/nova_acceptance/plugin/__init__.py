"""The pytest plugin: options, markers, order, masking, and the record of the run.

It is an entry point and so is loaded into every pytest of its environment. There it only adds
its options: everything else is registered when the ini option `nova_reports`, which names the
directory of the reports, is set, as the acceptance suite's `pyproject.toml` does.

    options     what the command line may say, checked before anything is touched
    layers      markers by directory, disruptive tests last
    facts       what fixtures tell of the run, and the evidence of each test
    diagnosing  the cause of every failure, in its first line
    material    what tells of a cause, kept beside the record
    masked      secrets out of every report, traceback and log
    termination a polite end from outside, taken as Ctrl-C
    recording   the record of the run, the reports rendered from it, the summary at the end
    workers     the same from the workers of pytest-xdist
"""

from __future__ import annotations

import pytest

from nova_acceptance.plugin import facts, layers, masked, options, termination, workers
from nova_acceptance.plugin.recording import Recording
from nova_acceptance.report import Recorder

FIXTURES = "nova_acceptance.fixtures"
CLIENTS = "nova_acceptance.clients"
DIAGNOSING = "nova_acceptance.plugin.diagnosing"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options; the only thing that happens outside the acceptance suite."""
    options.add(parser)


def pytest_configure(config: pytest.Config) -> None:
    """Check the options and register the rest, if this is the acceptance suite.

    Raises:
        pytest.UsageError: an option cannot be used.
    """
    if not config.getini(options.REPORTS):
        return
    options.check(config)
    layers.register_markers(config)
    plugins = config.pluginmanager
    # Before the record begins: a wrong nova.yaml ends the run here.
    plugins.import_plugin(FIXTURES)
    plugins.import_plugin(CLIENTS)
    plugins.register(layers, "nova-layers")
    plugins.register(masked, "nova-masked")
    plugins.register(termination.Termination(), "nova-termination")
    # Not imported above: what it looks at clusters with takes a while to import.
    plugins.import_plugin(DIAGNOSING)
    if workers.is_worker(config):
        worker = workers.Worker(config)
        plugins.register(worker, "nova-worker")
        config.stash[facts.RECORDER] = Recorder(worker.send)
        config.stash[facts.DIRECTORY] = worker.directory
    else:
        recording = Recording(config)
        plugins.register(recording, "nova-recording")
        config.stash[facts.RECORDER] = Recorder(recording.send)
    plugins.register(facts, "nova-facts")
