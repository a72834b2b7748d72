"""The Roles of deploy/rbac: each is enough, and a right that is missing is one message."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest
import yaml

from nova_acceptance.cluster.home import project
from nova_acceptance.cluster.model import Cluster
from nova_acceptance.deploy.ownership import MANAGED_BY
from nova_acceptance.kube import FIELD_MANAGER, Kube, Object
from nova_acceptance.plugin.exits import ExitStatus
from nova_acceptance.report import Outcome, Run, load
from testing.integration.conftest import NAMESPACES, Acceptance, accept, kubectl
from testing.integration.roles import kubeconfig_of
from testing.integration.test_3_disruption import two_redis
from testing.integration.test_3_examples import applied

pytestmark = pytest.mark.integration

SHIPPED = project() / "deploy/rbac"
ACCOUNTS = "rbac-accounts"
EXAMPLE = "rbac-redis"
EMPTY = "rbac-deployed"
CLUSTER_CA = "kube-root-ca.crt"
OPAQUE = "Opaque"
QUIET = ("-m", "not disruptive")
PURPOSES = ("verify", "disrupt", "deploy")
ROLE_LABEL = project() / "manifests/base/postgres/role-label.yaml"

Rule = dict[str, Any]


@dataclass(frozen=True)
class Rights:
    """The Roles of deploy/rbac on the cluster, for ServiceAccounts of this module's own.

    Attributes:
        cluster: the cluster, as its administrator.
        kube: its API, the same way.
        manifests: a copy of deploy/rbac with these accounts in it.
        directory: where kubeconfigs are written.
    """

    cluster: Cluster
    kube: Kube
    manifests: Path
    directory: Path

    @contextmanager
    def given(
        self, purpose: str, *namespaces: str, whole_cluster: bool = True, less: Rule | None = None
    ) -> Iterator[Cluster]:
        """Yield the cluster as who has the Role for a purpose, and lose it at the end.

        Args:
            purpose: one of `PURPOSES`.
            namespaces: where.
            whole_cluster: whether what is of the whole cluster is in it.
            less: a rule that it lacks, whichever Role has what the rule gives.
        """
        apart = [self.manifests / each / "cluster.yaml" for each in ("verify", purpose)]
        given = [each for path in dict.fromkeys(apart) for each in _objects(path)]
        of_namespace = kubectl(self.cluster, "kustomize", str(self.manifests / purpose))
        for namespace in namespaces:
            for each in yaml.safe_load_all(of_namespace):
                each["metadata"]["namespace"] = namespace
                given.append(each)
        if not whole_cluster:
            given = [each for each in given if each["metadata"].get("namespace") in namespaces]
        account = f"nova-{purpose}"
        try:
            for each in given:
                self.kube.apply(_without(each, less))
            path = kubeconfig_of(
                self.kube, self.cluster.kubeconfig or Path(), account, ACCOUNTS, self.directory
            )
            yield replace(self.cluster, kubeconfig=path)
        finally:
            for each in given:
                metadata = each["metadata"]
                self.kube.delete(
                    each["apiVersion"], each["kind"], metadata["name"], metadata.get("namespace")
                )


@pytest.fixture(scope="module")
def rights(
    cluster: Cluster, kube: Kube, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Rights]:
    """The Roles, and accounts that hold none of them yet."""
    copied = tmp_path_factory.mktemp("rbac")
    copytree(SHIPPED, copied, dirs_exist_ok=True)
    for path in copied.rglob("*.yaml"):
        text = path.read_text("utf-8").replace(
            "namespace: nova-acceptance", f"namespace: {ACCOUNTS}"
        )
        path.write_text(text.replace("name: nova-acceptance", f"name: {ACCOUNTS}"), "utf-8")
    try:
        kubectl(cluster, "apply", "-k", str(copied / "account"))
        yield Rights(cluster, kube, copied, tmp_path_factory.mktemp("kubeconfigs"))
    finally:
        kubectl(cluster, "delete", "--ignore-not-found", "-k", str(copied / "account"))


@pytest.fixture(scope="module")
def example(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """`examples/two-redis` in a namespace of this module's own; its nova.yaml.

    What its containers were started with was written again since, so that they are asked for it.
    """
    copied = two_redis(tmp_path_factory.mktemp("examples"), EXAMPLE)
    with applied(cluster, copied / "manifests"):
        write_again(cluster, EXAMPLE)
        yield copied / "nova.yaml"


@pytest.fixture(scope="module")
def manifests(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with the ServiceAccount and the Role that Nova's manifests have besides."""
    copied = two_redis(tmp_path_factory.mktemp("examples"), EMPTY)
    label = _objects(ROLE_LABEL)
    for each in label:
        each["metadata"]["namespace"] = EMPTY
    (copied / "manifests/role-label.yaml").write_text(yaml.safe_dump_all(label), "utf-8")
    path = copied / "manifests/kustomization.yaml"
    kustomization = yaml.safe_load(path.read_text("utf-8"))
    kustomization["resources"].append("role-label.yaml")
    path.write_text(yaml.safe_dump(kustomization), "utf-8")
    return copied


