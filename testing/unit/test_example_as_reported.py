"""The Nova of the report: its images, its variants, and the passwords of each."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from shutil import copytree, which
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
VARIANTS: Final = ("mended", "as-reported", "without-shells")
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


@pytest.mark.parametrize("variant", ["mended", "without-shells"])
def test_whole_it_is_what_its_spec_says(variant: str) -> None:
    system, objects = spec(), variants()[variant]
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
    mended, reported = (named(variants()[name]) for name in ("mended", "as-reported"))
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

    earlier = {
        ("PodDisruptionBudget", "reported-database", "postgres"): "policy/v1beta1",
        ("CronJob", "reported-services", "session-cleanup"): "batch/v1beta1",
    }
    assert changed == {name: version for name, version in earlier.items() if name in now}
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


def test_without_shells_it_has_the_same_passwords_and_services_and_no_tasks() -> None:
    mended, bare = (named(variants()[name]) for name in ("mended", "without-shells"))
    database, services = "reported-database", "reported-services"

    assert mended.keys() - bare.keys() == {
        ("Job", services, "migration"),
        ("ConfigMap", services, "migration"),
        ("CronJob", services, "session-cleanup"),
    }
    assert bare.keys() <= mended.keys()
    differing = {name for name in bare if bare[name] != mended[name]}
    assert {name for name in differing if name[0] not in ("Deployment", "StatefulSet")} == {
        ("ConfigMap", database, "postgres-init")
    }


def test_without_shells_each_pod_is_one_server_that_nothing_is_run_in() -> None:
    images = {image.tag: image for image in IMAGES.values()}
    for name, pod in pod_specs(variants()["without-shells"]):
        (container,) = pod["containers"]
        text = (images[container["image"]].directory / "Containerfile").read_text()
        last = text.rpartition("FROM ")[2]

        assert "initContainers" not in pod, name
        assert last.splitlines()[0] == "scratch", name
        assert not re.search("^RUN ", last, re.MULTILINE), name
        assert "command" not in container, name
        for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
            assert "exec" not in container.get(probe, {}), (name, probe)


def test_without_shells_the_same_databases_roles_and_tables_are_made() -> None:
    def statements(variant: str, *maps: str) -> set[str]:
        objects = named(variants()[variant], "ConfigMap")
        texts = [text for (_, _, name), it in objects.items() if name in maps
                 for text in it["data"].values()]  # fmt: skip
        # of a role, which password it has is told in another way
        made = re.findall(r"^(?:CREATE|GRANT) [^;']+", "\n".join(texts), re.MULTILINE)
        return {re.sub(r"IF NOT EXISTS |\s+(?=\s)", "", each).strip() for each in made}

    found = statements("without-shells", "postgres-init")
    assert found == statements("mended", "postgres-init", "migration")
    assert len(found) == 11


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


class Start:
    """What starts PostgreSQL without a shell, with a server that takes down how it was called."""

    def __init__(self, directory: Path, compiler: str) -> None:
        self.data, self.log = directory / "data", directory / "called"
        self.scripts, self.template = directory / "initialisation", directory / "template"
        self._programs = directory / "programs"
        for each in (self.scripts, self.template / "base", self._programs):
            each.mkdir(parents=True)
        (self.template / "PG_VERSION").write_text("15\n")
        (self.template / "base" / "1").write_bytes(bytes(range(256)) * 1024)
        text = (IMAGES["postgres-without-shell"].directory / "start.c").read_text()
        text = text.replace('"/docker-entrypoint-initdb.d"', f'"{self.scripts}"')
        source = directory / "start.c"
        source.write_text(text.replace('"/template"', f'"{self.template}"'))
        argv = [
            compiler,
            "-Wall",
            "-Wextra",
            "-Werror",
            "-o",
            str(directory / "start"),
            str(source),
        ]
        subprocess.run(argv, check=True, capture_output=True)
        self._start = directory / "start"
        self.server('if [ "$1" = --single ]; then cat >>"$LOG"; fi')

    def server(self, does: str) -> None:
        path = self._programs / "postgres"
        path.write_text(f'#!/bin/sh\necho "postgres $*" >>"$LOG"\n{does}\n')
        path.chmod(0o755)

    def start(self, **environment: str) -> subprocess.CompletedProcess[str]:
        variables = {
            "PATH": f"{self._programs}:{os.environ['PATH']}",
            "PGDATA": str(self.data),
            "LOG": str(self.log),
            **environment,
        }
        argv = [str(self._start), "postgres", "-c", "jit=off"]
        return subprocess.run(argv, env=variables, check=False, capture_output=True, text=True)

    @property
    def called(self) -> list[str]:
        return self.log.read_text().splitlines()


@pytest.fixture
def start(tmp_path: Path) -> Start:
    compiler = which("cc") or which("gcc")
    if not compiler:
        pytest.skip("there is no C compiler: the image has its own")
    return Start(tmp_path, compiler)


def test_without_a_shell_the_volume_is_made_once_from_the_template(start: Start) -> None:
    (start.scripts / "20-shop.sql").write_text("CREATE SCHEMA goods;\n")
    (start.scripts / "10-postgres.sql").write_text("ALTER ROLE postgres PASSWORD :'SECRET';\n")
    (start.scripts / "README").write_text("")

    assert start.start(SECRET="it's").returncode == 0
    roles, password, shop, schema, server = start.called
    assert roles.startswith(f"postgres --single -j -D {start.data}.making")
    assert roles.endswith(" postgres")
    assert password == "ALTER ROLE postgres PASSWORD 'it''s';"
    assert shop.endswith(" shop")
    assert schema == "CREATE SCHEMA goods;"
    assert server == "postgres -c jit=off"
    made = [start.data, *start.data.rglob("*")]
    assert {path.stat().st_mode & 0o777 for path in made if path.is_dir()} == {0o700}
    assert {path.stat().st_mode & 0o777 for path in made if path.is_file()} == {0o600}
    assert (start.data / "base" / "1").read_bytes() == bytes(range(256)) * 1024

    assert start.start().returncode == 0
    assert start.called[5:] == ["postgres -c jit=off"]


def test_without_a_shell_an_empty_password_ends_the_start(start: Start) -> None:
    (start.scripts / "10-postgres.sql").write_text("ALTER ROLE postgres PASSWORD :'SECRET';\n")

    done = start.start(SECRET="")

    assert done.returncode != 0
    assert "SECRET is empty" in done.stderr
    assert not start.data.exists()


def test_without_a_shell_what_was_left_half_made_is_made_anew(start: Start) -> None:
    (start.scripts / "10-postgres.sql").write_text("CREATE DATABASE shop;\n")
    start.server("exit 1")

    assert start.start().returncode != 0
    assert not start.data.exists()
    assert Path(f"{start.data}.making", "PG_VERSION").exists()

    start.server("cat >/dev/null")
    assert start.start().returncode == 0
    assert (start.data / "PG_VERSION").exists()
    assert not Path(f"{start.data}.making").exists()
