"""The files of manifests/ as they are written."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from nova_acceptance.deploy.credentials import Credentials
from testing.unit.manifests.conftest import MANIFESTS, OVERLAYS

YAML_FILES = sorted(MANIFESTS.rglob("*.yaml"))
DEPRECATED = {"bases", "commonLabels", "patchesStrategicMerge", "patchesJson6902", "vars"}
PASSWORD = re.compile(r"(?i)password$")


class StrictLoader(yaml.SafeLoader):
    """Refuses what YAML lets pass: a key that is there twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        twice = {key for key in keys if keys.count(key) > 1}
        if twice:
            raise yaml.YAMLError(f"{node.start_mark}: twice: {sorted(twice)}")
        return super().construct_mapping(node, deep)


def documents(path: Path) -> list[Any]:
    return list(yaml.load_all(path.read_text(), StrictLoader))


def short(path: Path) -> str:
    return str(path.relative_to(MANIFESTS))


@pytest.mark.parametrize("path", YAML_FILES, ids=short)
def test_file_is_yaml_without_duplicate_keys(path: Path) -> None:
    assert documents(path)


def test_strict_loader_refuses_a_duplicate_key() -> None:
    with pytest.raises(yaml.YAMLError, match="twice"):
        yaml.load("a: 1\na: 2\n", StrictLoader)  # noqa: S506 - it is a SafeLoader


@pytest.mark.parametrize("path", sorted(MANIFESTS.rglob("kustomization.yaml")), ids=short)
def test_kustomization_has_no_deprecated_field(path: Path) -> None:
    assert not DEPRECATED & documents(path)[0].keys()


@pytest.mark.parametrize("path", sorted(MANIFESTS.rglob("kustomization.yaml")), ids=short)
def test_kustomization_names_only_files_that_are_there(path: Path) -> None:
    content = documents(path)[0]
    named = [*content.get("resources", ()), *content.get("components", ())]

    assert not [name for name in named if not (path.parent / name).exists()]


def test_every_overlay_is_among_those_that_are_rendered() -> None:
    there = {path.parent.name for path in MANIFESTS.glob("overlays/*/kustomization.yaml")}

    assert there == set(OVERLAYS)


def secrets() -> Iterator[tuple[Path, dict[str, Any]]]:
    for path in YAML_FILES:
        for doc in documents(path):
            if isinstance(doc, dict) and doc.get("kind") == "Secret":
                yield path, doc


def test_secrets_hold_placeholders_in_the_place_of_passwords() -> None:
    assert len(list(secrets())) == 7
    for path, secret in secrets():
        assert "data" not in secret, path
        for key, value in secret["stringData"].items():
            if key.endswith("PASSWORD"):
                assert re.fullmatch(r"\{[a-z_]+\}", value), f"{path}: {key}"
            if "@" in value:
                assert re.search(r":\{[a-z_]+\}@", value), f"{path}: {key}"


@pytest.mark.parametrize("path", YAML_FILES, ids=short)
def test_no_password_is_given_by_value(path: Path) -> None:
    """Neither as a key's value nor as a container's variable."""
    for doc in documents(path):
        for key, value in pairs(doc):
            is_value = isinstance(value, str) and not value.startswith("{")
            assert not (PASSWORD.search(key) and is_value), f"{path}: {key}"


def pairs(node: Any) -> Iterator[tuple[str, Any]]:
    """Yield keys with their values, and named variables with theirs, at any depth."""
    if isinstance(node, dict):
        yield from node.items()
        if "value" in node and "name" in node:
            yield str(node["name"]), node["value"]
    for child in node.values() if isinstance(node, dict) else node:
        if isinstance(child, dict | list):
            yield from pairs(child)


def test_sql_takes_passwords_from_variables_only() -> None:
    for path in MANIFESTS.rglob("*.sql"):
        statements = re.sub(r"--.*", "", path.read_text())
        given = re.findall(r"\bPASSWORD\s+(\S+)", statements)
        assert all(value.startswith(":'") for value in given), path


def test_generated_credentials_are_in_no_file_of_the_tree(credentials: Credentials) -> None:
    text = "\n".join(p.read_text() for p in MANIFESTS.rglob("*") if p.is_file())

    assert not [value for value in credentials.values() if value in text]
