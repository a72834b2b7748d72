"""Services for a role of PostgreSQL, and the right to label pods, on systems with other names."""

from __future__ import annotations

import json
from typing import Any

import pytest

from nova_acceptance.collect.logs import sources
from nova_acceptance.components.postgres import role_services
from nova_acceptance.components.postgres.spec import Postgres
from nova_acceptance.findings import Finding
from nova_acceptance.kube import Object
from nova_acceptance.kube.snapshot import EVERYWHERE, Log, Snapshot
from nova_acceptance.system import System
from testing.unit.diagnosis import recorded
from testing.unit.diagnosis.members import member, moved, stateful_set

HOME = "ledgers"
SHARED = {"application": "spilo", "cluster-name": "acid-ledger"}


def system(label: str | None = "spilo-role") -> System:
    described = {
        "kind": "postgres",
        "name": "acid-ledger",
        "namespace": HOME,
        "workload": {"replicas": 3},
        "services": (
            {"name": "acid-ledger", "ports": {"postgresql": 5432}, "role": "primary"},
            {"name": "acid-ledger-repl", "ports": {"postgresql": 5432}, "role": "replica"},
        ),
        "patroni": {"role_label": label} if label else {},
        "databases": (),
        "roles": (
            {
                "name": "postgres",
                "attributes": ("SUPERUSER", "LOGIN"),
                "password": {"secret": "s", "key": "k"},
            },
        ),
    }
    return System(components=(Postgres.model_validate(described),))


def members(*roles: str, label: str = "spilo-role") -> list[Object]:
    owner = stateful_set("acid-ledger", HOME, len(roles))
    owner["spec"]["selector"] = {"matchLabels": SHARED}
    pods = [member(owner, number) for number in range(len(roles))]
    for pod, role in zip(pods, roles, strict=True):
        pod["metadata"]["labels"] = {**SHARED, **({label: role} if role else {})}
        pod["spec"]["serviceAccountName"] = "postgres-pod"
    return [owner, *pods]


def service(name: str, **selector: str) -> Object:
    selected = {key.replace("_", "-"): value for key, value in selector.items()}
    return moved(recorded.service(name, selector={**SHARED, **selected}), HOME)


def seen(*objects: Object, label: str | None = "spilo-role") -> Snapshot:
    there = [recorded.namespace(HOME), recorded.node(), *objects]
    return Snapshot.of(there, system=system(label))


def astray(snapshot: Snapshot) -> list[Finding]:
    return list(role_services.wrong_role_selected(snapshot))


def test_service_for_replicas_that_selects_the_leader_is_named() -> None:
    repl = service("acid-ledger-repl", spilo_role="master")

    (found,) = astray(seen(*members("replica", "master", "replica"), repl))

    assert found.cause == "PRIMARY_SERVICE_ASTRAY"
    assert str(found.subject) == "Service ledgers/acid-ledger-repl"
    assert "spilo-role=master, the label of acid-ledger-1" in found.summary
    assert "select spilo-role=replica" in found.cure
    assert "Pod ledgers/acid-ledger-0: spilo-role=replica" in found.evidence


def test_service_for_the_leader_that_selects_replicas_is_told_how_this_system_spells_it() -> None:
    first = service("acid-ledger", role="replica")
    pods = members("master", "replica", "replica", label="role")

    (found,) = astray(seen(*pods, first, label=None))

    assert "role=replica, the label of acid-ledger-1, acid-ledger-2" in found.summary
    assert "select role=master" in found.cure


def test_service_for_a_role_that_selects_every_member_is_named() -> None:
    (found,) = astray(seen(*members("master", "replica", "replica"), service("acid-ledger")))

    assert "selects every member" in found.summary
    assert "lacks spilo-role" in found.summary


@pytest.mark.parametrize(
    ("name", "selector"),
    [
        ("acid-ledger", {"spilo_role": "master"}),
        ("acid-ledger-repl", {"spilo_role": "replica"}),
        ("acid-ledger-repl", {"spilo_role": "reporting"}),
        ("acid-ledger-config", {"spilo_role": "replica"}),
    ],
)
def test_service_that_selects_its_role_or_one_unknown_is_left_alone(
    name: str, selector: dict[str, str]
) -> None:
    assert not astray(seen(*members("master", "replica", "replica"), service(name, **selector)))


def test_service_whose_endpoints_patroni_writes_is_left_alone() -> None:
    front = service("acid-ledger")
    del front["spec"]["selector"]

    assert not astray(seen(*members("master", "replica", "replica"), front))


REFUSED = (
    'pods "acid-ledger-1" is forbidden: User "system:serviceaccount:ledgers:postgres-pod" cannot '
    'patch resource "pods" in API group "" in the namespace "ledgers"'
)


