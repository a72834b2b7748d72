"""The API of the cluster that this process runs in, by the ServiceAccount of its pod.

A pod has no kubeconfig: the kubelet lays a token and the API's certificate authority into a
directory, and its environment says where the API is (Kubernetes, "Accessing the Kubernetes API from
a Pod"). The kubelet renews the token's file, which is read again every minute.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from nova_acceptance.errors import ClusterError
from nova_acceptance.kube.credentials import Credentials
from nova_acceptance.kube.kubeconfig import Way
from nova_acceptance.phrase import Phrase

SERVICE_ACCOUNT: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount")
"""Where the kubelet mounts a ServiceAccount; in place of a kubeconfig's path it stands for it."""

_NAME: Final = "in-cluster"


def is_service_account(path: Path) -> bool:
    """Whether a path is that of a ServiceAccount's directory, and no kubeconfig."""
    return path == SERVICE_ACCOUNT or path.is_dir()


def way_in_cluster(directory: Path) -> Way:
    """Return the way to the API by a ServiceAccount's directory.

    Raises:
        ClusterError: the process does not run in a pod, or its pod has no ServiceAccount's token.
    """
    token, authorities = directory / "token", directory / "ca.crt"
    host = os.environ.get("KUBERNETES_SERVICE_HOST", "")
    port = os.environ.get("KUBERNETES_SERVICE_PORT", "")
    if not (host and port):
        raise _outside("the environment has no KUBERNETES_SERVICE_HOST and _PORT")
    for file in (token, authorities):
        if not file.is_file() or not file.stat().st_size:
            raise _outside(f"{file} is not there, or empty")
    address = f"[{host}]" if ":" in host else host
    return Way(
        file=str(directory),
        context=_NAME,
        cluster=_NAME,
        server=f"https://{address}:{port}",
        ca_file=str(authorities),
        verifies=True,
        server_name=None,
        certificate=None,
        key=None,
        proxy=None,  # what stands between a cluster and the world is not in the way within it
        credentials=Credentials("ServiceAccount of this pod", token_file=token),
    )


def _outside(seen: str) -> ClusterError:
    return ClusterError(
        Phrase("this process has no ServiceAccount of a pod to ask the cluster's API by"),
        hint=Phrase(
            "in-cluster is for a pod whose automountServiceAccountToken is not false; "
            "elsewhere take --cluster context:NAME"
        ),
        evidence=(seen,),
    )
