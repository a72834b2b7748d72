"""The draft of our own manifests, against the nova.yaml that people wrote."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nova_acceptance.components.registry import load
from nova_acceptance.draft import draft
from nova_acceptance.draft.sources import from_manifests
from nova_acceptance.system import Component, System
from testing.unit.draft import systems
from testing.unit.draft.systems import ROOT

TO_DECIDE = {
    # nobody is asked, so that what a server or a page would say is not known
    "postgres.databases",
    "postgres.roles",
    "postgres.synchronous",
    "auth-service.health",
    "messaging-service.health",
    "search-service.health",
    "streaming-api.health",
    "user-service.health",
    # what is meant, which no manifest says
    "reachability",
}
"""Where the draft of Nova differs from nova.yaml, and a person has to decide."""


@pytest.fixture(scope="module")
def drafted(tmp_path_factory: pytest.TempPathFactory) -> System:
    return systems.system_of(tmp_path_factory.mktemp("nova"), *systems.nova())


@pytest.fixture(scope="module")
def written() -> System:
    return load(ROOT / "nova.yaml")


def fields_of(part: Any) -> dict[str, Any]:
    return {name: getattr(part, name) for name in type(part).model_fields}


def differences(one: System, other: System) -> Iterator[str]:
    """Yield the fields in which two systems differ, whatever the order of their components."""
    for name in {each.name for each in (*one.components, *other.components)}:
        parts = [{each.name: each for each in it.components}.get(name) for it in (one, other)]
        if None in parts:
            yield name
            continue
        first, second = map(fields_of, parts)
        yield from (f"{name}.{field}" for field in first if not _same(first[field], second[field]))
    for field in ("zone", "undeclared", "external", "conventions", "certificates", "reachability"):
        if not _same(getattr(one, field), getattr(other, field)):
            yield field
    if {it.ref: it for it in one.every_configuration} != {
        it.ref: it for it in other.every_configuration
    }:
        yield "configuration"


def _same(one: Any, other: Any) -> bool:
    """Whether two values are the same, apart from the order of a list."""
    if isinstance(one, tuple):
        return sorted(map(repr, one)) == sorted(map(repr, other))
    return bool(one == other)


def test_draft_of_nova_differs_only_in_what_a_person_has_to_decide(
    drafted: System, written: System
) -> None:
    assert set(differences(drafted, written)) == TO_DECIDE


def test_draft_of_nova_names_the_databases(drafted: System, written: System) -> None:
    def names(system: System) -> set[str]:
        return {target for each in system.components for target in each.targets}

    assert names(drafted) == names(written)


def test_draft_of_nova_finds_the_superusers_and_the_users_password(
    drafted: System, written: System
) -> None:
    def homes(system: System) -> dict[str, Any]:
        roles = systems.part(system, "postgres").roles
        return {role.name: role.password for role in roles if role.password}

    wanted = homes(written)
    assert homes(drafted) == {name: wanted[name] for name in ("postgres", "app_user")}


def test_draft_of_nova_asks_for_the_page_that_the_probes_ask_for(drafted: System) -> None:
    paths = {systems.part(drafted, each.name).health.path for each in drafted.services}

    assert paths == {"/health"}


def test_nothing_of_nova_looks_wrong(tmp_path: Path) -> None:
    assert "Looks wrong" not in systems.drafted(tmp_path, *systems.nova())


@pytest.mark.parametrize("name", ["single-postgres", "two-redis", "other-names", "replicas"])
def test_draft_of_an_example_has_its_components_and_uses(name: str, tmp_path: Path) -> None:
    example = ROOT / "examples" / name
    drafted = systems.loaded(tmp_path, draft(from_manifests(example / "manifests")))
    written = load(example / "nova.yaml")
    left = set(differences(drafted, written))

    told = ("persistence", "password", "workload", "services", "uses", "port", "ports", "target")
    fields = {each.name for each in written.components}
    assert not left & fields
    assert not {each for each in left if each.rpartition(".")[2] in told}
    assert "external" not in left
    by_name = {each.name: each for each in drafted.components}
    for component in written.components:
        found = by_name[component.name]
        assert found.workload == component.workload
        assert set(_urls(drafted, found)) == set(_urls(written, component))


def test_draft_of_nova_as_reported_has_its_components_and_conventions(tmp_path: Path) -> None:
    example = ROOT / "examples" / "nova-as-reported"
    source = from_manifests(example / "manifests" / "overlays" / "mended")
    drafted, written = systems.loaded(tmp_path, draft(source)), load(example / "nova.yaml")

    assert drafted.conventions == written.conventions
    for component in written.components:
        found = drafted.component(component.name)
        assert found.workload == component.workload
        assert set(_urls(drafted, found)) == set(_urls(written, component))


def _urls(system: System, component: Component) -> Iterator[tuple[Any, ...]]:
    for use in component.uses:
        yield (
            use.name,
            system.holder_of(component, use),
            system.key_of(component, use),
            system.env_of(component, use),
        )


def test_draft_of_nova_holds_no_value_of_a_secret(tmp_path: Path) -> None:
    objects = systems.nova()
    values = set()
    for each in objects:
        if each["kind"] != "Secret":
            continue
        for key, encoded in each["data"].items():
            text = base64.b64decode(encoded).decode()
            if "-----BEGIN" not in text and "://" not in text and ":" not in text:
                text = secrets.token_urlsafe(24)
                each["data"][key] = base64.b64encode(text.encode()).decode()
            values |= {text, *text.splitlines()}
            values |= {part for part in text.replace("@", ":").split(":") if len(part) > 30}

    found = systems.drafted(tmp_path, *objects)

    assert len(values) > 15
    assert not [value for value in values if value in found]
