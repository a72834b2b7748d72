"""The cluster's DNS while a deployment is waited for."""

from __future__ import annotations

import copy
import io
import time

import pytest

from nova_acceptance.components.dns import rules
from nova_acceptance.components.kubernetes.graces import NEXT_TRY, RETURN, STARTING
from nova_acceptance.deploy import RolloutError, deploy, name_servers, verdict
from nova_acceptance.deploy.name_servers import NameServers
from nova_acceptance.kube import ApiError, Object
from nova_acceptance.kube.snapshot import Snapshot
from nova_acceptance.progress import Progress
from testing.unit.deploy.stub_kube import StubKube
from testing.unit.diagnosis.elsewhere import dns
from testing.unit.diagnosis.recorded import (
    deployment,
    namespace,
    pod,
    replica_set,
    with_container,
)
from testing.unit.waiting import SOON

PLACE = namespace("kube-system")


def at_rest() -> list[Object]:
    """Return a DNS whose Deployment was scaled to 0."""
    workload, its, front, behind = copy.deepcopy(dns(ready=False))
    workload["kind"] = "Deployment"
    workload["spec"]["replicas"] = 0
    workload["spec"]["selector"] = {"matchLabels": its["metadata"]["labels"]}
    return [workload, front, behind]


def down(seen: Snapshot) -> list[str]:
    return [each.summary for each in rules.dns_down(seen)]


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(name_servers, "_AGAIN", 0.0)


def test_dns_that_goes_and_comes_while_it_is_waited_is_seen() -> None:
    there = dns()
    kube = StubKube(PLACE, *there)
    seen = Snapshot.of([PLACE, *there])
    servers = NameServers(kube, seen)
    servers.refresh()
    assert down(seen) == []

    _, its, _, behind = there
    kube.put(its, "DELETED")
    kube.put(behind, "DELETED")
    servers.refresh()
    assert "has no server behind it" in down(seen)[0]

    kube.put(its)
    kube.put(behind)
    servers.refresh()
    assert down(seen) == []


def test_dns_that_may_not_be_read_again_is_no_longer_judged() -> None:
    class Refusing(StubKube):
        def list(self, *_: object, **__: object) -> list[Object]:
            raise ApiError("list", 403, b"{}")

    seen = Snapshot.of([PLACE, *at_rest()])
    seen.listed = {
        (kind, "kube-system") for kind in ("Service", "EndpointSlice", "Deployment", "Pod")
    }
    assert down(seen)

    NameServers(Refusing(), seen).refresh()

    assert down(seen) == []


@pytest.mark.parametrize(
    ("there", "grace"),
    [(at_rest(), NEXT_TRY), (dns(ready=False), STARTING), (dns(ready=False)[2:], RETURN)],
    ids=["nobody starts it", "it is starting", "nothing makes it"],
)
def test_dns_is_waited_for_as_long_as_it_may_come_by_itself(
    there: list[Object], grace: float
) -> None:
    (found,) = rules.dns_down(Snapshot.of([PLACE, *there]))

    assert found.grace == grace


@pytest.mark.parametrize("host", ["ledger.bank", "ledger.bank.svc.cluster.local"])
def test_wait_for_what_asks_for_names_ends_early_with_the_dns(
    monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    monkeypatch.setattr(rules, "NEXT_TRY", 0.0)
    monkeypatch.setattr(verdict, "NEXT_TRY", 0.0)
    url = [{"name": "LEDGER_URL", "value": f"http://{host}:80"}]
    wanted = with_container(deployment(readyReplicas=0, availableReplicas=0), env=url)
    owner = replica_set(wanted)
    kube = StubKube(PLACE, *at_rest(), namespace(), wanted, owner)
    kube.put(pod("user-service-x", owner, ready=False))
    base = Snapshot.of([PLACE, *at_rest()])
    began = time.monotonic()

    with pytest.raises(RolloutError) as caught:
        deploy(
            kube,
            [{key: wanted[key] for key in wanted if key != "status"}, namespace()],
            progress=Progress(io.StringIO()),
            timeout=SOON,
            base=base,
        )

    assert time.monotonic() - began < SOON
    assert caught.value.message.startswith("DNS_DOWN: ")
    assert "kubectl -n kube-system scale deployment coredns" in caught.value.hint
