"""When it is begun what tests are going to read, and whose evidence it is what is asked."""

from __future__ import annotations

import pytest

CONFTEST = """
    from concurrent.futures import Future

    import pytest

    from nova_acceptance.errors import ProbeError
    from nova_acceptance.evidence import Evidence
    from nova_acceptance.turns import BACKGROUND, log_of
    from nova_acceptance.vantage.transcript import Transcript

    PILOT = Future()
    DONE = []

    def pytest_configure(config):
        config.addinivalue_line("markers", "disruptive")

    def pytest_nova_foresee(request):
        DONE.append(f"foreseen at {request.node.name}")

    class Waiting:
        def settle(self):
            DONE.append("settled")

    @pytest.fixture(scope="session")
    def transcript():
        return Transcript()

    @pytest.fixture(scope="session")
    def objects(pytestconfig, transcript):
        pytestconfig.stash[BACKGROUND] = Waiting()
        transcript.add(Evidence("objects", "runner", "api", "", 0.0))

    @pytest.fixture(scope="session")
    def pilot(objects):
        return PILOT

    @pytest.fixture(scope="session")
    def dns_answers(pilot):
        return "answers"

    @pytest.fixture
    def asked(transcript, objects):
        transcript.add(Evidence("set-up", "runner", "api", "", 0.0))
"""


def run(pytester: pytest.Pytester, tests: str, *arguments: str) -> pytest.RunResult:
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile(f"import pytest\nfrom conftest import DONE, PILOT, log_of\n{tests}")
    pytester.syspathinsert()
    plugins = ("nova_acceptance.turns", "no:cacheprovider")
    return pytester.runpytest_subprocess(*(f"-p{each}" for each in plugins), *arguments)


def test_it_is_begun_once_at_the_first_test_that_has_the_system_and_its_dns(
    pytester: pytest.Pytester,
) -> None:
    result = run(
        pytester,
        """
def test_apart():
    pass

def test_objects(objects):
    assert DONE == []

def test_later(objects):
    assert DONE == []
    PILOT.set_result(None)

def test_then(objects):
    assert DONE == ["foreseen at test_then"]

def test_end(objects, dns_answers):
    assert DONE == ["foreseen at test_then"]
""",
    )

    result.assert_outcomes(passed=5)


def test_whoever_needs_the_dns_waits_for_it_and_so_does_all_else(
    pytester: pytest.Pytester,
) -> None:
    result = run(
        pytester,
        """
def test_asks(objects, dns_answers):
    assert DONE == ["foreseen at test_asks"]
""",
    )

    result.assert_outcomes(passed=1)


def test_what_cannot_be_asked_of_the_dns_holds_nothing_up(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        """
from nova_acceptance.errors import ProbeError

@pytest.fixture(scope="session")
def pilot():
    raise ProbeError("nothing runs")

def test_objects(objects):
    assert DONE == ["foreseen at test_objects"]
""",
    )

    result.assert_outcomes(passed=1)


def test_workers_begin_it_for_each_module(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        test_other="""
        from conftest import DONE

        def test_other(objects):
            assert DONE == ["foreseen at test_one", "foreseen at test_other"]
        """
    )
    result = run(
        pytester,
        """
def test_one(request, objects):
    DONE.clear()
    request.config.workerinput = {}

def test_two(objects, dns_answers):
    assert DONE == ["foreseen at test_two"]
    DONE[:] = ["foreseen at test_one"]
    PILOT.set_result(None)
""",
        "test_workers_begin_it_for_each_module.py",
        "test_other.py",
    )

    result.assert_outcomes(passed=3)


def test_whoever_disturbs_waits_for_what_is_asked(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        """
@pytest.mark.disruptive
def test_disrupts(objects, dns_answers):
    assert DONE == ["foreseen at test_disrupts", "settled"]

def test_after(objects):
    assert DONE == ["foreseen at test_disrupts", "settled"]
""",
    )

    result.assert_outcomes(passed=2)


def test_evidence_is_of_the_test_whose_turn_it_is(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        """
from nova_acceptance.evidence import Evidence

def told(request):
    return [each.asked for each in log_of(request.node).drain()]

def test_session_is_nobodys(objects, request):
    assert told(request) == []

def test_own(asked, transcript, request):
    transcript.add(Evidence("call", "runner", "api", "", 0.0))
    assert told(request) == ["set-up", "call"]
""",
    )

    result.assert_outcomes(passed=2)
