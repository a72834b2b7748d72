"""Secrets that are written as manifests, with a `{placeholder}` in the place of each password.

A key whose value is `"{name}"` alone is the home of the credential `name`: from there it is read
back of a cluster. Any other value may build it into something longer, such as a URL.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote

import yaml

from nova_acceptance.deploy.files import KUSTOMIZATIONS
from nova_acceptance.errors import RenderError

_PLACEHOLDER: Final = re.compile(r"\{([a-z][a-z0-9_]*)\}")
_SECRET: Final = re.compile(r"^kind: Secret$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Value:
    """A value with placeholders.

    Attributes:
        key: its key in the Secret.
        text: the value, as it is written.
        start: where it begins in the file, in characters.
        end: where it ends.
    """

    key: str
    text: str
    start: int
    end: int

    @property
    def home_of(self) -> str:
        """The credential that the value is and nothing else; empty where there is more to it."""
        alone = _PLACEHOLDER.fullmatch(self.text)
        return alone[1] if alone else ""

    @property
    def names(self) -> list[str]:
        """The credentials that it wants."""
        return _PLACEHOLDER.findall(self.text)

    def filled(self, passwords: Mapping[str, str]) -> str:
        """Return the value with its credentials; within more of it they are percent-encoded."""
        if self.home_of:
            return passwords[self.home_of]
        return _PLACEHOLDER.sub(lambda match: quote(passwords[match[1]], safe=""), self.text)


@dataclass(frozen=True, slots=True)
class Template:
    """A Secret with placeholders.

    Attributes:
        path: the file that holds it, maybe among other objects.
        namespace: where it belongs, by itself or by the kustomization beside it.
        name: the Secret's name.
        values: those of its values that have placeholders.
    """

    path: Path
    namespace: str
    name: str
    values: tuple[Value, ...]


def templates(manifests: Path) -> list[Template]:
    """Return the Secrets below a directory that have placeholders.

    Raises:
        RenderError: a file cannot be read, or a credential has no home.
    """
    found = [
        template
        for path in sorted(manifests.rglob("*.yaml"))
        if _SECRET.search(text := path.read_text("utf-8"))
        for template in _templates_in(path, text)
    ]
    homes = {value.home_of for template in found for value in template.values}
    for template in found:
        lost = {name for value in template.values for name in value.names} - homes
        if lost:
            raise RenderError(
                f"{template.path}: no Secret holds {', '.join(sorted(lost))} by itself",
                hint="correct the name; in a copy that is filled in already, begin with a new copy",
            )
    return found


def fill(found: Sequence[Template], passwords: Mapping[str, str]) -> None:
    """Write credentials into the files of templates, which are for their owner alone after it.

    Raises:
        RenderError: a template wants a credential that is not here.
    """
    by_path: dict[Path, list[Value]] = {}
    for template in found:
        missing = {name for value in template.values for name in value.names} - passwords.keys()
        if missing:
            wanted = ", ".join(sorted(missing))
            raise RenderError(f"{template.path} wants credentials that there are none of: {wanted}")
        by_path.setdefault(template.path, []).extend(template.values)
    for path, values in by_path.items():
        text = path.read_text("utf-8")
        # From the last to the first, so that what comes before stays where it is.
        for value in sorted(values, key=lambda value: value.start, reverse=True):
            written = text[value.start : value.end]
            rest = written[len(written.rstrip()) :]
            filled = json.dumps(value.filled(passwords))
            text = f"{text[: value.start]}{filled}{rest}{text[value.end :]}"
        write_privately(path, text)


def write_privately(path: Path, text: str) -> None:
    """Write a file that nobody but its owner may read."""
    path.touch(mode=0o600)
    path.chmod(0o600)
    path.write_text(text, "utf-8")


def namespace_of(directory: Path) -> str:
    """Return the namespace that the kustomization of a directory puts objects into, or nothing."""
    for name in KUSTOMIZATIONS:
        if (directory / name).is_file():
            content = yaml.safe_load((directory / name).read_text("utf-8")) or {}
            return str(content.get("namespace") or "")
    return ""


def _templates_in(path: Path, text: str) -> Iterator[Template]:
    try:
        documents = list(yaml.compose_all(text, yaml.SafeLoader))
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise RenderError(
            f"{path}:{line}: {error.problem}", hint="correct the YAML there"
        ) from None
    for document in documents:
        fields = _fields(document)
        if _text(fields.get("kind")) != "Secret":
            continue
        metadata = _fields(fields.get("metadata"))
        values = tuple(_values(path, _fields(fields.get("stringData"))))
        if values:
            namespace = _text(metadata.get("namespace")) or namespace_of(path.parent)
            yield Template(path, namespace, _text(metadata.get("name")), values)


def _values(path: Path, fields: Mapping[str, yaml.Node]) -> Iterator[Value]:
    for key, node in fields.items():
        if not isinstance(node, yaml.ScalarNode):
            line = node.start_mark.line + 1
            raise RenderError(
                f"{path}:{line}: the value of {key} is no text",
                hint='a placeholder that stands alone needs quotes: "{redis_password}"',
            )
        if _PLACEHOLDER.search(node.value):
            yield Value(key, node.value, node.start_mark.index, node.end_mark.index)


def _fields(node: yaml.Node | None) -> dict[str, yaml.Node]:
    if not isinstance(node, yaml.MappingNode):
        return {}
    return {_text(key): value for key, value in node.value}


def _text(node: yaml.Node | None) -> str:
    return str(node.value) if isinstance(node, yaml.ScalarNode) else ""
