"""What a statement and the end of a transaction are given: so much time, and no more."""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from typing import Any

from nova_acceptance import timeouts
from nova_acceptance.findings import Finding, FindingError
from nova_acceptance.libraries import psycopg
from nova_acceptance.phrase import Phrase
from nova_acceptance.vantage.deadlines import DEADLINES

UNCONFIRMED = re.compile(r"canceling (?:the )?wait for synchronous replication")
"""The notice of a server whose commit is its own only: whoever waited for a standby gave up."""


@contextmanager
def bounded(connection: psycopg.Connection[Any]) -> Iterator[None]:
    """Give a statement no more than its time.

    Raises:
        FindingError: it was a commit, and no standby confirmed it.
    """
    # The server's own limit ends before a commit waits for a standby: that wait is cancelled from
    # here. And it is of no use once the server is gone without a word, and libpq has none: after a
    # while the connection is cut from here, which is an error like any other.
    notices: list[str] = []
    end = socket.socket(fileno=os.dup(connection.fileno()))

    def note(notice: psycopg.errors.Diagnostic) -> None:
        notices.append(notice.message_primary or "")

    connection.add_notice_handler(note)
    try:
        with (
            DEADLINES.after(timeouts.COMMIT, partial(_cancel, connection)),
            DEADLINES.after(timeouts.STATEMENT_CUT, partial(end.shutdown, socket.SHUT_RDWR)),
        ):
            yield
    finally:
        connection.remove_notice_handler(note)
        end.close()
    for notice in filter(UNCONFIRMED.search, notices):
        sentence = Phrase(
            "no standby confirmed a commit within {seconds:.0f} s", seconds=timeouts.COMMIT
        )
        raise FindingError(Finding.here("NOT_SYNCHRONOUS", sentence, notice))


def _cancel(connection: psycopg.Connection[Any]) -> None:
    with suppress(psycopg.Error):  # a server that does not hear it is cut off soon
        connection.cancel_safe(timeout=timeouts.STATEMENT_CUT - timeouts.COMMIT)


@contextmanager
def ended_in_time(connection: psycopg.Connection[Any], *, undone: bool = False) -> Iterator[None]:
    """A transaction whose COMMIT or ROLLBACK is given no more time than a statement."""
    with ExitStack() as end, connection.transaction(force_rollback=undone):
        try:
            yield
        finally:
            if not connection.closed:
                end.enter_context(bounded(connection))
