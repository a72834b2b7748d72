"""The programs of images/node, and an API for them to follow."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).parent
# The programs are no part of the installed package: they live in their image's directory.
sys.path[:0] = [str(HERE), str(HERE.parents[2] / "images" / "node")]

from stub_api import StubApi  # noqa: E402  found through the line above


@pytest.fixture
def stub_api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StubApi]:
    with StubApi(tmp_path_factory.mktemp("credentials")) as stub:
        yield stub
