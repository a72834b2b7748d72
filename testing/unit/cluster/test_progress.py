"""Steps that are under way together: a log has each, a terminal shows the first of them."""

from __future__ import annotations

import io
import re

import pytest

from nova_acceptance import progress
from nova_acceptance.progress import Progress
from testing.unit.waiting import wait_until


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "REFRESH_TERMINAL", 0.01)


def test_log_has_the_beginning_and_the_end_of_each() -> None:
    stream = io.StringIO()
    shown = Progress(stream)

    with shown.step("building one"), shown.step("building another"):
        pass

    begun, ended = stream.getvalue().splitlines()[:2], stream.getvalue().splitlines()[2:]
    assert begun == ["· building one …", "· building another …"]
    assert [line.partition(" (")[0] for line in ended] == ["✓ building another", "✓ building one"]


def test_terminal_shows_the_first_of_those_that_are_under_way() -> None:
    stream = Terminal()
    shown = Progress(stream)

    with shown.step("building one"):
        with shown.step("building another") as other:
            other.update("half of it")
            wait_until(lambda: stream.getvalue().count("· building one") > 3)
            assert "half of it" not in stream.getvalue()
        wait_until(lambda: bool(re.search(r"· building one \(\d+ s\)$", stream.getvalue())))

    assert stream.getvalue().count("\n") == 2
    assert "\r\x1b[K✓ building another" in stream.getvalue()