@pytest.fixture
def empty(cluster: Cluster, kube: Kube) -> Iterator[str]:
    """A namespace that an administrator has made for the suite, with nothing in it."""
    made: Object = {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": EMPTY, "labels": {MANAGED_BY: FIELD_MANAGER}},
    }
    try:
        kube.apply(made)
        yield EMPTY
    finally:
        kubectl(cluster, "delete", "namespace", EMPTY, "--ignore-not-found")


@pytest.fixture(scope="module")
def nova(request: pytest.FixtureRequest, kube: Kube) -> None:
    """Nova on the cluster; what is there already stays as it is."""
    if any(kube.get("v1", "Namespace", each) is None for each in NAMESPACES):
        request.getfixturevalue("accepted")


@pytest.mark.usefixtures("nova")
def test_nova_is_verified_as_by_an_administrator(cluster: Cluster, rights: Rights) -> None:
    as_administrator = outcomes(load(accept(cluster, "--no-deploy", *QUIET).directory))
    with rights.given("verify", *NAMESPACES) as limited:
        run = accept(limited, "--no-deploy", *QUIET)

    assert run.done.returncode == 0, run.done.stdout[-3000:]
    assert outcomes(load(run.directory)) == as_administrator


@pytest.mark.usefixtures("nova")
def test_nova_is_verified_without_a_right_over_the_cluster(rights: Rights) -> None:
    with rights.given("verify", *NAMESPACES, whole_cluster=False) as limited:
        run = accept(limited, "--no-deploy", *QUIET)

    found = load(run.directory)
    unasked = [each for each in found.tests if each.outcome is Outcome.NOT_ASKED]
    assert run.done.returncode == ExitStatus.NOT_ASKED, run.done.stdout[-3000:]
    assert reasons(found) == {"this user may not list nodes"}
    assert {_function(each.nodeid) for each in unasked} == {
        "test_cluster_nodes_are_ready",
        "test_cluster_has_the_nodes_asked_for",
        "test_cluster_nodes_are_in_no_trouble",
        "test_cluster_dns_is_ready",
        "test_cluster_dns_is_what_pods_ask",
        "test_cluster_has_one_default_storage_class",
        "test_workload_spreads_over_nodes",
    }
    others = {each.outcome for each in found.tests if each not in unasked}
    assert others == {Outcome.PASSED}


def test_disruptive_tests_pass(rights: Rights, example: Path) -> None:
    with rights.given("disrupt", EXAMPLE) as limited:
        run = disrupted(limited, example)

    assert run.done.returncode == 0, run.done.stdout[-3000:]
    assert set(outcomes(load(run.directory)).values()) == {Outcome.PASSED}


@pytest.mark.usefixtures("empty")
def test_system_is_deployed_from_nothing(rights: Rights, manifests: Path) -> None:
    with rights.given("deploy", EMPTY) as limited:
        run = deployed(limited, manifests)

    assert run.done.returncode == 0, run.done.stdout[-3000:]
    assert load(run.directory).verdict == "accepted"


def _objects(path: Path) -> list[Object]:
    return list(yaml.safe_load_all(path.read_text("utf-8")))


def shipped(name: str) -> list[Rule]:
    """Return the rules of the Roles in a file of deploy/rbac."""
    return [
        rule
        for each in _objects(SHIPPED / name)
        if each["kind"].endswith("Role")
        for rule in each["rules"]
    ]


def named(rule: Rule) -> str:
    return ",".join([*rule["resources"], *rule["verbs"], *rule.get("resourceNames", ())])


ASKED_DRY = ["pods/eviction"]
"""Where this may not be asked, the rest is judged by."""
FOR_CAUSES = 7
"""The last rules for verifying: no test needs them."""
EVERY = "EVERY" in os.environ
"""Whether each rule is taken out once; otherwise a few are, since each takes a run."""
FEW = 2


def some(rules: Sequence[Rule]) -> list[Rule]:
    """Return the rules that are taken out, one at a time."""
    return [*rules] if EVERY else [*rules[:FEW]]


VERIFYING = [*shipped("verify/verify.yaml"), shipped("verify/cluster.yaml")[0]]
SPARE = (
    *shipped("verify/verify.yaml")[-FOR_CAUSES:],
    *(each for each in VERIFYING if "leases" in each["resources"] or "nodes" in each["resources"]),
)
"""Rules without which all that the example is asked is asked."""


@pytest.mark.parametrize("rule", some([each for each in VERIFYING if each not in SPARE]), ids=named)
def test_right_that_verifying_lacks_is_said_once(rights: Rights, example: Path, rule: Rule) -> None:
    # What may be listed need not be got by name.
    less = {**rule, "verbs": [*rule["verbs"], "list"]}
    with rights.given("verify", EXAMPLE, less=less) as limited:
        run = accept(limited, "--no-deploy", f"--spec={example}", *QUIET)

    assert_said_once(run, rule)


@pytest.mark.parametrize("rule", some(shipped("verify/verify.yaml")[-FOR_CAUSES:]), ids=named)
def test_no_test_lacks_what_only_names_causes(rights: Rights, example: Path, rule: Rule) -> None:
    with rights.given("verify", EXAMPLE, less=rule) as limited:
        run = accept(limited, "--no-deploy", f"--spec={example}", "-m", "infra and not cluster")

    assert run.done.returncode == 0, run.done.stdout[-3000:]


