"""What is asked in the background has an end before that is closed by which it is asked."""

from __future__ import annotations

import pytest

CONFTEST = """
    import pytest

    from nova_acceptance.components.postgres import fixtures
    from nova_acceptance.vantage.background import Background
    from nova_acceptance.vantage.transcript import Transcript

    class Ahead:
        def __init__(self, background, *_):
            self._background = background

        def close(self):
            assert self._background.is_closed, "somebody may connect as a role meanwhile"

    fixtures.Ahead = Ahead

    @pytest.fixture(scope="session")
    def transcript():
        return Transcript()

    @pytest.fixture(scope="session")
    def access(transcript):
        class Access:
            pass
        Access.transcript = transcript
        return Access

    @pytest.fixture(scope="session")
    def clients():
        return None

    @pytest.fixture(scope="session")
    def background(clients):
        with Background() as opened:
            yield opened
"""


def test_nobody_connects_as_a_role_while_connections_are_closed(
    pytester: pytest.Pytester,
) -> None:
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile("def test_trials(as_roles): pass")
    ours = ("nova_acceptance.turns", "nova_acceptance.components.postgres.fixtures")
    result = pytester.runpytest_subprocess(*(f"-p{each}" for each in (*ours, "no:cacheprovider")))

    result.assert_outcomes(passed=1)
