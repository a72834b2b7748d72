"""The part of a cluster that matters, at one moment: what the rules of diagnosis look at."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from nova_acceptance.findings import Ref, ref
from nova_acceptance.kube import Object
from nova_acceptance.kube.objects import RUN_LABEL
from nova_acceptance.system import System

EVERYWHERE = ""
"""In the place of a namespace: of the whole cluster."""

Index = Callable[[Object], Iterable[str]]
"""By which words an object is looked up."""

UNDECLARED: Final = System(components=())
"""In the place of nova.yaml: nothing is said of what should be there."""

FoundT = TypeVar("FoundT")

_OF_KEYS: Final = frozenset({"ConfigMap", "Secret"})
"""Kinds of which it matters when each key was written."""
_OF_STRINGS: Final = frozenset({"data", "binaryData", "stringData"})
"""Fields whose keys are there with nothing under them where they are null."""


@dataclass(frozen=True, slots=True)
class Log:
    """The last lines of a container's log.

    Attributes:
        text: the lines, masked.
        previous: whether they are of the container before the present one.
    """

    text: str
    previous: bool = False


@dataclass(frozen=True, slots=True)
class Outdated:
    """What a container was started with, and what is another value by now.

    Attributes:
        container: the container.
        name: the variable; of a file its path.
        holder: the ConfigMap or Secret from which it was.
        key: the key in it.
        since: when the container was started, as the API spells it.
    """

    container: str
    name: str
    holder: Ref
    key: str
    since: str


@dataclass(slots=True, repr=False)
class Snapshot:
    """Objects by kind, namespace and name, and what else was seen of them.

    It is pure data: rules read it and ask nobody. Secrets are in it by the shapes of their values
    (`shapes`), never by the values themselves.

    Attributes:
        listed: the pairs of kind and namespace (or `EVERYWHERE`) that were listed completely;
            only of these does an absence mean anything.
        failures: why a kind could not be listed, by kind and namespace.
        logs: last lines by namespace, pod and container.
        unread: what could not be read, a line each, such as a kind that is forbidden.
        on_loopback: what refuses at a pod's address and is taken on its loopback, with what each
            said, by the pod and the port.
        outdated: by the pod, what its containers have otherwise than the objects that they have it
            from; only of those that were asked.
        compared: the pods whose containers were asked for that, and why one could not be.
        system: what nova.yaml says.
        is_watched: whether changes are followed, so that old events can be told from new ones.
        are_policies_enforced: whether a NetworkPolicy may be a cause: not where a connection that
            one closes was seen to be open.
    """

    listed: set[tuple[str, str]] = field(default_factory=set)
    failures: dict[tuple[str, str], BaseException] = field(default_factory=dict)
    logs: dict[tuple[str, str, str], list[Log]] = field(default_factory=dict)
    unread: list[str] = field(default_factory=list)
    on_loopback: dict[tuple[Ref, int], tuple[str, ...]] = field(default_factory=dict)
    outdated: dict[Ref, tuple[Outdated, ...]] = field(default_factory=dict)
    compared: dict[Ref, Exception | None] = field(default_factory=dict)
    system: System = UNDECLARED
    is_watched: bool = False
    are_policies_enforced: bool = True
    _derived: dict[Any, Any] = field(default_factory=dict)
    _objects: dict[str, dict[Ref, Object]] = field(default_factory=dict)
    _fresh: set[str] = field(default_factory=set)

    def __repr__(self) -> str:
        """Say what it is of: the whole of it would fill the traceback of each test that fails."""
        count = sum(map(len, self._objects.values()))
        return f"<{type(self).__name__} of {count} object(s)>"

    @classmethod
    def of(cls, objects: Iterable[Object], *, system: System = UNDECLARED) -> Snapshot:
        """Return a snapshot of exactly these objects: of every kind, what is absent is absent."""
        found = cls(system=system)
        for obj in objects:
            found.update("ADDED", obj, fresh=False)
        found.listed.add(("*", EVERYWHERE))
        return found

    def update(self, change: str, obj: Object, *, fresh: bool = True) -> None:
        """Take in one change; `fresh` says that it came after the first complete list.

        What a run made to ask from is no part of the system, and is left out.
        """
        if RUN_LABEL in (obj["metadata"].get("labels") or {}):
            return
        self._derived.clear()
        of_its_kind = self._objects.setdefault(obj["kind"], {})
        if change == "DELETED":
            of_its_kind.pop(ref(obj), None)
            return
        of_its_kind[ref(obj)] = _lean(obj) if uid(obj) else _as_read(obj)
        if fresh:
            self._fresh.add(uid(obj))

    def knows(self, kind: str, namespace: str = EVERYWHERE) -> bool:
        """Whether the kind was listed there, so that what is not in here does not exist."""
        places = {(kind, namespace), (kind, EVERYWHERE), ("*", EVERYWHERE)}
        return not places.isdisjoint(self.listed)

    def get(self, kind: str, namespace: str, name: str) -> Object | None:
        """Return an object, or None when there is none (see `knows`)."""
        return self.at(Ref(kind, namespace, name))

    def at(self, where: Ref) -> Object | None:
        """Return the object of a reference, or None."""
        return self._objects.get(where.kind, {}).get(where)

    def of_kind(self, kind: str, namespace: str | None = None) -> Iterator[Object]:
        """Yield the objects of a kind, in one namespace or in all."""
        for where, obj in list(self._objects.get(kind, {}).items()):
            if namespace in (None, where.namespace):
                yield obj

    def refs(self) -> list[Ref]:
        """Return every object's reference."""
        return [where for of_a_kind in self._objects.values() for where in of_a_kind]

    def indexed(self, kind: str, by: Index, word: str) -> list[Object]:
        """Return the objects of a kind that an index holds under a word.

        Args:
            kind: the kind.
            by: by which words each is looked up; the index is made once for the objects as they
                are now.
            word: one of them; nothing is under the empty one.
        """

        def groups() -> dict[str, list[Object]]:
            made: dict[str, list[Object]] = {}
            for obj in self._objects.get(kind, {}).values():
                for its in filter(None, by(obj)):
                    made.setdefault(its, []).append(obj)
            return made

        return list(self.once((kind, by), groups).get(word, ()))

    def once(self, key: Hashable, make: Callable[[], FoundT]) -> FoundT:
        """Return what is worked out from the objects as they are now, made when first wanted."""
        if key not in self._derived:
            self._derived[key] = make()
        found: FoundT = self._derived[key]
        return found

    def told_by(self, rule: Callable[[Snapshot], Iterable[FoundT]]) -> list[FoundT]:
        """Return what a rule says of the objects as they are now, however many ask for it."""
        return self.once(rule, lambda: list(rule(self)))

    def owned_by(self, owner: Object, kind: str) -> list[Object]:
        """Return the objects of a kind that name `owner` as an owner."""
        namespace = owner["metadata"].get("namespace")
        return [
            obj
            for obj in self.indexed(kind, _owners, uid(owner))
            if namespace in (None, obj["metadata"].get("namespace", ""))
        ]

    def events_about(self, obj: Object, *, fresh: bool = False) -> list[Object]:
        """Return the events about an object, oldest first.

        Args:
            obj: the object; events about an earlier one of its name do not count.
            fresh: only those that came, or came again, since watching began; in a snapshot of
                one moment every event counts.
        """
        events = [
            event
            for event in self.indexed("Event", _subject, uid(obj))
            if not (fresh and self.is_watched) or uid(event) in self._fresh
        ]
        return sorted(events, key=_event_time)


