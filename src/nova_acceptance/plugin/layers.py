"""Markers by directory, the order of tests, and layers of which a run wants nothing.

Disruptive tests come last. With a hundred services a layer has thousands of tests, so one of which
`-m` certainly wants none is not even collected.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, Final

import pytest

from nova_acceptance.components.registry import kinds
from nova_acceptance.report import layer_of

MARKERS: Final = {
    "infra": "cluster, data layer and configuration: tests/infrastructure, not the disruptive ones",
    "services": "the services: tests/services, not the disruptive ones",
    "networking": "names and reachability: tests/networking, not the disruptive ones",
    "disruptive": "kills pods of the system; runs last; leave out with -m 'not disruptive'",
    "writes": "changes something, be it for a moment; not asked with --read-only; with undone=True "
    "in a transaction that nobody else sees anything of; with own=True what nobody else uses, and "
    "what is gone at its end",
    "cluster": "nodes, DNS and storage that the cluster itself brings",
    "workloads": "workloads, replicas and restarts",
    "storage": "claims, volumes, and data that must outlive a pod",
    "configuration": "ConfigMaps and Secrets",
    "security": "security posture of containers",
    "tls": "certificates",
    "dns": "names and their answers",
    "reachability": "open and closed ports between pods",
    "external": "systems outside the cluster",
    "pointless": "a test over parts that the system does not have; it is left out",
    "component(name, ...)": "the parts of the system, as reports name them, that a test is about",
}

_MARKER_OF_LAYER: Final = {
    "infrastructure": "infra",
    "services": "services",
    "networking": "networking",
}
_OF_PYTEST: Final = frozenset(
    "parametrize usefixtures filterwarnings skip skipif xfail component".split()
)

_UNWANTED: Final = pytest.StashKey[tuple[str, ...]]()
"""Where the configuration keeps the layers that are not collected."""


def register_markers(config: pytest.Config) -> None:
    """Make the markers known, so that a misspelt one is an error."""
    of_kinds = {name: said for kind in kinds() for name, said in kind.markers.items()}
    for marker, meaning in {**MARKERS, **of_kinds}.items():
        config.addinivalue_line("markers", f"{marker}: {meaning}")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave the directory of a layer alone of which `-m` wants no test."""
    directories = (_directory(config, layer) for layer in unwanted(config))
    return True if collection_path in directories else None


def unwanted(config: pytest.Config) -> tuple[str, ...]:
    """Return the layers that are not collected, since `-m` wants the tests of another one alone.

    One that the command line names is collected, and one in which a file has the other's marker.
    """
    if (known := config.stash.get(_UNWANTED, None)) is None:
        only = _only_marker(config.option.markexpr)
        known = config.stash[_UNWANTED] = tuple(
            layer
            for layer, marker in _MARKER_OF_LAYER.items()
            if only
            and marker != only
            and not _is_asked_for(_directory(config, layer), only, config)
        )
    return known


def _is_asked_for(directory: Path, marker: str, config: pytest.Config) -> bool:
    start = config.invocation_params.dir
    named = (start / argument.partition("::")[0] for argument in config.args)
    if any(path.is_relative_to(directory) for path in named):
        return True
    words = (file.read_text("utf-8", "replace") for file in directory.rglob("*.py"))
    return any(f"mark.{marker}" in text for text in words)


def _only_marker(expression: str) -> str:
    """Return the marker of a layer without which an expression selects nothing; empty if unknown.

    Source: pytest's documentation, `-m`: names joined by `and`, `or` and `not`, and parentheses.
    """
    if re.search(r"\bor\b|[()]", expression):
        return ""
    terms = re.split(r"\s+and\s+", expression.strip())
    return next((term for term in terms if term in _MARKER_OF_LAYER.values()), "")


def _directory(config: pytest.Config, layer: str) -> Path:
    return config.rootpath / "tests" / layer


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests by their directory and put disruptive ones last, otherwise in their order.

    A test over parts that the system does not have states nothing, and is left out.

    A disruptive test does not get its directory's marker: `-m infra` is a quick look at a running
    system that must not disturb it.
    """
    items[:] = [item for item in items if not item.get_closest_marker("pointless")]
    for item in items:
        marker = _MARKER_OF_LAYER.get(layer_of(item.nodeid))
        if marker and not is_disruptive(item):
            item.add_marker(marker)
        if _changes(item) and not item.get_closest_marker("writes"):
            item.add_marker("writes")
    items.sort(key=is_disruptive)


def is_disruptive(item: pytest.Item) -> bool:
    """Tell whether a test disturbs the system that others look at."""
    return item.get_closest_marker("disruptive") is not None


def _changes(item: pytest.Item) -> bool:
    """Whether a test disturbs the system, or runs over a check that writes."""
    parameters = getattr(getattr(item, "callspec", None), "params", {})
    return is_disruptive(item) or any(
        getattr(value, "writes", False) is True for value in parameters.values()
    )


def description(item: pytest.Item) -> dict[str, Any]:
    """Return what a report says of a test, whatever becomes of it."""
    doc = getattr(getattr(item, "obj", None), "__doc__", None) or ""
    names = dict.fromkeys(marker.name for marker in item.iter_markers())
    return {
        "nodeid": item.nodeid,
        "layer": layer_of(item.nodeid),
        "markers": sorted(name for name in names if name not in _OF_PYTEST),
        "subjects": sorted(set(_subjects(item))),
        "doc": doc.strip().split("\n", 1)[0].strip(),
    }


def _subjects(item: pytest.Item) -> Iterator[str]:
    for marker in item.iter_markers("component"):
        yield from (str(name) for name in marker.args)
    parameters = getattr(getattr(item, "callspec", None), "params", {})
    for value in parameters.values():
        yield from _names(value)


def _names(value: object) -> Iterator[str]:
    """Yield the names that a parameter holds: its own and those of the parts it is made of."""
    name = value if isinstance(value, str) else getattr(value, "name", None)
    if isinstance(name, str):
        yield str(name)  # a phrase could not travel from a worker
    if is_dataclass(value):
        for part in fields(value):
            yield from _names(getattr(value, part.name))
