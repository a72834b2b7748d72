"""What is kept beside a record."""

from __future__ import annotations

from pathlib import Path

from nova_acceptance import masking
from nova_acceptance.collect import keep
from nova_acceptance.components.kubernetes.shapes import without_values
from nova_acceptance.findings import Ref
from nova_acceptance.kube import Object
from nova_acceptance.kube.snapshot import Log, Snapshot

WORD = "kept-n0where-at-all"
SHOP = Ref("StatefulSet", "shop", "shop")
KEYS = Ref("Secret", "shop", "keys")


def meta(name: str, **more: object) -> dict[str, object]:
    return {"name": name, "namespace": "shop", "uid": f"uid-{name}", **more}


def seen() -> Snapshot:
    owner: Object = {
        "kind": "StatefulSet",
        "metadata": meta("shop", managedFields=[{"manager": "kubectl"}]),
        "spec": {"template": {"spec": {"containers": [{"name": "main"}]}}},
    }
    owners = [{"kind": "StatefulSet", "name": "shop", "uid": "uid-shop"}]
    pod: Object = {"kind": "Pod", "metadata": meta("shop-0", ownerReferences=owners), "spec": {}}
    event: Object = {
        "kind": "Event",
        "metadata": meta("shop-0.1"),
        "involvedObject": {"uid": "uid-shop-0"},
        "type": "Warning",
        "reason": "BackOff",
        "message": f"restarting\nwith {WORD}",
        "count": 3,
    }
    secret = without_values(
        {"kind": "Secret", "metadata": meta("keys"), "stringData": {"PASSWORD": WORD}}
    )
    snapshot = Snapshot.of([owner, pod, event, secret])
    snapshot.logs["shop", "shop-0", "main"] = [
        Log("before", previous=True),
        Log(f"token {WORD}\nand http://u:plain-pw@host/ too"),
    ]
    return snapshot


def test_objects_events_and_logs_are_kept_masked(tmp_path: Path) -> None:
    masking.register([WORD])
    directory = tmp_path / "of" / "cause"
    kept = keep(directory, seen(), [SHOP, KEYS])

    assert sorted(kept.written) == [
        "Pod.shop.shop-0.yaml",
        "Secret.shop.keys.yaml",
        "StatefulSet.shop.shop.yaml",
        "events.txt",
        "shop.shop-0.main.log",
        "shop.shop-0.main.previous.log",
    ]
    text = "\n".join(path.read_text(encoding="utf-8") for path in directory.iterdir())
    assert WORD not in text
    assert "plain-pw" not in text
    assert "managedFields" not in text
    assert "BackOff: restarting with" in text
    assert kept.failed == ()


def test_what_cannot_be_written_is_said_and_the_rest_is_written(tmp_path: Path) -> None:
    (tmp_path / "Secret.shop.keys.yaml").mkdir()
    kept = keep(tmp_path, seen(), [KEYS, SHOP])

    assert [line.partition(":")[0] for line in kept.failed] == ["Secret.shop.keys.yaml"]
    assert (tmp_path / "StatefulSet.shop.shop.yaml").is_file()


def test_names_are_safe_for_a_file_system(tmp_path: Path) -> None:
    role: Object = {"kind": "ClusterRole", "metadata": {"name": "system:a/../b" + "x" * 300}}
    kept = keep(tmp_path, Snapshot.of([role]), [Ref("ClusterRole", "", role["metadata"]["name"])])

    (name,) = kept.written
    assert (tmp_path / name).is_file()
    assert len(name) < 255


def test_secret_that_yaml_would_quote_or_fold_is_masked(tmp_path: Path) -> None:
    word = 'it\'s a phrase: of "several" w0rds'
    masking.register([word])
    said = f"{'x' * 70} {word}: refused"
    pod: Object = {"kind": "Pod", "metadata": meta("shop-0"), "status": {"message": said}}
    keep(tmp_path, Snapshot.of([pod]), [Ref("Pod", "shop", "shop-0")])

    text = " ".join((tmp_path / "Pod.shop.shop-0.yaml").read_text(encoding="utf-8").split())
    assert masking.REPLACEMENT in text
    assert "phrase" not in text
