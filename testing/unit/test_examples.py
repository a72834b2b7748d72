"""The examples: systems that are not Nova, each with its own nova.yaml and manifests."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, Final

import jsonschema
import pytest
import yaml

from nova_acceptance.components.registry import json_schema, load
from nova_acceptance.deploy.rendering import kustomize
from nova_acceptance.errors import SpecError
from nova_acceptance.system import System, Workload

ROOT: Final = Path(__file__).parents[2]
OF_OUR_KINDS: Final = ("single-postgres", "two-redis", "other-names", "replicas")
SPECS: Final = (
    "nova.yaml",
    *(f"examples/{name}/nova.yaml" for name in (*OF_OUR_KINDS, "nova-as-reported")),
)


@cache
def rendered(name: str) -> tuple[dict[str, Any], ...]:
    return tuple(yaml.safe_load_all(kustomize(ROOT / "examples" / name / "manifests")))


@cache
def spec(name: str) -> System:
    return load(ROOT / "examples" / name / "nova.yaml")


def workloads(name: str) -> list[Workload]:
    return [each.workload for each in spec(name).components]


def named(objects: tuple[dict[str, Any], ...], kind: str) -> set[tuple[str, str]]:
    return {
        (each["metadata"].get("namespace", ""), each["metadata"]["name"])
        for each in objects
        if each["kind"] == kind
    }


@pytest.mark.parametrize("name", OF_OUR_KINDS)
def test_workloads_are_those_of_its_spec(name: str) -> None:
    wanted = {(each.kind, each.namespace, each.name) for each in workloads(name)}
    found = {
        (kind, *each)
        for kind in ("StatefulSet", "Deployment")
        for each in named(rendered(name), kind)
    }

    assert found == wanted


@pytest.mark.parametrize("name", OF_OUR_KINDS)
def test_services_are_those_of_its_spec(name: str) -> None:
    wanted = {
        (workload.namespace, service.name)
        for workload in workloads(name)
        for service in workload.services
    }

    assert named(rendered(name), "Service") == wanted


@pytest.mark.parametrize("file", SPECS)
def test_published_schema_takes_the_file(file: str) -> None:
    jsonschema.Draft202012Validator.check_schema(json_schema())
    jsonschema.validate(
        yaml.safe_load((ROOT / file).read_text(encoding="utf-8")),
        json_schema(),
        cls=jsonschema.Draft202012Validator,
    )


@pytest.mark.parametrize(
    ("field", "value"), [("replicsa", 1), ("port", "http"), ("uses", {"cache": 1})]
)
def test_published_schema_refuses_what_no_file_may_say(field: str, value: object) -> None:
    component = {"kind": "http", "name": "web", "namespace": "web", "port": 80, field: value}

    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"components": [component]}, json_schema())


def test_kind_of_a_package_that_is_not_installed_is_one_clear_message() -> None:
    with pytest.raises(SpecError, match="rabbitmq"):
        load(ROOT / "examples/orders/nova.yaml")
