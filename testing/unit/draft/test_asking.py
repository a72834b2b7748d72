"""What runs is asked: PostgreSQL, Redis and pages tell what no manifest does."""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import redis

from nova_acceptance.components.postgres import told
from nova_acceptance.components.postgres.roles import ATTRIBUTES
from nova_acceptance.draft.document import Document, describe
from nova_acceptance.draft.emitting import emit
from nova_acceptance.draft.sources import of_objects
from nova_acceptance.errors import ProbeError
from nova_acceptance.kube import Kube, Object, PodRef
from nova_acceptance.system import Component, SecretKey, System
from nova_acceptance.vantage.routes import Route
from nova_acceptance.vantage.transcript import Transcript
from testing.unit.collect.stub import StubKube
from testing.unit.draft import systems
from testing.unit.draft.systems import part, secret, service, workload
from testing.unit.probes.a_postgres import SPEC, APostgres, ARole, ASession, on
from testing.unit.probes.tls import served

PASSWORD = "not-a-secret-of-anybody"
PORT = 6379


@dataclass
class Access:
    """The way to pods, each at a port of this machine."""

    objects: list[Object]
    port: int = 1
    kube: Kube = field(default_factory=StubKube)
    transcript: Transcript = field(default_factory=Transcript)

    def pods(self, _component: Component) -> list[PodRef]:
        raise NotImplementedError

    def to_service(self, _component: Component) -> Route:
        raise NotImplementedError

    def to_role(self, _component: Component, _role: str) -> Route:
        raise NotImplementedError

    def to_pod(self, pod: PodRef, port: int) -> Route:
        return Route(self.port, "runner", f"{pod}:{port}")

    def password(self, component: Component, home: SecretKey) -> str:
        for each in self.objects:
            where = each["metadata"].get("namespace"), each["metadata"]["name"]
            if each["kind"] == "Secret" and where == (component.namespace, home.secret):
                return base64.b64decode(each["data"][home.key]).decode()
        raise ProbeError("there is none")


def running(*objects: Object) -> list[Object]:
    """Return objects with a ready pod for each replica of a StatefulSet."""
    found: list[Object] = []
    for each in objects:
        if each["kind"] == "StatefulSet":
            where, uid = each["metadata"], f"uid-{each['metadata']['name']}"
            each["metadata"] = {**where, "uid": uid}
            found += [_pod(each, number) for number in range(each["spec"].get("replicas", 1))]
        found.append(each)
    return found


def _pod(owner: Object, number: int) -> Object:
    where = owner["metadata"]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": f"{where['name']}-{number}",
            "namespace": where["namespace"],
            "uid": f"{where['uid']}-{number}",
            "labels": owner["spec"]["template"]["metadata"].get("labels"),
            "ownerReferences": [
                {"kind": "StatefulSet", "name": where["name"], "uid": where["uid"]}
            ],
        },
        "spec": {"containers": []},
        "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]},
    }


def described(directory: Path, access: Access) -> tuple[Document, System]:
    """Return what is made of objects that can be asked, and how its readers have it."""
    document = describe(of_objects(access.objects, "a cluster"), access)
    if document.allows_undeclared:
        document.data["undeclared"] = "allowed"
    return document, systems.loaded(directory, emit(document.data, document.comments))


def verifier(password: str) -> str:
    """Return what PostgreSQL would store for a password."""
    salt, rounds = b"salt", 2
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, rounds)
    client = hashlib.sha256(hmac.new(salted, b"Client Key", hashlib.sha256).digest()).digest()
    server = hmac.new(salted, b"Server Key", hashlib.sha256).digest()
    parts = [base64.b64encode(part).decode() for part in (salt, client, server)]
    return f"SCRAM-SHA-256${rounds}:{parts[0]}${parts[1]}:{parts[2]}"


@dataclass
class ANova(APostgres):
    """Nova's PostgreSQL, which also tells what every role holds, and its verifiers."""

    access: Access = field(default_factory=lambda: Access([]))
    extra: list[tuple[Any, ...]] = field(default_factory=list)

    def close(self) -> None:
        """Do nothing."""

    def admin(self, database: str = "postgres") -> ASession:
        rules = [
            ("local", ["postgres"], None, "peer"),
            ("host", ["postgres"], "127.0.0.1", "scram-sha-256"),
            ("host", ["replication_user"], "all", "scram-sha-256"),
            ("host", ["app_user"], "all", "scram-sha-256"),
        ]
        answers = dict(self.session.answers)
        return ASession(
            **{
                "pg_authid": [*self._roles(), *self.extra],
                "pg_hba_file_rules": rules,
                **self._rights(database),
                **answers,
            }
        )

    def _roles(self) -> Iterator[tuple[Any, ...]]:
        for role in SPEC.roles:
            home = role.password
            stored = verifier(self.access.password(SPEC, home)) if home else ""
            yield role.name, *(each in role.attributes for each in ATTRIBUTES.values()), stored

    def _rights(self, database: str) -> dict[str, list[tuple[Any, ...]]]:
        found: dict[str, list[tuple[Any, ...]]] = {"has_database_privilege": []}
        found |= {f"has_{each}_privilege": [] for each in ("schema", "table", "sequence")}
        for role in SPEC.roles:
            grant = role.grant_in(database)
            found["has_database_privilege"] += [(role.name, it) for it in grant.on_database]
            for schema in self.owners.get(database, ()):
                rights = ARights.of(role, database, schema)
                found["has_schema_privilege"] += [(role.name, schema, it) for it in rights.schema]
                found["has_table_privilege"] += [
                    (role.name, schema, it, True, True) for it in rights.table
                ]
                found["has_sequence_privilege"] += [
                    (role.name, schema, it, True, True) for it in rights.sequence
                ]
        return found


