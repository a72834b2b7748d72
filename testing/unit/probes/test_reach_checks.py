"""What is wrong with who reaches whom, and with what services answer."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from nova_acceptance.components.http import checks as http
from nova_acceptance.components.http.questions import first_words, front_of, health
from nova_acceptance.components.http.spec import Http
from nova_acceptance.components.kubernetes.backends import Endpoint
from nova_acceptance.components.kubernetes.vantage_points import VantagePoints
from nova_acceptance.components.network import checks
from nova_acceptance.components.network.connections import Connections
from nova_acceptance.components.network.questions import (
    CLOSED_PORT,
    dial,
    every_question,
    listening,
    undeclared,
)
from nova_acceptance.components.network.settling import early_answers
from nova_acceptance.errors import UnaskedError
from nova_acceptance.findings import Finding, FindingError, Ref
from nova_acceptance.kube import PodRef
from nova_acceptance.kube.snapshot import Snapshot
from nova_acceptance.system import External, System
from nova_acceptance.system.parts import Passage, closed_passages, fronts, passages
from nova_acceptance.vantage.questions import (
    Answer,
    Dial,
    Get,
    Http2,
    Listeners,
    Listening,
    Page,
)
from testing.unit.probes.places import OwnContainers
from testing.unit.probes.seen import Asked, Seen, told
from testing.unit.probes.tls import certificate
from testing.unit.system.specs import spec
from testing.unit.waiting import SOON

SHOP = spec("""
components:
  - kind: redis
    name: cache
    namespace: data
    services: [{name: cache, ports: {redis: 6379}}]
  - {kind: http, name: web, namespace: shop, port: 80, target: 8080,
     health: {status: 204, names_itself: is}, uses: [cache, {name: pay, key: A}]}
  - {kind: http, name: tax, namespace: shop, port: 9000, protocol: grpc,
     uses: [{name: pay, key: B}]}
external: [{name: pay, host: pay.example.com, port: 443, verify: true}, {name: mail}]
reachability:
  open: [{from: tax, to: web}, {from: web, to: tax}]
  closed: [{from: tax, to: cache}]
""")
LONELY = spec("""
components:
  - kind: redis
    name: cache
    namespace: data
    services: [{name: cache, ports: {redis: 6379}}]
  - {kind: http, name: web, namespace: shop, port: 80, target: 8080,
     health: {status: 204, names_itself: is}, uses: [cache]}
  - {kind: http, name: tax, namespace: shop, port: 9000, protocol: grpc, uses: [cache]}
