"""What is told of values that differ in how they are written, in Nova and in another system."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from nova_acceptance.components.kubernetes.shapes import without_values
from nova_acceptance.components.urls import rules, values
from nova_acceptance.findings import Finding
from nova_acceptance.kube import Object
from nova_acceptance.kube.snapshot import Snapshot
from nova_acceptance.system import System
from testing.unit.diagnosis.rendered import Nova
from testing.unit.system.specs import spec

PASSWORD = "Qw7#hid/den"
ESCAPED = "Qw7%23hid%2Fden"
HOST = "ledger-db.books.svc.cluster.local"


def books() -> System:
    return spec("""
components:
  - kind: postgres
    name: ledger-db
    namespace: books
    workload: {replicas: 2}
    services:
      - {name: ledger-db, headless: true, ports: {sql: 5432}}
      - {name: ledger-db-rw, ports: {sql: 5432}, role: primary}
    databases: [{name: ledger, owner: books, schemas: {public: books}}]
    roles:
      - name: postgres
        attributes: [SUPERUSER, LOGIN]
        password: {secret: db-logins, key: SUPER}
      - name: books
        attributes: [LOGIN]
        password: {secret: db-logins, key: BOOKS}
        grants: [{database: ledger, on_database: [CONNECT]}]
  - kind: redis
    name: queue
    namespace: books
    services: [{name: queue, ports: {redis: 6379}}]
    password: {secret: queue-login, key: PASS}
  - {kind: http, name: clerk, namespace: books, port: 80, uses: [
      {name: ledger, secret: clerk, key: DB, env: DB},
      {name: queue, secret: clerk, key: QUEUE, env: QUEUE}]}
""")


def secret(name: str, **data: str | bytes) -> Object:
    held = {
        key: base64.b64encode(it if isinstance(it, bytes) else it.encode()).decode()
        for key, it in data.items()
    }
    metadata = {"name": name, "namespace": "books"}
    return without_values({"kind": "Secret", "metadata": metadata, "data": held})


def deployment(name: str, container: dict[str, Any], volumes: list[Any] | None = None) -> Object:
    return {
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": "books"},
        "spec": {
            "template": {
                "metadata": {},
                "spec": {"containers": [{"name": name, **container}], "volumes": volumes or []},
            }
        },
    }


RW = "ledger-db-rw.books.svc.cluster.local:5432"
RIGHT = {
    "DB": f"postgres://books:{ESCAPED}@{RW}/ledger",
    "QUEUE": f"redis://:{ESCAPED}@queue.books:6379/0",
}


def found(*more: Object, logins: str | bytes = PASSWORD, **clerk: str | bytes) -> list[Finding]:
    objects = (
        secret("db-logins", SUPER="other-Zx81", BOOKS=logins),
        secret("queue-login", PASS=PASSWORD),
        secret("clerk", **(RIGHT | clerk)),
        deployment("clerk", {"envFrom": [{"secretRef": {"name": "clerk"}}]}),
        deployment("ledger-db", {"envFrom": [{"secretRef": {"name": "db-logins"}}]}),
        *(
            {"kind": "Service", "metadata": {"name": name, "namespace": "books"}, "spec": {}}
            for name in ("ledger-db", "ledger-db-rw", "queue", "other")
        ),
        *more,
    )
    snapshot = Snapshot.of(objects, system=books())
    every = [each for rule in rules.BEFOREHAND for each in rule(snapshot)]
    assert all("hid" not in f"{it.headline} {it.evidence}" for it in every)
    assert all("Qw7" not in f"{it.headline} {it.evidence}" for it in every)
    return every


def one(*more: Object, **changed: Any) -> tuple[str, str]:
    """Return the cause and the object's name of the one finding that there is."""
    (only,) = found(*more, **changed)
    return only.cause, only.subject.name


MEMBERS = f"ledger-db-0.{HOST}:5432,ledger-db-1.{HOST}:5432"


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"DB": f"postgresql://books:{ESCAPED}@{MEMBERS}/ledger?target_session_attrs=read-write"},
        {"DB": f"postgresql+asyncpg://books:{ESCAPED}@ledger-db-rw/ledger"},
        {"QUEUE": f"redis://default:{ESCAPED}@queue:6379"},
        # a user of Redis' ACL has a password of its own
        {"QUEUE": "redis://clerk:its-0wn@queue:6379/3"},
        {"NOTE": "two words\n"},
        {"CSP": "'self'"},
        {"APP_NAME": "todo", "AUTH": "none", "SALT": "plain"},
        {"WORK_QUEUE": f"redis://:{ESCAPED}@queue:6379/0"},
    ],
)
def test_value_that_is_right_in_another_form(changed: dict[str, str]) -> None:
    assert found(**changed) == []


