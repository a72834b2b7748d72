"""What programs and their clients have written of a server that listens on its loopback alone."""

from __future__ import annotations

from typing import Any

import pytest

from nova_acceptance.collect.logs import of_refusing
from nova_acceptance.components.network.listening import said_in_logs, said_on_loopback
from nova_acceptance.diagnosis import Doctor
from nova_acceptance.findings import Finding, ref
from nova_acceptance.kube import ApiError, Object, PodRef
from nova_acceptance.kube.snapshot import Log, Snapshot
from testing.unit.diagnosis.recorded import NAMESPACE, deployment, event, pod, replica_set

ADDRESS = "10.1.0.9"
PORT = 8000
OWN = "INFO: Uvicorn running on http://127.0.0.1:8000 (Press CTRL+C to quit)"
REFUSED = f"Readiness probe failed: dial tcp {ADDRESS}:{PORT}: connect: connection refused"
NOT_FOUND = "Readiness probe failed: HTTP probe failed with statuscode: 404"


@pytest.mark.parametrize(
    "said",
    [
        OWN,
        "[2026-11-29 05:55:19 +0000] [7] [INFO] Listening at: http://127.0.0.1:8000 (7)",
        "Serving HTTP on 127.0.0.1 port 8000 (http://127.0.0.1:8000/) ...",
        'LOG:  listening on IPv4 address "127.0.0.1", port 8000',
        'LOG:  listening on IPv6 address "::1", port 8000\nlistening on 127.0.0.1:8000',
        " * Running on http://127.0.0.1:8000",
        "Starting development server at http://127.0.0.1:8000/",
        "      Now listening on: http://localhost:8000",
        "* Listening on tcp://127.0.0.1:8000",
        "server listening on [::1]:8000",
        '{"level":"info","msg":"listening on 127.0.0.53:8000"}',
        "binding to 127.0.0.1:8000",
        "Starting server on port 8000\nlistening on 127.0.0.1:8000",
    ],
)
def test_server_says_that_it_listens_on_its_loopback(said: str) -> None:
    assert said_on_loopback(f"begin\n{said}\nready", PORT)


@pytest.mark.parametrize(
    "said",
    [
        "Uvicorn running on http://0.0.0.0:8000",
        "listening on :8000",
        "listening on [::]:8000",
        "listening on *:8000",
        "listening on port 8000",
        "listening on 127.0.0.1:8001",
        "listening on 127.0.0.1:80001",
        f" * Running on http://127.0.0.1:8000\n * Running on http://{ADDRESS}:8000",
        "listening on 127.0.0.1:8000\nlistening on 0.0.0.0:8000",
        "server started, forwarding to 127.0.0.1:8000",
        "connected to 127.0.0.1:8000",
        "error starting server: listen tcp 127.0.0.1:8000: bind: address already in use",
        "GET http://127.0.0.1:8000/health",
        "",
    ],
)
def test_log_that_says_less_or_else_is_not_enough(said: str) -> None:
    assert said_on_loopback(said, PORT) == ""


def test_localhost_is_enough_only_where_numbers_are_not_asked_for() -> None:
    said = "listening on http://localhost:8000"

    assert said_on_loopback(said, PORT)
    assert said_on_loopback(said, PORT, by_number=True) == ""
    assert said_on_loopback(OWN, PORT, by_number=True)


def test_words_are_shown_without_what_may_be_secret_beside_them() -> None:
    said = "token=s3cr3t listening on http://127.0.0.1:8000/?key=s3cr3t"

    assert said_on_loopback(said, PORT) == "listening on http://127.0.0.1:8000"


def test_log_that_may_not_be_read_says_nothing() -> None:
    class Api:
        def logs(self, _pod: PodRef, *, container: str, **_: Any) -> str:
            if container == "proxy":
                raise ApiError("log", 403, b"{}")
            return OWN if container == "main" else ""

    api: Any = Api()
    where = PodRef("shop", "web-0")

    assert said_in_logs(api, where, ["proxy", "other"], PORT) == ""
    assert said_in_logs(api, where, ["proxy", "main"], PORT).startswith("log of shop/web-0: ")