""")
"""A shop whose services nobody inside the cluster uses."""
FRONTS = {front.name: front for front in fronts(SHOP)}
CACHE, WEB = PodRef("data", "cache-0"), PodRef("shop", "web-x")
TAX = PodRef("shop", "tax-x")
PAY = Dial("pay.example.com", 443)
ADDRESS = "10.244.0.5"
NOTHING: Any = None


def state(word: str, detail: str = "") -> Answer:
    return Answer(word, detail, told(word))


def page(status: int, body: str = "") -> Page:
    return Page("answered", "", told("answered"), status, body)


def listening_at(*at: tuple[str, int]) -> Listening:
    return Listening("listed", "", told("listed"), frozenset(at))


def usual(_: PodRef, question: Any) -> Answer:
    """Answer as a system does in which all is well."""
    if isinstance(question, Get):
        return page(204, '{"is": "web"}')
    if isinstance(question, Http2):
        return state("answered")
    if isinstance(question, Listeners):
        return listening_at()
    if question.port == CLOSED_PORT:
        return state("refused" if question.host == ADDRESS else "timeout")
    return state("open")


@pytest.fixture
def asked() -> Asked:
    return Asked(usual)


@pytest.fixture
def seen() -> Seen:
    there = Seen()
    for name in ("cache", "web", "tax"):
        there.pods[name] = {f"{name}-x": ADDRESS}
    there.behind["shop/web"] = [Endpoint(ADDRESS, pod="web-x", ports=(("http", 8080),))]
    return there


@pytest.fixture
def pods() -> VantagePoints:
    found = VantagePoints({name: Ref("Pod", "", name) for name in ("cache", "web", "tax")})
    found.update(cache=CACHE, web=WEB, tax=TAX)
    return found


class Refusing:
    """A stand-in for the API whose port-forwards are refused, or lead to a server here."""

    def __init__(self) -> None:
        self.leads_to: int | None = None
        self.log = ""
        self.forwarded: list[tuple[PodRef, int]] = []

    @contextmanager
    def _forward(self) -> Iterator[int]:
        yield self.leads_to or 0

    def forward(self, pod: PodRef, port: int) -> Any:
        self.forwarded.append((pod, port))
        found: Any = self._forward()
        found.error = "" if self.leads_to else "refused"
        return found

    def logs(self, _pod: PodRef, **_: Any) -> str:
        return self.log


def connected(
    asked: Any, seen: Any, pods: VantagePoints, system: System = SHOP, *, kube: Any = None
) -> Connections:
    kube = kube or Refusing()
    return Connections(
        places=OwnContainers(kube),  # the API shows no Service, so that no name is asked for
        system=system,
        objects=seen,
        routes=NOTHING,
        survey=asked,
        pods=pods,
    )


@pytest.fixture
def connections(asked: Asked, seen: Seen, pods: VantagePoints) -> Connections:
    return connected(asked, seen, pods)


def passage(source: str, target: str) -> Passage:
    (found,) = (
        it
        for it in (*passages(SHOP), *closed_passages(SHOP))
        if (it.source.name, it.door.front.name) == (source, target)
    )
    return found


def service(name: str) -> Http:
    (found,) = (it for it in SHOP.of(Http) if it.name == name)
    return found


def causes(found: list[Finding]) -> list[str]:
    return list(dict.fromkeys(each.cause for each in found))


def everything(connections: Connections) -> list[Finding]:
    return [
        *checks.closed_passage(connections, passage("web", "cache")),
        *checks.open_undeclared_port(connections, FRONTS["cache"]),
        *(f for it in SHOP.every_workload for f in checks.wrong_ports_of_pods(connections, it)),
        *checks.unreached_external(connections, SHOP.external[0]),
        *http.wrong_status(connections, service("web")),
        *http.wrong_name(connections, service("web")),
        *http.missing_http2(connections, service("tax")),
    ]


def test_system_in_which_all_is_well(connections: Connections) -> None:
    assert everything(connections) == []


def test_every_answer_that_is_read_was_asked_for_at_once(
    connections: Connections, asked: Asked, seen: Any, pods: VantagePoints
) -> None:
    everything(connections)
    foreseen = every_question(SHOP, seen, pods)

    assert asked.read
    assert [entry for entry in asked.read if entry[1] not in foreseen[entry[0]]] == []


@pytest.mark.parametrize(
    ("word", "cause"),
    [("refused", "PORT_CLOSED"), ("timeout", "PORT_SILENT"), ("unresolved", "NAME_UNRESOLVED")],
)
def test_passage_that_is_closed(
    connections: Connections, asked: Asked, word: str, cause: str
) -> None:
    asked.otherwise[WEB, dial(FRONTS["cache"], 6379, SHOP)] = state(word)

    (found,) = checks.closed_passage(connections, passage("web", "cache"))
    assert (found.cause, found.subject) == (cause, Ref("Service", "data", "cache"))


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        # and is open to whoever uses it
        ("refused", []),
        ("timeout", []),
        ("unreachable", []),
        ("open", ["PORT_UNDECLARED_OPEN"]),
        ("cut", ["PORT_UNDECLARED_OPEN"]),
        # which shows nothing of the port
        ("unresolved", ["NAME_UNRESOLVED"]),
    ],
)
def test_passage_that_must_be_closed(
    connections: Connections, asked: Asked, word: str, expected: list[str]
) -> None:
    asked.otherwise[TAX, dial(FRONTS["cache"], 6379, SHOP)] = state(word)

    assert causes(checks.open_passage(connections, passage("tax", "cache"))) == expected


def labelled(kind: str, name: str, namespace: str, **spec: Any) -> dict[str, Any]:
    where = {"name": name, "namespace": namespace}
    return {"kind": kind, "metadata": where, "spec": spec}


def test_passage_that_a_policy_closes_and_is_open_is_a_limit_of_the_cluster(
    asked: Asked, pods: VantagePoints
) -> None:
    pod = {"metadata": {"labels": {"app": "cache"}}, "spec": {"containers": []}}
    there = Snapshot.of(
        [
            labelled("Deployment", "tax", "shop", template={**pod, "metadata": {}}),
            labelled("StatefulSet", "cache", "data", template=pod),
            labelled("Service", "cache", "data", selector={"app": "cache"}, ports=[{"port": 6379}]),
            labelled("NetworkPolicy", "closed", "data", podSelector={}, ingress=[]),
        ]
    )
    there.update("ADDED", labelled("Pod", "tax-x", "shop"))
    connections = connected(asked, there, pods)
    asked.otherwise[TAX, dial(FRONTS["cache"], 6379, SHOP)] = state("open")

    with pytest.raises(UnaskedError, match="NetworkPolicies are not enforced on this cluster"):
        checks.open_passage(connections, passage("tax", "cache"))


@pytest.mark.parametrize("word", ["refused", "timeout"])
def test_passage_that_is_closed_to_its_users_too_shows_nothing(
    connections: Connections, asked: Asked, word: str
) -> None:
    for pod in (TAX, WEB):
        asked.otherwise[pod, dial(FRONTS["cache"], 6379, SHOP)] = state(word)

    (found,) = checks.open_passage(connections, passage("tax", "cache"))
    assert found.cause == ("PORT_CLOSED" if word == "refused" else "PORT_SILENT")
    assert str(WEB) in found.summary


@pytest.mark.parametrize(
    ("by_service", "at_pod", "expected"),
    [
        ("open", "refused", []),
        # a pod that reaches no other of its kind reaches itself
        ("timeout", "open", []),
        ("refused", "refused", ["PORT_CLOSED"]),
        ("timeout", "refused", ["PORT_SILENT"]),
    ],
)
def test_passage_to_what_nobody_uses_is_seen_to_be_open_from_its_own_pods(
    *,
    asked: Asked,
    seen: Seen,
    pods: VantagePoints,
    by_service: str,
    at_pod: str,
    expected: list[str],
) -> None:
    (user,) = (it for it in SHOP.components if it.name == "web")
    others = [it for it in SHOP.components if it is not user]
    without = user.model_copy(update={"uses": user.uses[1:]})
    system = SHOP.model_copy(update={"components": (*others, without)})
    closed = dial(FRONTS["cache"], 6379, SHOP)
    asked.otherwise[TAX, closed] = state("refused")
    asked.otherwise[CACHE, closed] = state(by_service)
    asked.otherwise[CACHE, Dial(ADDRESS, 6379)] = state(at_pod)

    found = checks.open_passage(connected(asked, seen, pods, system), passage("tax", "cache"))
    assert causes(found) == expected
    foreseen = every_question(system, seen, pods)  # type: ignore[arg-type]
    assert [entry for entry in asked.read if entry[1] not in foreseen[entry[0]]] == []


def test_component_without_a_pod_says_why_nothing_is_asked(
    connections: Connections, pods: VantagePoints
) -> None:
    del pods["web"]

    with pytest.raises(FindingError) as raised:
        checks.closed_passage(connections, passage("web", "cache"))
    assert raised.value.shown.cause == "VANTAGE_MISSING"


def test_external_system_is_tried_from_every_user(connections: Connections, asked: Asked) -> None:
    asked.otherwise[TAX, PAY] = state("unresolved", "EAI_NONAME")

    (found,) = checks.unreached_external(connections, SHOP.external[0])
    assert (found.cause, found.subject.name) == ("EXTERNAL_UNREACHABLE", "tax")
    assert "pay.example.com:443" in found.summary
    assert {pod for pod, question in asked.read if question == PAY} == {WEB, TAX}


@pytest.mark.parametrize(
    "external",
    [
        External(name="pay", verify=True),
        External(name="unused", host="a.example.com", port=1, verify=True),
    ],
)
def test_external_system_that_nobody_can_try(connections: Connections, external: External) -> None:
    assert causes(checks.unreached_external(connections, external)) == ["EXTERNAL_UNREACHABLE"]


@pytest.mark.parametrize(
    ("port", "word", "cause"),
    [
        (8080, "refused", "PORT_CLOSED"),
        (8080, "timeout", "PORT_SILENT"),
        (CLOSED_PORT, "open", "PORT_UNDECLARED_OPEN"),
        (CLOSED_PORT, "unreachable", "PORT_SILENT"),
    ],
)
def test_ports_of_pods(
    connections: Connections, asked: Asked, port: int, word: str, cause: str
) -> None:
    asked.otherwise[TAX, Dial(ADDRESS, port)] = state(word)

    web = FRONTS["web"].workload
    assert causes(checks.wrong_ports_of_pods(connections, web)) == [cause]


def test_declared_port_that_is_not_open_is_told_at_the_service_that_leads_to_it(
    connections: Connections, asked: Asked
) -> None:
    asked.otherwise[TAX, Dial(ADDRESS, 8080)] = state("refused")
    web = FRONTS["web"].workload

    (found,) = checks.wrong_ports_of_pods(connections, web)

    assert found.subject == Ref("Service", web.namespace, "web")


def test_silence_of_pods_of_a_namespace_that_is_cut_off(
    connections: Connections, asked: Asked
) -> None:
    for question in (Dial(ADDRESS, 6379), Dial(ADDRESS, CLOSED_PORT)):
        asked.otherwise[WEB, question] = state("timeout")
    asked.otherwise[WEB, dial(FRONTS["cache"], 6379, SHOP)] = state("timeout")
    connections.survey.answer(WEB, Dial(ADDRESS, CLOSED_PORT))

    found = checks.wrong_ports_of_pods(connections, FRONTS["cache"].workload)
    assert found[0].cause == "NETWORK_CUT"


def test_workload_without_pods_is_no_success(connections: Connections, seen: Seen) -> None:
    seen.pods.clear()

    web = FRONTS["web"].workload
    assert causes(checks.wrong_ports_of_pods(connections, web)) == ["WORKLOAD_NOT_READY"]


@pytest.mark.parametrize("is_known", [True, False])
def test_pods_listen_where_the_service_leads(seen: Any, *, is_known: bool) -> None:
    if not is_known:
        seen.behind.clear()  # then at the target of nova.yaml

    assert listening(seen, FRONTS["web"].workload) == {ADDRESS: 8080}
    assert listening(seen, FRONTS["cache"].workload) == {ADDRESS: 6379}


@pytest.mark.parametrize(
    ("word", "expected"),
    [("timeout", []), ("refused", []), ("open", ["PORT_UNDECLARED_OPEN"])],
)
def test_undeclared_port(
    connections: Connections, asked: Asked, word: str, expected: list[str]
) -> None:
    asked.otherwise[WEB, undeclared(FRONTS["cache"], SHOP)] = state(word)

    assert causes(checks.open_undeclared_port(connections, FRONTS["cache"])) == expected


def test_silence_at_an_undeclared_port_shows_nothing_where_the_declared_one_is_closed(
    connections: Connections, asked: Asked
) -> None:
    asked.otherwise[WEB, dial(FRONTS["cache"], 6379, SHOP)] = state("refused")

    assert causes(checks.open_undeclared_port(connections, FRONTS["cache"])) == ["PORT_CLOSED"]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (page(200), "200"),
        (Page("timeout", "", told("timeout"), 0, ""), "timeout"),
        (Page("garbled", "b'-ERR'", told("garbled"), 0, ""), "garbled"),
    ],
)
def test_status_of_a_service(
    connections: Connections, asked: Asked, answer: Page, said: str
) -> None:
    asked.otherwise[health(service("web"), SHOP)] = answer

    (found,) = http.wrong_status(connections, service("web"))
    assert found.cause == "SERVICE_UNHEALTHY"
    assert said in found.summary


@pytest.mark.parametrize(
    "answer",
    [
        page(204, '{"is": "tax"}'),
        page(204, '{"name": "web"}'),
        page(204, "web"),
        page(204, "[]"),
        Page("cut", "", told("cut"), 0, ""),
    ],
)
def test_name_of_a_service(connections: Connections, asked: Asked, answer: Page) -> None:
    asked.otherwise[health(service("web"), SHOP)] = answer

    assert causes(http.wrong_name(connections, service("web"))) == ["SERVICE_UNHEALTHY"]


@pytest.mark.parametrize("word", ["garbled", "cut", "timeout"])
def test_grpc_without_http2(connections: Connections, asked: Asked, word: str) -> None:
    asked.otherwise[first_words(service("tax"), SHOP)] = state(word)

    assert causes(http.missing_http2(connections, service("tax"))) == ["SERVICE_UNHEALTHY"]


def test_service_that_is_not_reached_is_explained_by_that(
    connections: Connections, asked: Asked
) -> None:
    asked.otherwise[dial(FRONTS["web"], 80, SHOP)] = state("refused")
    asked.otherwise[dial(FRONTS["tax"], 9000, SHOP)] = state("refused")

    assert causes(http.wrong_status(connections, service("web"))) == ["PORT_CLOSED"]
    assert causes(http.missing_http2(connections, service("tax"))) == ["PORT_CLOSED"]


def test_service_is_asked_by_its_users(connections: Connections) -> None:
    assert connections.users_of(FRONTS["web"], 80) == [TAX]
    assert connections.users_of(FRONTS["cache"], 6379) == [WEB]


def test_service_that_nobody_uses_is_asked_by_whoever_reaches_it(
    asked: Asked, seen: Seen, pods: VantagePoints
) -> None:
    alone = SHOP.model_copy(update={"reachability": type(SHOP.reachability)()})
    connections = connected(asked, seen, pods, alone)
    assert connections.users_of(FRONTS["web"], 80) == [CACHE]

    for pod in (CACHE, TAX):
        asked.otherwise[pod, dial(FRONTS["web"], 80, SHOP)] = state("timeout")
    assert connections.users_of(FRONTS["web"], 80) == [WEB]


LOOPBACK = Ref("StatefulSet", "data", "cache")


@contextmanager
def a_server() -> Iterator[int]:
    """Serve one connection, and answer it with a line."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def run() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(64)
                connection.sendall(b"-ERR\r\n")

        thread = threading.Thread(target=run)
        thread.start()
        yield listener.getsockname()[1]
        thread.join(SOON)


