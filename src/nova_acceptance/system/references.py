"""What one part of nova.yaml says about another: names that must exist, names that must differ."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from nova_acceptance.findings import Ref
from nova_acceptance.system.base import Path, Problem
from nova_acceptance.system.component import Component
from nova_acceptance.system.model import System


def problems_in(system: System) -> Iterator[Problem]:
    """Yield every reference that leads nowhere and every name that is taken twice.

    Yields:
        The path of the field and what is wrong with it.
    """
    yield from _names_are_unique(system)
    for index, component in enumerate(system.components):
        for path, message in component.problems():
            yield ("components", index, *path), message
    yield from _namespaces_exist(system)
    yield from _uses_exist(system)
    yield from _named_services_exist(system)
    yield from _passwords_exist(system)
    yield from _configuration_is_of_something(system)
    yield from _connections_exist(system)


def _names_are_unique(system: System) -> Iterator[Problem]:
    components = list(enumerate(system.components))
    yield from _twice((("components", i, "name"), it.name) for i, it in components)
    yield from _twice(
        (("components", i, "name"), f"{it.namespace}/{it.workload.kind}/{it.workload.name}")
        for i, it in components
        if it.runs.name
    )
    yield from _twice(
        (_path_of_service(i, it, j), f"{it.namespace}/{service.name}")
        for i, it in components
        for j, service in enumerate(it.every_service)
    )
    yield from _twice((("external", i, "name"), it.name) for i, it in enumerate(system.external))
    targets = [(i, name) for i, it in components for name in it.targets]
    for index, name in targets:
        others = {i for i, other in targets if other == name} - {index}
        used = any(use.name == name for _, it in components for use in it.uses)
        if others and used and index > min(others):
            owner = system.components[index].name
            yield (
                ("components", index),
                f"{name} is there twice: write {owner}/{name} where it is used",
            )


def _path_of_service(index: int, component: Component, place: int) -> Path:
    implied = len(component.every_service) - len(component.services)
    if place < implied:
        return ("components", index, "name")
    return ("components", index, "services", place - implied, "name")


def _twice(names: Iterable[Problem]) -> Iterator[Problem]:
    seen: set[str] = set()
    for path, name in names:
        if name in seen:
            yield path, f"{name.rpartition('/')[2]} is there twice"
        seen.add(name)


def _namespaces_exist(system: System) -> Iterator[Problem]:
    for index, item in enumerate(system.certificates):
        if item.namespace not in system.namespaces:
            yield ("certificates", index, "namespace"), f"no namespace is called {item.namespace}"


def _uses_exist(system: System) -> Iterator[Problem]:
    external = {each.name for each in system.external}
    for index, component in enumerate(system.components):
        keys: dict[tuple[Ref, str], str] = {}
        for place, use in enumerate(component.uses):
            path: Path = ("components", index, "uses", place)
            if use.name not in external and system.owner_of(use.name) is None:
                yield path, f"{use.name} is neither a component, nor a part of one, nor external"
                continue
            if key := system.key_of(component, use):
                holder = system.holder_of(component, use)
                if other := keys.get((holder, key)):
                    yield path, f"{use.name} and {other} would both be {key}"
                keys[holder, key] = use.name
        for name in component.needs:
            if name not in {each.name for each in system.components}:
                yield ("components", index), f"it needs {name}, and no component is called so"


def _named_services_exist(system: System) -> Iterator[Problem]:
    there = {(it.namespace, each.name) for it in system.components for each in it.every_service}
    for index, component in enumerate(system.components):
        for path, name in component.named_services:
            if (component.namespace, name) not in there:
                yield (
                    ("components", index, *path),
                    f"no component of namespace {component.namespace} has a Service {name}",
                )


def _passwords_exist(system: System) -> Iterator[Problem]:
    """Yield passwords that are where the file says there is no such key.

    A Secret that the file does not list is none of its affair.
    """
    listed = {
        (item.namespace, item.name): item for item in system.configuration if item.kind == "Secret"
    }
    for index, component in enumerate(system.components):
        for home in component.secrets:
            secret = listed.get((component.namespace, home.secret))
            if secret and secret.exactly and home.key not in secret.keys:
                yield ("components", index), f"the Secret {home.secret} has no key {home.key}"


def _configuration_is_of_something(system: System) -> Iterator[Problem]:
    names = {component.name for component in system.components}
    external = {each.name for each in system.external}
    for index, item in enumerate(system.configuration):
        for key, spec in item.keys.items():
            path: Path = ("configuration", index, "keys", key)
            if spec.url and spec.url not in external and system.owner_of(spec.url) is None:
                yield path, f"{spec.url} is neither a component, nor a part of one, nor external"
            if spec.address and spec.address not in names:
                yield path, f"no component is called {spec.address}"


def _connections_exist(system: System) -> Iterator[Problem]:
    for part in ("open", "closed"):
        for index, connection in enumerate(getattr(system.reachability, part)):
            for end, name in (("from", connection.origin), ("to", connection.to)):
                if not list(system.selected(name)):
                    path: Path = ("reachability", part, index, end)
                    yield path, f"no component or namespace is called {name}"
