"""YAML as plain data that remembers on which line each field stands."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Any, Final

import yaml

Path = tuple[str | int, ...]

_FAST: Final[type[yaml.SafeLoader]] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The loader that is written in C, where PyYAML has it."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with the file.

    Attributes:
        line: counted from 1.
        field: where in the document, as `services[2].port`; empty for the document itself.
        message: what is wrong with it.
    """

    line: int
    field: str
    message: str


@dataclass
class Source:
    """A YAML document: its data, the line of each field, and the keys that are there twice."""

    data: Any = None
    lines: dict[Path, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def line(self, path: Path) -> int:
        """Return the line of `path`, or of the nearest field around it."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)

    def problem(self, path: Path, message: str) -> Problem:
        """Return a problem with the field at `path`."""
        return Problem(self.line(path), spell(path), message)


def spell(path: Path) -> str:
    """Return a path as a person writes it: `services[2].port`."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).lstrip(
        "."
    )


def parse(text: str) -> Source:
    """Read one YAML document.

    Sequences become tuples, so that the data can be frozen. Syntax errors and keys that occur
    twice (which YAML 1.2, section 3.2.1.3, forbids and most readers swallow) are kept as problems.
    """
    try:
        return _parsed(text, _FAST)
    except yaml.YAMLError:
        return _read(text)  # it says more of what is wrong, and takes ten times as long


def _parsed(text: str, kind: type[yaml.SafeLoader]) -> Source:
    source = Source()
    loader = kind(text)
    try:
        node = loader.get_single_node()
        if node is not None:
            source.data = _construct(source, loader, node, ())
    finally:
        loader.dispose()
    return source


def _read(text: str) -> Source:
    source = Source()
    try:
        return _parsed(text, yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        source.problems.append(Problem(line, "", error.problem or "not valid YAML"))
    except yaml.YAMLError as error:
        source.problems.append(Problem(1, "", f"not valid YAML: {error}"))
    return source


def _construct(source: Source, loader: yaml.SafeLoader, node: yaml.Node, path: Path) -> Any:
    source.lines.setdefault(path, node.start_mark.line + 1)
    if isinstance(node, yaml.SequenceNode):
        return tuple(
            _construct(source, loader, child, (*path, index))
            for index, child in enumerate(node.value)
        )
    if not isinstance(node, yaml.MappingNode):
        return loader.construct_object(node)
    loader.flatten_mapping(node)
    mapping: dict[Hashable, Any] = {}
    for key_node, value_node in node.value:
        line = key_node.start_mark.line + 1
        if not isinstance(key_node, yaml.ScalarNode):
            source.problems.append(Problem(line, spell(path), "a key must be a plain word"))
            continue
        key = loader.construct_object(key_node)
        inner = (*path, str(key))
        if key in mapping:
            source.problems.append(Problem(line, spell(inner), "is there twice"))
        source.lines[inner] = line
        mapping[key] = _construct(source, loader, value_node, inner)
    return mapping