def refused_cache(asked: Asked) -> None:
    for each in (dial(FRONTS["cache"], 6379, SHOP), Dial(ADDRESS, 6379)):
        asked.otherwise[WEB, each] = state("refused")


@pytest.mark.parametrize(
    ("at", "cause"),
    [
        ([("127.0.0.1", 6379), ("::1", 6379), ("0.0.0.0", 80)], "LISTENS_ON_LOOPBACK"),  # noqa: S104
        ([("127.0.0.1", 6379), ("10.244.0.5", 6379)], "PORT_CLOSED"),
        ([("0.0.0.0", 6379)], "PORT_CLOSED"),  # noqa: S104 - something on the way refuses
        ([("127.0.0.1", 80)], "PORT_CLOSED"),
        ([], "PORT_CLOSED"),
    ],
)
def test_port_that_is_open_on_the_loopback_alone_is_told_by_the_pods_own_network(
    asked: Asked, seen: Seen, pods: VantagePoints, at: list[tuple[str, int]], cause: str
) -> None:
    pods["cache"] = PodRef("data", "cache-x")
    refused_cache(asked)
    asked.otherwise[pods["cache"], Listeners()] = listening_at(*at)
    kube = Refusing()
    connections = connected(asked, seen, pods, kube=kube)

    (found,) = checks.closed_passage(connections, passage("web", "cache"))
    (of_pod,) = checks.wrong_ports_of_pods(connections, FRONTS["cache"].workload)

    assert found.cause == of_pod.cause == cause
    if cause == "LISTENS_ON_LOOPBACK":
        assert found.subject == of_pod.subject == LOOPBACK
        assert "cache-x listens at port 6379 on 127.0.0.1 and ::1 alone" in found.summary
    assert kube.forwarded == []  # what the pod's own network says is enough