@pytest.mark.parametrize(
    ("changed", "cause", "name", "words"),
    [
        ({"logins": f"{PASSWORD}\n"}, "VALUE_WITH_BLANKS", "db-logins", "ends with a line feed"),
        ({"logins": f" {PASSWORD}"}, "VALUE_WITH_BLANKS", "db-logins", "begins with a space"),
        ({"logins": f'"{PASSWORD}"'}, "VALUE_IN_QUOTES", "db-logins", '" at both ends'),
        (
            {"logins": base64.b64encode(PASSWORD.encode())},
            "VALUE_ENCODED_TWICE",
            "db-logins",
            "still base64",
        ),
        ({"logins": "change_me"}, "VALUE_IS_PLACEHOLDER", "db-logins", "a placeholder"),
        (
            {"logins": "another-0ne"},
            "URL_PASSWORD_WRONG",
            "clerk",
            "and not that of Secret books/db-logins",
        ),
        (
            {"DB": f"{RIGHT['DB']}\r\n"},
            "VALUE_WITH_BLANKS",
            "clerk",
            "ends with a carriage return and a line feed",
        ),
        ({"DB": f"'{RIGHT['DB']}'"}, "VALUE_IN_QUOTES", "clerk", "' at both ends"),
        (
            {"DB": base64.b64encode(str(RIGHT["DB"]).encode())},
            "VALUE_ENCODED_TWICE",
            "clerk",
            "still base64",
        ),
        (
            {"DB": f"postgres://books:{PASSWORD}@{RW}/ledger"},
            "URL_CHARACTER_UNESCAPED",
            "clerk",
            "holds #, / as it is",
        ),
        (
            {"DB": f"postgres://books:{ESCAPED}%0A@{RW}/ledger"},
            "VALUE_WITH_BLANKS",
            "clerk",
            "at one end, escaped",
        ),
        (
            {"DB": f"postgres://books:{ESCAPED.replace('%', '%25')}@{RW}/ledger"},
            "URL_CHARACTER_UNESCAPED",
            "clerk",
            "escaped twice",
        ),
        (
            {"DB": f"postgres://books:${{PASSWORD}}@{RW}/ledger"},
            "VALUE_IS_PLACEHOLDER",
            "clerk",
            "in the place of its password",
        ),
        (
            {"DB": f"postgres://books:other-Zx81@{RW}/ledger"},
            "URL_PASSWORD_WRONG",
            "clerk",
            "holds the password of Secret books/db-logins, SUPER",
        ),
        (
            {"DB": f"{RIGHT['DB']}?sslmode=requre"},
            "URL_OPTION_WRONG",
            "clerk",
            "gives sslmode a value",
        ),
        (
            {"DB": f"{RIGHT['DB']}?target_session_attrs=read-only"},
            "URL_OPTION_WRONG",
            "clerk",
            "leads to the primary alone",
        ),
        (
            {"DB": f"postgres://books:{ESCAPED}@ledger-db-0.{HOST},other.books/ledger"},
            "URL_TARGET_WRONG",
            "clerk",
            "Service books/other",
        ),
        (
            {"QUEUE": f"redis://:{ESCAPED}@queue:6379/cache"},
            "URL_DATABASE_WRONG",
            "clerk",
            "is no number",
        ),
        (
            {"QUEUE": f"redis://:{PASSWORD}@queue:6379/0"},
            "URL_CHARACTER_UNESCAPED",
            "clerk",
            "holds #, / as it is",
        ),
        ({"BROKERS": "kafka:9092\n"}, "VALUE_WITH_BLANKS", "clerk", "ends with a line feed"),
        ({"API_TOKEN": "TODO"}, "VALUE_IS_PLACEHOLDER", "clerk", "holds a placeholder"),
        ({"API_TOKEN": '"abc-12"'}, "VALUE_IN_QUOTES", "clerk", '" at both ends'),
    ],
)
def test_what_is_told_of_a_value(
    changed: dict[str, str], cause: str, name: str, words: str
) -> None:
    (only,) = found(**changed)

    assert (only.cause, only.subject.name) == (cause, name)
    assert words in only.summary


