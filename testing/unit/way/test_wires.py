"""The files of certificates: read once for all connections, and again where they are others."""

from __future__ import annotations

import os
import ssl
from pathlib import Path
from typing import Any

import pytest

from nova_acceptance.errors import ClusterError
from nova_acceptance.kube import Kube, wires
from testing.unit.way.conftest import Kubeconfig, SecureApi
from testing.unit.way.pki import Authority, Pair


def write(directory: Path, pair: Pair, at: int) -> dict[str, str]:
    """Write a client's pair at some second, and return how a kubeconfig names it."""
    written = {"client-certificate": pair.certificate, "client-key": pair.key}
    for name, content in written.items():
        (directory / name).write_bytes(content)
        os.utime(directory / name, (at, at))
    return {name: str(directory / name) for name in written}


def asked(kube: Kube) -> dict[str, Any]:
    return kube._rest.request("GET", "/version", patience=0.0)


def test_files_are_read_once_for_all_connections(
    secure_api: SecureApi,
    kubeconfig: Kubeconfig,
    authority: Authority,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    read: list[ssl.SSLContext] = []
    tls = wires._tls

    def counted(way: Any, pair: Any) -> ssl.SSLContext:
        read.append(tls(way, pair))
        return read[-1]

    monkeypatch.setattr(wires, "_tls", counted)
    with secure_api(clients=authority.certificate) as api:
        kube = Kube(kubeconfig(api, user=write(tmp_path, authority.issue("tester"), 1)))
        asked(kube)
        kube._rest._wires.dialled(5.0).close()
        asked(kube)

    assert len(read) == 1


def test_certificate_that_is_written_anew_is_shown_from_then_on(
    secure_api: SecureApi, kubeconfig: Kubeconfig, authority: Authority, tmp_path: Path
) -> None:
    with secure_api(clients=authority.certificate) as api:
        kube = Kube(kubeconfig(api, user=write(tmp_path, authority.issue("tester"), 1)))
        assert asked(kube)

        write(tmp_path, Authority("of nobody").issue("tester"), 2)
        with pytest.raises(ClusterError):
            asked(kube)

        write(tmp_path, authority.issue("tester"), 3)
        assert asked(kube)


def test_file_that_is_gone_is_told(
    secure_api: SecureApi, kubeconfig: Kubeconfig, authority: Authority, tmp_path: Path
) -> None:
    with secure_api(clients=authority.certificate) as api:
        kube = Kube(kubeconfig(api, user=write(tmp_path, authority.issue("tester"), 1)))
        (tmp_path / "client-key").unlink()

        with pytest.raises(ClusterError, match="client-key"):
            asked(kube)