@pytest.mark.parametrize(
    ("is_taken", "probe", "cause"),
    [
        (True, {}, "LISTENS_ON_LOOPBACK"),
        (False, {}, "PORT_CLOSED"),
        # the kubelet gets in at the pod's address: the way refuses, not the server
        (True, {"tcpSocket": {"port": 6379}}, "PORT_CLOSED"),
    ],
)
def test_port_that_is_open_on_the_loopback_alone_is_told_by_a_port_forward_elsewhere(
    asked: Asked, pods: VantagePoints, *, is_taken: bool, probe: Any, cause: str
) -> None:
    class Probed(Seen):
        def pods_of(self, workload: Any) -> list[Any]:
            found = super().pods_of(workload)
            for each in found:
                each["spec"]["containers"] = [{"name": "main", "readinessProbe": probe}]
                each["status"]["containerStatuses"] = [{"name": "main", "ready": True}]
            return found

    seen = Probed()
    seen.pods["cache"] = {"cache-x": ADDRESS}
    refused_cache(asked)
    kube = Refusing()

    with a_server() as port:
        kube.leads_to = port if is_taken else None
        connections = connected(asked, seen, pods, kube=kube)
        (found,) = checks.closed_passage(connections, passage("web", "cache"))
        (again,) = checks.closed_passage(connections, passage("web", "cache"))
        if not kube.forwarded or not is_taken:
            socket.create_connection(("127.0.0.1", port)).close()

    assert (found.cause, again.cause) == (cause, cause)
    assert len(kube.forwarded) == (0 if probe else 1)  # what was found out once is kept


