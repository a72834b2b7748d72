"""How the image's entry point and its manifests fit together."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from nova_node import __main__ as entry
from nova_node import network, volumes

MANIFESTS = Path(__file__).parents[3] / "images" / "kind-node" / "files" / "kind" / "manifests"


def manifest(name: str) -> str:
    return (MANIFESTS / name).read_text(encoding="utf-8")


CNI, STORAGE = manifest("default-cni.yaml"), manifest("default-storage.yaml")


def objects(text: str, kind: str) -> Iterator[dict[str, Any]]:
    return (obj for obj in yaml.safe_load_all(text) if obj and obj["kind"] == kind)


def pod_of(text: str) -> dict[str, Any]:
    [daemon_set] = objects(text, "DaemonSet")
    found: dict[str, Any] = daemon_set["spec"]["template"]["spec"]
    return found


def rules_of(text: str, role: str) -> dict[str, set[str]]:
    """Verbs by resource."""
    [found] = [obj for obj in objects(text, "ClusterRole") if obj["metadata"]["name"] == role]
    return {
        resource: set(rule["verbs"]) for rule in found["rules"] for resource in rule["resources"]
    }


@pytest.mark.parametrize(
    ("arguments", "program", "rest"),
    [
        (["-conf", "/etc/coredns/Corefile"], "dns", ["-conf", "/etc/coredns/Corefile"]),
        (["dns"], "dns", []),
        (["network"], "network", []),
        (["storage"], "storage", []),
    ],
    ids=["as kubeadm starts CoreDNS", "dns", "network", "storage"],
)
def test_first_argument_names_the_program(
    monkeypatch: pytest.MonkeyPatch, arguments: list[str], program: str, rest: list[str]
) -> None:
    begun: list[Sequence[str]] = []

    def main(arguments: Sequence[str]) -> int:
        begun.append(arguments)
        return 7

    monkeypatch.setattr(importlib.import_module(entry.PROGRAMS[program]), "main", main)

    assert entry.main(arguments) == 7
    assert begun == [rest]


@pytest.mark.parametrize("arguments", [[], ["nothing"]])
def test_unknown_program_is_refused_with_the_names_of_all(
    arguments: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    assert entry.main(arguments) == 2
    assert "dns | network | storage" in caplog.text


@pytest.mark.parametrize(("text", "program"), [(CNI, "network"), (STORAGE, "storage")])
def test_daemon_set_runs_its_program_on_every_node(text: str, program: str) -> None:
    pod = pod_of(text)
    [container] = pod["containers"]

    assert container["args"] == [program]
    assert pod["tolerations"] == [{"operator": "Exists"}]
    assert pod["priorityClassName"] == "system-node-critical"


@pytest.mark.parametrize("text", [CNI, STORAGE])
def test_containers_keep_only_the_capabilities_that_they_use(text: str) -> None:
    [container] = pod_of(text)["containers"]
    context = container["securityContext"]

    assert context["readOnlyRootFilesystem"] is True
    assert context["allowPrivilegeEscalation"] is False
    assert context["capabilities"]["drop"] == ["ALL"]
    assert set(context["capabilities"]["add"]) in ({"NET_ADMIN"}, {"DAC_OVERRIDE", "FOWNER"})


def test_rights_are_the_least() -> None:
    """Watching what is followed, and the volumes and events that are made."""
    watching = {"list", "watch"}

    assert rules_of(CNI, "nova:node-network") == {"nodes": watching}
    assert rules_of(STORAGE, "system:coredns") == {"services": watching, "endpoints": watching}
    assert rules_of(STORAGE, "nova:node-storage") == {
        "persistentvolumeclaims": watching,
        "persistentvolumes": watching | {"create", "delete"},
        "events": {"create"},
    }


def test_directories_of_manifests_and_programs_agree() -> None:
    for text, directory in ((CNI, network.CONFIGURATION.parent), (STORAGE, volumes.ROOT)):
        pod = pod_of(text)
        [mount] = pod["containers"][0]["volumeMounts"]
        [volume] = pod["volumes"]
        # A volume's path is the node's: inside and outside must be the same.
        assert Path(mount["mountPath"]) == Path(volume["hostPath"]["path"]) == directory


def test_storage_class_is_the_default_and_the_programs_own() -> None:
    [found] = objects(STORAGE, "StorageClass")

    annotations = found["metadata"]["annotations"]
    assert annotations["storageclass.kubernetes.io/is-default-class"] == "true"
    assert found["provisioner"] == volumes.PROVISIONER
    assert found["volumeBindingMode"] == "WaitForFirstConsumer"


def test_kind_can_add_the_apis_address_to_the_network() -> None:
    """Kind patches the first container's `env` of a manifest that holds this sentence."""
    assert "would you kindly patch this file" in CNI
    assert "would you kindly template this file" not in CNI
    assert pod_of(CNI)["containers"][0]["env"]
