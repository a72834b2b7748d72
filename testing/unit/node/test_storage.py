"""Claims to volumes and back, with directories of this machine."""

from __future__ import annotations

import copy
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from nova_node import volumes
from nova_node.api import Object
from nova_node.storage import NodeStorage
from nova_node.volumes import PROVISIONER, is_released_here, is_wanted_here, volume_for
from nova_node.watch import Change
from testing.unit.node.stub_api import StubApi

VOLUMES = "/api/v1/persistentvolumes"
EVENTS = "/api/v1/namespaces/ns/events"


@pytest.fixture
def claim() -> Object:
    return {
        "metadata": {
            "namespace": "ns",
            "name": "data-db-0",
            "uid": "1234",
            "annotations": {
                "volume.beta.kubernetes.io/storage-provisioner": PROVISIONER,
                "volume.kubernetes.io/selected-node": "a",
            },
        },
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "2Gi"}},
            "storageClassName": "standard",
            "volumeMode": "Filesystem",
        },
    }


@pytest.fixture
def root(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setattr(volumes, "ROOT", tmp_path)
    return tmp_path


@pytest.fixture
def node_storage(stub_api: StubApi, root: Path) -> NodeStorage:
    assert root.is_dir()
    return NodeStorage(stub_api.api, "a")


def settle(node_storage: NodeStorage, key: str, obj: Object | None) -> bool:
    node_storage.take([Change(key, obj)])
    return node_storage.settle()


def released(claim: Object) -> Object:
    return volume_for(claim, "a") | {"status": {"phase": "Released"}}


def test_claim_is_wanted_where_its_pod_is_scheduled(claim: Object) -> None:
    assert is_wanted_here(claim, "a")
    assert not is_wanted_here(claim, "b")


def test_claim_under_the_newer_annotation_is_wanted_too(claim: Object) -> None:
    annotations = claim["metadata"]["annotations"]
    del annotations["volume.beta.kubernetes.io/storage-provisioner"]
    annotations["volume.kubernetes.io/storage-provisioner"] = PROVISIONER

    assert is_wanted_here(claim, "a")


def _of_another(claim: Object) -> None:
    claim["metadata"]["annotations"]["volume.beta.kubernetes.io/storage-provisioner"] = "other"


def _bound(claim: Object) -> None:
    claim["spec"]["volumeName"] = "pv-1"


def _unscheduled(claim: Object) -> None:
    del claim["metadata"]["annotations"]["volume.kubernetes.io/selected-node"]


def _bare(claim: Object) -> None:
    del claim["metadata"]["annotations"]


def _going(claim: Object) -> None:
    claim["metadata"]["deletionTimestamp"] = "2024-01-01T00:00:00Z"


@pytest.mark.parametrize("alter", [_of_another, _bound, _unscheduled, _bare, _going])
def test_other_claims_are_not_wanted(claim: Object, alter: Callable[[Object], None]) -> None:
    alter(claim)

    assert not is_wanted_here(claim, "a")


def test_volume_is_the_claims_alone_and_stays_on_its_node(claim: Object) -> None:
    volume = volume_for(claim, "a")

    spec = volume["spec"]
    assert volume["metadata"]["name"] == "pvc-1234"
    assert spec["claimRef"]["uid"] == "1234"
    assert spec["capacity"] == {"storage": "2Gi"}
    assert spec["persistentVolumeReclaimPolicy"] == "Delete"
    [term] = spec["nodeAffinity"]["required"]["nodeSelectorTerms"]
    assert term["matchExpressions"] == [
        {"key": "kubernetes.io/hostname", "operator": "In", "values": ["a"]}
    ]


def test_claim_gets_a_directory_that_any_user_may_write_and_a_volume(
    claim: Object, node_storage: NodeStorage, stub_api: StubApi, root: Path
) -> None:
    assert settle(node_storage, "ns/data-db-0", claim)

    assert stat.S_IMODE((root / "pvc-1234").stat().st_mode) == 0o777
    [volume] = stub_api.objects(VOLUMES)
    assert volume["spec"]["local"]["path"] == str(root / "pvc-1234")


def test_claim_seen_twice_gets_one_volume_and_keeps_its_data(
    claim: Object, node_storage: NodeStorage, stub_api: StubApi, root: Path
) -> None:
    """Events come again before the binding is seen."""
    settle(node_storage, "ns/data-db-0", claim)
    (root / "pvc-1234" / "row").write_text("kept")

    assert settle(node_storage, "ns/data-db-0", copy.deepcopy(claim))
    assert len(stub_api.objects(VOLUMES)) == 1
    assert (root / "pvc-1234" / "row").read_text() == "kept"


def test_what_failed_is_tried_again(
    claim: Object, node_storage: NodeStorage, stub_api: StubApi
) -> None:
    stub_api.refuse = 503
    assert not settle(node_storage, "ns/data-db-0", claim)
    stub_api.refuse = None

    assert node_storage.settle()
    assert len(stub_api.objects(VOLUMES)) == 1


def test_claim_that_is_gone_is_not_tried_again(
    claim: Object, node_storage: NodeStorage, stub_api: StubApi
) -> None:
    stub_api.refuse = 503
    settle(node_storage, "ns/data-db-0", claim)
    stub_api.refuse = None

    assert settle(node_storage, "ns/data-db-0", None)
    assert not stub_api.objects(VOLUMES)


@pytest.mark.parametrize(
    ("unfit", "word"),
    [
        ({"accessModes": ["ReadWriteMany"]}, "ReadWriteMany"),
        ({"volumeMode": "Block"}, "block"),
        ({"selector": {"matchLabels": {"a": "b"}}}, "selector"),
    ],
)
def test_claim_that_a_directory_cannot_serve_is_told_why_once(
    claim: Object, node_storage: NodeStorage, stub_api: StubApi, unfit: Object, word: str
) -> None:
    claim["spec"] |= unfit

    assert settle(node_storage, "ns/data-db-0", claim)
    assert settle(node_storage, "ns/data-db-0", claim)
    assert not stub_api.objects(VOLUMES)
    assert not list(volumes.ROOT.iterdir())
    [event] = stub_api.objects(EVENTS)
    assert event["involvedObject"]["uid"] == "1234"
    assert word in event["message"]


def test_released_volume_is_removed_with_its_data(
    claim: Object, node_storage: NodeStorage, stub_api: StubApi, root: Path
) -> None:
    settle(node_storage, "ns/data-db-0", claim)
    (root / "pvc-1234" / "base").mkdir()

    assert settle(node_storage, "/pvc-1234", released(claim))
    assert not stub_api.objects(VOLUMES)
    assert not (root / "pvc-1234").exists()


def test_removal_interrupted_half_way_is_finished(
    claim: Object, node_storage: NodeStorage, root: Path
) -> None:
    """Neither the directory nor the volume needs to be there any more."""
    assert not (root / "pvc-1234").exists()

    assert settle(node_storage, "/pvc-1234", released(claim))


def _other_node(volume: Object) -> None:
    terms = volume["spec"]["nodeAffinity"]["required"]["nodeSelectorTerms"]
    terms[0]["matchExpressions"][0]["values"] = ["b"]


def _other_provisioner(volume: Object) -> None:
    volume["metadata"]["annotations"] = {"pv.kubernetes.io/provisioned-by": "other"}


def _retained(volume: Object) -> None:
    volume["spec"]["persistentVolumeReclaimPolicy"] = "Retain"


def _in_use(volume: Object) -> None:
    volume["status"] = {"phase": "Bound"}


def _elsewhere(volume: Object) -> None:
    volume["spec"]["local"]["path"] = "/etc"


@pytest.mark.parametrize("alter", [_other_node, _other_provisioner, _retained, _in_use, _elsewhere])
def test_other_volumes_are_never_removed(
    claim: Object, alter: Callable[[Object], None], root: Path
) -> None:
    assert root.is_dir()
    volume = released(claim)
    assert is_released_here(volume, "a")
    alter(volume)

    assert not is_released_here(volume, "a")
