"""Disruptive tests ask first whether they may disturb the cluster at all."""

from __future__ import annotations

import pytest

from nova_acceptance.plugin.layers import is_disruptive

PERMISSION = "may_disrupt"
"""A fixture of the session: it comes before all that a test touches a cluster by."""


def pytest_itemcollected(item: pytest.Item) -> None:
    """Have the permission asked for before anything else that a disruptive test stands on.

    A test that has nothing to do with a cluster needs none.
    """
    if isinstance(item, pytest.Function) and is_disruptive(item) and "cluster" in item.fixturenames:
        item.fixturenames.insert(0, PERMISSION)
