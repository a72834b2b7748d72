"""YAML as a person would write it: short things on one line, comments above what they are about."""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import yaml

from nova_acceptance.system.base import Path

WIDTH: Final = 100
_PLAIN: Final = re.compile(r"[A-Za-z0-9_./*][A-Za-z0-9_./ +*-]*")

Comments = Mapping[Path, Sequence[str]]


def emit(data: Mapping[str, Any], comments: Comments, head: Sequence[str] = ()) -> str:
    """Return a document.

    Args:
        data: mappings, lists, and plain values, as deep as they like.
        comments: by the path of what each stands above.
        head: lines at the top.
    """
    lines = [*_commented(head, 0)]
    for key, value in data.items():
        if lines:
            lines.append("")
        lines += _field(key, value, 0, (key,), comments)
    return "\n".join(lines) + "\n"


def comment_lines(text: str, indent: int) -> list[str]:
    """Return a comment, wrapped."""
    room = WIDTH - indent - 2
    hanging = "  " if text.startswith("- ") else ""
    wrapped = textwrap.wrap(
        text, room, subsequent_indent=hanging, break_long_words=False, break_on_hyphens=False
    )
    return [f"{' ' * indent}# {line}" for line in wrapped]


def scalar(value: Any) -> str:
    """Return a plain value, quoted where YAML would take it for something else."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str):
        return str(value)
    is_plain = _PLAIN.fullmatch(value) and not value.endswith(" ")
    if is_plain and value != "*" and yaml.safe_load(value) == value:
        return value
    return json.dumps(value, ensure_ascii=False)


def _commented(texts: Sequence[str], indent: int) -> Iterator[str]:
    for text in texts:
        yield from comment_lines(text, indent) if text else ["#"]


def _field(key: str, value: Any, indent: int, path: Path, comments: Comments) -> Iterator[str]:
    yield from _commented(comments.get(path, ()), indent)
    name = f"{' ' * indent}{scalar(key)}:"
    if not isinstance(value, Mapping | list | tuple):
        yield f"{name} {scalar(value)}"
    elif _is_short(value, path, comments) and len(name) + 1 + len(_flow(value)) <= WIDTH:
        yield f"{name} {_flow(value)}"
    else:
        yield name
        yield from _block(value, indent + 2, path, comments)


def _block(
    value: Mapping[str, Any] | Sequence[Any], indent: int, path: Path, comments: Comments
) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _field(key, item, indent, (*path, key), comments)
        return
    parted = len(path) == 1 and any(isinstance(each, Mapping) for each in value)
    is_long = False
    for index, item in enumerate(value):
        at = (*path, index)
        lines = list(_item(item, indent, at, comments))
        remarks = list(_commented(comments.get(at, ()), indent))
        if index and parted and (is_long or len(lines) > 1) and path[0] == "components":
            yield ""
        is_long = len(lines) > 1
        yield from (*remarks, *lines)


def _item(item: Any, indent: int, path: Path, comments: Comments) -> Iterator[str]:
    dash = " " * indent + "- "
    if not isinstance(item, Mapping | list | tuple):
        yield f"{dash}{scalar(item)}"
    elif _is_short(item, path, comments) and len(dash) + len(_flow(item)) <= WIDTH:
        is_one = isinstance(item, Mapping) and len(item) == 1
        yield f"{dash}{_flow(item).strip('{}')}" if is_one else f"{dash}{_flow(item)}"
    else:
        lines = list(_block(item, indent + 2, path, comments))
        # a comment above the first field stands above the dash
        first = next(i for i, line in enumerate(lines) if not line.lstrip().startswith("#"))
        yield from (line[2:] for line in lines[:first])
        yield dash + lines[first].lstrip()
        yield from lines[first + 1 :]


def _is_short(value: Any, path: Path, comments: Comments) -> bool:
    """Whether a value may stand on one line: nothing in it has a comment or is a list of parts."""
    depth = len(path)
    if any(len(other) > depth and other[:depth] == path for other in comments):
        return False
    items = value.values() if isinstance(value, Mapping) else value
    if isinstance(value, Mapping):
        return not any(_is_of_parts(each) for each in items)
    return all(not isinstance(each, Mapping) or len(each) == 1 for each in items)


def _is_of_parts(value: Any) -> bool:
    """Whether a value is a list of mappings, or has one in it."""
    if isinstance(value, Mapping):
        return any(_is_of_parts(each) for each in value.values())
    return isinstance(value, list | tuple) and any(isinstance(each, Mapping) for each in value)


def _flow(value: Any) -> str:
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{scalar(key)}: {_flow(item)}' for key, item in value.items())}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_flow, value))}]"
    text = scalar(value)
    return json.dumps(value) if isinstance(value, str) and re.search(r"[,\[\]{}]", text) else text
