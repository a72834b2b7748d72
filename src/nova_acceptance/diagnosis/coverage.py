"""What an account of a cluster rests on: what was looked at and asked, and what was not.

That nothing is known to be wrong says as much as the questions that were asked, so that no account
ends without them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from nova_acceptance.kube import forbidden
from nova_acceptance.kube.snapshot import EVERYWHERE, Snapshot

COMPONENTS: Final = ""
"""The topic of components that are asked by their own protocols: each is told by its name."""
_NAMES: Final = 4
"""Names of a topic that are told before the others are counted."""
_LOG: Final = "log of "


@dataclass(frozen=True, slots=True)
class Topic:
    """One thing that could be asked by protocol.

    Attributes:
        kind: what it is one of, in the plural, such as `URLs`; `COMPONENTS` for a component.
        name: which of them.
    """

    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class Unasked:
    """What was not asked, or not to its end.

    Attributes:
        topic: what it is about.
        why: the reason, in some words.
        was_begun: whether some of its questions were answered.
    """

    topic: Topic
    why: str
    was_begun: bool = False


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked by protocol, and what was not.

    Attributes:
        topics: what was asked to its end.
        unasked: what was not.
        why_nothing: why nothing was asked at all; empty where anything was to be.
    """

    topics: tuple[Topic, ...] = ()
    unasked: tuple[Unasked, ...] = ()
    why_nothing: str = ""

    @property
    def is_whole(self) -> bool:
        """Whether all was asked that could be."""
        return not (self.unasked or self.why_nothing)


NOT_ASKED: Final = Asked(why_nothing="only objects were looked at")


def is_whole(snapshot: Snapshot, asked: Asked) -> bool:
    """Whether everything was looked at and asked."""
    return asked.is_whole and not snapshot.unread


def covered(snapshot: Snapshot, asked: Asked) -> str:
    """Return in one line what was looked at and asked, and what was not.

    Args:
        snapshot: the objects, with what could not be read of them.
        asked: what was asked by protocol.
    """
    parts = [f"looked at: {_objects(snapshot)}"]
    parts.append(f"asked by protocol: {_told(asked.topics) or 'nothing'}")
    if missing := list(_not_asked(asked)):
        parts.append(f"not asked by protocol: {', '.join(missing)}")
    if unread := list(_not_read(snapshot)):
        parts.append(f"not read: {', '.join(unread)}")
    return "; ".join(parts)


def _objects(snapshot: Snapshot) -> str:
    read = sorted(_namespaces(snapshot))
    if read:
        return f"objects of {', '.join(read)}"
    return "objects as they were given" if snapshot.knows("*") else "no namespace's objects"


def _namespaces(snapshot: Snapshot) -> set[str]:
    """Return the namespaces of which anything was read."""
    return {place for _, place in snapshot.listed} - {EVERYWHERE}


def lines(asked: Asked) -> Iterator[str]:
    """Yield what was not asked with the reasons, a line each."""
    for (kind, why, was_begun), names in _by_reason(asked).items():
        shown = names if kind == COMPONENTS else names[:_NAMES]
        more = f" and {len(names) - len(shown)} more" if names[len(shown) :] else ""
        about = f"{kind}: " if kind != COMPONENTS else ""
        rest = "the rest of " if was_begun else ""
        yield f"{about}{rest}{', '.join(shown)}{more}: {why}"


def _by_reason(asked: Asked) -> dict[tuple[str, str, bool], list[str]]:
    """Return the names of what was not asked, by kind, reason, and whether it was begun."""
    found: dict[tuple[str, str, bool], list[str]] = {}
    for each in asked.unasked:
        key = each.topic.kind, each.why, each.was_begun
        found.setdefault(key, []).append(each.topic.name)
    return found


def _not_asked(asked: Asked) -> Iterator[str]:
    """Yield what was not asked: components by name with the reason, of others how many."""
    if asked.why_nothing:
        yield f"anything ({asked.why_nothing})"
    others: dict[str, dict[str, int]] = {}
    for (kind, why, was_begun), names in _by_reason(asked).items():
        if kind == COMPONENTS:
            yield f"{'the rest of ' if was_begun else ''}{', '.join(names)} ({why})"
        else:
            reasons = others.setdefault(kind, {})
            reasons[why] = reasons.get(why, 0) + len(names)
    for kind, reasons in others.items():
        said = next(iter(reasons)) if len(reasons) == 1 else f"{len(reasons)} reasons, told above"
        yield f"{sum(reasons.values())} {kind} ({said})"


def _told(topics: Iterable[Topic]) -> str:
    """Return topics in words: components by their names, of others how many."""
    by_kind: dict[str, list[str]] = {}
    for each in topics:
        by_kind.setdefault(each.kind, []).append(each.name)
    return ", ".join(
        name
        for kind, names in by_kind.items()
        for name in (names if kind == COMPONENTS else [f"{len(names)} {kind}"])
    )


def _not_read(snapshot: Snapshot) -> Iterator[str]:
    """Yield what could not be read: whole namespaces, kinds in some of them, logs."""
    kinds: dict[tuple[str, str], list[str]] = {}
    for (kind, place), error in snapshot.failures.items():
        why = "this user may not list them" if forbidden(error) else _first_line(error)
        kinds.setdefault((place, why), []).append(kind)
    read = _namespaces(snapshot)
    places: dict[tuple[str, str], list[str]] = {}
    for (place, why), names in kinds.items():
        what = "anything" if place and place not in read else ", ".join(names)
        places.setdefault((what, why), []).append(place)
    for (what, why), where in places.items():
        within = ", ".join(each or "the whole cluster" for each in where)
        yield f"{what} in {within} ({why})"
    if logs := sum(line.startswith(_LOG) for line in snapshot.unread):
        yield f"the logs of {logs} pods" if logs > 1 else "the log of a pod"


def _first_line(error: BaseException) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)
