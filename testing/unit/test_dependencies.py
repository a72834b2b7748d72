"""What is imported is installed with the package, and not by chance with something else."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

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


def locked() -> dict[str, tuple[str, str]]:
    """Return of every locked package its version and what follows it, by its name."""
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    found = re.findall(r"^(\S+?)==(\S+)(.*(?:\n    --hash=.*)*)", text, re.MULTILINE)
    return {normalized(name): (version, more) for name, version, more in found}


def required() -> list[Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    developing = project["optional-dependencies"]["dev"]
    return [*map(Requirement, [*project["dependencies"], *developing])]


def test_everything_that_is_declared_is_locked_at_a_version_that_is_allowed() -> None:
    versions = locked()

    assert [
        str(requirement)
        for requirement in required()
        if normalized(requirement.name) not in versions
        or versions[normalized(requirement.name)][0] not in requirement.specifier
    ] == [], "`make lock` renews requirements.lock"


def test_every_locked_version_has_its_digests_and_no_place_that_it_comes_from() -> None:
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")

    assert len(locked()) == len(re.findall(r"^\w", text, re.MULTILINE))
    assert not [name for name, (_, more) in locked().items() if "--hash=sha256:" not in more]
    assert not re.search(r"https?://|--(extra-)?index-url|--find-links| @ ", text)


def test_everything_that_is_declared_has_a_lowest_version() -> None:
    assert [
        str(each) for each in required() if ">=" not in {bound.operator for bound in each.specifier}
    ] == []
