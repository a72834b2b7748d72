"""Outside the acceptance suite the plugin does nothing, whatever other plugins there are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from testing.plugin.other import ORDERS, write_plugin

if TYPE_CHECKING:
    from testing.plugin.conftest import Suite

PASSING = "def test_anything(): pass"
OPTIONS = (
    "--cluster --nodes --node-image --manifests --overlay --spec --teardown --no-deploy "
    "--report-lang"
).split()


def test_plugin_writes_nothing_without_its_ini_option(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(PASSING)

    result = pytester.runpytest_inprocess("-p", "no:cacheprovider")

    result.assert_outcomes(passed=1)
    result.stdout.no_fnmatch_line("*Nova acceptance*")
    result.stdout.no_fnmatch_line("report: *")
    assert {path.suffix for path in pytester.path.iterdir() if path.is_file()} == {".py"}
    assert not (pytester.path / "reports").exists()


def test_plugin_provides_no_fixtures_without_its_ini_option(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_anything(recorder): pass")

    result = pytester.runpytest_inprocess("-p", "no:cacheprovider")

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*fixture 'recorder' not found"])


def test_plugin_imports_only_itself_without_its_ini_option(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
import sys

def test_anything():
    ours = {name for name in sys.modules if name.partition(".")[0] == "nova_acceptance"}
    assert ours == {"nova_acceptance", "nova_acceptance.plugin"}
"""
    )

    # In a process of its own: these tests have imported everything.
    pytester.runpytest_subprocess("-p", "no:cacheprovider").assert_outcomes(passed=1)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("option", OPTIONS)
def test_option_of_another_plugin_works_without_the_ini_option(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, order: str, option: str
) -> None:
    loaded = write_plugin(pytester, monkeypatch, order, option)
    pytester.makepyfile(
        f"def test_anything(pytestconfig): assert pytestconfig.getoption({option!r}) == 'theirs'"
    )

    quiet = ("-q", "-p", "no:cacheprovider")
    result = pytester.runpytest_inprocess(*quiet, *loaded, option, "theirs")

    result.assert_outcomes(passed=1)
    assert result.errlines == []
    result.stdout.no_re_match_line("(?i).*nova.*")


def test_option_of_ours_is_refused_without_the_ini_option(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(PASSING)

    result = pytester.runpytest_inprocess("-p", "no:cacheprovider", "--cluster", "kind")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: --cluster: not an acceptance run, nova_reports is not *"])


def test_unknown_option_is_left_to_pytest_without_the_ini_option(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(PASSING)

    result = pytester.runpytest_inprocess("-p", "no:cacheprovider", "--clusters", "kind")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*unrecognized arguments: --clusters*"])
    result.stderr.no_fnmatch_line("*nova*")


def test_every_option_is_shown_in_help(suite: Suite) -> None:
    result = suite.run("--help")

    assert result.ret == pytest.ExitCode.OK
    lines = [f"  {option}*" for option in OPTIONS]
    result.stdout.fnmatch_lines(["Nova acceptance:", *lines])


def test_helper_that_asks_for_it_has_its_assertions_rewritten_in_an_acceptance_run(
    suite: Suite,
) -> None:
    suite.write("helpers/claims.py", "def claim(found): assert found == 'wanted'")
    suite.write(
        "tests/services/test_a.py",
        """
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "helpers"))
pytest.register_assert_rewrite("claims")

import claims

def test_claim(): claims.claim("seen")
""",
    )

    result = suite.run()

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*assert 'seen' == 'wanted'*"])