@pytest.mark.parametrize(
    ("log", "cause"),
    [
        ("Ready to accept: listening on 127.0.0.1:6379", "LISTENS_ON_LOOPBACK"),
        ("Ready to accept: listening on 0.0.0.0:6379", "PORT_CLOSED"),
        ("", "PORT_CLOSED"),
    ],
)
def test_port_that_is_open_on_the_loopback_alone_is_told_by_the_log_where_no_forward_is_possible(
    asked: Asked, pods: VantagePoints, log: str, cause: str
) -> None:
    class Logging(Seen):
        def pods_of(self, workload: Any) -> list[Any]:
            found = super().pods_of(workload)
            for each in found:
                each["spec"]["containers"] = [{"name": "main"}]
            return found

    seen = Logging()
    seen.pods["cache"] = {"cache-x": ADDRESS}
    refused_cache(asked)
    kube = Refusing()
    kube.log = log
    connections = connected(asked, seen, pods, kube=kube)

    (found,) = checks.closed_passage(connections, passage("web", "cache"))

    assert found.cause == cause
    shown = "log of data/cache-x: listening on 127.0.0.1:6379"
    assert (shown in found.evidence) is (cause == "LISTENS_ON_LOOPBACK")


TLS = spec("""
components:
  - {kind: http, name: web, namespace: shop, port: 443, port_name: https, protocol: https,
     health: {names_itself: is}}
certificates: [{secret: web-tls, namespace: shop, days_left: 9}]
""")
FULL = "web.shop.svc.cluster.local"


