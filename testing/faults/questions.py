"""Whether a fault is in: what is asked of the live system, and waited for."""

from __future__ import annotations

import re
import time
from typing import Any, Final

from nova_acceptance.errors import NovaError
from testing.faults.fault import FieldOf, Question
from testing.faults.ground import Ground, GroundError

SHOWN_WITHIN: Final = 90.0
"""Seconds from the break until it shows; a node is given up after 40 s."""
PAUSE: Final = 0.5
"""Seconds between two looks."""


def await_shown(ground: Ground, question: Question) -> None:
    """Ask until the answer says what the fault's file wants it to say.

    Raises:
        GroundError: it does not, in time.
    """
    deadline = time.monotonic() + SHOWN_WITHIN
    while True:
        try:
            answer = ask(ground, question)
        except NovaError as error:
            answer = str(error)
        if re.search(question.says, answer):
            return
        if time.monotonic() > deadline:
            raise GroundError(
                f"the fault does not show: the answer does not hold {question.says!r}",
                evidence=answer.splitlines()[-3:],
            )
        time.sleep(PAUSE)


def ask(ground: Ground, question: Question) -> str:
    """Ask once; of several pods or nodes the answers are lines."""
    if question.object:
        return _field(ground, question.object)
    if question.sql:
        asked = question.sql
        pods = ground.members(asked.at)
        return "\n".join(
            ground.psql(pod, asked.database, each) for pod in pods for each in asked.do
        )
    if question.redis:
        return ground.redis(question.redis)
    if question.exec:
        pods = ground.pods(question.exec.pods)
        return "\n".join(ground.run_in(pod, question.exec.do) for pod in pods)
    if question.node:
        nodes = [ground.node_of(pod) for pod in ground.pods(question.node.of)]
        return "\n".join(line for node in nodes for line in ground.run_on(node, question.node.do))
    raise GroundError("nothing is asked")


def _field(ground: Ground, field: FieldOf) -> str:
    name = ground.node_of(ground.pods(field.of)[0]) if field.of else field.name
    found = ground.get(field.kind, field.namespace, name)
    return "absent" if found is None else str(value_at(found, field.path))


def value_at(obj: Any, path: str) -> Any:
    """Return the value at a path of keys, numbers, and types or names of a list's items.

    A dot within a key has a backslash before it. "absent" where there is nothing, so that an
    absence can be asked for as well.
    """
    for step in (part.replace("\\.", ".") for part in re.split(r"(?<!\\)\.", path)):
        if isinstance(obj, dict):
            obj = obj.get(step)
        elif isinstance(obj, list) and step.isdigit():
            obj = obj[int(step)] if int(step) < len(obj) else None
        elif isinstance(obj, list):
            obj = next((i for i in obj if step in (i.get("type"), i.get("name"))), None)
        if obj is None:
            return "absent"
    return obj
