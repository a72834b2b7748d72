"""A check: one fact, stated once, as what is wrong where it does not hold.

A check is a function from what was seen (a snapshot of the API, a client's answers) to findings. It
is named by what it finds, so that its use reads as the fact: `assert unready_nodes(seen) == []`.
The acceptance test asserts that it finds nothing, rules run it over all that a snapshot holds, and
another package lists it among the checks of its kind.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import wraps
from typing import ParamSpec

from nova_acceptance.findings import Finding

P = ParamSpec("P")


def check(finds: Callable[P, Iterable[Finding]]) -> Callable[P, list[Finding]]:
    """Make a check of a function that yields findings: called, it returns all of them."""

    @wraps(finds)
    def found(*args: P.args, **kwargs: P.kwargs) -> list[Finding]:
        return list(finds(*args, **kwargs))

    return found