@dataclass
class ARights:
    schema: tuple[str, ...] = ()
    table: tuple[str, ...] = ()
    sequence: tuple[str, ...] = ()

    @classmethod
    def of(cls, role: Any, database: str, schema: str) -> ARights:
        grant = role.grant_in(database)
        if schema not in grant.schemas:
            return cls()
        return cls(grant.on_schemas, grant.on_tables, grant.on_sequences)


@pytest.fixture
def nova(monkeypatch: pytest.MonkeyPatch) -> ANova:
    """Return a PostgreSQL that is as nova.yaml says; the rest of Nova is not asked."""
    access = Access([it for it in running(*systems.nova()) if _is_of_the_database(it)])
    found = ANova(access=access)
    monkeypatch.setattr(told, "_connect", lambda *_: found)
    return found


def _is_of_the_database(obj: Object) -> bool:
    return bool(obj["metadata"].get("namespace") == "nova-database")


def test_postgres_tells_what_people_wrote(nova: ANova, tmp_path: Path) -> None:
    _, system = described(tmp_path, nova.access)
    found: Any = system.component("postgres")
    written = SPEC

    assert {it.name: it for it in found.databases} == {it.name: it for it in written.databases}
    assert {it.name: it for it in found.roles} == {it.name: it for it in written.roles}
    assert (found.synchronous, found.public, found.durable, found.version) == (
        True,
        "nothing",
        True,
        "15",
    )
    assert found.patroni == written.patroni


def test_what_everybody_holds_is_not_judged(nova: ANova, tmp_path: Path) -> None:
    nova.public_on_databases = [("nova_auth", "CONNECT")]
    _, system = described(tmp_path, nova.access)

    assert part(system, "postgres").public == "not judged"


def test_password_in_no_secret_is_said(nova: ANova, tmp_path: Path) -> None:
    nova.roles["someone"] = ARole(SPEC.role("nova_owner"))
    nova.extra = [("someone", False, True, False, False, False, False, verifier("elsewhere"))]
    document, system = described(tmp_path, nova.access)

    assert any("someone has a password" in line for line in document.unknown)
    roles = part(system, "postgres").roles
    assert [it.password for it in roles if it.name == "someone"] == [None]


def test_names_that_the_file_does_not_take_are_left_out(nova: ANova, tmp_path: Path) -> None:
    nova.databases["My-Shop"] = "nova_owner"
    nova.owners["My-Shop"] = {"public": "nova_owner"}
    document, system = described(tmp_path, nova.access)

    assert system.undeclared == "allowed"
    assert "My-Shop" not in system.component("postgres").targets
    assert any("My-Shop" in text for texts in document.comments.values() for text in texts)


def test_durability_that_is_off_is_said(nova: ANova, tmp_path: Path) -> None:
    nova.session.answers["current_setting"] = on("off")
    document, system = described(tmp_path, nova.access)

    assert part(system, "postgres").durable is False
    assert any("A crash loses" in text for texts in document.comments.values() for text in texts)


