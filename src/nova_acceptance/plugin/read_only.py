"""What `--read-only` does to tests: one that writes is not asked, and says so before it begins.

Where a test lacks the marker, its client refuses to write, for the same reason.
"""

from __future__ import annotations

import pytest

from nova_acceptance.kube import unwritten


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Stop a test that writes before its fixtures do.

    Raises:
        UnaskedError: it writes.
    """
    if item.get_closest_marker("writes"):
        raise unwritten()
