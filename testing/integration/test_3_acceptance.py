"""The acceptance suite on a cluster with fewer nodes than members, run as a user would."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from urllib.parse import quote

import pytest

from nova_acceptance.report import Outcome, load
from testing.integration.conftest import NAMESPACES, Accepted, Removal

pytestmark = pytest.mark.integration

SHORTEST = 8
"""Shorter values of Secrets are words such as `nova`, not passwords."""


@pytest.fixture(scope="module")
def secrets(accepted: Accepted) -> set[str]:
    """Every value of every Secret of Nova that is not a word or an address."""
    plain = {"KAFKA_BROKERS", "CLICKHOUSE_URL", "tls.crt", "ca.crt", "namespace"}
    return {
        base64.b64decode(value).decode()
        for secret in accepted.objects["Secret"]
        if secret["type"] != "kubernetes.io/service-account-token"
        for key, value in (secret.get("data") or {}).items()
        if key not in plain
    }


def spellings(secret: str) -> Iterator[str]:
    """Yield a secret as it could appear in a file; of a key, its lines."""
    for part in (secret, *secret.splitlines()):
        if len(part) >= SHORTEST and "PRIVATE KEY" not in part:
            yield part
            yield quote(part, safe="")
            yield base64.b64encode(part.encode()).decode()


def test_nova_is_accepted_without_a_skip_on_two_nodes(accepted: Accepted) -> None:
    run = load(accepted.directory)

    assert accepted.done.returncode == 0, accepted.done.stdout[-3000:]
    assert run.verdict == "accepted"
    assert {test.outcome for test in run.tests} == {Outcome.PASSED}
    assert run.deployment["overlay"] == "single-node"


def test_no_secret_in_use_is_written_anywhere(accepted: Accepted, secrets: set[str]) -> None:
    done, directory = accepted.done, accepted.directory
    assert len(secrets) > len(NAMESPACES), "a password for each part at least"
    written = {path.name: path.read_text() for path in directory.iterdir() if path.is_file()}
    assert written.keys() >= {"run.jsonl", "report.html", "junit.xml"}
    written |= {"standard output": done.stdout, "standard error": done.stderr}

    shown = {
        name
        for name, text in written.items()
        for secret in secrets
        for spelling in spellings(secret)
        if spelling in text
    }

    assert shown == set()


def test_teardown_removes_nova_and_nothing_else(removal: Removal) -> None:
    assert removal.done.returncode == 0, removal.done.stdout[-3000:]
    assert removal.namespaces == set(NAMESPACES)
