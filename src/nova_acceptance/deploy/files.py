"""Objects from plain YAML and JSON: one file, or all those of a directory, in any order."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from nova_acceptance.errors import RenderError
from nova_acceptance.kube import Object, describe

SUFFIXES: Final = (".yaml", ".yml", ".json")
_OF_PODS: Final = frozenset({"DaemonSet", "Deployment", "ReplicaSet", "StatefulSet"})
KUSTOMIZATIONS: Final = ("kustomization.yaml", "kustomization.yml", "Kustomization")
_CHART: Final = "Chart.yaml"
_QUOTED: Final = re.compile(r"'[^'<]{2,}'")

_Base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Loader(_Base):  # type: ignore[misc]
    """Reads YAML as kubectl does.

    `2026-01-01`, `12:30` and `=` stay strings there, which PyYAML takes for a date, a number to
    the base of 60 and something that it cannot make.
    """


def _resolvers() -> dict[str, list[tuple[str, re.Pattern[str]]]]:
    number = re.compile(
        r"[-+]?(0b[01_]+|0[0-7_]+|0x[0-9a-fA-F_]+|0|[1-9][0-9_]*)$",
    )
    fraction = re.compile(
        r"([-+]?[0-9][0-9_]*\.[0-9_]*([eE][-+]?[0-9]+)?|[-+]?\.[0-9][0-9_]*([eE][-+]?[0-9]+)?"
        r"|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN))$"
    )
    ours = {"tag:yaml.org,2002:int": number, "tag:yaml.org,2002:float": fraction}
    dropped = ("tag:yaml.org,2002:timestamp", "tag:yaml.org,2002:value")
    return {
        first: [(tag, ours.get(tag, pattern)) for tag, pattern in known if tag not in dropped]
        for first, known in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


Loader.yaml_implicit_resolvers = _resolvers()


@dataclass(frozen=True, slots=True)
class Document:
    """One object, and where it is written.

    Attributes:
        content: the object.
        file: the file.
        line: the line on which it begins, counted from 1.
    """

    content: Object
    file: Path
    line: int

    @property
    def place(self) -> str:
        """File and line, as editors and terminals take them."""
        return f"{self.file}:{self.line}"


def read_objects(path: Path) -> list[Object]:
    """Return the objects of a file, or of all YAML and JSON files below a directory.

    Lists are expanded and empty documents left out. What begins with a dot is not looked at.

    Raises:
        RenderError: something in there is no object, or one is there twice; with file and line.
    """
    documents = [document for file in _files(path) for document in read_file(file)]
    if not documents:
        raise RenderError(
            f"there is no object in {path}",
            hint=f"name a kustomization, or where files are that end in {', '.join(SUFFIXES)}",
        )
    _refuse_twice(documents)
    return [document.content for document in documents]


def read_file(file: Path) -> Iterator[Document]:
    """Yield the objects of one file.

    Raises:
        RenderError: it is not YAML or JSON, or holds something that is no object.
    """
    try:
        text = file.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise RenderError(f"{file} cannot be read", evidence=[str(error)]) from error
    for content, line in _json(text, file) if file.suffix == ".json" else _yaml(text, file):
        yield from _expanded(content, file, line)


def key_of(obj: Object) -> tuple[str, str, str, str]:
    """Return what no two objects of a cluster share: group, kind, namespace and name."""
    group, slash, _ = obj["apiVersion"].partition("/")
    metadata = obj["metadata"]
    return group if slash else "", obj["kind"], metadata.get("namespace") or "", metadata["name"]


def _files(path: Path) -> Iterator[Path]:
    if not path.is_dir():
        yield path
        return
    found = [
        each
        for each in sorted(path.rglob("*"))
        if each.is_file() and not any(part.startswith(".") for part in each.relative_to(path).parts)
    ]
    if kustomizations := [str(each.parent) for each in found if each.name in KUSTOMIZATIONS]:
        raise RenderError(
            f"{path} is no kustomization, and holds some: {', '.join(kustomizations)}",
            hint="name one of them",
        )
    for each in found:
        if each.name == _CHART:
            raise RenderError(
                f"{each.parent} is a chart of Helm, and not yet manifests",
                hint="write its objects into a file by `helm template`, and name that",
            )
    yield from (each for each in found if each.suffix in SUFFIXES)


def _yaml(text: str, file: Path) -> Iterator[tuple[Any, int]]:
    loader = Loader(text)
    try:
        while loader.check_node():
            node = loader.get_node()
            yield loader.construct_document(node), node.start_mark.line + 1
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        # What it quotes may be a password.
        said = _QUOTED.sub("'…'", error.problem or "it is not YAML")
        raise RenderError(f"{file}:{line}: {said}", hint="correct the YAML there") from None
    except yaml.YAMLError as error:
        raise RenderError(f"{file}: {error}", hint="it has to be YAML in UTF-8") from None
    finally:
        loader.dispose()


def _json(text: str, file: Path) -> Iterator[tuple[Any, int]]:
    try:
        if text.strip():
            yield json.loads(text), 1
    except json.JSONDecodeError as error:
        place = f"{file}:{error.lineno}"
        raise RenderError(f"{place}: {error.msg}", hint="correct the JSON there") from None


def _expanded(content: Any, file: Path, line: int) -> Iterator[Document]:
    """Yield a document's object, or those of the list that it is."""
    if content is None:
        return
    place = f"{file}:{line}"
    if not isinstance(content, dict) or not _are_words(content, "apiVersion", "kind"):
        raise RenderError(
            f"{place}: no object of Kubernetes, which has apiVersion and kind",
            hint="manifests alone may be below the path that is named",
        )
    kind = str(content["kind"])
    if kind == "List" or (kind.endswith("List") and "items" in content):
        # The entries of a list of one kind need not say which that is.
        typed = {"apiVersion": content["apiVersion"], "kind": kind.removesuffix("List")}
        for item in content.get("items") or ():
            is_typed = isinstance(item, dict) and typed["kind"]
            yield from _expanded({**typed, **item} if is_typed else item, file, line)
        return
    if not isinstance(content.get("metadata"), dict) or not _are_words(content["metadata"], "name"):
        raise RenderError(
            f"{place}: {kind} without metadata.name",
            hint="write one: what only has generateName would be another object at every run",
        )
    if kind in _OF_PODS and not isinstance((content.get("spec") or {}).get("template"), dict):
        raise RenderError(
            f"{place}: {describe(content)} is not a whole object",
            hint="it has no template for its pods, as a patch has none; name the kustomization",
        )
    yield Document(content, file, line)


def _are_words(content: Object, *fields: str) -> bool:
    return all(isinstance(content.get(field), str) and content[field] for field in fields)


def _refuse_twice(documents: list[Document]) -> None:
    seen: dict[tuple[str, str, str, str], Document] = {}
    for document in documents:
        first = seen.setdefault(key_of(document.content), document)
        if first is not document:
            raise RenderError(
                f"{describe(document.content)} is there twice",
                hint="take one of the two out",
                evidence=[first.place, document.place],
            )
