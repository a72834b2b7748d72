"""The programs of images/node, and an API for them to follow."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from testing.unit.node.stub_api import StubApi


@pytest.fixture
def stub_api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StubApi]:
    with StubApi(tmp_path_factory.mktemp("credentials")) as stub:
        yield stub
