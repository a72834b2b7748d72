"""In which order tests run: those behind others that wait for what is asked meanwhile."""

from __future__ import annotations

import pytest

TESTS = """
    import pytest

    from nova_acceptance.system import Component

    class Database(Component):
        pass

    ONE, OTHER = (Database.model_construct(name=name) for name in ("one", "other"))

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

    @pytest.mark.parametrize("component", [OTHER, ONE], ids=["other", "one"])
    def test_component(client, component): pass

    @pytest.mark.parametrize("component", [OTHER], ids=["other"])
    def test_more_of_it(client, component): pass

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

    names = [line.partition("::")[2] for line in result.outlines if "::" in line]
    assert names == [
        "test_first",
        "test_second",
        "test_asks",
        "test_restarts",
        "test_component[one]",
        "test_component[other]",
        "test_more_of_it[other]",
        "test_denied[create]",
        "test_reach",
        "test_names",
        "test_kills",
    ]
