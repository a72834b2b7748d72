"""Every cause that has a name, as the rooms of the components describe it.

A room (a folder below `components/`, or the package of an entry point in the group
`nova_acceptance.components`)
keeps its causes in `causes.toml`, or in several files below `causes/`:

    heading = "Redis: what it answers, and what its log says"
    depth = 210                     # what the others stand on has a smaller number
    behind = "dns"                  # of every cause that does not say otherwise, see below

    [REDIS_READ_ONLY]
    title = "…"                     # what is wrong, as one sentence without a full stop
    symptom = "…"                   # how it shows to somebody who does not know it
    proof = "…"                     # what is looked at, and what there shows it
    cure = "…"                      # what to do about it, in general
    consequence = true              # it comes under any other cause that its subject depends on
    explained_by = ["urls"]         # as an answer it may be the consequence of these causes, of all
                                    # causes of a family, or with "*" of any
    follows = ["NODE_NOT_READY"]    # at an object that depends on theirs it may be the consequence
                                    # of these causes, or of all causes of a family
    behind = "needs"                # objects that no configuration names, and that may be why
    policy = true                   # a rule of security or of resources: all works in spite of it
    [REDIS_READ_ONLY.zh-Hant]       # title, symptom and cure in another language
"""

from __future__ import annotations

import importlib.util
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import metadata, resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, Final, Literal

ENTRY_POINTS: Final = "nova_acceptance.components"
"""The group by which other packages bring components."""

Field = Literal["title", "symptom", "cure"]
Behind = Literal["", "needs", "nodes", "workloads", "dns"]
"""What else is looked at where a cause shows: the components that its component needs, all nodes,
all workloads of the namespace, the cluster's DNS."""

ANY: Final = "*"


@dataclass(frozen=True, slots=True)
class Cause:
    """One way in which a deployment goes wrong.

    Attributes:
        id: the stable name, such as `IMAGE_PULL`.
        title: what is wrong.
        symptom: how it shows.
        proof: what is looked at, and what there shows it.
        cure: what to do about it, in general.
        is_symptom: whether this is mostly the consequence of something deeper, and comes under
            any other cause that its subject depends on. What is not stays a cause of its own.
        explained_by: causes and families whose causes the answer of a component may be only the
            consequence of, such as a wrong URL of a refused password; `*` is any.
        follows: causes and families whose causes it comes under where its object depends on theirs.
        behind: objects that no configuration names, and that may be why.
        is_policy: whether it breaks a rule, of security or of resources, and keeps nothing from
            working: no other cause follows from it.
        translations: title, symptom and cure by language.
    """

    id: str
    title: str
    symptom: str
    proof: str
    cure: str
    is_symptom: bool
    translations: Mapping[str, Mapping[str, str]]
    explained_by: tuple[str, ...] = ()
    behind: Behind = ""
    is_policy: bool = False
    follows: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.id

    def text(self, field: Field, language: str) -> str:
        """Return one of its texts; in a language that it does not have, the English one."""
        english: str = getattr(self, field)
        return self.translations.get(language, {}).get(field, english)


@dataclass(frozen=True, slots=True)
class Family:
    """Causes that belong together, deepest first, under one heading.

    Attributes:
        name: the room's, or the file's in a room with several.
    """

    name: str
    heading: str
    depth: int
    causes: tuple[Cause, ...]


@cache
def rooms() -> tuple[Traversable, ...]:
    """Return the folder of every kind of component, our own ones first."""
    own = resources.files("nova_acceptance.components").iterdir()
    return (
        *sorted((each for each in own if each.is_dir()), key=lambda each: each.name),
        *_others(),
    )


@cache
def families() -> tuple[Family, ...]:
    """Return all causes by families, those that the others stand on first."""
    found = (_family(name, file) for room in rooms() for name, file in _files(room))
    return tuple(sorted(found, key=lambda each: each.depth))


@cache
def causes() -> Mapping[str, Cause]:
    """Return every cause by its name, deepest first."""
    return {cause.id: cause for each in families() for cause in each.causes}


@cache
def places() -> Mapping[str, int]:
    """Return the place of every cause among all, by its name: the deepest has the first."""
    return {name: place for place, name in enumerate(causes())}


def family(name: str) -> tuple[Cause, ...]:
    """Return the causes of a family; none of a kind that has no causes of its own."""
    return next((each.causes for each in families() if each.name == name), ())


@cache
def explaining(name: str) -> frozenset[str]:
    """Return the names of the causes that an answer may be the consequence of; `*` is any.

    Raises:
        ValueError: its description names what is neither a cause nor a family.
    """
    found: set[str] = set()
    for each in causes()[name].explained_by:
        of_family = {cause.id for cause in family(each) if not cause.is_symptom}
        if not of_family and each != ANY and each not in causes():
            raise ValueError(f"{name} is explained by {each}, which is no cause and no family")
        found |= of_family or {each}
    return frozenset(found)


@cache
def following(name: str) -> frozenset[str]:
    """Return the names of the causes that a cause may only follow from; `*` is any.

    Raises:
        ValueError: its description names what is neither a cause nor a family.
    """
    found = set(explaining(name))
    if causes()[name].is_symptom:
        found.add(ANY)
    for each in causes()[name].follows:
        of_family = {cause.id for cause in family(each)}
        if not of_family and each not in causes():
            raise ValueError(f"{name} follows from {each}, which is no cause and no family")
        found |= of_family or {each}
    return frozenset(found)


def _others() -> Iterator[Traversable]:
    for entry in metadata.entry_points(group=ENTRY_POINTS):
        found = importlib.util.find_spec(entry.module)
        for folder in (found.submodule_search_locations or ()) if found else ():
            yield Path(folder)


def _files(room: Traversable) -> Iterator[tuple[str, Traversable]]:
    for each in room.iterdir():
        if each.name == "causes.toml":
            yield room.name, each
        elif each.name == "causes" and each.is_dir():
            yield from ((file.name.removesuffix(".toml"), file) for file in each.iterdir())


def _family(name: str, file: Traversable) -> Family:
    found = tomllib.loads(file.read_text(encoding="utf-8"))
    heading, depth, behind = found.pop("heading"), found.pop("depth"), found.pop("behind", "")
    listed = tuple(_cause(name, {"behind": behind, **fields}) for name, fields in found.items())
    return Family(name, heading, depth, listed)


def _cause(name: str, fields: dict[str, Any]) -> Cause:
    return Cause(
        id=name,
        title=fields["title"],
        symptom=fields["symptom"],
        proof=fields["proof"],
        cure=fields["cure"],
        is_symptom=fields.get("consequence", False),
        explained_by=tuple(fields.get("explained_by", ())),
        behind=fields["behind"],
        is_policy=fields.get("policy", False),
        follows=tuple(fields.get("follows", ())),
        translations={key: value for key, value in fields.items() if isinstance(value, dict)},
    )
