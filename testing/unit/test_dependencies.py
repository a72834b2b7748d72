"""What is imported is installed with the package, and not by chance with something else."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).parents[2]
OPTIONAL = {"pytest-xdist"}
"""Where it is missing, a run has no workers."""


def imported(folder: Path) -> Iterator[str]:
    """Yield the first name of every module that is imported anywhere below a folder."""
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                yield from (alias.name.partition(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                yield node.module.partition(".")[0]


def normalized(requirement: str) -> str:
    """Return the name in a requirement as package indexes compare names (PEP 503)."""
    return re.sub(r"[-_.]+", "-", re.split(r"[^\w.-]", requirement)[0]).lower()


def test_everything_that_is_imported_is_declared() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    declared = {*map(normalized, project["dependencies"])} | OPTIONAL
    foreign = {*imported(ROOT / "src")} - sys.stdlib_module_names - {"nova_acceptance"}
    owners = metadata.packages_distributions()

    assert foreign
    assert [
        module
        for module in sorted(foreign)
        if declared.isdisjoint(map(normalized, owners.get(module, ())))
    ] == []
