"""What all services have in common in how they are told where things are."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from nova_acceptance.draft.uses import Told
from nova_acceptance.findings import Ref
from nova_acceptance.system import System
from nova_acceptance.system.configuration import Conventions

_PATTERNS: Final = (True, "{KEY}")
"""How variables may be named after keys."""
_OF_A_KIND: Final = 2
"""The place of the kind among the names of a target."""


@dataclass(slots=True)
class Common:
    """What nova.yaml says once for all.

    Attributes:
        secret: how the Secrets are called; empty where that is not said.
        keys: the key by the name of a target, a component or a kind.
        env: the variable by which each key is had, as nova.yaml says it; false where they differ.
    """

    secret: str = ""
    keys: dict[str, str] = field(default_factory=dict)
    env: bool | str = False

    @property
    def fields(self) -> dict[str, Any]:
        """What is written of it; nothing where there is nothing in common."""
        made: dict[str, Any] = {}
        if self.secret and self.secret != Conventions().secret and self.keys:
            made["secret"] = self.secret
        if self.keys:
            made["keys"] = self.keys
        if self.env:
            made["env"] = self.env
        return made

    def use(self, name: str, told: Told, names: tuple[str, ...]) -> str | dict[str, Any]:
        """Return how a use is written: as one word where all of it follows from the rest.

        Args:
            name: the component's.
            told: the use.
            names: by which keys may be had: the target's, its component's and its kind's.
        """
        made: dict[str, Any] = {"name": told.target}
        if told.holder is None:
            return told.target
        secret = (self.secret or Conventions().secret).format(name=name)
        if told.holder.kind == "ConfigMap":
            made["config_map"] = told.holder.name
        elif told.holder.name != secret:
            made["secret"] = told.holder.name
        if told.key != next(filter(None, map(self.keys.get, names)), None):
            made["key"] = told.key
        if told.env and Conventions(env=self.env).variable_of(told.key) not in told.variables:
            made["env"] = told.env
        return told.target if len(made) == 1 else made


def common(uses: Mapping[str, list[Told]], system: System) -> Common:
    """Return what the uses of several services have in common."""
    told = [(name, each) for name, its in uses.items() for each in its]
    held = [(name, each) for name, each in told if each.holder and each.holder.kind == "Secret"]
    made = Common(secret=_secret(held))
    if not made.secret:
        return made
    made.keys = _keys(made, held, told, system)
    keyed = [each for _, each in told if each.holder]
    if made.keys and keyed:
        made.env = next((it for it in _PATTERNS if _are_all(it, keyed)), False)
    return made


def _are_all(pattern: bool | str, keyed: list[Told]) -> bool:
    """Whether each key is had by the variable that a pattern makes of it."""
    named = Conventions(env=pattern)
    return all(named.variable_of(each.key) in each.variables for each in keyed)


def names_of(target: str, system: System) -> tuple[str, ...]:
    """Return the names under which the key of a target may stand, the nearest first."""
    owner = system.owner_of(target)
    return (target, *((owner.name, owner.kind) if owner else ()))


def _secret(held: list[tuple[str, Told]]) -> str:
    """Return how the Secrets of most components are called, if that is how two or the usual is."""
    patterns: dict[str, set[str]] = defaultdict(set)
    for name, each in held:
        holder = each.holder.name if each.holder else ""
        if holder.startswith(name):
            patterns[f"{{name}}{holder.removeprefix(name)}"].add(name)
        patterns[holder].add(name)
    counted = Counter({pattern: len(names) for pattern, names in patterns.items()})
    usual = Conventions().secret
    for pattern, times in counted.most_common():
        if times > 1 or pattern == usual:
            return pattern
    return ""


def _keys(
    made: Common, held: list[tuple[str, Told]], told: list[tuple[str, Told]], system: System
) -> dict[str, str]:
    """Return the key of each kind, else of each component, else of each target."""
    keys: dict[str, str] = {}
    in_place = [
        each
        for name, each in held
        if each.holder and each.holder.name == made.secret.format(name=name)
    ]
    without = {
        name for _, each in told if not each.holder for name in names_of(each.target, system)
    }
    for depth in (_OF_A_KIND, 1, 0):
        for name, its in _by_name(in_place, depth, system):
            found = {each.key for each in its}
            is_told = all(any(it in keys for it in names_of(each.target, system)) for each in its)
            if len(found) == 1 and not is_told and name not in without:
                keys[name] = found.pop()
    return keys


def _by_name(listed: list[Told], depth: int, system: System) -> Iterator[tuple[str, list[Told]]]:
    """Yield uses by the name at some depth: 2 a kind, 1 a component, 0 a target."""
    found: dict[str, list[Told]] = defaultdict(list)
    for each in listed:
        names = names_of(each.target, system)
        owner = system.owner_of(each.target)
        # what has no URLs of its own has nothing in common with others of its kind
        is_known = owner is not None and owner.url(each.target) is not None
        if depth < len(names) and (depth < _OF_A_KIND or is_known):
            found[names[depth]].append(each)
    yield from found.items()


def holders(uses: Mapping[str, list[Told]]) -> dict[Ref, set[str]]:
    """Return the keys of ConfigMaps and Secrets that follow from uses."""
    found: dict[Ref, set[str]] = defaultdict(set)
    for its in uses.values():
        for each in its:
            if each.holder:
                found[each.holder].add(each.key)
    return found
