"""Options are checked before anything is touched."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from testing.plugin.conftest import Suite

PASSING = "def test_anything(): pass"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--cluster", "nonsense"], "ERROR: --cluster nonsense: there is no such kind of cluster*"),
        (["--cluster", "context:"], "ERROR: --cluster context:: there is no such*"),
        (["--cluster", ""], "ERROR: --cluster : there is no such*"),
        (["--nodes", "0"], "ERROR: --nodes: '0' is not a number from 1 to 9"),
        (["--nodes", "three"], "ERROR: --nodes: 'three' is not a number from 1 to 9"),
        (["--spec", "absent.yaml"], "ERROR: --spec: there is no file absent.yaml*"),
        (["--overlay", "absent"], "ERROR: --overlay: there is no manifests/overlays/absent*"),
        (
            ["--report-lang", "fr"],
            "ERROR: --report-lang: there is no 'fr'; there are: en, zh-Hant",
        ),
        (["--teardown", "--no-deploy"], "ERROR: --teardown with --no-deploy:*"),
        (["--teardown", "-n", "2"], "ERROR: --teardown with -n:*"),
    ],
)
def test_unusable_option_ends_in_one_message(
    suite: Suite, arguments: list[str], message: str
) -> None:
    suite.write("tests/services/test_any.py", PASSING)

    result = suite.run(*arguments)

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([message])
    result.stderr.no_fnmatch_line("*Traceback*")
    result.stdout.no_fnmatch_line("*Traceback*")
    assert not (suite.path / "reports").exists()


@pytest.mark.parametrize(
    "where", ["local", "kind", "docker-desktop", "k3d", "minikube", "context:a:b"]
)
def test_usable_cluster_is_taken(suite: Suite, where: str) -> None:
    suite.write("tests/services/test_any.py", PASSING)

    result = suite.run("--cluster", where)

    result.assert_outcomes(passed=1)
    assert suite.model.options["cluster"] == where


def test_overlay_that_is_there_is_taken(suite: Suite) -> None:
    suite.write("tests/services/test_any.py", PASSING)
    suite.write("manifests/overlays/small/kustomization.yaml", "")

    suite.run("--overlay", "small").assert_outcomes(passed=1)


def test_nodes_is_a_number_for_fixtures(suite: Suite) -> None:
    suite.write(
        "tests/services/test_any.py",
        "def test_nodes(pytestconfig): assert pytestconfig.getoption('--nodes') == 2",
    )

    suite.run("--nodes", "2").assert_outcomes(passed=1)


@pytest.mark.parametrize("option", ["--collect-only", "--fixtures", "--markers", "--version"])
def test_looking_around_leaves_no_record(suite: Suite, option: str) -> None:
    suite.write("tests/services/test_any.py", PASSING)

    result = suite.run(option)

    assert result.ret == 0
    assert not (suite.path / "reports").exists()
