"""k3d and minikube, through pytest-kubernetes as it is."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from pytest_kubernetes.providers import select_provider_manager

from nova_acceptance import timeouts
from nova_acceptance.cluster import command
from nova_acceptance.cluster.home import Home
from nova_acceptance.cluster.model import Cluster, Request
from nova_acceptance.errors import ClusterError, MachineError
from nova_acceptance.phrase import Phrase
from nova_acceptance.progress import Progress

PROVIDERS = ("k3d", "minikube")
"""Each of them is also the name of its program."""


def obtain(request: Request, home: Home, progress: Progress) -> Cluster:
    """Create the cluster, or take the one of that name which is there.

    Raises:
        MachineError: the provider's program is not installed.
    """
    provider = request.cluster
    if shutil.which(provider) is None:
        raise MachineError(
            Phrase("{program} is not installed", program=provider),
            hint=Phrase("install it, or use `--cluster kind`, which needs nothing but Debian"),
        )
    kubeconfig = home.cluster(f"{provider}-{request.name}") / "kubeconfig"
    kubeconfig.parent.mkdir(parents=True, exist_ok=True)
    manager = select_provider_manager(provider)(request.name, kubeconfig=kubeconfig)
    with progress.step(f"creating {provider} cluster {manager.cluster_name}"):
        try:
            manager.create(timeout=int(timeouts.CLUSTER_READY))
        except (RuntimeError, subprocess.SubprocessError) as error:
            output = getattr(error, "stderr", None) or b""
            raise ClusterError(
                Phrase(
                    "{provider} could not create a cluster: {error}", provider=provider, error=error
                ),
                evidence=output.decode(errors="replace").splitlines()[-command.TAIL :],
                hint=Phrase("see what `{program}` says by itself", program=provider),
            ) from error
    name = str(manager.cluster_name)
    return Cluster(
        name=name,
        provider=provider,
        kubeconfig=Path(manager.kubeconfig or kubeconfig),
        context={"k3d": f"k3d-{name}", "minikube": name}[provider],
        reason=Phrase("{provider} was asked for", provider=provider),
        reuse_hint=f"pytest --cluster {provider} --no-deploy",
        remove_hint={"k3d": f"k3d cluster delete {name}", "minikube": f"minikube delete -p {name}"}[
            provider
        ],
        is_local=True,
    )
