"""What is read from an archive of `docker save`."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

import pytest

from nova_acceptance.cluster.kind.archive import saved
from nova_acceptance.errors import UsageError

CONFIG = "a" * 64
MANIFEST = "b" * 64


def archive(path: Path, **files: object) -> Path:
    with tarfile.open(path, "w") as tar:
        for name, content in files.items():
            octets = json.dumps(content).encode()
            entry = tarfile.TarInfo(f"{name}.json")
            entry.size = len(octets)
            tar.addfile(entry, io.BytesIO(octets))
    return path


@pytest.mark.parametrize(
    ("files", "ids"),
    [
        # Docker before 25
        ({"manifest": [{"Config": f"{CONFIG}.json", "RepoTags": ["kindest/node:v1.36.2"]}]},
         {CONFIG}),
        # Docker 25 and later, in the layout of the OCI
        ({"manifest": [{"Config": f"blobs/sha256/{CONFIG}", "RepoTags": ["kindest/node:v1.36.2"]}],
          "index": {"manifests": [{"digest": f"sha256:{MANIFEST}"}]}},
         {CONFIG, MANIFEST}),
    ],
)  # fmt: skip
def test_an_archive_tells_name_and_identifiers(
    files: dict[str, object], ids: set[str], tmp_path: Path
) -> None:
    found = saved(archive(tmp_path / "node.tar", **files))

    assert found.name == "kindest/node:v1.36.2"
    assert found.ids == {f"sha256:{digest}" for digest in ids}


def test_an_image_without_a_name_is_refused(tmp_path: Path) -> None:
    path = archive(tmp_path / "node.tar", manifest=[{"Config": CONFIG, "RepoTags": None}])

    with pytest.raises(UsageError, match="has no name"):
        saved(path)


@pytest.mark.parametrize("content", [b"", b"no archive", b"\x1f\x8bcut"])
def test_another_file_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "node.tar"
    path.write_bytes(content)

    with pytest.raises(UsageError, match="no archive of an image") as refused:
        saved(path)

    assert "docker save" in refused.value.hint


def test_an_archive_of_something_else_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no archive of an image"):
        saved(archive(tmp_path / "node.tar", other=[]))
