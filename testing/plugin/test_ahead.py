"""Tests that only read are called before their turn, and pass or fail in it as they would have."""

from __future__ import annotations

from pathlib import Path

import pytest

SPEC = Path(__file__).parents[2] / "nova.yaml"
CONFTEST = f"""
    from pathlib import Path

    import pytest

    from nova_acceptance.components.registry import load
    from nova_acceptance.evidence import Evidence
    from nova_acceptance.turns import BACKGROUND
    from nova_acceptance.vantage.background import Background
    from nova_acceptance.vantage.transcript import Transcript

    SYSTEM = load(Path({str(SPEC)!r}))
    ETCD, POSTGRES = SYSTEM.component("etcd"), SYSTEM.component("postgres")
    CLIENTS = {("etcd", ""), ("etcd", "etcd"), ("postgres", "postgres"), ("postgres", "patroni")}
    CALLS, HEARD = [], {{}}

    class Client:
        def __init__(self, transcript):
            self.transcript = transcript

        def ask(self, what):
            CALLS.append(what)
            self.transcript.add(Evidence(what, "runner", "etcd", "answer", 0.0))
            return what

    class Clients:
        def __init__(self, transcript):
            self.client = Client(transcript)

        def of(self, component, name=""):
            assert (component.name, name) in CLIENTS
            return self.client

    def pytest_addoption(parser):
        parser.addoption("--read-only", action="store_true")

    def pytest_configure(config):
        for marker in ("writes", "disruptive"):
            config.addinivalue_line("markers", marker)

    def pytest_generate_tests(metafunc):
        if "etcd_spec" in metafunc.fixturenames:
            metafunc.parametrize("etcd_spec", [ETCD], ids=["etcd"])
        if "postgres_spec" in metafunc.fixturenames:
            metafunc.parametrize("postgres_spec", [POSTGRES], ids=["postgres"])

    @pytest.fixture(scope="session")
    def transcript():
        return Transcript()

    @pytest.fixture(scope="session")
    def system():
        return SYSTEM

    @pytest.fixture(scope="session")
    def clients(transcript):
        return Clients(transcript)

    @pytest.fixture(scope="session")
    def background(clients, pytestconfig):
        with Background() as opened:
            pytestconfig.stash[BACKGROUND] = opened
            yield opened

    @pytest.fixture(scope="session")
    def objects():
        return None

    @pytest.fixture(scope="session")
    def pilot():
        return None

    @pytest.fixture(autouse=True)
    def heard(turn, transcript, request):
        found = HEARD[request.node.originalname] = []
        with transcript.listening(lambda evidence: found.append(evidence.asked)):
            yield

    @pytest.fixture
    def etcd(clients, etcd_spec, objects):
        return clients.of(etcd_spec)

    @pytest.fixture
    def postgres(clients, postgres_spec, objects):
        return clients.of(postgres_spec, "postgres")

    @pytest.fixture
    def patroni(clients, postgres_spec, objects):
        return clients.of(postgres_spec, "patroni")
"""
BEGIN = """
    import pytest
    from conftest import CALLS, HEARD

    def test_begin(etcd, background, request, etcd_spec):
        background.settle()
"""


def run(pytester: pytest.Pytester, tests: str, *arguments: str) -> pytest.RunResult:
    """Run tests behind one that waits until all is called that can be."""
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile(test_etcd=BEGIN + tests)
    pytester.syspathinsert()
    plugins = ("nova_acceptance.turns", "nova_acceptance.ahead", "no:cacheprovider")
    return pytester.runpytest_subprocess(*(f"-p{each}" for each in plugins), *arguments)


def test_tests_that_read_are_called_once_and_show_what_they_asked(
    pytester: pytest.Pytester,
) -> None:
    result = run(
        pytester,
        """
        assert CALLS == ["first", "second etcd"]

    def test_first(etcd, etcd_spec):
        assert etcd.ask("first") == "first"

    def test_second(etcd, etcd_spec, system):
        assert etcd.ask("second " + system.component("etcd").name)

    def test_end(etcd, etcd_spec, request):
        assert CALLS == ["first", "second etcd"]
        assert HEARD["test_first"] == ["first"]
        assert HEARD["test_second"] == ["second etcd"]
""",
    )

    result.assert_outcomes(passed=4)


def test_test_of_two_clients_of_one_component_is_called_as_well(
    pytester: pytest.Pytester,
) -> None:
    result = run(
        pytester,
        """
        assert CALLS == ["leader", "view"]

    def test_agreement(postgres, patroni, postgres_spec):
        assert postgres.ask("leader") != patroni.ask("view")

    def test_another_component(patroni, etcd, postgres_spec, etcd_spec):
        assert patroni.ask("of one") != etcd.ask("of another")

    def test_end(etcd, etcd_spec, request):
        assert CALLS == ["leader", "view", "of one", "of another"]
        assert HEARD["test_agreement"] == ["leader", "view"]
""",
    )

    result.assert_outcomes(passed=4)


