"""What tests are about that are going to run in a process, known before they do."""

from __future__ import annotations

import pytest

CONNECTING = """
    import pytest

    @pytest.fixture
    def primary(client):
        return client

    @pytest.mark.parametrize("client", {clients})
    def test_connects(primary):
        pass
"""
ASKING = """
    from nova_acceptance.components.wanted import Wanted

    @pytest.mark.parametrize("client", ["ann"])
    def test_is_listed(client):
        pass

    def test_is_told(request):
        {first}
        tests = Wanted.by(request.node, "primary").tests()
        assert [parts["client"] for parts in tests] == {told}
"""


@pytest.mark.parametrize(
    ("first", "arguments", "told"),
    [
        ("", (), ["ann", "bob", "cid"]),
        # which of the modules a worker of pytest-xdist is given is not known yet
        ("request.config.workerinput = {}", (), ["ann", "bob"]),
        ("", ("-k", "test_is_told or ann"), ["ann"]),
    ],
)
def test_tests_are_those_that_run_here_with_the_fixture(
    pytester: pytest.Pytester, first: str, arguments: tuple[str, ...], told: list[str]
) -> None:
    asking = ASKING.format(first=first or "pass", told=told)
    pytester.makepyfile(
        test_one=CONNECTING.format(clients=["ann", "bob"]) + asking,
        test_two=CONNECTING.format(clients=["cid"]),
    )

    result = pytester.runpytest_inprocess("-p", "no:cacheprovider", *arguments)

    assert result.ret == 0, result.stdout.str()


WAITING = """
    from nova_acceptance.components.wanted import Wanted
    from nova_acceptance.vantage.background import Background

    class Told(Background):
        is_waited_for = False

        def settle(self):
            self.is_waited_for = True

    def test_is_waited_for(request):
        {first}
        with Told() as background:
            Wanted.by(request.node, "primary").begun(background)
            assert background.is_waited_for is {told}
"""


@pytest.mark.parametrize(
    ("first", "told"), [("pass", False), ("request.config.workerinput = {}", True)]
)
def test_worker_waits_for_what_it_has_begun(
    pytester: pytest.Pytester, first: str, told: bool
) -> None:
    pytester.makepyfile(WAITING.format(first=first, told=told))

    result = pytester.runpytest_inprocess("-p", "no:cacheprovider")

    assert result.ret == 0, result.stdout.str()
