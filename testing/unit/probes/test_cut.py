"""Between which nodes packets do not pass, by what connections between their pods show."""

from __future__ import annotations

from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any

import pytest

from nova_acceptance.components.dns import lookups
from nova_acceptance.components.dns.reached import cut_from_dns
from nova_acceptance.components.kubernetes.backends import Endpoint
from nova_acceptance.components.kubernetes.vantage_points import VantagePoints
from nova_acceptance.components.network import checks
from nova_acceptance.components.network.cut import Trial, cuts
from nova_acceptance.components.network.questions import CLOSED_PORT, listening
from nova_acceptance.findings import Ref
from nova_acceptance.kube import ApiError, PodRef
from nova_acceptance.system.parts import fronts
from nova_acceptance.vantage.questions import Answer, Dial
from testing.unit.probes.seen import Asked, Seen
from testing.unit.probes.test_naming import served, unanswered
from testing.unit.probes.test_reach_checks import SHOP, connected, passage, state

SYSTEM = "kube-system"
NODES = {"web": "ash", "tax": "ash", "cache": "elm", "web-2": "elm", "queue": "oak", "db": "oak"}
HOMES = {"web": "shop", "web-2": "shop", "tax": "office", "cache": "data", "db": "data"}


def pod(name: str) -> PodRef:
    return PodRef(HOMES.get(name, "mail"), name)


def trial(source: str, target: str, *, answered: bool) -> Trial:
    said = "refused" if answered else "timeout"
    return Trial(
        pod(source),
        NODES[source],
        pod(target),
        NODES[target],
        is_answered=answered,
        said=said,
    )


def is_open(one: str, other: str, *cut: str) -> bool:
    return {NODES[one], NODES[other]}.isdisjoint(cut)


def matrix(*cut: str) -> list[Trial]:
    """Return what all pods are answered by all, where nodes are cut off from all others."""
    return [
        trial(one, other, answered=NODES[one] == NODES[other] or is_open(one, other, *cut))
        for one in NODES
        for other in NODES
        if one != other
    ]


def test_all_that_is_answered_is_no_cut() -> None:
    assert cuts(matrix()) == []


@pytest.mark.parametrize("node", ["ash", "elm", "oak"])
def test_a_node_that_is_cut_off_is_one_cause_with_those_it_does_not_reach(node: str) -> None:
    (found,) = cuts(matrix(node))
    others = sorted({*NODES.values()} - {node})

    assert found.finding.cause == "NETWORK_CUT"
    assert found.finding.subject == Ref("Node", "", node)
    assert f"between Node {node} and Node {others[0]}, Node {others[1]}:" in found.finding.summary
    assert f"spec.nodeName={node}" in found.finding.cure
    assert "timeout" in found.finding.evidence[0]


def test_two_nodes_that_lost_each_other_are_named_both() -> None:
    trials = [
        trial(one, other, answered={NODES[one], NODES[other]} != {"ash", "oak"})
        for one in NODES
        for other in NODES
        if one != other
    ]
    (found,) = cuts(trials)

    assert found.cells == {("ash", "oak"), ("oak", "ash")}
    assert "between Node ash and Node oak" in found.finding.summary


def test_one_direction_is_told_as_such() -> None:
    trials = [
        trial(one, other, answered=(NODES[one], NODES[other]) != ("elm", "oak"))
        for one in NODES
        for other in NODES
        if one != other
    ]
    (found,) = cuts(trials)

    assert "connections from Node elm to Node oak are not answered" in found.finding.summary


def test_one_pair_of_pods_says_nothing_of_their_nodes() -> None:
    assert cuts([trial("web", "cache", answered=False), trial("tax", "web", answered=True)]) == []


def test_a_namespace_that_answers_another_nowhere_is_no_matter_of_nodes() -> None:
    silent = [trial("web", each, answered=False) for each in ("cache", "db")]
    other = [trial("tax", "web", answered=True), trial("queue", "db", answered=True)]

    assert cuts([*silent, *other]) == []


def test_a_pod_that_answers_nobody_is_no_matter_of_nodes() -> None:
    silent = [trial(each, "db", answered=False) for each in ("web", "tax", "cache", "web-2")]
    answered = [trial("web", "cache", answered=True), trial("tax", "cache", answered=True)]

    assert cuts([*silent, *answered]) == []


WEB, TAX, CACHE = PodRef("shop", "web-x"), PodRef("shop", "tax-x"), PodRef("data", "cache-x")
BESIDE_CACHE = PodRef("shop", "web-y")
ON = {WEB: "ash", TAX: "ash", CACHE: "elm", BESIDE_CACHE: "elm"}
AT = {"10.1.0.1": WEB, "10.1.0.2": TAX, "10.2.0.1": CACHE}
PASSAGES = ("web", "cache"), ("web", "tax"), ("tax", "web")


def shop(*lost: str, by_name: str = "timeout") -> Any:
    """Return the connections of a shop in which nodes are cut off from each other."""
    by_host = {front.full_name(SHOP.zone): front.workload.name for front in fronts(SHOP)}
    by_name_of = {each.name.removesuffix("-x"): each for each in ON}

    def answer(source: PodRef, question: Any) -> Answer:
        name = by_host.get(question.host, "")
        target = AT.get(question.host) or by_name_of.get(name)
        if target and {ON[source], ON[target]} == {*lost}:
            return state(by_name, "EAI_AGAIN") if name else state("timeout")
        return state("refused" if question.port == CLOSED_PORT else "open")

    there = Seen(*({**of_pod(each), "spec": {"nodeName": node}} for each, node in ON.items()))
    for address, each in AT.items():
        name = each.name.removesuffix("-x")
        there.pods[name] = {each.name: address}
        there.behind[f"{each.namespace}/{name}"] = [Endpoint(address, pod=each.name)]
    pods = VantagePoints({})
    pods.update(web=WEB, tax=TAX, cache=CACHE)
    asked = Asked(answer)
    seen: Any = there
    for front in fronts(SHOP):
        for address, port in listening(seen, front.workload).items():
            for source in ON:
                if AT[address] != source:
                    asked.answer(source, Dial(address, port))
                    asked.answer(source, Dial(address, CLOSED_PORT))
    return connected(asked, there, pods)


