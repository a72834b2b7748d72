"""What an acceptance run consists of, put together."""

from __future__ import annotations

from importlib import import_module

import pytest

from nova_acceptance.components.registry import kinds
from nova_acceptance.errors import SpecError
from nova_acceptance.plugin import (
    disruption,
    ending,
    facts,
    layers,
    masked,
    options,
    read_only,
    sharding,
    termination,
    workers,
)
from nova_acceptance.plugin.recording import Recording
from nova_acceptance.report import Recorder
from nova_acceptance.verification.quarantine import Quarantine, load

FIXTURES = "nova_acceptance.fixtures"
DEPLOYING = "nova_acceptance.deploying"
TURNS = "nova_acceptance.turns"
CLIENTS = "nova_acceptance.clients"
AHEAD = "nova_acceptance.ahead"
TENANCY = "nova_acceptance.tenancy"
DIAGNOSING = "nova_acceptance.plugin.diagnosing"
DRY_RUN = "nova_acceptance.plugin.dry_run"


def _quarantine(config: pytest.Config) -> Quarantine:
    try:
        return load(config.rootpath / config.option.quarantine)
    except SpecError as error:
        raise pytest.UsageError(f"--quarantine: {error}") from error


def _import(plugins: pytest.PytestPluginManager, name: str) -> None:
    """Register a module of ours; pytest's own way would say that it does not rewrite it."""
    if not plugins.has_plugin(name):
        plugins.register(import_module(name), name)


def register(config: pytest.Config) -> None:
    """Check the options and register everything that takes part in the run.

    Raises:
        pytest.UsageError: an option cannot be used.
    """
    options.check(config)
    layers.register_markers(config)
    plugins = config.pluginmanager
    # Before the record begins: a wrong nova.yaml ends the run here.
    _import(plugins, FIXTURES)
    _import(plugins, DEPLOYING)
    _import(plugins, TURNS)
    _import(plugins, CLIENTS)
    _import(plugins, AHEAD)
    for kind in kinds():
        if kind.fixtures:
            plugins.import_plugin(kind.fixtures)
    plugins.register(layers, "nova-layers")
    plugins.register(disruption, "nova-disruption")
    plugins.register(masked, "nova-masked")
    if config.option.read_only:
        plugins.register(read_only, "nova-read-only")
    plugins.register(ending, "nova-ending")
    plugins.register(termination.Termination(), "nova-termination")
    _import(plugins, DIAGNOSING)
    if config.option.dry_run:
        _import(plugins, DRY_RUN)
        return
    if config.option.quarantine:
        # diagnosing comes first, which names the cause
        from nova_acceptance.plugin.quarantining import Quarantining  # noqa: PLC0415

        plugins.register(Quarantining(config, _quarantine(config)), "nova-quarantining")
    if workers.is_worker(config):
        worker = workers.Worker(config)
        plugins.register(worker, "nova-worker")
        config.stash[facts.RECORDER] = Recorder(worker.send)
        config.stash[facts.DIRECTORY] = worker.directory
    else:
        recording = Recording(config)
        plugins.register(recording, "nova-recording")
        config.stash[facts.RECORDER] = Recorder(recording.send)
    if config.option.shard:
        plugins.register(sharding.Sharding(config), "nova-sharding")
    plugins.register(facts, "nova-facts")
    # Last, so that at the end it comes before the record is closed.
    _import(plugins, TENANCY)
