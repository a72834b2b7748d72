"""Reading nova.yaml, or refusing it with file, line and field."""

from __future__ import annotations

import pathlib
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Annotated, Any, Union

from pydantic import Field, ValidationError, create_model

from nova_acceptance.errors import SpecError
from nova_acceptance.system.base import Path
from nova_acceptance.system.component import Component
from nova_acceptance.system.model import System
from nova_acceptance.system.references import problems_in
from nova_acceptance.system.source import Problem, Source, parse

MESSAGES = {
    "extra_forbidden": "is not a known key",
    "missing": "is missing",
    "string_type": "must be text (quote it, if YAML takes it for something else)",
    "tuple_type": "must be a list",
    "dict_type": "must be a mapping",
    "model_type": "must be a mapping",
    "model_attributes_type": "must be a mapping",
    "int_type": "must be a whole number",
    "bool_type": "must be true or false",
    "union_tag_not_found": "has no kind",
}
_COMPONENTS = "components"


@cache
def model_of(kinds: tuple[type[Component], ...]) -> type[System]:
    """Return the model of a file whose components are of these kinds."""
    union: Any = Union[kinds]  # noqa: UP007 - of types that are known only now
    item: Any = Annotated[union, Field(discriminator="kind")] if len(kinds) > 1 else union
    items: Any = tuple.__class_getitem__((item, ...))
    return create_model("System", __base__=System, components=(items, ...))


def load(path: pathlib.Path, kinds: Iterable[type[Component]]) -> System:
    """Read what the system should be.

    Args:
        path: the file; messages name it as it is given here.
        kinds: the classes of the components that it may have.

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
    system, problems = _validated(source, model_of(tuple(kinds)))
    if problems or system is None:
        first, *others = [_spelled(path, problem) for problem in problems]
        raise SpecError(first, hint=f"mend {path} and try again", evidence=others)
    return system


def _validated(source: Source, model: type[System]) -> tuple[System | None, list[Problem]]:
    if source.problems:
        return None, source.problems
    try:
        system = model.model_validate(source.data)
    except ValidationError as error:
        # a key that is not known is why another one is missing, so it comes first
        details = sorted(error.errors(), key=lambda item: item["type"] != "extra_forbidden")
        return None, [_from_pydantic(source, item) for item in details]
    problems = [source.problem(path, message) for path, message in problems_in(system)]
    return system, sorted(problems, key=lambda problem: problem.line)


def _from_pydantic(source: Source, details: Any) -> Problem:
    path = tuple(_steps(details["loc"]))
    kind = details["type"]
    if kind == "string_pattern_mismatch":
        message = f"{details['input']!r} does not match {details['ctx']['pattern']}"
    elif kind == "union_tag_invalid":
        path = (*path, "kind")
        tag, known = details["ctx"]["tag"], details["ctx"]["expected_tags"]
        message = f"there is no kind {tag!r}; there are {known}"
    else:
        message = MESSAGES.get(kind, f"{details['msg'][0].lower()}{details['msg'][1:]}")
    return source.problem(path, message)


def _steps(loc: Path) -> Iterator[str | int]:
    """Yield the steps of a path as the file has them.

    pydantic marks a problem with a mapping's key by a last step "[key]", and that of a component
    by its kind as a third one; neither is a field.
    """
    for place, step in enumerate(loc):
        is_kind = place == 2 and loc[0] == _COMPONENTS  # noqa: PLR2004 - components, index, kind
        if step != "[key]" and not is_kind:
            yield step


def _spelled(path: pathlib.Path, problem: Problem) -> str:
    field = f" {problem.field}:" if problem.field else ""
    return f"{path}:{problem.line}:{field} {problem.message}"