def shown(*names: str, days: int = 90) -> x509.Certificate:
    return certificate(*names, days=days)[0]


def secure(
    asked: Asked, seen: Seen, answer: Page, held: x509.Certificate | None = None
) -> Connections:
    """Return what asks a service over TLS, whose pods are given a Secret, and what it shows."""
    volumes = [{"name": "tls", "secret": {"secretName": "web-tls"}}] if held else []
    seen.objects.append(
        {
            "kind": "Deployment",
            "metadata": {"name": "web", "namespace": "shop"},
            "spec": {"template": {"spec": {"containers": [], "volumes": volumes}}},
        }
    )
    if held:
        seen.objects.append(
            {
                "kind": "Secret",
                "metadata": {"name": "web-tls", "namespace": "shop"},
                "data": {"tls.crt": held.public_bytes(Encoding.PEM).decode()},
            }
        )
    asked.otherwise[Get(FULL, 443, "/health", "https")] = answer
    points = VantagePoints({"web": Ref("Pod", "", "web")})
    points.update(web=WEB)
    return connected(asked, seen, points, TLS)


def over_tls(made: x509.Certificate) -> Page:
    der = made.public_bytes(Encoding.DER)
    return Page("answered", "", told("answered"), 200, '{"is": "web"}', der)


def test_service_over_tls_in_which_all_is_well(asked: Asked, seen: Seen) -> None:
    made = shown(FULL)
    connections = secure(asked, seen, over_tls(made), held=made)
    (web,) = TLS.of(Http)

    for found in (http.wrong_status, http.wrong_name, http.wrong_certificate):
        assert found(connections, web) == []


