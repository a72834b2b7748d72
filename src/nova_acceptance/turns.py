"""A test's turn: what it asks is taken down for it, and what later ones want is begun.

Fixtures of the session and of a module come before it, those of the test after it.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future
from typing import Final

import pytest

from nova_acceptance.components.wanted import foreseen, share_of
from nova_acceptance.report import EvidenceLog
from nova_acceptance.tenancy import DISRUPTIVE
from nova_acceptance.vantage.background import Background
from nova_acceptance.vantage.transcript import Transcript

BACKGROUND: Final = pytest.StashKey[Background]()
"""Where it is kept what asks in the background, once there is anything."""
_LOG: Final = pytest.StashKey[EvidenceLog]()
_BEGUN: Final = pytest.StashKey[set[str]]()
"""Whose tests' questions have been begun."""


class Hooks:
    """What can be done at a test's turn."""

    @pytest.hookspec
    def pytest_nova_foresee(self, request: pytest.FixtureRequest) -> None:
        """Begin to ask in the background what tests of this process are going to read.

        Called once, at a test that has the system, as soon as the cluster's DNS has answered; in a
        worker of pytest-xdist once for each module.

        Args:
            request: that test's, for fixtures of the session.
        """


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    """Make the hook known."""
    pluginmanager.add_hookspecs(Hooks)


@pytest.fixture(autouse=True)
def turn(request: pytest.FixtureRequest, transcript: Transcript) -> Iterator[None]:
    """What is asked from now on is evidence of this test.

    Whoever disturbs the system waits until nothing is asked of it in the background.
    """
    item, stash = request.node, request.config.stash
    if "objects" in request.fixturenames:
        _foresee(request)
    if BACKGROUND in stash and item.get_closest_marker(DISRUPTIVE):
        stash[BACKGROUND].settle()
    with transcript.listening(log_of(item).add):
        yield


def _foresee(request: pytest.FixtureRequest) -> None:
    """Begin what is foreseen, unless all would wait for the DNS and this test has no need to."""
    share, begun = share_of(request.node), request.config.stash.setdefault(_BEGUN, set())
    if share in begun:
        return
    pilot: Future[object] | None = foreseen(request, "pilot")
    if pilot is None or pilot.done() or "dns_answers" in request.fixturenames:
        begun.add(share)
        request.node.ihook.pytest_nova_foresee(request=request)


def log_of(item: pytest.Item) -> EvidenceLog:
    """Return what a test asked so far, and what came back."""
    return item.stash.setdefault(_LOG, EvidenceLog())