def test_percent_that_is_meant_as_it_stands() -> None:
    password = "Qw7%41hid"
    (only,) = found(logins=password, DB=f"postgres://books:{password}@{RW}/ledger")

    assert only.cause == "URL_CHARACTER_UNESCAPED"
    assert "%25" in only.headline


def test_password_that_was_put_under_data_as_it_is() -> None:
    password = "Autumn20"
    (only,) = found(
        logins=base64.b64decode(password), DB=f"postgres://books:{password}@{RW}/ledger"
    )

    assert only.cause == "VALUE_ENCODED_TWICE"
    assert only.subject.name == "db-logins"


def test_file_ends_with_the_end_of_a_line_by_right() -> None:
    config = {
        "kind": "ConfigMap",
        "metadata": {"name": "settings", "namespace": "books"},
        "data": {"level": "info\n"},
    }
    volume = {"name": "v", "configMap": {"name": "settings"}}

    assert found(config, deployment("reader", {}, [volume])) == []
    assert one(config, deployment("r", {"envFrom": [{"configMapRef": {"name": "settings"}}]})) == (
        "VALUE_WITH_BLANKS",
        "settings",
    )


@pytest.mark.parametrize(
    ("value", "expected"),
    [("$(POD_IP)", []), ("${PASS}", ["VALUE_IS_PLACEHOLDER"]), ("x-$(POD_IP)", [])],
)
def test_variable_that_the_kubelet_fills_in_is_no_placeholder(
    value: str, expected: list[str]
) -> None:
    spelled = deployment("r", {"env": [{"name": "API_TOKEN", "value": value}]})

    assert [it.cause for it in found(spelled)] == expected


def test_password_that_is_read_from_a_file_may_end_with_the_end_of_a_line() -> None:
    volume = {"name": "v", "secret": {"secretName": "queue-login"}}
    objects = (
        secret("queue-login", PASS="plain-Zx81\n"),
        deployment("queue", {}, [volume]),
    )
    snapshot = Snapshot.of(objects, system=books())

    assert list(values.values_as_written(snapshot)) == []


@pytest.mark.parametrize(
    ("own", "host", "is_told"),
    [
        ("production", "kafka.staging.example.com:9092", True),
        ("production", "events.sales-dev.svc.cluster.local:9092", True),
        ("staging", "kafka.prod.example.com:9092", True),
        ("production", "kafka.prod.example.com:9092", False),
        ("production", "kafka.example.com:9092", False),
        ("production", "test-runner.books.svc.cluster.local:80", False),
        ("blue", "kafka.staging.example.com:9092", False),
    ],
)
def test_value_of_another_environment(own: str, host: str, is_told: bool) -> None:
    config = {
        "kind": "ConfigMap",
        "metadata": {"name": "stage", "namespace": "books"},
        "data": {"APP_ENV": own, "NODE_ENV": "development", "BROKERS": host},
    }
    user = deployment("r", {"envFrom": [{"configMapRef": {"name": "stage"}}]})

    expected = ["VALUE_OF_ANOTHER_ENVIRONMENT"] if is_told else []
    assert [it.cause for it in found(config, user)] == expected


def test_placeholder_of_nova_is_told_where_it_is() -> None:
    nova = Nova()
    where = "Secret/user-service-secrets"
    held = nova[where]
    held["data"]["KAFKA_BROKERS"] = "x"
    held["traits"] = {"KAFKA_BROKERS": [{"name": "placeholder", "what": "word"}]}

    (only,) = nova.diagnoses()
    assert (only.cause, only.subject.name) == ("VALUE_IS_PLACEHOLDER", "user-service-secrets")


@pytest.mark.parametrize(
    ("numbers", "is_told"),
    [("0000", False), ("0001", False), ("0012", True), ("0123", False), ("0112", True)],
)
def test_database_that_two_share_where_others_have_their_own(numbers: str, is_told: bool) -> None:
    users = "\n".join(
        f"  - {{kind: http, name: s{n}, namespace: books, port: 80, uses: "
        f"[{{name: queue, secret: s{n}, key: QUEUE}}]}}"
        for n in range(4)
    )
    system = spec(f"""
components:
  - kind: redis
    name: queue
    namespace: books
    services: [{{name: queue, ports: {{redis: 6379}}}}]
{users}
""")
    objects = [secret(f"s{n}", QUEUE=f"redis://queue:6379/{it}") for n, it in enumerate(numbers)]
    told = list(rules.databases_shared(Snapshot.of(objects, system=system)))

    assert [it.cause for it in told] == (["URL_DATABASE_SHARED"] if is_told else [])
