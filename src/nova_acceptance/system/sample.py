"""Which connections are tried of those that `reachability` names by whole namespaces.

There are as many of them as the square of the components. Where one line of nova.yaml stands for
more than `WHOLE` of them, a sample is tried: each component tries some others, `EACH` at least, and
each is tried by about as many, which are its neighbours in a circle that is drawn. What a component
uses is always tried.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from nova_acceptance.system.model import Connection, System

WHOLE: Final = 400
"""Connections of one line of `reachability` up to which all of them are tried."""
EACH: Final = 4
"""How many of the others a component tries at least."""


@dataclass(frozen=True, slots=True)
class Sample:
    """A system of which a sample of the connections is tried.

    Attributes:
        system: the system, whose `reachability` names the connections that are tried.
        named: how many connections nova.yaml names there, counted by components.
        tried: how many of them are tried.
    """

    system: System
    named: int
    tried: int


def sampled(system: System, seed: int) -> Sample:
    """Draw the connections that are tried; the same seed draws the same ones of the same system.

    Args:
        system: what nova.yaml says.
        seed: any number.
    """
    named = tried = 0
    update: dict[str, tuple[Connection, ...]] = {}
    for part in ("open", "closed"):
        kept: list[Connection] = []
        for line, connection in enumerate(getattr(system.reachability, part)):
            sources = [each.name for each in system.selected(connection.origin)]
            targets = [each.name for each in system.selected(connection.to)]
            count = len(sources) * len(targets) - len({*sources} & {*targets})
            drawn = [connection]
            if count > WHOLE:
                draw = random.Random(f"{seed} {part} {line}")  # noqa: S311 -- no secret
                pairs = _pairs(sources, targets, draw)
                drawn = [Connection.model_validate({"from": it[0], "to": it[1]}) for it in pairs]
            kept += drawn
            named += count
            tried += len(drawn) if count > WHOLE else count
        update[part] = tuple(kept)
    if named == tried:
        return Sample(system, named, tried)
    reachability = system.reachability.model_copy(update=update)
    return Sample(system.model_copy(update={"reachability": reachability}), named, tried)


def _pairs(
    sources: Sequence[str], targets: Sequence[str], draw: random.Random
) -> Iterator[tuple[str, str]]:
    """Yield who tries whom: of the targets in a circle each source takes the next few."""
    circle = draw.sample(targets, len(targets))
    each = min(max(EACH, EACH * len(targets) // len(sources)), len(targets))
    for number, source in enumerate(draw.sample(sources, len(sources))):
        begin = number * len(targets) // len(sources)
        # one more than is taken, for it may be the source itself
        near = (circle[(begin + step) % len(circle)] for step in range(min(each + 1, len(circle))))
        others = [name for name in near if name != source]
        yield from ((source, name) for name in others[:each])