def uid(obj: Object) -> str:
    """Return an object's uid; empty for one that was only rendered."""
    return str(obj["metadata"].get("uid", ""))


def _lean(obj: Object) -> Object:
    """Return an object without the list of the fields that each manager wrote, half of most of it.

    That of a ConfigMap or Secret says when a key was written.
    """
    managers = obj["metadata"].get("managedFields")
    if not managers or obj["kind"] in _OF_KEYS:
        return obj
    lean = [{key: it for key, it in each.items() if key != "fieldsV1"} for each in managers]
    return {**obj, "metadata": {**obj["metadata"], "managedFields": lean}}


def _as_read(obj: Object) -> Object:
    """Return an object that was only rendered as the API reads it: what is null is absent."""
    read = {key: it if key in _OF_STRINGS else _without_nulls(it) for key, it in obj.items()}
    read = {key: it for key, it in read.items() if it is not None}
    return {"spec": {}, **read} if obj["kind"] == "Service" else read


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nulls(it) for key, it in value.items() if it is not None}
    if isinstance(value, list):
        return [_without_nulls(it) for it in value]
    return value


def _owners(obj: Object) -> list[str]:
    return [owner["uid"] for owner in obj["metadata"].get("ownerReferences") or ()]


def _subject(event: Object) -> list[str]:
    return [event.get("involvedObject", {}).get("uid", "")]


def _event_time(event: Object) -> str:
    return str(
        event.get("lastTimestamp")
        or event.get("eventTime")
        or event["metadata"].get("creationTimestamp", "")
    )
