"""The engine that draws, beside this process and in it."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nova_acceptance import drawing
from nova_acceptance.drawing import Drawing

BARS: dict[str, Any] = {
    "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
    "data": {"values": [{"run": "ünï 一", "seconds": 2}]},
    "mark": "bar",
    "encoding": {
        "x": {"field": "run", "type": "nominal"},
        "y": {"field": "seconds", "type": "quantitative"},
    },
}


@pytest.fixture
def beside() -> Iterator[Drawing]:
    drawing = Drawing()
    drawing.start()
    yield drawing
    drawing.close()


def test_picture_is_the_same_wherever_it_is_drawn(beside: Drawing) -> None:
    found = [beside.svg(BARS), beside.svg(BARS)]

    assert beside._process is not None
    assert found == [Drawing().svg(BARS)] * 2
    assert "ünï 一" in found[0]


def test_engine_that_is_gone_costs_no_picture(beside: Drawing) -> None:
    assert beside._process is not None
    os.kill(beside._process.pid, signal.SIGKILL)

    assert beside.svg(BARS).startswith("<svg")


def test_engine_that_says_nothing_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    silent = tmp_path / "silent.py"
    silent.write_text("import time; time.sleep(60)")
    monkeypatch.setattr(drawing, "__file__", str(silent))
    monkeypatch.setattr(drawing, "_PATIENCE", 0.2)
    engine = Drawing()
    engine.start()

    assert engine.svg(BARS).startswith("<svg")
    assert engine._process is None


def test_specification_that_is_wrong_is_said_to_be(beside: Drawing) -> None:
    with pytest.raises(ValueError, match="conversion failed"):
        beside.svg({**BARS, "mark": {"type": "no such mark"}})


def test_engine_ends_with_whoever_started_it(beside: Drawing) -> None:
    assert beside._process is not None
    beside.svg(BARS)
    assert beside._process.stdin is not None

    beside._process.stdin.close()

    assert beside._process.wait(timeout=30) == 0
