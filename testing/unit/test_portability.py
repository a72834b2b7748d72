"""What a run against a cluster that is there needs is on macOS and under WSL2 as well."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = """
import importlib, testing.elsewhere
from nova_acceptance.components.registry import kinds
for name in {names!r}:
    importlib.import_module(name)
for kind in kinds():
    if kind.fixtures:
        importlib.import_module(kind.fixtures)
"""
NAMES = [
    f"nova_acceptance.{name}"
    for name in "plugin.acceptance fixtures clients report.command cluster.choice draft".split()
]


def run(program: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False
    )


def test_a_run_imports_nothing_that_is_of_linux_alone() -> None:
    done = run(PROGRAM.format(names=NAMES))

    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "reaching",
    [
        "import nova_acceptance.cluster.kind.provider",
        "import os; os.unshare",
        "import select; select.epoll",
        "open('/proc/self/status')",
        "import subprocess; subprocess.run(['setpriv', '--version'])",
    ],
)
def test_whoever_reaches_for_it_is_seen(reaching: str) -> None:
    done = run(f"import testing.elsewhere; {reaching}")

    assert done.returncode != 0