def test_claim_that_does_not_hold_is_made_again_in_its_turn(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        """
    def test_claim(etcd, etcd_spec):
        assert etcd.ask("claim") == "another"

    def test_end(etcd, etcd_spec, request):
        assert CALLS == ["claim", "claim"]
        assert HEARD["test_claim"] == ["claim"]
""",
    )

    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(["*AssertionError: assert 'claim' == 'another'*"])


def test_error_is_raised_in_the_turn_of_its_test_alone(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        """
    def test_error(etcd, etcd_spec):
        etcd.ask("error")
        raise OSError("nobody is there")

    def test_end(etcd, etcd_spec, request):
        assert CALLS == ["error"]
        assert HEARD["test_error"] == ["error"]
""",
    )

    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(["*raise OSError(*", "*OSError: nobody is there"])


def test_what_changes_something_or_wants_more_is_called_in_its_turn(
    pytester: pytest.Pytester,
) -> None:
    result = run(
        pytester,
        """
        assert CALLS == []

    @pytest.fixture
    def key(etcd):
        return "key"

    @pytest.mark.writes
    def test_writes(etcd, etcd_spec):
        etcd.ask("writes")

    @pytest.mark.disruptive
    def test_disrupts(etcd, etcd_spec):
        etcd.ask("disrupts")

    def test_wants_more(etcd, etcd_spec, key):
        etcd.ask("more")

    @pytest.mark.usefixtures("key")
    def test_uses_more(etcd, etcd_spec):
        etcd.ask("more")

    def test_wants_nobody(etcd_spec):
        CALLS.append("nobody")
""",
    )

    result.assert_outcomes(passed=6)


GONE_AGAIN = """
        assert CALLS == {called}

    @pytest.mark.writes({how}=True)
    def test_writes(etcd, etcd_spec):
        etcd.ask("write")
"""


@pytest.mark.parametrize("how", ["undone", "own"])
def test_what_is_gone_again_and_unfelt_is_called_as_well(
    pytester: pytest.Pytester, how: str
) -> None:
    run(pytester, GONE_AGAIN.format(called=["write"], how=how)).assert_outcomes(passed=2)


@pytest.mark.parametrize("how", ["undone", "own"])
def test_nothing_is_written_in_a_run_that_only_reads(pytester: pytest.Pytester, how: str) -> None:
    tests = GONE_AGAIN.format(called=[], how=how)
    run(pytester, tests, "--read-only").assert_outcomes(passed=2)


def test_test_whose_fixture_gives_more_than_the_client_is_called_in_its_turn(
    pytester: pytest.Pytester,
) -> None:
    result = run(
        pytester,
        """
    @pytest.fixture
    def etcd(clients, etcd_spec, objects):
        class More:
            bare = clients.of(etcd_spec)
        return More

    def test_more(etcd, etcd_spec):
        assert etcd.bare.ask("more")

    def test_end(etcd, etcd_spec, request):
        assert CALLS == ["more"]
        assert HEARD["test_more"] == ["more"]
""",
    )

    result.assert_outcomes(passed=3)


def test_nothing_from_before_a_disturbance_counts_after_it(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        """
    @pytest.mark.disruptive
    def test_disrupts(etcd, etcd_spec):
        assert CALLS == ["later"]

    def test_later(etcd, etcd_spec):
        etcd.ask("later")

    def test_end(etcd, etcd_spec, request):
        assert CALLS == ["later", "later"]
""",
    )

    result.assert_outcomes(passed=4)


def test_run_that_ends_waits_for_the_test_that_was_begun_alone(pytester: pytest.Pytester) -> None:
    tests = """
        import threading
        import time

        import pytest
        from conftest import CALLS

        BEGUN, END = threading.Event(), threading.Event()

        @pytest.fixture(scope="session", autouse=True)
        def ended(background):
            def end():
                while not background.is_closed:
                    time.sleep(0.01)
                END.set()

            yield
            threading.Thread(target=end, daemon=True).start()
            background.close()
            assert CALLS == ["first"]

        def test_ends(etcd, etcd_spec, request):
            assert BEGUN.wait(30)
            raise KeyboardInterrupt

        def test_first(etcd, etcd_spec):
            etcd.ask("first")
            BEGUN.set()
            assert END.wait(30)

        def test_second(etcd, etcd_spec):
            etcd.ask("second")
"""
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile(test_etcd=tests)
    pytester.syspathinsert()
    plugins = ("nova_acceptance.turns", "nova_acceptance.ahead", "no:cacheprovider")
    result = pytester.runpytest_subprocess(*(f"-p{each}" for each in plugins))

    assert result.ret == pytest.ExitCode.INTERRUPTED, result.stdout.str()


def test_skip_is_said_in_its_turn(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        """
    def test_skip(etcd, etcd_spec):
        etcd.ask("skip")
        pytest.skip("not here")

    def test_after(etcd, etcd_spec):
        etcd.ask("after")
""",
        "-rs",
    )

    result.assert_outcomes(passed=2, skipped=1)
    result.stdout.fnmatch_lines(["SKIPPED*not here"])


def test_workers_call_nothing_ahead(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        """
        assert CALLS == []

    def test_first(etcd, etcd_spec):
        assert etcd.ask("first")
""",
        "-p",
        "xdist",
        "-n",
        "1",
    )

    result.assert_outcomes(passed=2)