@pytest.mark.parametrize(
    ("made", "cause"),
    [
        (shown(FULL, days=-1), "CERTIFICATE_EXPIRED"),
        (shown("*.shop.svc.cluster.local"), ""),
        (shown("another.example"), "CERTIFICATE_NAME_MISMATCH"),
    ],
)
@pytest.mark.parametrize("is_given", [True, False])
def test_certificate_that_is_shown(
    asked: Asked, seen: Seen, made: x509.Certificate, cause: str, *, is_given: bool
) -> None:
    connections = secure(asked, seen, over_tls(made), held=made if is_given else None)

    found = http.wrong_certificate(connections, TLS.of(Http)[0])

    assert [each.cause for each in found] == ([cause] if cause else [])
    kind = "Secret" if is_given else "Service"  # the Secret is to be mended where it holds it
    assert [each.subject.kind for each in found] == ([kind] if cause else [])


def test_certificate_that_is_shown_is_the_one_that_the_pods_are_given(
    asked: Asked, seen: Seen
) -> None:
    connections = secure(asked, seen, over_tls(shown(FULL)), held=shown(FULL))

    (found,) = http.wrong_certificate(connections, TLS.of(Http)[0])

    assert (found.cause, found.subject) == (
        "CERTIFICATE_NOT_IN_USE",
        Ref("Deployment", "shop", "web"),
    )


@pytest.mark.parametrize("word", ["no-tls", "timeout", "cut"])
def test_service_that_speaks_plain_http_is_told_so(asked: Asked, seen: Seen, word: str) -> None:
    failed = Page(word, "WRONG_VERSION_NUMBER", told(word), 0, "")
    connections = secure(asked, seen, failed)
    asked.otherwise[Get(FULL, 443, "/health")] = page(400)

    for check in (http.wrong_status, http.wrong_name, http.wrong_certificate):
        (found,) = check(connections, TLS.of(Http)[0])
        assert found.cause == "TLS_MISSING"
        assert "plain HTTP (400)" in found.summary


def test_alert_is_what_a_service_answers(asked: Asked, seen: Seen) -> None:
    failed = Page("alert", "TLSV13_ALERT_CERTIFICATE_REQUIRED", told("alert"), 0, "")
    connections = secure(asked, seen, failed)

    (found,) = http.wrong_status(connections, TLS.of(Http)[0])

    assert found.cause == "SERVICE_UNHEALTHY"
    assert "alert TLSV13_ALERT_CERTIFICATE_REQUIRED" in found.summary


def test_name_without_an_answer_says_nothing_of_what_is_behind_it(
    connections: Connections, asked: Asked
) -> None:
    lost = state("unresolved", "timeout")
    asked.otherwise[PAY] = lost
    asked.otherwise[WEB, undeclared(FRONTS["cache"], SHOP)] = lost
    asked.otherwise[health(service("web"), SHOP)] = Page(
        "unresolved", "timeout", told("unresolved"), 0, ""
    )
    asked.otherwise[first_words(service("tax"), SHOP)] = lost

    found = [
        *checks.unreached_external(connections, SHOP.external[0]),
        *checks.open_undeclared_port(connections, FRONTS["cache"]),
        *http.wrong_status(connections, service("web")),
        *http.wrong_name(connections, service("web")),
        *http.missing_http2(connections, service("tax")),
    ]

    assert set(causes(found)) == {"NAME_UNRESOLVED"}
    assert all("timeout" in each.summary for each in found)


def test_external_name_that_does_not_exist_is_not_reached(
    connections: Connections, asked: Asked
) -> None:
    asked.otherwise[PAY] = state("unresolved", "EAI_NONAME")

    found = checks.unreached_external(connections, SHOP.external[0])

    assert set(causes(found)) == {"EXTERNAL_UNREACHABLE"}


REFUSED = state("refused")


def _early(seen: Seen, pods: VantagePoints, answers: dict[Any, Answer]) -> list[Any]:
    return early_answers(SHOP, seen, pods)(answers)  # type: ignore[arg-type]


