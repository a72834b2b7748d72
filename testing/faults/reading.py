"""The catalogue's files, read or refused with file, line and field."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from nova_acceptance.errors import UsageError
from nova_acceptance.system.load import MESSAGES
from nova_acceptance.system.source import Problem, parse
from testing.faults.fault import Fault

CATALOGUE: Final = Path(__file__).with_name("catalogue")
ORDER: Final = (
    "storage scheduling images startup normal services configuration network dns redis postgres "
    "etcd nodes api"
).split()
"""Families in the order of a run; what disturbs most comes last."""


def read_fault(path: Path) -> Fault:
    """Read one fault; its name is the file's, its family the directory's.

    Raises:
        UsageError: the file is wrong; the message is `file:line: field: what`.
    """
    source = parse(path.read_text(encoding="utf-8"))
    problems = list(source.problems)
    if not problems and not isinstance(source.data, dict):
        problems = [source.problem((), "must be a mapping")]
    if not problems:
        try:
            named = {"name": path.stem, "family": path.parent.name, **source.data}
            return Fault.model_validate(named)
        except ValidationError as error:
            problems = [_problem(source.problem, item) for item in error.errors()]
    first, *others = [_spelled(path, problem) for problem in problems]
    raise UsageError(first, evidence=others, hint="testing/faults/fault.py has every field")


def read_catalogue(directory: Path = CATALOGUE) -> list[Fault]:
    """Read every fault, in the order of a run.

    Raises:
        UsageError: there is none, a file is wrong, a family is none of `ORDER`, or two faults have
            one name, by which their records are kept.
    """
    faults = [read_fault(path) for path in sorted(directory.glob("*/*.yaml"))]
    if not faults:
        raise UsageError(f"{directory} holds no fault", hint="a fault is <family>/<name>.yaml")
    names = [fault.name for fault in faults]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise UsageError(f"{directory}: there are two faults {', '.join(twice)}")
    strangers = sorted({fault.family for fault in faults} - set(ORDER))
    if strangers:
        raise UsageError(f"{directory}: {', '.join(strangers)}: there is no such family")
    return sorted(faults, key=lambda fault: (ORDER.index(fault.family), _place(fault), fault.name))


def chosen(
    faults: Iterable[Fault], names: Iterable[str], family: str = "", *, every: bool = False
) -> list[Fault]:
    """Return the faults of these names (patterns) and this family.

    Where nothing is named these are all but those that are run seldom; with `every` those, too.

    Raises:
        UsageError: a name fits no fault.
    """
    of_family = [fault for fault in faults if family in ("", fault.family)]
    patterns = tuple(names)
    for pattern in patterns:
        if not any(_fits(fault, pattern) for fault in of_family):
            raise UsageError(f"there is no fault {pattern}", hint="see `--list`")
    if family and not of_family:
        raise UsageError(f"there is no family {family}", hint=f"there are: {', '.join(ORDER)}")
    if not patterns:
        return [fault for fault in of_family if every or family or not fault.seldom]
    return [fault for fault in of_family if any(_fits(fault, pattern) for pattern in patterns)]


def _fits(fault: Fault, pattern: str) -> bool:
    """Whether a pattern fits a fault's name, as it is or as lists have it, after its family."""
    return fnmatchcase(fault.name, pattern) or fnmatchcase(f"{fault.family}/{fault.name}", pattern)


def check_causes(faults: Iterable[Fault], known: Collection[str]) -> None:
    """See that every cause that a fault names exists.

    Raises:
        UsageError: one does not.
    """
    for fault in faults:
        named = (fault.expect.cause, *fault.expect.also) if fault.expect else ()
        if unknown := sorted(set(named) - set(known)):
            raise UsageError(
                f"{fault.family}/{fault.name}.yaml: expect: there is no cause {', '.join(unknown)}",
                hint="docs/diagnosis.md lists the causes",
            )


def _place(fault: Fault) -> int:
    """What a preflight stops comes first, then the live ones, then what is deployed."""
    if fault.deploy is None:
        return 1
    return 2 if fault.deploy.writes else 0


def _problem(problem: Any, details: Any) -> Problem:
    path = tuple(step for step in details["loc"] if step != "[key]")
    message = MESSAGES.get(details["type"], details["msg"].removeprefix("Value error, "))
    found: Problem = problem(path, message)
    return found


def _spelled(path: Path, problem: Problem) -> str:
    field = f" {problem.field}:" if problem.field else ""
    return f"{path}:{problem.line}:{field} {problem.message}"
