"""The libraries that are imported when they are first used."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module

import pytest

from nova_acceptance import libraries
from nova_acceptance.cluster.home import project
from testing.unit.waiting import SOON

COLLECTING = """
import sys, pytest

class Plugin:
    def pytest_collection_finish(self, session):
        assert session.items
        imported = {"cryptography", "dns", "psycopg", "redis"} & set(sys.modules)
        print("imported:", *sorted(imported))

sys.exit(pytest.main(["--collect-only", "-q", "-p", "no:cacheprovider"], plugins=[Plugin()]))
"""
LOADED = """
import sys
from nova_acceptance import libraries

assert "psycopg" not in sys.modules
libraries.load()
assert not {modules} - sys.modules.keys()
"""
AT_ONCE = """
import threading
from concurrent.futures import ThreadPoolExecutor
from nova_acceptance import libraries

parts = {parts}
together = threading.Barrier(len(parts))

def use(name, part):
    together.wait(30)
    return getattr(getattr(libraries, name), part)

with ThreadPoolExecutor(len(parts)) as pool:
    for each in [pool.submit(use, name, part) for name, part in parts]:
        each.result()
"""
PARTS = {
    "cryptography": ("cryptography", "exceptions"),
    "dns": ("dns", "message"),
    "ec": ("cryptography.hazmat.primitives.asymmetric.ec", "SECP256R1"),
    "hashes": ("cryptography.hazmat.primitives.hashes", "SHA256"),
    "psycopg": ("psycopg", "Error"),
    "redis": ("redis", "retry"),
    "serialization": ("cryptography.hazmat.primitives.serialization", "Encoding"),
    "x509": ("cryptography.x509", "Certificate"),
}


def alone(program: str) -> subprocess.CompletedProcess[str]:
    """Run a program in a process of its own, which has imported nothing yet."""
    argv = [sys.executable, "-c", program]
    return subprocess.run(
        argv, cwd=project(), capture_output=True, text=True, check=False, timeout=SOON
    )


def test_none_is_imported_before_the_first_test() -> None:
    done = alone(COLLECTING)

    assert done.returncode == 0, done.stdout[-3000:] + done.stderr
    assert "imported:" in done.stdout.splitlines()


@pytest.mark.parametrize("name", libraries.__all__)
def test_each_stands_for_its_module(name: str) -> None:
    module, part = PARTS[name]

    assert getattr(getattr(libraries, name), part) is getattr(import_module(module), part)
    with pytest.raises(AttributeError, match="no_such_part"):
        _ = getattr(libraries, name).no_such_part


def test_all_can_be_imported_before_they_are_used() -> None:
    modules = {module for module, _ in PARTS.values()} | {"dns.rcode", "redis.retry"}
    done = alone(LOADED.format(modules=modules))

    assert done.returncode == 0, done.stderr


def test_threads_may_use_them_for_the_first_time_at_once() -> None:
    parts = [(name, part) for name, (_, part) in PARTS.items()] * 3
    done = alone(AT_ONCE.format(parts=parts))

    assert done.returncode == 0, done.stderr
