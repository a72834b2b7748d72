"""Services: there, of the right type, selecting the right pods at the right ports."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from nova_acceptance.diagnosis import Doctor, beforehand, examine
from nova_acceptance.findings import Ref
from nova_acceptance.kube import Object
from nova_acceptance.kube.snapshot import Snapshot
from testing.unit.diagnosis.rendered import Nova

NAME = "app.kubernetes.io/name"
USER = Ref("Service", "nova-services", "user-service")


@pytest.fixture
def nova() -> Nova:
    return Nova()


def spec(nova: Nova, service: str) -> dict[str, Any]:
    found: dict[str, Any] = nova[f"Service/{service}"]["spec"]
    return found


def test_service_that_is_missing(nova: Nova) -> None:
    nova.remove("Service/user-service")

    assert nova.causes() == {"SERVICE_MISSING": USER}


@pytest.mark.parametrize("knows_nova", [True, False])
def test_headless_that_has_an_address(nova: Nova, *, knows_nova: bool) -> None:
    del spec(nova, "etcd")["clusterIP"]

    etcd = Ref("Service", "nova-database", "etcd")
    assert nova.causes(knows_nova=knows_nova)["HEADLESS_LOST"] == etcd


def test_headless_that_is_missing(nova: Nova) -> None:
    nova.remove("Service/etcd")

    assert nova.causes()["SERVICE_MISSING"] == Ref("Service", "nova-database", "etcd")
    assert nova.causes(knows_nova=False)["HEADLESS_LOST"] == Ref(
        "StatefulSet", "nova-database", "etcd"
    )


@pytest.mark.parametrize(
    ("change", "cause"),
    [({"type": "NodePort"}, "SERVICE_TYPE_WRONG"), ({"clusterIP": "None"}, "HEADLESS_UNWANTED")],
)
def test_service_of_another_type(nova: Nova, change: dict[str, str], cause: str) -> None:
    spec(nova, "user-service").update(change)

    assert nova.causes() == {cause: USER}


@pytest.mark.parametrize("knows_nova", [True, False])
def test_selector_that_matches_nothing(nova: Nova, *, knows_nova: bool) -> None:
    spec(nova, "user-service")["selector"] |= {NAME: "usr-service"}

    assert nova.causes(knows_nova=knows_nova) == {"SELECTOR_MATCHES_NOTHING": USER}
    (found,) = nova.diagnoses()
    assert found.grace == 0
    assert f"{NAME}=user-service" in found.cure


def test_selector_with_a_label_too_many(nova: Nova) -> None:
    spec(nova, "user-service")["selector"] |= {"tier": "front"}

    assert nova.causes() == {"SELECTOR_MATCHES_NOTHING": USER}
    # without nova.yaml and before there are pods: some program may yet put the label on
    assert nova.causes(knows_nova=False) == {}


def test_label_that_is_put_on_pods_while_they_run(nova: Nova) -> None:
    selector = spec(nova, "postgres-primary")["selector"]
    assert "nova/role" in selector
    assert nova.causes() == {}

    selector["nova/role"] = "boss"
    assert list(nova.causes()) == ["SELECTOR_MATCHES_NOTHING"]


def test_selector_of_another_workload(nova: Nova) -> None:
    other = copy.deepcopy(spec(nova, "auth-service")["selector"])
    spec(nova, "user-service")["selector"] = other

    assert nova.causes() == {"SELECTOR_WRONG": USER}


def test_selector_of_two_workloads(nova: Nova) -> None:
    selector = spec(nova, "user-service")["selector"]
    shared = {key: value for key, value in selector.items() if key != NAME}
    assert shared
    spec(nova, "user-service")["selector"] = shared

    assert nova.causes()["SELECTOR_TOO_WIDE"] == USER
    assert nova.causes(knows_nova=False)["SELECTOR_TOO_WIDE"] == USER


def test_selector_that_another_workload_has_come_under(nova: Nova) -> None:
    nova["Deployment/auth-service"]["spec"]["template"]["metadata"]["labels"] = copy.deepcopy(
        nova["Deployment/user-service"]["spec"]["template"]["metadata"]["labels"]
    )

    assert nova.causes()["SELECTOR_TOO_WIDE"] == USER
    assert nova.causes(knows_nova=False)["SELECTOR_TOO_WIDE"] == USER


def deployment(name: str, *, image: str, port: int, **labels: str) -> Object:
    labels = {"app": "shop", **labels}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": "shop"},
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {
                    "containers": [
                        {"name": "main", "image": image, "ports": [{"containerPort": port}]}
                    ]
                },
            },
        },
    }


def service(port: int = 80, target: Any = 8080, **selector: str) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "shop", "namespace": "shop"},
        "spec": {
            "selector": selector or {"app": "shop"},
            "ports": [{"port": port, "targetPort": target}],
        },
    }


def causes_of(*objects: Object) -> list[str]:
    return [str(found.cause) for found in beforehand(Snapshot.of(objects))]


def test_canary_beside_the_stable_version_is_no_fault() -> None:
    stable = deployment("stable", image="registry/shop:1", port=8080, track="stable")
    canary = deployment("canary", image="registry/shop:2", port=8080, track="canary")

    assert causes_of(stable, canary, service()) == []


@pytest.mark.parametrize("change", [{"image": "worker:1"}, {"port": 9000}])
def test_two_programs_under_one_service(change: dict[str, Any]) -> None:
    shop = deployment("shop", image="shop:1", port=8080)
    other = deployment("worker", **{"image": "shop:1", "port": 8080, **change})

    assert causes_of(shop, other, service()) == ["SELECTOR_TOO_WIDE"]


def beside(workload: Object, *, first: bool = False, **metadata: Any) -> Object:
    """Return a workload with the same proxy beside its program that others have."""
    of = workload["spec"]["template"]
    proxy = {"name": "proxy", "image": "mesh/proxy:1", "ports": [{"containerPort": 15090}]}
    its = of["spec"]["containers"]
    of["spec"]["containers"] = [proxy, *its] if first else [*its, proxy]
    of["metadata"] |= metadata
    return workload


NAMED = {"annotations": {"kubectl.kubernetes.io/default-container": "main"}}


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize(
    ("declared", "target", "said"),
    [
        # what its own program listens on is not said, and what the sidecar does tells nothing
        (False, 8080, []),
        (False, 15090, []),
        (True, 8080, []),
        (True, 15090, []),
        (True, 9999, ["TARGET_PORT_WRONG"]),
        (False, "http", ["TARGET_PORT_WRONG"]),
    ],
)
def test_ports_of_a_sidecar_are_none_of_the_program_beside_it(
    target: Any, said: list[str], *, declared: bool, first: bool
) -> None:
    shop = deployment("shop", image="shop:1", port=8080)
    if not declared:
        del shop["spec"]["template"]["spec"]["containers"][0]["ports"]

    assert causes_of(beside(shop, first=first, **NAMED), service(target=target)) == said


@pytest.mark.parametrize("change", [{"image": "worker:1"}, {"port": 9000}])
def test_two_programs_are_two_although_the_same_sidecar_is_beside_both(
    change: dict[str, Any],
) -> None:
    shop = beside(deployment("shop", image="shop:1", port=8080))
    other = beside(deployment("worker", **{"image": "shop:1", "port": 8080, **change}))

    assert causes_of(shop, other, service()) == ["SELECTOR_TOO_WIDE"]


def test_canary_with_a_sidecar_is_still_the_same_program() -> None:
    stable = deployment("stable", image="registry/shop:1", port=8080, track="stable")
    canary = deployment("canary", image="registry/shop:2", port=8080, track="canary")

    assert causes_of(stable, beside(canary), service()) == []


def test_services_whose_ports_are_swapped(nova: Nova) -> None:
    mine, other = spec(nova, "user-service")["ports"], spec(nova, "auth-service")["ports"]
    mine[0]["port"], other[0]["port"] = other[0]["port"], mine[0]["port"]

    found = [str(it.cause) for it in nova.diagnoses()]
    assert found == ["SERVICE_PORT_WRONG"] * 2


def test_target_ports_that_are_swapped(nova: Nova) -> None:
    spec(nova, "user-service")["ports"][0]["targetPort"] = 8084
    spec(nova, "auth-service")["ports"][0]["targetPort"] = 8080

    found = nova.diagnoses()
    assert [str(it.cause) for it in found] == ["TARGET_PORT_WRONG"] * 2
    assert any("Deployment nova-services/auth-service" in it.evidence[-1] for it in found)


@pytest.mark.parametrize("target", [9999, "htpp"])
@pytest.mark.parametrize("knows_nova", [True, False])
def test_target_port_that_no_container_has(nova: Nova, target: Any, *, knows_nova: bool) -> None:
    spec(nova, "user-service")["ports"][0]["targetPort"] = target

    assert nova.causes(knows_nova=knows_nova) == {"TARGET_PORT_WRONG": USER}


def test_target_port_of_another_protocol() -> None:
    udp = service()
    udp["spec"]["ports"][0]["protocol"] = "UDP"

    assert causes_of(deployment("shop", image="shop", port=8080), udp) == ["TARGET_PORT_WRONG"]


@pytest.mark.parametrize(
    "container",
    [
        {"ports": []},
        {"env": [{"name": "PORT", "value": "9000"}]},
        {"args": ["--listen=:9000"]},
        {"readinessProbe": {"httpGet": {"path": "/", "port": 9000}}},
    ],
)
def test_target_port_that_is_not_declared_and_yet_used(container: dict[str, Any]) -> None:
    shop = deployment("shop", image="shop", port=8080)
    shop["spec"]["template"]["spec"]["containers"][0].update(container)

    assert causes_of(shop, service(target=9000)) == []


# --- on the cluster


def pod(owner: Object, ip: str, *, ready: bool, **labels: str) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": f"shop-{ip}",
            "namespace": "shop",
            "uid": f"uid-{ip}",
            "labels": {"app": "shop", **labels},
            "ownerReferences": [
                {"kind": owner["kind"], "name": owner["metadata"]["name"]}
                | {"uid": owner["metadata"]["uid"]}
            ],
        },
        "spec": copy.deepcopy(owner["spec"]["template"]["spec"]),
        "status": {
            "phase": "Running",
            "podIP": ip,
            "conditions": [
                {
                    "type": "Ready",
                    "status": str(ready),
                    "lastTransitionTime": "2024-05-01T10:00:00Z",
                }
            ],
        },
    }


def live(*, ready: bool = True, ips: tuple[str, ...] = ("10.0.0.1",)) -> list[Object]:
    """Return a StatefulSet of one pod and its Service, whose endpoints have these addresses."""
    owner = deployment("shop", image="shop", port=8080)
    owner |= {"kind": "StatefulSet"}
    owner["metadata"]["uid"] = "uid-shop"
    front = service()
    front["metadata"]["uid"] = "uid-front"
    addresses = [{"ip": ip, "targetRef": {"kind": "Pod", "name": f"shop-{ip}"}} for ip in ips]
    endpoints: Object = {
        "apiVersion": "v1",
        "kind": "Endpoints",
        "metadata": {"name": "shop", "namespace": "shop"},
        "subsets": [{"addresses" if ready else "notReadyAddresses": addresses}] if ips else [],
    }
    return [owner, pod(owner, "10.0.0.1", ready=ready), front, endpoints]


def live_causes(objects: list[Object], *families: str) -> list[str]:
    wanted = ("SERVICE_WITHOUT_ENDPOINTS", "ENDPOINTS_STALE", "SELECTOR_MATCHES_NOTHING", *families)
    return [str(it.cause) for it in examine(Snapshot.of(objects)) if it.cause in wanted]


def test_service_with_a_ready_pod() -> None:
    assert live_causes(live()) == []


def test_service_without_a_ready_pod_is_a_symptom() -> None:
    objects = live(ready=False)
    assert live_causes(objects) == ["SERVICE_WITHOUT_ENDPOINTS"]

    waiting = {"reason": "ImagePullBackOff", "message": "Back-off pulling image shop"}
    objects[1]["status"] |= {
        "phase": "Pending",
        "containerStatuses": [
            {"name": "main", "ready": False, "restartCount": 0, "state": {"waiting": waiting}}
        ],
    }
    (ranked,) = Doctor(Snapshot.of(objects)).overall()
    assert ranked.root.cause == "IMAGE_PULL"
    assert "SERVICE_WITHOUT_ENDPOINTS" in {it.cause for it in ranked.symptoms}


def test_service_whose_workload_is_meant_to_rest() -> None:
    objects = live(ips=())
    objects[0]["spec"]["replicas"] = 0

    assert live_causes([objects[0], *objects[2:]]) == []


def test_endpoints_that_are_no_pods() -> None:
    assert live_causes(live(ips=("10.0.0.1", "10.9.9.9"))) == ["ENDPOINTS_STALE"]


def test_endpoints_that_lack_a_ready_pod() -> None:
    assert live_causes(live(ips=())) == ["ENDPOINTS_STALE"]


def test_endpoints_may_lag_behind_a_pod_that_has_just_changed() -> None:
    objects = live(ips=("10.9.9.9",))
    objects[1]["metadata"]["deletionTimestamp"] = "2024-05-01T10:00:00Z"

    assert "ENDPOINTS_STALE" not in live_causes(objects)


def test_endpoints_without_a_selector_are_deliberate() -> None:
    objects = live(ips=("10.9.9.9",))
    del objects[2]["spec"]["selector"]

    assert live_causes(objects) == []


@pytest.mark.parametrize("ready", [True, False, None])
def test_endpoint_slices_say_the_same(*, ready: bool | None) -> None:
    objects = live(ready=ready is not False)[:3]
    entry: dict[str, Any] = {"addresses": ["10.0.0.1"], "conditions": {"ready": ready}}
    if ready is None:
        entry["conditions"] = {}
    objects.append(
        {
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": {
                "name": "shop-x",
                "namespace": "shop",
                "labels": {"kubernetes.io/service-name": "shop"},
            },
            "endpoints": [entry],
        }
    )

    wanted = ["SERVICE_WITHOUT_ENDPOINTS"] if ready is False else []
    assert live_causes(objects) == wanted


def test_label_that_no_running_pod_carries() -> None:
    objects = live(ips=())
    objects[2]["spec"]["selector"] |= {"tier": "front"}
    assert live_causes(objects)[0] == "SELECTOR_MATCHES_NOTHING"

    objects[1]["metadata"]["labels"]["tier"] = "back"  # somebody does put it on
    assert live_causes(objects) == []
