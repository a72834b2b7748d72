"""Outside the acceptance suite the plugin adds its options and nothing else."""

from __future__ import annotations

import pytest


def test_plugin_writes_nothing_without_its_ini_option(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_anything(): pass")

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


def test_bad_option_goes_unchecked_without_the_ini_option(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_anything(): pass")

    result = pytester.runpytest_inprocess("-p", "no:cacheprovider", "--cluster", "nonsense")

    result.assert_outcomes(passed=1)


def test_option_of_group_nova_is_shown_in_help(pytester: pytest.Pytester) -> None:
    result = pytester.runpytest_inprocess("--help")

    result.stdout.fnmatch_lines(["Nova acceptance:", "*--cluster*WHERE*", "*--no-deploy*"])
