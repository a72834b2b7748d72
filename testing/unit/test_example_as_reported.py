"""The Nova of the report: its images, its two variants, and the passwords of each."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from shutil import copytree
from tempfile import TemporaryDirectory
from typing import Any, Final
from urllib.parse import urlsplit

import pytest
import yaml

from nova_acceptance.cluster.kind.images import images_of
from nova_acceptance.components.registry import load
from nova_acceptance.deploy import load_credentials
from nova_acceptance.deploy.rendering import kustomize
from nova_acceptance.system import System

EXAMPLE: Final = Path(__file__).parents[2] / "examples" / "nova-as-reported"
VARIANTS: Final = ("mended", "as-reported")
IMAGES: Final = {image.name: image for image in images_of(EXAMPLE)}
Rendered = tuple[dict[str, Any], ...]


@cache
def variants() -> dict[str, Rendered]:
    """Return every overlay, rendered with passwords of its own."""
    with TemporaryDirectory() as directory:
        manifests = Path(directory)
        copytree(EXAMPLE / "manifests", manifests, dirs_exist_ok=True)
        load_credentials(None, manifests).write(manifests)
        names = [name for each in VARIANTS for name in (each, f"{each}-before-1.21")]
        return {
            name: tuple(yaml.safe_load_all(kustomize(manifests / "overlays" / name)))
            for name in names
        }


@cache
def spec() -> System:
    return load(EXAMPLE / "nova.yaml")


def named(objects: Rendered, *kinds: str) -> dict[tuple[str, str, str], dict[str, Any]]:
    return {
        (each["kind"], each["metadata"].get("namespace", ""), each["metadata"]["name"]): each
        for each in objects
        if not kinds or each["kind"] in kinds
    }


def pod_specs(objects: Rendered) -> Iterator[tuple[str, dict[str, Any]]]:
    for each in objects:
        if each["kind"] in ("Deployment", "StatefulSet", "Job"):
            yield each["metadata"]["name"], each["spec"]["template"]["spec"]
        if each["kind"] == "CronJob":
            job = each["spec"]["jobTemplate"]["spec"]
            yield each["metadata"]["name"], job["template"]["spec"]


def secret(objects: Rendered, name: str) -> dict[str, str]:
    (found,) = (
        each for each in objects if (each["kind"], each["metadata"]["name"]) == ("Secret", name)
    )
    values: dict[str, str] = found["stringData"]
    return values


def test_mended_it_is_what_its_spec_says() -> None:
    system, objects = spec(), variants()["mended"]
    workloads = {(*it.ref,): it.replicas for it in system.every_workload}
    services = {
        ("Service", it.namespace, service.name)
        for it in system.every_workload
        for service in it.services
    }

    made = named(objects, "Deployment", "StatefulSet")
    assert {name: each["spec"]["replicas"] for name, each in made.items()} == workloads
    assert named(objects, "Service").keys() == services
    assert named(objects, "Namespace").keys() == {("Namespace", "", it) for it in system.namespaces}


def test_variants_differ_by_the_faults_alone() -> None:
    mended, reported = (named(variants()[name]) for name in VARIANTS)
    database, services = "reported-database", "reported-services"
    differing = {name for name in reported if reported[name] != mended.get(name, reported[name])}

    assert reported.keys() - mended.keys() == {("Service", database, "postgres-replicas")}
    assert mended.keys() <= reported.keys()
    # each rendering has the same passwords
    assert differing == {
        ("StatefulSet", database, "postgres"),
        ("StatefulSet", database, "etcd"),
        ("Secret", services, "search-service-secret"),
        ("Secret", services, "streaming-api-secret"),
    }


@pytest.mark.parametrize(("variant", "stale"), [("mended", 0), ("as-reported", 2)])
def test_urls_lead_to_services_but_for_the_two_that_were_forgotten(
    variant: str, stale: int
) -> None:
    objects = variants()[variant]
    there = {f"{name}.{namespace}" for _, namespace, name in named(objects, "Service")}
    urls = [
        urlsplit(secret(objects, f"{service.name}-secret")[key])
        for service in spec().services
        for key in ("database-url", "redis-url")
    ]

    hosts = [str(url.hostname).removesuffix(".svc.cluster.local") for url in urls]
    assert [host for host in hosts if host not in there] == stale * [
        "redis-sentinel.reported-redis"
    ]


@pytest.mark.parametrize("variant", VARIANTS)
def test_before_1_21_only_the_version_of_the_api_is_another(variant: str) -> None:
    now, before = named(variants()[variant]), named(variants()[f"{variant}-before-1.21"])
    changed = {name: each["apiVersion"] for name, each in before.items() if each != now[name]}

    assert changed == {
        ("PodDisruptionBudget", "reported-database", "postgres"): "policy/v1beta1",
        ("CronJob", "reported-services", "session-cleanup"): "batch/v1beta1",
    }
    for name in changed:
        assert before[name] | {"apiVersion": now[name]["apiVersion"]} == now[name]


def test_passwords_are_generated_and_none_is_committed() -> None:
    objects = variants()["mended"]
    held = [secret(objects, "redis-credentials"), secret(objects, "postgres-credentials")]
    committed = "".join(
        path.read_text() for path in EXAMPLE.rglob("*") if path.is_file() and path.suffix != ".pyc"
    )

    passwords = [value for each in held for value in each.values()]
    assert len(set(passwords)) == len(passwords) == 4
    assert not [each for each in passwords if each in committed]


def test_sidecars_stand_before_and_behind_the_application() -> None:
    deployments = named(variants()["mended"], "Deployment")
    containers = {
        name: [each["name"] for each in deployment["spec"]["template"]["spec"]["containers"]]
        for (_, _, name), deployment in deployments.items()
    }
    annotated = deployments["Deployment", "reported-services", "messaging-service"]
    template = annotated["spec"]["template"]["metadata"]["annotations"]

    assert containers["user-service"] == ["log-forwarder", "user-service"]
    assert containers["messaging-service"] == ["web", "metrics"]
    assert template == {"kubectl.kubernetes.io/default-container": "web"}


def test_services_are_in_front_of_port_80_by_its_name() -> None:
    for service in spec().services:
        key = service.namespace, service.name
        objects = named(variants()["mended"])
        (port,) = objects["Service", *key]["spec"]["ports"]
        containers = objects["Deployment", *key]["spec"]["template"]["spec"]["containers"]
        named_http = [
            it for each in containers for it in each.get("ports", ()) if it["name"] == "http"
        ]

        assert port["targetPort"] == "http"
        assert [it["containerPort"] for it in named_http] == [80]


def test_pods_run_the_images_that_are_built_here() -> None:
    used = {
        container["image"]
        for variant in VARIANTS
        for _, pod in pod_specs(variants()[variant])
        for container in (*pod.get("initContainers", ()), *pod["containers"])
    }

    assert used == {image.tag for image in IMAGES.values()}


@pytest.mark.parametrize("name", IMAGES)
def test_image_stands_on_debian_and_is_given_no_python(name: str) -> None:
    text = (IMAGES[name].directory / "Containerfile").read_text()

    assert IMAGES[name].base is None, "the base image of Nova has python3"
    assert not re.search(r"python", text, re.IGNORECASE)
    assert not re.search(r"RUN --|COPY --(?!from|chown)|<<\w", text), "needs BuildKit"


def test_static_program_is_alone_in_its_image() -> None:
    text = (IMAGES["search-service"].directory / "Containerfile").read_text()
    last = text.rpartition("FROM ")[2]

    assert last.splitlines()[0] == "scratch"
    assert re.findall(r"^COPY (.+)$", last, re.MULTILINE) == ["--from=debian /build/page /page"]


class Entrypoint:
    """PostgreSQL's entrypoint with programs in PATH that take down how they were called."""

    def __init__(self, directory: Path) -> None:
        self.data, self.log = directory / "data", directory / "called"
        self.scripts = directory / "initialisation"
        self._programs = directory / "programs"
        self._path = directory / "docker-entrypoint.sh"
        for each in (self.scripts, self._programs):
            each.mkdir()
        text = (IMAGES["postgres"].directory / "docker-entrypoint.sh").read_text()
        self._path.write_text(text.replace("/docker-entrypoint-initdb.d", str(self.scripts)))
        self._program("initdb", 'cat >/dev/null; echo 15 >"$PGDATA/PG_VERSION"')
        for name in ("psql", "pg_ctl", "postgres"):
            self._program(name, "")
        self._program("id", "echo 999")

    def _program(self, name: str, does: str) -> None:
        path = self._programs / name
        path.write_text(f'#!/bin/sh\necho "{name} $*" >>"{self.log}"\n{does}\n')
        path.chmod(0o755)

    def start(self, **environment: str) -> int:
        variables = {
            "PATH": f"{self._programs}:{os.environ['PATH']}",
            "PGDATA": str(self.data),
            **environment,
        }
        argv = ["sh", str(self._path), "postgres", "-c", "jit=off"]
        return subprocess.run(argv, env=variables, check=False, capture_output=True).returncode

    @property
    def called(self) -> list[str]:
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        return [line for line in lines if not line.startswith("id ")]


