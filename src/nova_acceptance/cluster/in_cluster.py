"""The cluster that this process itself runs in, as a pod of it does."""

from __future__ import annotations

from typing import Final

from nova_acceptance.cluster.model import Cluster
from nova_acceptance.errors import ClusterError
from nova_acceptance.kube import Kube
from nova_acceptance.kube.in_cluster import SERVICE_ACCOUNT
from nova_acceptance.phrase import Phrase

NAME: Final = "in-cluster"
"""What `--cluster` calls it. It has no name of its own there: nothing in a pod tells one."""


def obtain() -> Cluster:
    """Return the cluster of this pod, once it has answered.

    Raises:
        ClusterError: the process does not run in a pod, or the API does not answer it.
    """
    kube = Kube(SERVICE_ACCOUNT)
    try:
        version = kube.server_version
    except ClusterError as error:
        raise ClusterError(
            Phrase("the API of this pod's cluster, {server}, cannot be asked", server=kube.server),
            hint=Phrase(
                "see that the pod's ServiceAccount is there, and that no NetworkPolicy keeps the "
                "pod from the API"
            ),
            evidence=(error.message, *error.evidence),
        ) from error
    return Cluster(
        name=NAME,
        provider=NAME,
        kubeconfig=SERVICE_ACCOUNT,
        context=NAME,
        reason=Phrase("this pod runs in it; it runs Kubernetes {version}", version=version),
        reuse_hint=f"pytest --cluster {NAME} --no-deploy",
    )