def seen(
    *,
    own: str = OWN,
    events: tuple[str, ...] = (REFUSED,),
    client: str = "",
    probe: dict[str, Any] | None = None,
    ready: bool = False,
    previous: bool = False,
) -> Snapshot:
    """Return a service that refuses, and a client of its that wrote a line; with their logs."""
    count = int(ready)
    workload = deployment(readyReplicas=count, availableReplicas=count)
    owner = replica_set(workload)
    server = pod("user-service-x", owner, ready=ready)
    server["status"]["podIP"] = ADDRESS
    container = {"name": "main", "ports": [{"name": "http", "containerPort": PORT}]}
    server["spec"]["containers"] = [{**container, "readinessProbe": probe or {}}]
    server["metadata"]["labels"] = {"app": "user-service"}
    front: Object = {
        "kind": "Service",
        "metadata": {"name": "user-service", "namespace": NAMESPACE, "uid": "uid-front"},
        "spec": {
            "selector": {"app": "user-service"},
            "ports": [{"name": "http", "port": 80, "targetPort": "http"}],
        },
    }
    found = Snapshot.of(
        [workload, owner, server, front, *(event(server, "Unhealthy", it) for it in events)]
    )
    if own:
        found.logs[NAMESPACE, "user-service-x", "main"] = [Log(own, previous)]
    if client:
        found.logs["shop", "client-0", "main"] = [Log(client)]
    return found


def named(found: Snapshot) -> list[Finding]:
    return [each for each in Doctor(found).diagnoses if each.cause == "LISTENS_ON_LOOPBACK"]


def test_refused_kubelet_and_own_log_together_name_it() -> None:
    (found,) = named(seen())

    assert found.subject == ref(deployment())
    assert found.evidence == (
        f"log of {NAMESPACE}/user-service-x: running on http://127.0.0.1:8000",
        f"the kubelet: {REFUSED}",
    )


CLIENTS = [
    "dial tcp: lookup user-service.nova-services:80: connect: connection refused",
    "HTTPConnectionPool(host='user-service.nova-services.svc', port=80): Connection refused",
    "Error: connect ECONNREFUSED user-service.nova-services:80",
]


@pytest.mark.parametrize("client", CLIENTS)
def test_client_that_is_refused_by_name_is_evidence_beside_it(client: str) -> None:
    (found,) = named(seen(client=client))

    assert f"log of shop/client-0: {client}" in found.evidence


@pytest.mark.parametrize("client", CLIENTS)
def test_refused_client_and_own_log_name_it_though_the_pod_is_ready(client: str) -> None:
    probe = {"exec": {"command": ["check"]}}

    (found,) = named(seen(client=client, ready=True, events=(), probe=probe))

    assert found.evidence == (
        f"log of {NAMESPACE}/user-service-x: running on http://127.0.0.1:8000",
        f"log of shop/client-0: {client}",
    )


@pytest.mark.parametrize(
    "less",
    [
        {"own": ""},
        {"own": "Uvicorn running on http://0.0.0.0:8000"},
        {"previous": True},
        {"events": ()},
        {"events": (REFUSED, NOT_FOUND)},
        {"ready": True},
        {"events": (), "client": "user-service.nova-services:81: connection refused"},
        {"events": (), "client": "user-service.elsewhere:80: connection refused"},
        {"events": (), "client": "GET user-service.nova-services:80: 200"},
        {
            "events": (),
            "client": CLIENTS[0],
            "own": "listening on http://localhost:8000",
        },
        {
            "ready": True,
            "client": CLIENTS[0],
            "probe": {"tcpSocket": {"port": "http"}},
        },
    ],
    ids=[
        "it says nothing",
        "it listens on every address",
        "the container before it said so",
        "nobody was refused",
        "it answers the kubelet by now",
        "it is ready",
        "another port refuses",
        "another service refuses",
        "nothing refuses",
        "some say localhost whatever they listen at",
        "the kubelet is let in",
    ],
)
def test_less_than_both_names_nothing(less: dict[str, Any]) -> None:
    assert named(seen(**less)) == []


def test_log_of_a_ready_pod_is_read_where_a_client_is_refused() -> None:
    (source,) = of_refusing(seen(own="", client=CLIENTS[0], ready=True, events=()))

    assert source[:4] == (NAMESPACE, "user-service-x", "main", False)
    assert of_refusing(seen(client=CLIENTS[0], ready=True, events=())) == []
    assert of_refusing(seen(own="", ready=True, events=())) == []
