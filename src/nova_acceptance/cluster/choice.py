"""Which cluster: the one that is named, or for `local` the nearest that answers, else kind."""

from __future__ import annotations

from nova_acceptance.cluster import contexts, local_images, others
from nova_acceptance.cluster.home import Home
from nova_acceptance.cluster.kind.provider import Provider
from nova_acceptance.cluster.model import Cluster, Request
from nova_acceptance.errors import UsageError
from nova_acceptance.kube import Kube
from nova_acceptance.phrase import Phrase
from nova_acceptance.progress import Progress

CONTEXT = "context:"
NAMES = ("local", "kind", "docker-desktop", "k3d", "minikube")


def check_name(name: str) -> str:
    """Return the name if `--cluster` takes it.

    Raises:
        UsageError: it does not.
    """
    if name in NAMES or (name.startswith(CONTEXT) and len(name) > len(CONTEXT)):
        return name
    raise UsageError(
        Phrase("--cluster {name}: there is no such kind of cluster", name=name),
        hint=Phrase("it takes {names} or context:NAME", names=list(NAMES)),
    )


def obtain(request: Request, progress: Progress, home: Home | None = None) -> Cluster:
    """Return a cluster that can be used; print which was taken and why.

    Raises:
        UsageError: there is no such cluster.
        MachineError: the machine lacks something for a cluster of its own.
        ClusterError: it does not answer, or could not be made.
    """
    name = check_name(request.cluster)
    home = home or Home.of_user()
    if name.startswith(CONTEXT):
        cluster = contexts.by_name(name.removeprefix(CONTEXT), Phrase("it was named"))
    elif name == "docker-desktop":
        cluster = contexts.by_name(name, Phrase("{provider} was asked for", provider=name))
        _provide_images(cluster, home, progress)
    elif name in others.PROVIDERS:
        cluster = others.obtain(request, home, progress)
        _provide_images(cluster, home, progress)
    elif name == "kind":
        cluster = Provider(home, progress).up(
            request, Phrase("{provider} was asked for", provider=name)
        )
    else:
        cluster = _local(request, home, progress)
    progress.say(f"cluster: {cluster.name} ({cluster.provider}) — {cluster.reason}")
    return cluster


def _provide_images(cluster: Cluster, home: Home, progress: Progress) -> None:
    kube = Kube(cluster.kubeconfig, cluster.context)
    local_images.provide(cluster.context, kube, home, progress)


def _local(request: Request, home: Home, progress: Progress) -> Cluster:
    found, passed_over = contexts.first_local()
    for reason in passed_over:
        progress.say(f"passed over: {reason}")
    if found:
        _provide_images(found, home, progress)
        return found
    why = Phrase("no local context answers, so kind was taken")
    return Provider(home, progress).up(request, why)