def test_server_that_lets_nobody_in_is_described_by_its_manifests(
    nova: ANova, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> None:
        raise ProbeError("nobody leads", evidence=['FATAL:  password of user "postgres" is wrong'])

    monkeypatch.setattr(told, "_connect", refused)
    document, system = described(tmp_path, nova.access)

    assert any('password of user "postgres" is wrong' in line for line in document.unknown)
    assert system.component("postgres").kind == "postgres"


class ARedis:
    """A Redis that answers by its password."""

    def __init__(self, password: str, appends: str = "yes") -> None:
        self.password = password
        self.appends = appends
        self.refuses_config = False

    def client(self, *, password: str | None, **_: object) -> Any:
        outer = self

        class Client:
            def execute_command(self, *words: str) -> Any:
                if outer.password and password != outer.password:
                    raise redis.AuthenticationError("NOAUTH Authentication required.")
                if words[0] == "CONFIG GET":
                    if outer.refuses_config:
                        raise redis.ResponseError("unknown command 'CONFIG'")
                    return {"appendonly": outer.appends}
                return {"redis_version": "7.2.4"} if words[0] == "INFO" else True

            def close(self) -> None:
                """Do nothing."""

        return Client()


def cache(monkeypatch: pytest.MonkeyPatch, server: ARedis) -> Access:
    """Return the way to a Redis whose Secret has two keys."""
    monkeypatch.setattr(redis, "Redis", server.client)
    env = {"env": [_from("A_PASSWORD", "wrong"), _from("B_PASSWORD", "right")]}
    objects = running(
        workload("cache", "example.org/any:1", PORT, kind="StatefulSet", container=env),
        service("cache", PORT),
        secret("cache", wrong="another-password", right=PASSWORD),
    )
    return Access(objects)


def _from(name: str, key: str) -> dict[str, Any]:
    return {"name": name, "valueFrom": {"secretKeyRef": {"name": "cache", "key": key}}}


def test_redis_tells_which_password_it_takes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, system = described(tmp_path, cache(monkeypatch, ARedis(PASSWORD)))
    found: Any = system.component("cache")

    assert (found.password.secret, found.password.key) == ("cache", "right")
    assert (found.persistence, found.version) == ("append-only", "7.")


def test_redis_that_takes_none_has_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _, system = described(tmp_path, cache(monkeypatch, ARedis("", appends="no")))
    found: Any = system.component("cache")

    assert (found.password, found.persistence) == (None, "none")


def test_redis_whose_password_is_nowhere_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    document, _ = described(tmp_path, cache(monkeypatch, ARedis("a-third-password")))

    assert any("no Secret that could be read holds it" in line for line in document.unknown)


def test_redis_that_tells_no_configuration_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = ARedis(PASSWORD)
    server.refuses_config = True
    document, _ = described(tmp_path, cache(monkeypatch, server))

    assert any("appends every write" in line for line in document.unknown)


@contextmanager
def pages(**bodies: tuple[int, str]) -> Iterator[int]:
    """Serve pages by their names, without the slash, and yield the port."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = bodies.get(self.path.strip("/") or "root", (404, ""))
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server.server_address[1]
        server.shutdown()


def page(directory: Path, **bodies: tuple[int, str]) -> tuple[Document, Any]:
    """Return what is made of a service that has these pages."""
    objects = running(workload("web", "web:1", 80, kind="StatefulSet"), service("web", 80))
    with pages(**bodies) as port:
        document, system = described(directory, Access(objects, port=port))
    return document, system.component("web")


def test_page_that_is_well_is_the_health(tmp_path: Path) -> None:
    _, found = page(tmp_path, health=(200, '{"service": "web", "status": "ok"}'))

    assert (found.health.path, found.health.names_itself) == ("/health", "service")


def test_page_that_is_tried_later_says_what_came_before(tmp_path: Path) -> None:
    document, found = page(tmp_path, root=(200, "welcome"))

    assert (found.health.path, found.protocol) == ("/", "http")
    texts = [text for texts in document.comments.values() for text in texts]
    assert "It answered /health with 404, /healthz with 404, / with 200." in texts


def test_service_without_a_page_is_said(tmp_path: Path) -> None:
    document, found = page(tmp_path)

    assert (found.health, found.protocol) == (None, "http")
    assert any("/healthz with 404" in line for line in document.unknown)


def test_what_speaks_no_http_is_only_connected_to(tmp_path: Path) -> None:
    objects = running(workload("web", "web:1", 80, kind="StatefulSet"), service("web", 80))
    _, system = described(tmp_path, Access(objects, port=1))

    assert part(system, "web").protocol == "tcp"


def test_user_who_may_open_no_port_forward_is_told(tmp_path: Path) -> None:
    kube = StubKube()
    kube.denied = {"get pods/portforward"}
    objects = running(workload("web", "web:1", 80, kind="StatefulSet"), service("web", 80))
    with pages(health=(200, "ok")) as port:
        access = Access(objects, port=port, kube=kube)
        document, system = described(tmp_path, access)

    assert any("may not open a port-forward in shop" in line for line in document.unknown)
    assert part(system, "web").health is None


def over_tls(directory: Path, *names: str) -> tuple[Document, Any]:
    """Return what is made of a service that answers over TLS, with a certificate of these names."""
    objects = running(
        workload("web", "web:1", 443, kind="StatefulSet"), service("web", 443, port_name="https")
    )
    answer = b'HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n{"name": "web"}'
    with served(directory, *names, answer=answer) as shown:
        document, system = described(directory, Access(objects, port=shown.port))
    return document, system.component("web")


def test_service_over_tls_is_asked_over_tls(tmp_path: Path) -> None:
    _, found = over_tls(tmp_path, f"*.{systems.NAMESPACE}.svc.cluster.local")

    assert (found.protocol, found.health.names_itself) == ("https", "name")


def test_service_whose_certificate_its_clients_refuse_is_only_connected_to(tmp_path: Path) -> None:
    document, found = over_tls(tmp_path, "localhost")

    assert (found.protocol, found.health) == ("tcp", None)
    assert any("certificate" in text for texts in document.comments.values() for text in texts)
