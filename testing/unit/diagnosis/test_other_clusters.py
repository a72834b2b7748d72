"""What is healthy on clusters of another make is no finding."""

from __future__ import annotations

from typing import Any

import pytest

from nova_acceptance.components.kubernetes.graph import Graph
from nova_acceptance.diagnosis.account import account
from nova_acceptance.findings import ref
from nova_acceptance.kube import Object
from testing.unit.diagnosis.elsewhere import (
    address,
    cluster,
    crashing,
    deployment,
    dns,
    endpoints,
    event,
    job,
    made,
    pod,
    readiness,
    said_of,
    service,
    stateful_set,
    template,
)

COMPLETE = {"succeeded": 1, "conditions": [{"type": "Complete", "status": "True"}]}
FAILED = {"conditions": [{"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded"}]}
SUSPENDED = {"conditions": [{"type": "Suspended", "status": "True"}]}


def configured(name: str, value: str) -> dict[str, Any]:
    """Return a container with one variable."""
    return {"env": [{"name": name, "value": value}]}


def denying_egress() -> Object:
    return made("NetworkPolicy", "closed", {"podSelector": {}, "policyTypes": ["Egress"]})


def test_cluster_that_is_well() -> None:
    workload, owner, its = deployment("web")
    there = [service("web"), endpoints("web", address(its))]

    assert said_of(cluster(workload, owner, its, *there)) == []


@pytest.mark.parametrize("host", ["grafana.com", "grafana.io", "grafana.dev", "grafana.internal"])
def test_public_name_is_no_service_of_its_first_label(host: str) -> None:
    workload, owner, its = deployment("grafana", configured("API_URL", f"https://{host}/api"))
    there = [service("grafana"), endpoints("grafana", address(its))]

    assert said_of(cluster(workload, owner, its, *there)) == []


def test_short_name_in_a_namespace_that_is_not_there_is_still_stale() -> None:
    workload, owner, its = deployment("grafana", configured("API_URL", "https://grafana.tooling"))
    there = [service("grafana"), endpoints("grafana", address(its))]

    assert said_of(cluster(workload, owner, its, *there)) == ["STALE_ENDPOINT_URL"]


def test_name_that_several_clusters_share_needs_no_service_here() -> None:
    url = "http://db.prod.svc.clusterset.local:80"

    assert said_of(cluster(*deployment("web", configured("DB_URL", url)))) == []


def test_dns_of_another_name_and_label() -> None:
    assert said_of(cluster(names=dns("coredns", "coredns"))) == []


@pytest.mark.parametrize("status", [{"active": 1}, {}, SUSPENDED])
def test_job_that_has_not_ended_is_not_unready(status: dict[str, Any]) -> None:
    assert said_of(cluster(job(status))) == []


@pytest.mark.parametrize(
    "spec",
    [
        {"container": {"envFrom": [{"secretRef": {"name": "gone"}}]}},
        {"container": configured("DB_URL", "http://gone.app.svc:80")},
    ],
)
def test_job_that_is_complete_wants_nothing_any_more(spec: dict[str, Any]) -> None:
    assert said_of(cluster(job(COMPLETE, **spec))) == []


def test_job_that_is_complete_needs_no_service_account() -> None:
    done = job(COMPLETE)
    done["spec"]["template"]["spec"]["serviceAccountName"] = "gone"

    assert said_of(cluster(done)) == []


@pytest.mark.parametrize(("later", "counts"), [(COMPLETE, False), (FAILED, True)])
def test_run_of_a_cron_job_that_failed_counts_until_a_later_one_succeeds(
    later: dict[str, Any], *, counts: bool
) -> None:
    owner = made("CronJob", "backup")
    runs = []
    for number, status in enumerate((FAILED, later)):
        its = {"template": template("backup")}
        made_at = f"2020-01-01T00:0{number}:00Z"
        runs.append(
            made("Job", f"backup-{number}", its, status, owner=owner, creationTimestamp=made_at)
        )

    said = said_of(cluster(*runs))
    assert ("JOB_FAILED" in said) is counts
    assert bool(said) is counts


def test_job_that_has_not_run_wants_its_secret() -> None:
    wanting = job({"active": 1}, {"envFrom": [{"secretRef": {"name": "gone"}}]})

    assert said_of(cluster(wanting)) == ["SECRET_MISSING"]


def test_workload_that_asks_for_no_name_needs_no_dns() -> None:
    assert said_of(cluster(*deployment("redis"), denying_egress())) == []


