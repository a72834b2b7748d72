"""Specs as texts: this repository's own, changed in one place."""

from __future__ import annotations

import tempfile
from pathlib import Path

from nova_acceptance.components.registry import load
from nova_acceptance.system import System

NOVA = Path(__file__).parents[3] / "nova.yaml"
TEXT = NOVA.read_text(encoding="utf-8")


def changed(old: str, new: str) -> System:
    """Return what nova.yaml says with a part of it written otherwise."""
    assert old in TEXT
    return spec(TEXT.replace(old, new, 1))


def spec(text: str) -> System:
    """Return what a file of this text says."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "nova.yaml")
        path.write_text(text, encoding="utf-8")
        return load(path)
