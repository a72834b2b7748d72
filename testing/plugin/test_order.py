"""In which order tests run: those behind others that wait for what is asked meanwhile."""

from __future__ import annotations

import pytest

TESTS = """
    import pytest

    @pytest.fixture
    def dns_answers(): pass

    @pytest.fixture
    def later_objects(): pass

    @pytest.fixture
    def lookups(dns_answers): pass

    @pytest.fixture
    def reachability(dns_answers): pass

    @pytest.fixture
    def client(dns_answers): pass

    @pytest.mark.disruptive
    def test_kills(client): pass

    def test_names(lookups): pass

    def test_reach(reachability): pass

    @pytest.mark.parametrize("denial", ["create"])
    def test_denied(client, denial): pass

    def test_asks(client): pass

    def test_restarts(later_objects): pass

    def test_first(): pass

    def test_second(): pass
"""


def test_what_is_known_comes_first_and_what_is_asked_last_comes_last(
    pytester: pytest.Pytester,
) -> None:
    pytester.makeini("[pytest]\nmarkers =\n    disruptive: kills")
    pytester.makepyfile(TESTS)

    result = pytester.runpytest_subprocess(
        "-pnova_acceptance.turns", "-pnova_acceptance.clients", "--collect-only", "-q"
    )

    names = [line.partition("::")[2].partition("[")[0] for line in result.outlines if "::" in line]
    assert names == [
        "test_first",
        "test_second",
        "test_asks",
        "test_restarts",
        "test_denied",
        "test_reach",
        "test_names",
        "test_kills",
    ]
