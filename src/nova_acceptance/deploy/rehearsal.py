"""What a deployment would change, as the server itself says: it checks all, and keeps nothing.

Of a Secret no value is told, and no annotation, in which another tool may have put one.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from nova_acceptance.deploy.definitions import Defined, GroupKind, defined, group_kind
from nova_acceptance.deploy.ownership import marked
from nova_acceptance.deploy.phases import phases
from nova_acceptance.kube import ApiError, Kube, Object, describe
from nova_acceptance.kube.snapshot import Snapshot

ABSENT: Final = "(absent)"
HIDDEN: Final = "(not shown)"

_AT_ONCE: Final = 16
_LONGEST: Final = 100
_SERVERS_OWN: Final = frozenset(
    {"creationTimestamp", "generation", "managedFields", "resourceVersion", "selfLink", "uid"}
)
_OF_SECRETS: Final = ("data.", "stringData.", "metadata.annotations.")
_NO_REHEARSAL: Final = "dry run"
"""In what the server says where a webhook that it would ask cannot be asked so."""


class Fate(StrEnum):
    """What would become of an object."""

    CREATED = "created"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    REFUSED = "refused"
    UNKNOWN = "not told"


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """What would become of one object.

    Attributes:
        name: its kind, namespace and name.
        fate: what would become of it.
        lines: the fields that would change, as `path: old → new`, or why it is refused or not told.
    """

    name: str
    fate: Fate
    lines: tuple[str, ...] = ()


def rehearse(kube: Kube, objects: Sequence[Object], base: Snapshot) -> list[Rehearsed]:
    """Return what a deployment would do to each object, in the order in which it applies them.

    What belongs into a namespace that is not there yet, or is of a kind that is not served yet, is
    created for certain, and the server cannot be asked about it.

    Args:
        kube: the API; nothing is written.
        objects: what would be applied.
        base: what the cluster holds.

    Raises:
        ClusterError: the API did not answer.
    """
    ordered = [obj for phase in phases(marked(objects)) for obj in phase.objects]
    kinds = defined(objects)
    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="rehearsal") as pool:
        return list(pool.map(lambda obj: _rehearsed(kube, obj, base, kinds), ordered))


def _rehearsed(
    kube: Kube, obj: Object, base: Snapshot, kinds: Mapping[GroupKind, Defined]
) -> Rehearsed:
    name, metadata = describe(obj), obj["metadata"]
    namespace = metadata.get("namespace")
    if not kube.serves(obj["apiVersion"], obj["kind"]):
        own = kinds.get(group_kind(obj))
        if own and own.serves(obj["apiVersion"]):
            return Rehearsed(name, Fate.CREATED)
        unserved = f"the cluster does not serve {obj['kind']} of {obj['apiVersion']}"
        return Rehearsed(name, Fate.REFUSED, (unserved,))
    if namespace and base.knows("Namespace") and base.get("Namespace", "", namespace) is None:
        return Rehearsed(name, Fate.CREATED)
    try:
        live = kube.get(obj["apiVersion"], obj["kind"], metadata["name"], namespace)
        answered = kube.apply(obj, dry_run=True)
    except ApiError as error:
        said = error.causes or (error.detail or error.message,)
        is_unknown = any(_NO_REHEARSAL in line.lower() for line in said)
        return Rehearsed(name, Fate.UNKNOWN if is_unknown else Fate.REFUSED, tuple(said))
    if live is None:
        return Rehearsed(name, Fate.CREATED)
    lines = tuple(differences(live, answered))
    return Rehearsed(name, Fate.CHANGED if lines else Fate.UNCHANGED, lines)


def differences(before: Object, after: Object) -> Iterator[str]:
    """Yield the fields in which an object differs, as `path: old → new`."""
    old, new = _fields(before), _fields(after)
    is_secret = after.get("kind") == "Secret"
    for path in sorted(old.keys() | new.keys()):
        if old.get(path) != new.get(path):
            hides = is_secret and path.startswith(_OF_SECRETS)
            told = [
                _told(each[path], hides=hides) if path in each else ABSENT for each in (old, new)
            ]
            yield f"{path}: {' → '.join(told)}"


def _fields(obj: Object) -> dict[str, Any]:
    """Return the values of an object by their paths, but for what the server writes itself."""
    metadata = {key: it for key, it in obj["metadata"].items() if key not in _SERVERS_OWN}
    kept = {key: it for key, it in obj.items() if key != "status"} | {"metadata": metadata}
    return dict(_leaves(kept, ""))


def _leaves(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict) and value:
        for key, each in value.items():
            # a key may have dots of its own, as labels do
            step = key if key.replace("_", "").isalnum() else f"[{key}]"
            yield from _leaves(each, f"{path}.{step}" if path else step)
    elif isinstance(value, list) and value:
        names = _names(value)
        for name, each in zip(names, value, strict=True):
            yield from _leaves(each, f"{path}[{name}]")
    else:
        yield path, value


def _names(values: Sequence[Any]) -> list[str]:
    """Return what tells the entries of a list apart: their names, else their places."""
    names = [each.get("name") if isinstance(each, dict) else None for each in values]
    if all(isinstance(name, str) for name in names) and len(set(names)) == len(names):
        return [str(name) for name in names]
    return [str(place) for place in range(len(values))]


def _told(value: Any, *, hides: bool) -> str:
    if hides:
        return HIDDEN
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