def of_pod(where: PodRef) -> dict[str, Any]:
    return {"kind": "Pod", "metadata": {"namespace": where.namespace, "name": where.name}}


def found_by(connections: Any) -> set[tuple[str, str]]:
    """Return cause and object of all that checks of the network find."""
    each = [it for pair in PASSAGES for it in checks.closed_passage(connections, passage(*pair))]
    for name in ("cache", "web"):
        workload = next(it.workload for it in fronts(SHOP) if it.name == name)
        each += checks.wrong_ports_of_pods(connections, workload)
    return {(it.cause, str(it.subject)) for it in each}


def test_a_cut_between_nodes_is_one_cause_to_every_check() -> None:
    assert found_by(shop()) == set()
    assert found_by(shop("ash", "elm")) == {("NETWORK_CUT", "Node ash")}


def test_a_name_that_cannot_be_asked_for_across_a_cut_is_the_cut() -> None:
    assert found_by(shop("ash", "elm", by_name="unresolved")) == {("NETWORK_CUT", "Node ash")}


class Api:
    """The nodes of pods and of the DNS, whose Service has a name of its own."""

    def __init__(self, nodes: dict[PodRef, str], *dns: str, has_slices: bool = True) -> None:
        servers = {PodRef(SYSTEM, f"names-{node}"): node for node in dns}
        self._nodes = nodes | servers
        self._servers = [each.name for each in servers]
        self._has_slices = has_slices

    def serves(self, _version: str, kind: str) -> bool:
        return self._has_slices or kind != "EndpointSlice"

    def list(self, _version: str, kind: str, *, namespace: str) -> Any:
        def made(name: str, **more: Any) -> Any:
            labels = {"kubernetes.io/service-name": "names"}
            at = {"namespace": namespace, "name": name, "labels": labels}
            return {"kind": kind, "metadata": at, **more}

        ports = [{"port": 53, "protocol": "UDP"}]
        behind = [
            {"ip": f"10.0.0.{at}", "addresses": [f"10.0.0.{at}"], "targetRef": target(name)}
            for at, name in enumerate(self._servers)
        ]
        match kind:
            case "Service":
                return [made("names", spec={"selector": {"a": "b"}, "ports": ports})]
            case "EndpointSlice":
                return [made("names-x", endpoints=behind)]
            case "Endpoints":
                return [made("names", subsets=[{"addresses": behind}])]
        return [
            made(pod.name, spec={"nodeName": node})
            for pod, node in self._nodes.items()
            if pod.namespace == namespace
        ]


def target(name: str) -> dict[str, str]:
    return {"kind": "Pod", "name": name}


class Refusing:
    def list(self, *_: object, **__: object) -> Any:
        raise ApiError("GET pods", 403, '{"reason": "Forbidden", "message": "no"}')


def exchanged(silent: set[PodRef]) -> Any:
    return {
        each: [SimpleNamespace(message=None if each in silent else b"", state="timeout")] * 3
        for each in ON
    }


@pytest.mark.parametrize("has_slices", [True, False])
def test_dns_that_a_node_does_not_reach_is_a_cut_of_that_node(*, has_slices: bool) -> None:
    api: Any = Api(ON, "elm", has_slices=has_slices)
    found = cut_from_dns(api, exchanged({WEB, TAX}))

    assert found is not None
    assert (found.cause, str(found.subject)) == ("NETWORK_CUT", "Node ash")
    assert "Node elm" in found.summary


@pytest.mark.parametrize(
    ("api", "silent"),
    [
        (Api(ON, "elm"), {WEB}),  # another pod of its node is answered
        (Api(ON, "elm", "ash"), {WEB}),
        (Api(ON), {WEB, TAX}),  # nobody knows where the DNS is
        (Refusing(), {WEB, TAX}),
    ],
)
def test_dns_that_is_silent_for_another_reason(api: Any, silent: set[PodRef]) -> None:
    assert cut_from_dns(api, exchanged(silent)) is None


@pytest.mark.parametrize(
    ("answered", "cause", "subject"),
    [
        (set(ON) - {WEB, TAX}, "NETWORK_CUT", "Node ash"),
        (set(), "DNS_DOWN", "Service kube-system/kube-dns"),
    ],
)
def test_dns_that_answers_nobody_of_one_node_is_asked_for_from_others(
    monkeypatch: pytest.MonkeyPatch, answered: set[PodRef], cause: str, subject: str
) -> None:
    asked: list[PodRef] = []

    def ask_more(_places: Any, pods: Iterable[PodRef], _system: Any) -> Any:
        more = list(pods)
        asked.extend(more)
        return {pod: [served("10.0.0.1") if pod in answered else unanswered()] for pod in more}

    monkeypatch.setattr(lookups, "ask_pilot", ask_more)
    places: Any = SimpleNamespace(kube=Api(ON, "elm"))
    silent = {pod: [unanswered()] for pod in (WEB, TAX)}

    found = lookups.wrong_dns(places, silent, SHOP, ON)

    assert found is not None
    assert (found.cause, str(found.subject)) == (cause, subject)
    assert set(asked) == set(ON) - {WEB, TAX}
