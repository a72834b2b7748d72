"""What an error says of its cause, by whichever kind of component it is from."""

from __future__ import annotations

from collections.abc import Iterator

from nova_acceptance.components.registry import answers
from nova_acceptance.errors import PodProbeError
from nova_acceptance.findings import Finding, Ref


def of_error(error: BaseException) -> Finding | None:
    """Return what an error shows, or what led to it; None where it names nothing."""
    for each in _behind(error):
        if found := _of_one(each):
            return found
    return None


def pods_of_error(error: BaseException) -> Iterator[Ref]:
    """Yield the pods from inside which something could not be asked."""
    for each in _behind(error):
        if isinstance(each, PodProbeError):
            yield Ref("Pod", each.namespace, each.pod)


def _of_one(error: BaseException) -> Finding | None:
    carried: Finding | None = getattr(error, "shown", None)
    return carried or next(filter(None, (each(error) for each in answers())), None)


def _behind(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and those that led to it, the last one first."""
    seen: set[int] = set()
    at: BaseException | None = error
    while at is not None and id(at) not in seen:
        seen.add(id(at))
        yield at
        at = at.__cause__ or (None if at.__suppress_context__ else at.__context__)
