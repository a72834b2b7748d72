"""What is asked beside the tests has an end, and that is closed by which it is asked."""

from __future__ import annotations

import pytest

from testing.unit.waiting import SOON

AS_ROLES = """
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

PILOT = """
    from concurrent.futures import ThreadPoolExecutor
    from concurrent.futures.thread import _threads_queues

    import pytest

    from nova_acceptance import clients

    class Pool(ThreadPoolExecutor):
        def submit(self, *_):
            super().submit(id, None)
            _threads_queues.clear()  # of a thread that is started and not yet noted
            raise KeyboardInterrupt

    clients.ThreadPoolExecutor = Pool

    @pytest.fixture(scope="session")
    def places():
        return None

    routes = namespace_pods = system = transcript = places
"""


def test_nobody_connects_as_a_role_while_connections_are_closed(
    pytester: pytest.Pytester,
) -> None:
    pytester.makeconftest(AS_ROLES)
    pytester.makepyfile("def test_trials(as_roles): pass")
    ours = ("nova_acceptance.turns", "nova_acceptance.components.postgres.fixtures")
    result = pytester.runpytest_subprocess(*(f"-p{each}" for each in (*ours, "no:cacheprovider")))

    result.assert_outcomes(passed=1)


def test_run_interrupted_when_a_thread_has_started_to_ask_ends(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(PILOT)
    pytester.makepyfile("def test_names(pilot): pass")
    ours = ("nova_acceptance.turns", "nova_acceptance.clients", "no:cacheprovider")
    result = pytester.runpytest_subprocess(*(f"-p{each}" for each in ours), timeout=SOON)

    assert result.ret == pytest.ExitCode.INTERRUPTED