def rbac(kind: str, name: str, **fields: Any) -> Object:
    metadata = {"name": name, "namespace": HOME, "uid": f"uid-{kind}-{name}"}
    return {"kind": kind, "metadata": metadata, **fields}


def role(*verbs: str, names: tuple[str, ...] = ()) -> Object:
    rule = {"apiGroups": [""], "resources": ["pods"], "verbs": list(verbs)}
    return rbac("Role", "labeller", rules=[{**rule, "resourceNames": list(names)}])


def binding(account: str) -> Object:
    subjects = [{"kind": "ServiceAccount", "name": account}]
    return rbac(
        "RoleBinding",
        "labeller-of-pods",
        roleRef={"kind": "Role", "name": "labeller"},
        subjects=subjects,
    )


def refused(*objects: Object, text: str = REFUSED, knows: bool = True) -> list[Finding]:
    found = seen(*members("replica", "replica", "replica"), *objects)
    found.logs[HOME, "acid-ledger-1", "postgres"] = [Log(text)]
    if not knows:
        found.listed = {("Pod", EVERYWHERE)}
    return list(role_services.label_forbidden(found))


@pytest.mark.parametrize(
    ("objects", "why", "cure"),
    [
        (
            (role("get", "list"), binding("postgres-pod")),
            "Role ledgers/labeller does not allow patch on acid-ledger-1",
            "add patch on pods to Role ledgers/labeller",
        ),
        (
            (role("patch", names=("acid-ledger-0",)), binding("postgres-pod")),
            "Role ledgers/labeller does not allow patch on acid-ledger-1",
            "acid-ledger-1 and the other members",
        ),
        (
            (role("*"), binding("postgres-operator")),
            "gives Role ledgers/labeller to ServiceAccount postgres-operator, not to it",
            "name ServiceAccount ledgers/postgres-pod as a subject of RoleBinding",
        ),
        (
            (role("patch"),),
            "no RoleBinding gives it Role ledgers/labeller",
            "create rolebinding labeller --role=labeller --serviceaccount=ledgers:postgres-pod",
        ),
        (
            (binding("postgres-pod"),),
            "gives it Role ledgers/labeller, which is not there",
            "create",
        ),
        ((), "no RoleBinding of ledgers names it", "let a Role of ledgers allow patch on pods"),
    ],
    ids=["verb", "names", "other account", "no binding", "no role", "nothing"],
)
def test_right_to_label_is_named_with_what_lacks_it(
    objects: tuple[Object, ...], why: str, cure: str
) -> None:
    (found,) = refused(*objects)

    assert found.cause == "ROLE_LABEL_FORBIDDEN"
    assert str(found.subject) == "StatefulSet ledgers/acid-ledger"
    assert "ServiceAccount ledgers/postgres-pod may not patch pods" in found.summary
    assert why in found.summary
    assert cure in found.cure


def test_right_is_told_by_the_log_where_roles_may_not_be_read() -> None:
    (found,) = refused(knows=False)

    assert "its Roles cannot be read here" in found.summary


def test_nothing_is_said_of_a_cluster_role_that_is_not_read() -> None:
    bound = binding("postgres-pod")
    bound["roleRef"]["kind"] = "ClusterRole"

    (found,) = refused(role("get"), bound)

    assert "its Roles cannot be read here" in found.summary


def test_refusal_in_json_that_is_cut_off_is_read() -> None:
    answer = json.dumps({"status": "Failure", "message": REFUSED})[: -len(" in the namespace")]

    assert [each.cause for each in refused(text=f"HTTP 403: {answer}")] == ["ROLE_LABEL_FORBIDDEN"]


def test_refusal_that_is_cut_off_before_its_words_is_of_the_pods_own_account() -> None:
    text = "label spilo-role=replica is still to be set: HTTP 403: {'kind': 'Status', 'metad"

    (found,) = refused(role("get"), binding("postgres-pod"), text=text)

    assert "ServiceAccount ledgers/postgres-pod may not patch pods" in found.summary


@pytest.mark.parametrize(
    "text",
    [
        f"{REFUSED}\nlabel spilo-role=replica is set",
        REFUSED.replace("pods", "secrets"),
        "no action. I am (acid-ledger-1), the leader with the lock",
    ],
)
def test_log_without_a_refusal_that_lasts_says_nothing(text: str) -> None:
    assert not refused(text=text)


def test_right_that_is_granted_by_now_is_no_cause() -> None:
    assert not refused(role("patch"), binding("postgres-pod"))


def test_logs_of_ready_members_with_a_role_are_read() -> None:
    asked = sources(seen(*members("replica", "replica", "replica")), [HOME])

    assert {each.pod for each in asked} == {f"acid-ledger-{number}" for number in range(3)}
    assert not sources(seen(*members("replica", "replica"), label=None), [HOME])