def test_workload_that_asks_for_a_name_needs_dns() -> None:
    asking = deployment("web", configured("MAIL_URL", "smtp://mail.example.com:25"))

    assert said_of(cluster(*asking, denying_egress())) == ["NETWORK_POLICY_DENIES"]


def test_asker_on_the_nodes_own_network_is_under_no_policy() -> None:
    workload, owner, its = deployment(
        "agent",
        configured("MAIL_URL", "smtp://mail.example.com:25"),
        hostNetwork=True,
        dnsPolicy="ClusterFirstWithHostNet",
    )

    assert said_of(cluster(workload, owner, its, denying_egress())) == []


def test_listener_on_the_nodes_own_network_is_under_no_policy() -> None:
    listener = deployment("ingress", hostNetwork=True)
    asker = deployment("web", configured("INGRESS_URL", "http://ingress"))
    closed = made("NetworkPolicy", "closed", {"podSelector": {}, "policyTypes": ["Ingress"]})
    front = [service("ingress"), endpoints("ingress", address(listener[-1]))]

    assert said_of(cluster(*listener, *asker, *front, closed)) == []


def test_service_of_the_second_family_leads_to_pods_by_their_second_address() -> None:
    workload, owner, its = deployment("web")
    its["status"]["podIPs"].append({"ip": "fd00::5"})

    there = [service("web"), endpoints("web", "fd00::5")]
    assert said_of(cluster(workload, owner, its, *there)) == []


def test_endpoints_that_are_no_pods_address_are_stale() -> None:
    workload, owner, its = deployment("web")

    there = [service("web"), endpoints("web", "fd00::5")]
    assert said_of(cluster(workload, owner, its, *there)) == ["ENDPOINTS_STALE"]


def test_stateful_set_that_runs_well_needs_no_names() -> None:
    assert said_of(cluster(stateful_set("controller", replicas=2))) == []


def test_stateful_set_that_does_not_get_ready_may_lack_its_names() -> None:
    assert "HEADLESS_LOST" in said_of(cluster(stateful_set("store", ready=0, replicas=2)))


ROLE = {"operator.example.org/cluster": "pg", "role": "replica"}


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        ({**ROLE, "role": "primary"}, []),
        ({**ROLE, "operator.example.org/cluster": "other", "role": "primary"}, ["nothing"]),
        ({"role": "replica"}, ["nothing"]),
    ],
)
def test_operators_service_of_a_role_that_nobody_has_now(
    labels: dict[str, str], said: list[str]
) -> None:
    operator = made("Cluster", "pg")
    its = pod("pg-1", template("pg"), operator)
    its["metadata"]["labels"] = labels

    wanted = ["SELECTOR_MATCHES_NOTHING"] * len(said)
    assert said_of(cluster(its, service("pg-ro", ROLE))) == wanted


def test_stateful_set_at_no_replicas_is_under_no_quota() -> None:
    resting = stateful_set("store", replicas=0)
    old = event(resting, "FailedCreate", 'pods "store-0" is forbidden: exceeded quota: q')

    assert said_of(cluster(resting, old)) == []


def test_node_that_the_cloud_has_not_prepared_is_closed() -> None:
    key = "node.cloudprovider.kubernetes.io/uninitialized"
    workload, owner, its = deployment("web", ready=False)
    del its["spec"]["nodeName"]
    message = f"0/1 nodes are available: 1 node(s) had untolerated taint {{{key}: true}}."
    unplaced = {"type": "PodScheduled", "status": "False", "message": message}
    its["status"] = {"phase": "Pending", "conditions": [unplaced]}
    node = made("Node", "fresh", {"taints": [{"key": key}]}, {"conditions": []}, namespace="")
    node["status"]["conditions"] = [readiness(True)]
    seen = cluster(workload, owner, its, node)

    assert Graph.of(seen).needs(ref(its)) == (ref(node),)


@pytest.mark.parametrize("name", ["kube-dns", "coredns"])
def test_crash_comes_under_the_dns_that_is_down(name: str) -> None:
    workload, *others = crashing("web", configured("MAIL_URL", "http://web"))
    there = [service("web"), endpoints("web")]
    seen = cluster(workload, *others, *there, names=dns(name, name, ready=False))

    found, *_ = account(seen).causes
    assert (found.root.cause, found.root.subject.name) == ("DNS_DOWN", name)
    said = {(each.cause, each.subject.namespace) for each in found.symptoms}
    assert ("CRASH_LOOP", "app") in said
    assert ("SERVICE_WITHOUT_ENDPOINTS", "kube-system") not in said
