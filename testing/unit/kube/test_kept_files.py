"""Certificates and keys of a kubeconfig: no file of them is left, and each file is read once."""

from __future__ import annotations

import atexit
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
import yaml
from kubernetes.config.kube_config import KubeConfigMerger

from nova_acceptance.kube import kubeconfig
from nova_acceptance.kube.kubeconfig import kept, way_of

KEY = b"the lines\nof a key\n"
KILLED = """
import os, signal
from nova_acceptance.kube.kubeconfig import kept
print(kept(b"a key"), flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The directory of temporary files, which is empty."""
    (made := tmp_path / "temporary").mkdir()
    monkeypatch.setenv("TMPDIR", str(made))
    monkeypatch.setattr(tempfile, "tempdir", str(made))
    return made


def none(_name: str) -> int:
    raise OSError("too many open files")


def saying(server: str, file: Path) -> Path:
    file.write_text(
        yaml.safe_dump(
            {
                "clusters": [{"name": "one", "cluster": {"server": server}}],
                "users": [{"name": "me", "user": {"token": "a-token-of-mine"}}],
                "contexts": [{"name": "here", "context": {"cluster": "one", "user": "me"}}],
                "current-context": "here",
            }
        )
    )
    return file


def test_file_holds_what_it_is_given(directory: Path) -> None:
    first, second = kept(KEY), kept(b"")

    assert (Path(first).read_bytes(), Path(second).read_bytes()) == (KEY, b"")
    assert Path(first).read_bytes() == KEY  # each time anew
    assert Path(first).stat().st_mtime_ns == Path(first).stat().st_mtime_ns
    if sys.platform == "linux":
        assert not list(directory.iterdir())


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has files in memory")
def test_killed_process_leaves_no_file(directory: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", KILLED], check=False, capture_output=True, text=True
    )

    assert done.returncode == -signal.SIGKILL
    assert done.stdout.startswith("/proc/")
    assert not list(directory.iterdir())


@pytest.mark.parametrize("lack", ["memory", "room", "proc"])
def test_without_files_in_memory_it_is_one_for_nobody_else(
    directory: Path, monkeypatch: pytest.MonkeyPatch, lack: str
) -> None:
    if lack == "memory":
        monkeypatch.delattr(os, "memfd_create", raising=False)
    elif lack == "room":
        monkeypatch.setattr(os, "memfd_create", none, raising=False)
    else:
        monkeypatch.setattr(
            os, "memfd_create", lambda _: os.open(os.devnull, os.O_RDWR), raising=False
        )
    removed: list[str] = []
    monkeypatch.setattr(atexit, "register", lambda _remove, name: removed.append(name))

    name = kept(KEY)

    assert Path(name).read_bytes() == KEY
    assert Path(name).parent == directory
    assert Path(name).stat().st_mode & 0o777 == 0o600
    assert removed == [name]


def test_kubeconfig_is_read_anew_where_it_is_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []

    class Reading(KubeConfigMerger):
        def __init__(self, source: str) -> None:
            read.append(source)
            super().__init__(source)  # type: ignore[no-untyped-call]

    monkeypatch.setattr(kubeconfig, "KubeConfigMerger", Reading)
    file = saying("https://one.example", tmp_path / "config")

    assert {way_of(file, None).server for _ in range(3)} == {"https://one.example"}
    assert read == [str(file)]

    saying("https://two.example", file)
    assert way_of(file, None).server == "https://two.example"

    other = saying("https://other.example", tmp_path / "other")
    other.replace(file)
    assert way_of(file, "here").server == "https://other.example"
    assert read == [str(file)] * 3
