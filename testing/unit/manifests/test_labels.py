"""Labels, and the selectors that stand on them."""

from __future__ import annotations

from testing.unit.manifests.objects import Overlay, identity

RECOMMENDED = {
    f"app.kubernetes.io/{label}"
    for label in ("name", "instance", "component", "part-of", "managed-by")
}
STABLE = {"app.kubernetes.io/name", "app.kubernetes.io/instance"}
ROLE = "nova/role"


def test_every_object_has_the_recommended_labels(overlay: Overlay) -> None:
    lacking = {
        identity(obj): RECOMMENDED - obj["metadata"].get("labels", {}).keys()
        for obj in overlay.objects
    }

    assert not {name: labels for name, labels in lacking.items() if labels}


def test_every_pod_and_claim_has_the_recommended_labels(overlay: Overlay) -> None:
    for name, template in overlay.pod_templates:
        assert template["metadata"]["labels"].keys() >= RECOMMENDED, name
    for workload in overlay.of_kind("StatefulSet"):
        for claim in workload["spec"]["volumeClaimTemplates"]:
            labels = claim["metadata"]["labels"]
            expected = workload["spec"]["template"]["metadata"]["labels"]
            assert labels == expected, identity(workload)


def test_all_of_nova_is_part_of_nova(overlay: Overlay) -> None:
    for obj in overlay.objects:
        labels = obj["metadata"]["labels"]
        assert labels["app.kubernetes.io/part-of"] == "nova"
        assert labels["app.kubernetes.io/instance"] == "nova"
        assert labels["app.kubernetes.io/managed-by"] == "nova-acceptance"


def test_workloads_select_by_stable_labels_their_own_pods_only(overlay: Overlay) -> None:
    for workload in overlay.workloads:
        selector = workload["spec"]["selector"]["matchLabels"]
        matching = [
            name
            for name, template in overlay.pod_templates
            if selector.items() <= template["metadata"]["labels"].items()
        ]
        assert selector.keys() == STABLE
        assert matching == [identity(workload)]


def test_services_select_by_stable_labels_and_by_role(overlay: Overlay) -> None:
    for service in overlay.of_kind("Service"):
        selector = service["spec"]["selector"]
        assert selector.keys() - {ROLE} == STABLE, identity(service)
    assert {
        service["metadata"]["name"]: service["spec"]["selector"][ROLE]
        for service in overlay.of_kind("Service")
        if ROLE in service["spec"]["selector"]
    } == {"postgres-primary": "primary", "postgres-replicas": "replica"}


def test_no_pod_is_born_with_a_role(overlay: Overlay) -> None:
    assert not [name for name, pod in overlay.pod_templates if ROLE in pod["metadata"]["labels"]]


def test_services_ports_are_ports_that_their_pods_have(overlay: Overlay) -> None:
    for service in overlay.of_kind("Service"):
        name = service["spec"]["selector"]["app.kubernetes.io/name"]
        ports = {
            port["name"]: port["containerPort"]
            for workload in overlay.workloads
            if workload["metadata"]["name"] == name
            and workload["metadata"]["namespace"] == service["metadata"]["namespace"]
            for container in workload["spec"]["template"]["spec"]["containers"]
            for port in container["ports"]
        }
        for port in service["spec"]["ports"]:
            assert port["targetPort"] == port["name"], identity(service)
            assert ports[port["name"]] == port["port"], identity(service)
            assert port["protocol"] == "TCP"
