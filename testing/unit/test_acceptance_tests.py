"""Every acceptance test asserts that checks find nothing, which name cause and object."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from pathlib import Path

import pytest

from nova_acceptance.components.postgres.fixtures import AS_ROLES, primary

ROOT = Path(__file__).parents[2]


def _acceptance_tests() -> Iterator[tuple[str, ast.FunctionDef]]:
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                yield f"{path.stem}::{node.name}", node


TESTS = tuple(_acceptance_tests())


def is_a_check(node: ast.FunctionDef) -> bool:
    """Whether all that a test asserts is that checks find nothing."""
    asserts = [each.test for each in ast.walk(node) if isinstance(each, ast.Assert)]
    return bool(asserts) and all(map(_says_that_a_check_finds_nothing, asserts))


def _says_that_a_check_finds_nothing(test: ast.expr) -> bool:
    match test:
        case ast.Compare(
            left=ast.Call(func=ast.Attribute(value=room, attr=name)),
            ops=[ast.Eq()],
            comparators=[ast.List(elts=[])],
        ):
            modules = ast.unparse(room).split(".")
            return modules[0].endswith(("checks", "urls")) or name == "found"
    return False


def test_there_are_tests() -> None:
    assert len(TESTS) > 50


@pytest.mark.parametrize(("name", "node"), TESTS, ids=[name for name, _ in TESTS])
def test_acceptance_test_asserts_that_checks_find_nothing(name: str, node: ast.FunctionDef) -> None:
    assert is_a_check(node), f"{name} asserts something else"


def test_deeds_that_roles_are_denied_are_among_what_is_asked_ahead() -> None:
    denied = [
        {each.arg for each in node.args.args}
        for _, node in TESTS
        if "denial" in {each.arg for each in node.args.args}
    ]

    assert denied
    assert all(AS_ROLES in its for its in denied)
    assert AS_ROLES in inspect.signature(inspect.unwrap(primary)).parameters
