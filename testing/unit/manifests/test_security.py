"""The security posture of every pod and container."""

from __future__ import annotations

from testing.unit.manifests.objects import Overlay, identity

VOLUME_KINDS = {"configMap", "emptyDir", "secret"}


def test_every_container_can_gain_nothing(overlay: Overlay) -> None:
    for name, container in overlay.containers:
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }, name


def test_every_pod_runs_as_a_number_that_is_not_root(overlay: Overlay) -> None:
    for name, pod in overlay.pod_templates:
        context = pod["spec"]["securityContext"]
        assert context["runAsNonRoot"] is True, name
        assert context["seccompProfile"] == {"type": "RuntimeDefault"}, name
        assert context["runAsUser"] >= 1000, name
        assert context["runAsGroup"] == context["fsGroup"] == context["runAsUser"], name


def test_no_pod_shares_anything_with_its_node(overlay: Overlay) -> None:
    for name, pod in overlay.pod_templates:
        spec = pod["spec"]
        assert not spec.keys() & {"hostNetwork", "hostPID", "hostIPC"}, name
        for volume in spec.get("volumes", ()):
            assert volume.keys() - {"name"} <= VOLUME_KINDS, name


def test_namespaces_enforce_the_restricted_profile(overlay: Overlay) -> None:
    for namespace in overlay.of_kind("Namespace"):
        labels = namespace["metadata"]["labels"]
        assert labels["pod-security.kubernetes.io/enforce"] == "restricted"


def test_only_postgres_has_a_token_for_the_api(overlay: Overlay) -> None:
    holders = [
        name
        for name, pod in overlay.pod_templates
        if pod["spec"]["automountServiceAccountToken"] is not False
    ]

    assert holders == ["StatefulSet nova-database/postgres"]


def test_the_one_account_may_patch_the_three_pods_of_postgres_and_nothing_else(
    overlay: Overlay,
) -> None:
    (account,) = overlay.of_kind("ServiceAccount")
    (role,) = overlay.of_kind("Role")
    (binding,) = overlay.of_kind("RoleBinding")

    assert role["rules"] == [
        {
            "apiGroups": [""],
            "resources": ["pods"],
            "resourceNames": ["postgres-0", "postgres-1", "postgres-2"],
            "verbs": ["patch"],
        }
    ]
    assert binding["roleRef"]["name"] == role["metadata"]["name"]
    assert [subject["name"] for subject in binding["subjects"]] == [account["metadata"]["name"]]
    pod = overlay.find("StatefulSet", "postgres")["spec"]["template"]
    assert pod["spec"]["serviceAccountName"] == account["metadata"]["name"]


def test_a_password_reaches_a_container_by_reference_only(overlay: Overlay) -> None:
    for name, container in overlay.containers:
        for variable in container.get("env", ()):
            if "PASSWORD" in variable["name"] or "AUTH" in variable["name"]:
                assert "secretKeyRef" in variable["valueFrom"], name


def test_every_secret_and_configmap_that_is_referred_to_is_there(overlay: Overlay) -> None:
    there = {
        (obj["kind"], obj["metadata"]["namespace"], obj["metadata"]["name"]): obj.get("data", {})
        for obj in overlay.of_kind("Secret", "ConfigMap")
    }
    for workload in overlay.workloads:
        namespace = workload["metadata"]["namespace"]
        pod = workload["spec"]["template"]["spec"]
        for container in pod["containers"]:
            for source in container.get("envFrom", ()):
                for key, kind in (("secretRef", "Secret"), ("configMapRef", "ConfigMap")):
                    if key in source:
                        assert (kind, namespace, source[key]["name"]) in there, identity(workload)
            for variable in container.get("env", ()):
                if reference := variable.get("valueFrom", {}).get("secretKeyRef"):
                    keys = there[("Secret", namespace, reference["name"])]
                    assert reference["key"] in keys, identity(workload)
        for volume in pod.get("volumes", ()):
            if "secret" in volume:
                assert ("Secret", namespace, volume["secret"]["secretName"]) in there
            if "configMap" in volume:
                assert ("ConfigMap", namespace, volume["configMap"]["name"]) in there
