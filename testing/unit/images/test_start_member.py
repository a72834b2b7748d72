"""What happens before Patroni starts on a pod's volume."""

from __future__ import annotations

import fcntl
import os
import threading
from base64 import b64encode
from pathlib import Path

import pytest
import yaml

from testing.unit.images.conftest import IMAGES, Recorder, program

start_member = program("postgres/start_member.py")
PATRONI = IMAGES.parent / "manifests" / "base" / "postgres" / "patroni.yaml"


def base64(text: str) -> str:
    return b64encode(text.encode()).decode()


def store(*ports: int) -> object:
    return start_member.Store(tuple(f"127.0.0.1:{port}" for port in ports), "/patroni/nova/leader")


def test_store_is_found_where_patroni_finds_it() -> None:
    found = start_member.Store.of(yaml.safe_load(PATRONI.read_text()))

    assert found.leader_key == "/patroni/nova/leader"
    assert found.hosts == ("etcd-0.etcd:2379", "etcd-1.etcd:2379", "etcd-2.etcd:2379")


@pytest.mark.parametrize("held", [True, False])
def test_leader_s_key_goes_only_if_it_bears_the_member_s_name(
    recorder: Recorder, held: bool
) -> None:
    recorder.answer = {"header": {}, **({"succeeded": True} if held else {})}

    assert store(recorder.port).drop_leadership("postgres-1") is held  # type: ignore[attr-defined]
    (request,) = recorder.requests
    key = base64("/patroni/nova/leader")
    assert request.path == "/v3/kv/txn"
    assert request.body["compare"] == [
        {"key": key, "target": "VALUE", "result": "EQUAL", "value": base64("postgres-1")}
    ]
    assert request.body["success"] == [{"request_delete_range": {"key": key}}]
    assert "failure" not in request.body


def test_next_member_of_etcd_is_asked_where_one_is_away(
    recorder: Recorder, closed_port: int
) -> None:
    recorder.answer = {"succeeded": True}

    asked = store(closed_port, recorder.port)

    assert asked.drop_leadership("postgres-1") is True  # type: ignore[attr-defined]


def test_no_answer_is_an_error_that_names_every_member(
    recorder: Recorder, closed_port: int
) -> None:
    recorder.status = 503
    asked = store(closed_port, recorder.port)

    with pytest.raises(OSError, match=rf":{closed_port}: .*refused.*:{recorder.port}: HTTP 503"):
        asked.drop_leadership("postgres-1")  # type: ignore[attr-defined]


def test_start_waits_for_etcd(recorder: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    recorder.status = 503

    def recover(_: float) -> None:
        recorder.status = 200

    monkeypatch.setattr(start_member.time, "sleep", recover)

    assert start_member.when_answered(store(recorder.port), "postgres-1") is False
    assert len(recorder.requests) == 2


def test_volume_is_waited_for_while_the_predecessor_holds_it(tmp_path: Path) -> None:
    predecessor = os.open(tmp_path / start_member.LOCK_FILE, os.O_RDWR | os.O_CREAT)
    fcntl.flock(predecessor, fcntl.LOCK_EX)
    successor = threading.Thread(target=start_member.hold, args=(tmp_path,))
    successor.start()
    successor.join(0.2)
    waited = successor.is_alive()
    os.close(predecessor)
    successor.join(5)

    assert waited
    assert not successor.is_alive()


def test_lock_outlives_the_exec_that_starts_patroni(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inheritable: list[int] = []
    monkeypatch.setattr(os, "set_inheritable", lambda fd, _: inheritable.append(fd))

    start_member.hold(tmp_path)

    (descriptor,) = inheritable
    assert os.fstat(descriptor).st_ino == (tmp_path / start_member.LOCK_FILE).stat().st_ino
    os.close(descriptor)