@pytest.fixture
def entrypoint(tmp_path: Path) -> Entrypoint:
    return Entrypoint(tmp_path)


def test_empty_volume_is_initialised_once(entrypoint: Entrypoint) -> None:
    (entrypoint.scripts / "10-roles.sh").write_text('psql "$GREETING"\n')
    (entrypoint.scripts / "20-tables.sql").write_text("")
    (entrypoint.scripts / "README").write_text("")
    given = {"POSTGRES_PASSWORD": "s3cret", "POSTGRES_DB": "shop", "GREETING": "hello"}

    assert entrypoint.start(**given) == 0
    made, begun, created, shell, statements, ended, server = entrypoint.called
    assert f"--pgdata={entrypoint.data} --username=postgres" in made
    assert begun.startswith("pg_ctl start")
    assert "listen_addresses=''" in begun
    assert created.endswith("--dbname=postgres --set=name=shop")
    assert shell == "psql hello"
    assert statements.endswith(f"--dbname=shop --file={entrypoint.scripts}/20-tables.sql")
    assert ended.startswith("pg_ctl stop")
    assert server == "postgres -c jit=off"
    assert "s3cret" not in "".join(entrypoint.called)
    rules = (entrypoint.data / "pg_hba.conf").read_text()
    assert rules.split() == "host all all all scram-sha-256".split()

    assert entrypoint.start(**given) == 0
    assert entrypoint.called[7:] == ["postgres -c jit=off"]


def test_superuser_without_a_password_ends_the_start(entrypoint: Entrypoint) -> None:
    assert entrypoint.start() == 1
    assert entrypoint.called == []


def test_failing_statements_end_the_start(entrypoint: Entrypoint) -> None:
    (entrypoint.scripts / "10-roles.sh").write_text("false\n")

    assert entrypoint.start(POSTGRES_PASSWORD="s3cret") != 0
    assert "postgres -c jit=off" not in entrypoint.called