@pytest.mark.parametrize(
    "rule",
    some(
        [
            *(each for each in shipped("disrupt/disrupt.yaml") if each["resources"] != ASKED_DRY),
            *shipped("disrupt/cluster.yaml"),
        ]
    ),
    ids=named,
)
def test_right_that_disrupting_lacks_is_said_once_and_nothing_is_killed(
    kube: Kube, rights: Rights, example: Path, rule: Rule
) -> None:
    before = _uids(kube, EXAMPLE)
    with rights.given("disrupt", EXAMPLE, less=rule) as limited:
        run = disrupted(limited, example)

    assert_said_once(run, rule)
    assert _uids(kube, EXAMPLE) == before


@pytest.mark.usefixtures("empty")
@pytest.mark.parametrize("rule", some(shipped("deploy/deploy.yaml")), ids=named)
def test_right_that_deploying_lacks_is_one_message(
    rights: Rights, manifests: Path, rule: Rule
) -> None:
    with rights.given("deploy", EMPTY, less=rule) as limited:
        run = deployed(limited, manifests, "-k", "test_redis_answers_ping")

    found = load(run.directory)
    (cause,) = found.causes
    said = " ".join((str(cause.summary), *cause.evidence))
    assert run.done.returncode != 0
    assert names_a_right(said, rule), said


def write_again(cluster: Cluster, namespace: str) -> None:
    """Have the values of a namespace's ConfigMaps and Secrets as they are, written now."""
    for kind in ("configmaps", "secrets"):
        found = json.loads(kubectl(cluster, "get", kind, "-n", namespace, "-o", "json"))["items"]
        for each in found:
            # what a controller keeps is written again by itself
            if each.get("type", OPAQUE) != OPAQUE or each["metadata"]["name"] == CLUSTER_CA:
                continue
            held = each.get("data") or {}
            for data in (dict.fromkeys(held), held):
                patch = json.dumps({"data": data})
                named = (kind, each["metadata"]["name"], "-n", namespace)
                kubectl(cluster, "patch", *named, "--type=merge", f"--patch={patch}")


def disrupted(cluster: Cluster, spec: Path) -> Acceptance:
    options = ("--no-deploy", "--allow-disruptive", f"--spec={spec}")
    return accept(cluster, *options, "-m", "disruptive")


def deployed(cluster: Cluster, tree: Path, *options: str) -> Acceptance:
    manifests = f"--manifests={tree / 'manifests'}"
    return accept(cluster, manifests, f"--spec={tree / 'nova.yaml'}", *QUIET, *options)


def outcomes(run: Run) -> dict[str, Outcome]:
    return {test.nodeid: test.outcome for test in run.tests}


def reasons(run: Run) -> set[str]:
    """Return why tests were not asked, without what to do."""
    why = [str(test.why_not) for test in run.tests if test.outcome is Outcome.NOT_ASKED]
    return {each.partition(" →")[0] for each in why}


def assert_said_once(run: Acceptance, rule: Rule) -> None:
    """Nothing is wrong, something was not asked, and each reason names what the rule gives."""
    found = load(run.directory)
    assert run.done.returncode == ExitStatus.NOT_ASKED, run.done.stdout[-3000:]
    assert set(outcomes(found).values()) <= {Outcome.PASSED, Outcome.NOT_ASKED}
    said = reasons(found)
    assert said
    # who asks in the containers and who asks beside them each say what they lack
    assert len(said) <= len(rule["resources"]) + ("pods/exec" in rule["resources"])
    for each in said:
        assert names_a_right(each, rule), each


def names_a_right(said: str, rule: Rule) -> bool:
    rights = [(verb, resource) for verb in rule["verbs"] for resource in rule["resources"]]
    return any(verb in said and resource in said for verb, resource in rights)


def _without(obj: Object, less: Rule | None) -> Object:
    """Return a Role that gives nothing of what a rule gives."""
    if less is None or "rules" not in obj:
        return obj
    kept = [rest for rule in obj["rules"] for rest in _rest(rule, less)]
    return {**obj, "rules": kept}


def _rest(rule: Rule, less: Mapping[str, Sequence[str]]) -> Iterator[Rule]:
    both = [each for each in rule["resources"] if each in less["resources"]]
    is_same = rule["apiGroups"] == less["apiGroups"] and bool(both)
    if not is_same or rule.get("resourceNames") != less.get("resourceNames"):
        yield rule
        return
    if others := [each for each in rule["resources"] if each not in both]:
        yield {**rule, "resources": others}
    if verbs := [each for each in rule["verbs"] if each not in less["verbs"]]:
        yield {**rule, "resources": both, "verbs": verbs}


def _uids(kube: Kube, namespace: str) -> set[str]:
    return {each["metadata"]["uid"] for each in kube.list("v1", "Pod", namespace=namespace)}


def _function(nodeid: str) -> str:
    return nodeid.rpartition("::")[2].partition("[")[0]
