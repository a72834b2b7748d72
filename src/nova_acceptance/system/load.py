"""Reading nova.yaml, or refusing it with file, line and field."""

from __future__ import annotations

import pathlib
from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError

from nova_acceptance.errors import SpecError
from nova_acceptance.system.model import System
from nova_acceptance.system.references import findings
from nova_acceptance.system.source import Path, Problem, Source, parse

MESSAGES = {
    "extra_forbidden": "is not a known key",
    "missing": "is missing",
    "string_type": "must be text (quote it, if YAML takes it for something else)",
    "tuple_type": "must be a list",
    "dict_type": "must be a mapping",
    "model_type": "must be a mapping",
    "int_type": "must be a whole number",
    "bool_type": "must be true or false",
}


def load(path: pathlib.Path) -> System:
    """Read what the system should be.

    Args:
        path: the file; messages name it as it is given here.

    Raises:
        SpecError: it cannot be read, or is wrong. The message is `file:line: field: what`, for the
            first problem; the evidence lists the others.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise SpecError(
            f"{path}: cannot be read: {reason}",
            hint="name another file with --spec, or run from the repository's root",
        ) from error
    source = parse(text)
    system, problems = _validated(source)
    if problems or system is None:
        first, *others = [_spelled(path, problem) for problem in problems]
        raise SpecError(first, hint=f"mend {path} and try again", evidence=others)
    return system


def _validated(source: Source) -> tuple[System | None, list[Problem]]:
    if source.problems:
        return None, source.problems
    try:
        system = System.model_validate(source.data)
    except ValidationError as error:
        # a key that is not known is why another one is missing, so it comes first
        details = sorted(error.errors(), key=lambda item: item["type"] != "extra_forbidden")
        return None, [_from_pydantic(source, item) for item in details]
    problems = [source.problem(path, message) for path, message in findings(system)]
    return system, sorted(problems, key=lambda problem: problem.line)


def _from_pydantic(source: Source, details: Any) -> Problem:
    path = tuple(_steps(details["loc"]))
    kind = details["type"]
    if kind == "string_pattern_mismatch":
        message = f"{details['input']!r} does not match {details['ctx']['pattern']}"
    else:
        message = MESSAGES.get(kind, f"{details['msg'][0].lower()}{details['msg'][1:]}")
    return source.problem(path, message)


def _steps(loc: Path) -> Iterator[str | int]:
    # pydantic marks a problem with a mapping's key by a last step "[key]", which is no field.
    for step in loc:
        if step != "[key]":
            yield step


def _spelled(path: pathlib.Path, problem: Problem) -> str:
    field = f" {problem.field}:" if problem.field else ""
    return f"{path}:{problem.line}:{field} {problem.message}"