def test_refusal_of_a_service_whose_pods_are_open_may_be_early(
    seen: Seen, pods: VantagePoints
) -> None:
    web = dial(FRONTS["web"], 80, SHOP)
    asked = {
        (TAX, web): REFUSED,
        (TAX, health(SHOP.of(Http)[0], SHOP)): REFUSED,
        (TAX, Dial(ADDRESS, 8080)): state("open"),
    }

    assert _early(seen, pods, asked) == list(asked)[:2]


def test_silence_of_a_service_whose_pod_answers_the_same_asker_may_be_early(
    seen: Seen, pods: VantagePoints
) -> None:
    web, at_pod = dial(FRONTS["web"], 80, SHOP), Dial(ADDRESS, 8080)
    silent = {(TAX, web): state("timeout")}

    assert _early(seen, pods, {**silent, (TAX, at_pod): state("open")}) == [(TAX, web)]
    assert _early(seen, pods, {**silent, (CACHE, at_pod): state("open")}) == []
    assert _early(seen, pods, {**silent, (TAX, at_pod): state("timeout")}) == []
    seen.behind.clear()
    assert _early(seen, pods, {**silent, (TAX, at_pod): state("open")}) == []


@pytest.mark.parametrize("word", ["refused", "timeout"])
def test_service_that_nobody_is_to_reach_may_be_early_as_well(
    seen: Any, pods: VantagePoints, word: str
) -> None:
    web = next(each for each in LONELY.of(Http) if each.name == "web")
    asked = {
        (CACHE, question): state(word)
        for question in every_question(LONELY, seen, pods)[CACHE]
        if getattr(question, "host", "") == front_of(web).full_name(LONELY.zone)
        and getattr(question, "port", 0) == 80
    }
    early = early_answers(LONELY, seen, pods)

    assert {type(question) for _, question in asked} == {Dial, Get}
    assert early({**asked, (CACHE, Dial(ADDRESS, 8080)): state("open")}) == list(asked)
    # what keeps the asker from the pod itself keeps it from the Service
    assert early({**asked, (CACHE, Dial(ADDRESS, 8080)): state(word)}) == []
    assert early(asked) == []


def test_service_that_nobody_is_to_reach_is_asked_by_every_pod_at_once(
    seen: Any, pods: VantagePoints
) -> None:
    asked = Asked(usual)
    connections = connected(asked, seen, pods, LONELY)
    web = next(each for each in LONELY.of(Http) if each.name == "web")
    asked.otherwise[CACHE, dial(front_of(web), 80, LONELY)] = REFUSED

    assert http.wrong_status(connections, web) == []
    foreseen = every_question(LONELY, seen, pods)
    assert {pod for pod, question in asked.read if isinstance(question, Get)} == {TAX}
    assert [entry for entry in asked.read if entry[1] not in foreseen[entry[0]]] == []


def test_service_is_asked_how_it_is_by_those_who_use_it(seen: Any, pods: VantagePoints) -> None:
    foreseen = every_question(SHOP, seen, pods)
    asking = {pod for pod, asked in foreseen.items() if any(isinstance(it, Get) for it in asked)}

    assert asking == {TAX}


@pytest.mark.parametrize(
    "asked",
    [
        pytest.param({(TAX, dial(FRONTS["web"], 80, SHOP)): state("timeout")}, id="silent"),
        pytest.param({(CACHE, dial(FRONTS["web"], 80, SHOP)): REFUSED}, id="not-to-reach"),
        pytest.param({(TAX, dial(FRONTS["cache"], 6379, SHOP)): REFUSED}, id="to-be-closed"),
        pytest.param({(TAX, undeclared(FRONTS["web"], SHOP)): REFUSED}, id="undeclared"),
        pytest.param({(TAX, PAY): REFUSED}, id="external"),
        pytest.param(
            {(TAX, dial(FRONTS["web"], 80, SHOP)): REFUSED, (TAX, Dial(ADDRESS, 8080)): REFUSED},
            id="closed-at-the-pod",
        ),
    ],
)
def test_any_other_refusal_stands(
    seen: Seen, pods: VantagePoints, asked: dict[Any, Answer]
) -> None:
    assert _early(seen, pods, asked) == []


def test_refusal_of_a_service_that_leads_to_no_pod_stands(seen: Seen, pods: VantagePoints) -> None:
    seen.behind.clear()

    assert _early(seen, pods, {(TAX, dial(FRONTS["web"], 80, SHOP)): REFUSED}) == []
