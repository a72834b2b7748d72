"""What an acceptance run consists of, put together."""

from __future__ import annotations

import pytest

from nova_acceptance.components.registry import kinds
from nova_acceptance.plugin import facts, layers, masked, options, termination, workers
from nova_acceptance.plugin.recording import Recording
from nova_acceptance.report import Recorder

FIXTURES = "nova_acceptance.fixtures"
CLIENTS = "nova_acceptance.clients"
DIAGNOSING = "nova_acceptance.plugin.diagnosing"


def register(config: pytest.Config) -> None:
    """Check the options and register everything that takes part in the run.

    Raises:
        pytest.UsageError: an option cannot be used.
    """
    options.check(config)
    layers.register_markers(config)
    plugins = config.pluginmanager
    # Before the record begins: a wrong nova.yaml ends the run here.
    plugins.import_plugin(FIXTURES)
    plugins.import_plugin(CLIENTS)
    for kind in kinds():
        if kind.fixtures:
            plugins.import_plugin(kind.fixtures)
    plugins.register(layers, "nova-layers")
    plugins.register(masked, "nova-masked")
    plugins.register(termination.Termination(), "nova-termination")
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
