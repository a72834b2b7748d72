"""Options are checked before anything is touched."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from testing.plugin.other import ADDING, NAME, ORDERS, write_plugin

if TYPE_CHECKING:
    from pathlib import Path

    from testing.plugin.conftest import Suite

PASSING = "def test_anything(): pass"
ONE = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\n"


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
        (["--manifests", "absent"], "ERROR: --manifests: there are no manifests at *absent*"),
        (
            ["--manifests", "nova.yaml", "--overlay", "multi-node"],
            "ERROR: --overlay: nova.yaml has no overlays*",
        ),
        (["--manifests", "nova.yaml"], "ERROR: --manifests: */nova.yaml:5: no object of Kub*"),
        (
            ["--report-lang", "fr"],
            "ERROR: --report-lang: there is no 'fr'; there are: en, zh-Hant",
        ),
        (["--teardown", "--no-deploy"], "ERROR: --teardown with --no-deploy:*"),
        (["--teardown", "-n", "2"], "ERROR: --teardown with -n:*"),
        (["--read-only", "--teardown"], "ERROR: --read-only with --teardown: a removal writes;*"),
        (["--read-only", "--allow-disruptive"], "ERROR: --read-only with --allow-disruptive:*"),
        (["--read-only", "--ephemeral"], "ERROR: --read-only with --ephemeral:*"),
        (["--read-only", "--probe-pods"], "ERROR: --read-only with --probe-pods:*"),
        (["--read-only", "--probe-image", "a"], "ERROR: --read-only with --probe-image:*"),
        (["--read-only", "--manifests", "plain"], "ERROR: --read-only with --manifests:*"),
        (["--read-only", "--dry-run"], "ERROR: --read-only with --dry-run:*"),
        (["--dry-run", "--no-deploy"], "ERROR: --dry-run with --no-deploy:*"),
        (["--dry-run", "--teardown"], "ERROR: --dry-run with --teardown:*"),
        (["--dry-run", "-n", "2"], "ERROR: --dry-run with -n:*"),
    ],
)
def test_unusable_option_ends_in_one_message(
    suite: Suite, arguments: list[str], message: str
) -> None:
    suite.write("tests/services/test_any.py", PASSING)
    suite.write("plain/one.yaml", ONE)

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


def test_overlay_of_manifests_elsewhere_is_taken(suite: Suite) -> None:
    suite.write("tests/services/test_any.py", PASSING)
    suite.write("other/base/kustomization.yaml", "")
    suite.write("other/overlays/small/kustomization.yaml", "")

    suite.run("--manifests=other", "--overlay=small").assert_outcomes(passed=1)
    assert suite.model.options["manifests"] == "other"


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


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("option", ["--cluster", "--spec"])
def test_option_that_another_plugin_has_ends_in_one_message(
    suite: Suite, monkeypatch: pytest.MonkeyPatch, order: str, option: str
) -> None:
    loaded = write_plugin(suite.pytester, monkeypatch, order, option)

    result = suite.run(*loaded)

    assert told(result) == [
        f"ERROR: {option}: the plugin {NAME} has an option of this name, too; "
        f"run without it: -p no:{NAME}"
    ]


def test_message_of_a_clash_names_the_package(suite: Suite) -> None:
    suite.write(f"{NAME}.py", ADDING.format(arguments="'--spec'"))
    suite.write(
        "other-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: other\nVersion: 1.0\n"
    )
    suite.write("other-1.0.dist-info/entry_points.txt", f"[pytest11]\nthird = {NAME}\n")
    suite.pytester.syspathinsert()

    result = suite.run()

    assert told(result) == [
        "ERROR: --spec: other (plugin third) has an option of this name, too; "
        "run without it: -p no:third"
    ]


def test_run_goes_on_without_the_plugin_of_the_same_option(suite: Suite) -> None:
    suite.write("tests/services/test_any.py", PASSING)
    suite.write(f"{NAME}.py", ADDING.format(arguments="'--spec'"))
    suite.write(
        "other-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: other\nVersion: 1.0\n"
    )
    suite.write("other-1.0.dist-info/entry_points.txt", f"[pytest11]\nthird = {NAME}\n")
    suite.pytester.syspathinsert()

    suite.run("-p", "no:third").assert_outcomes(passed=1)


def test_option_that_a_conftest_file_has_ends_in_one_message(suite: Suite) -> None:
    conftest = suite.write("conftest.py", ADDING.format(arguments="'--nodes'"))

    result = suite.run()

    assert told(result) == [
        f"ERROR: --nodes: {conftest} adds an option of this name, too; give it another one there"
    ]


@pytest.mark.skipif(pytest.version_tuple < (9, 2), reason="older pytests let options share a value")
def test_option_whose_value_has_the_same_name_ends_in_one_message(
    suite: Suite, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = write_plugin(suite.pytester, monkeypatch, ORDERS[0], "--specs", more="dest='spec'")

    result = suite.run(*loaded)

    assert told(result) == [
        f"ERROR: --spec: the plugin {NAME} has --specs, whose value has this name, too; "
        f"run without it: -p no:{NAME}"
    ]


def test_error_of_a_conftest_file_is_left_as_it_is(suite: Suite) -> None:
    suite.write("conftest.py", "def pytest_addoption(parser): raise ValueError('of its own')")

    result = suite.run()

    result.stderr.fnmatch_lines(["Traceback*", "ValueError: of its own"])


def test_option_of_a_conftest_file_is_known_beside_a_file_of_ours(suite: Suite) -> None:
    # pytest loads such a file only where it thinks that the tests are.
    suite.write("tests/conftest.py", ADDING.format(arguments="'--mine'"))
    suite.write("tests/services/test_any.py", PASSING)
    suite.write("other/nova.yaml", (suite.path / "nova.yaml").read_text(encoding="utf-8"))

    suite.run("--spec", "other/nova.yaml", "--mine", "1").assert_outcomes(passed=1)


@pytest.fixture
def elsewhere(suite: Suite, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A nova.yaml outside of the suite."""
    suite.write("tests/services/test_any.py", PASSING)
    path = tmp_path_factory.mktemp("elsewhere") / "nova.yaml"
    path.write_text((suite.path / "nova.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    return path


def test_file_elsewhere_is_taken_after_an_equals_sign(suite: Suite, elsewhere: Path) -> None:
    suite.run(f"--spec={elsewhere}").assert_outcomes(passed=1)

    assert suite.model.options["spec"] == str(elsewhere)


def test_file_elsewhere_is_taken_beside_the_path_of_tests(suite: Suite, elsewhere: Path) -> None:
    suite.run("tests", "--spec", str(elsewhere)).assert_outcomes(passed=1)

    assert suite.model.options["spec"] == str(elsewhere)


def test_file_elsewhere_that_pytest_takes_for_tests_ends_in_one_message(
    suite: Suite, elsewhere: Path
) -> None:
    result = suite.run("--spec", str(elsewhere))

    assert told(result) == [
        f"ERROR: --spec: not an acceptance run, nova_reports is not set in {elsewhere.parents[1]}; "
        f"pytest took {elsewhere} for a path of tests; write --spec={elsewhere}"
    ]


def test_file_of_another_suite_that_pytest_takes_for_tests_ends_in_one_message(
    suite: Suite, elsewhere: Path
) -> None:
    elsewhere.with_name("pytest.ini").write_text(
        "[pytest]\nnova_reports = reports\n", encoding="utf-8"
    )

    result = suite.run("--spec", str(elsewhere))

    assert told(result) == [
        f"ERROR: --spec: {elsewhere.parent} is not where the tests are; "
        f"pytest took {elsewhere} for a path of tests; write --spec={elsewhere}"
    ]


def told(result: pytest.RunResult) -> list[str]:
    """Return the lines of an error of usage; nothing else may have been printed."""
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert result.outlines == []
    return [line for line in result.errlines if line]
