"""Markers by directory, and the order in which tests run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from testing.plugin.conftest import Suite

INFRASTRUCTURE = """
import pytest

@pytest.mark.disruptive
def test_first_disruptive(): pass

@pytest.mark.disruptive
def test_second_disruptive(): pass

def test_quiet(): pass
"""


@pytest.fixture
def layered(suite: Suite) -> Suite:
    suite.write("tests/infrastructure/test_a.py", INFRASTRUCTURE)
    suite.write("tests/networking/test_b.py", "def test_network(): pass")
    suite.write("tests/services/test_c.py", "def test_service(): pass")
    return suite


def test_disruptive_tests_run_last_in_their_own_order(layered: Suite) -> None:
    layered.run()

    names = [test.nodeid.split("::")[1] for test in layered.model.tests]
    assert names == [
        "test_quiet",
        "test_network",
        "test_service",
        "test_first_disruptive",
        "test_second_disruptive",
    ]


@pytest.mark.parametrize(
    ("expression", "names"),
    [
        ("infra or services", ["test_quiet", "test_service"]),
        ("not networking and not disruptive", ["test_quiet", "test_service"]),
        ("disruptive", ["test_first_disruptive", "test_second_disruptive"]),
        ("not disruptive", ["test_quiet", "test_network", "test_service"]),
    ],
)
def test_directory_marker_selects_its_quiet_tests(
    layered: Suite, expression: str, names: list[str]
) -> None:
    layered.run("-m", expression)

    assert [test.nodeid.split("::")[1] for test in layered.model.tests] == names
    assert layered.model.deselected == 5 - len(names)


@pytest.mark.parametrize(
    ("expression", "layer", "names"),
    [
        ("infra", "infrastructure", ["test_quiet"]),
        ("services", "services", ["test_service"]),
        ("networking", "networking", ["test_network"]),
        (" not disruptive  and infra", "infrastructure", ["test_quiet"]),
    ],
)
def test_layers_of_which_nothing_is_wanted_are_not_collected(
    layered: Suite, expression: str, layer: str, names: list[str]
) -> None:
    for directory in ("infrastructure", "networking", "services"):
        if directory != layer:
            layered.write(f"tests/{directory}/test_d.py", "raise SystemError('collected')")

    layered.run("-m", expression)

    model = layered.model
    assert [test.nodeid.split("::")[1] for test in model.tests] == names
    others = [each for each in ("infrastructure", "services", "networking") if each != layer]
    assert list(model.uncollected) == others
    assert model.is_partial
    assert model.deselected == (2 if layer == "infrastructure" else 0)


@pytest.mark.parametrize("by", ["tests/services/test_d.py", "tests/services/conftest.py"])
def test_layer_with_a_test_that_has_the_marker_itself_is_collected(layered: Suite, by: str) -> None:
    layered.write(by, "import pytest\n\n@pytest.mark.infra\ndef test_as_well(): pass")

    layered.run("-m", "infra")

    assert layered.model.uncollected == ("networking",)
    assert layered.model.deselected == 2 + 1
    names = [test.nodeid.split("::")[1] for test in layered.model.tests]
    assert names == ["test_quiet", *(["test_as_well"] if "test_d" in by else [])]


@pytest.mark.parametrize("named", ["tests/services/test_c.py::test_service", "tests/services"])
def test_layer_that_is_named_is_collected_whatever_is_wanted(layered: Suite, named: str) -> None:
    layered.run("-m", "infra", named)

    assert layered.model.deselected == 1
    assert layered.model.uncollected == ("networking",)


def test_disruptive_test_stays_in_the_layer_of_its_directory(layered: Suite) -> None:
    layered.run("-m", "disruptive")

    assert {test.layer for test in layered.model.tests} == {"infrastructure"}


def test_misspelt_marker_is_an_error(suite: Suite) -> None:
    suite.write(
        "tests/services/test_c.py",
        "import pytest\n@pytest.mark.disruptiv\ndef test_service(): pass",
    )

    result = suite.run()

    assert result.ret == pytest.ExitCode.INTERRUPTED
    assert [str(test.outcome) for test in suite.model.tests] == ["error"]


def test_parameters_and_marker_name_the_components_of_a_test(suite: Suite) -> None:
    suite.write(
        "tests/services/test_c.py",
        """
import dataclasses, types
import pytest

@dataclasses.dataclass
class Outer:
    inner: object
    number: int

def named(name):
    return types.SimpleNamespace(name=name)

@pytest.mark.component("redis")
@pytest.mark.parametrize("first", ["user-service"])
@pytest.mark.parametrize("second", [named("etcd"), Outer(named("postgres"), 1)])
def test_service(first, second):
    '''The fact in one line.

    More of it.
    '''
""",
    )

    suite.run()

    first, second = suite.model.tests
    assert first.subjects == ["etcd", "redis", "user-service"]
    assert second.subjects == ["postgres", "redis", "user-service"]
    assert first.doc == "The fact in one line."
    assert first.concerns("user-service")
    assert not first.concerns("auth-service")


ASKING = """
import pytest

@pytest.fixture(scope="session")
def {fixture}(): pass

@pytest.fixture
def made_with_it({fixture}): pass

def test_of_many_pods({fixture}): pass

def test_quiet(made_with_it): pass

@pytest.mark.disruptive
def test_disruptive(): pass
"""


@pytest.mark.parametrize("fixture", ["reachability", "connections", "way"])
def test_what_is_asked_of_many_pods_is_read_behind_the_others_and_names_last(
    suite: Suite, fixture: str
) -> None:
    suite.write("tests/networking/test_names.py", ASKING.format(fixture="lookups"))
    suite.write("tests/networking/test_reach.py", ASKING.format(fixture=fixture))
    suite.write("tests/services/test_service.py", "def test_service(): pass")
    suite.run()

    names = [test.nodeid.rpartition("/")[2] for test in suite.model.tests]
    assert names == [
        "test_names.py::test_quiet",
        "test_reach.py::test_quiet",
        "test_service.py::test_service",
        "test_reach.py::test_of_many_pods",
        "test_names.py::test_of_many_pods",
        "test_names.py::test_disruptive",
        "test_reach.py::test_disruptive",
    ]
