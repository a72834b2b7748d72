"""Which cluster: the one that is named, or the nearest that answers, else one that is made."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from nova_acceptance.cluster import contexts, in_cluster, local_images, others
from nova_acceptance.cluster.home import Home
from nova_acceptance.cluster.model import Cluster, Request
from nova_acceptance.errors import ClusterError, UsageError
from nova_acceptance.kube import Kube
from nova_acceptance.phrase import Phrase
from nova_acceptance.progress import Progress

if TYPE_CHECKING:
    from nova_acceptance.cluster.kind.provider import Provider

CONTEXT = "context:"
KIND = "kind:"
NAMES = ("local", "kind", "docker-desktop", "k3d", "minikube", in_cluster.NAME)

_KIND_NAME = re.compile(r"[a-z0-9.-]+")
"""What kind takes for a cluster's name (pkg/cluster/internal/create)."""


def check_name(name: str) -> str:
    """Return the name if `--cluster` takes it.

    Raises:
        UsageError: it does not.
    """
    if name in NAMES or (name.startswith(CONTEXT) and len(name) > len(CONTEXT)):
        return name
    if name.startswith(KIND) and _KIND_NAME.fullmatch(name.removeprefix(KIND)):
        return name
    raise UsageError(
        Phrase("--cluster {name}: there is no such kind of cluster", name=name),
        hint=Phrase("it takes {names}, kind:NAME or context:NAME", names=list(NAMES)),
    )


def obtain(request: Request, progress: Progress, home: Home | None = None) -> Cluster:
    """Return a cluster that can be used; print which was taken and why.

    Raises:
        UsageError: there is no such cluster.
        MachineError: the machine lacks something for a cluster of its own.
        ClusterError: it does not answer, is not up and may not be made, or could not be made.
    """
    name = check_name(request.cluster)
    home = home or Home.of_user()
    if request.is_looking:
        return _told(_seen(request, home, progress), progress)
    if name.startswith(CONTEXT):
        cluster = contexts.by_name(name.removeprefix(CONTEXT), Phrase("it was named"))
    elif name == in_cluster.NAME:
        cluster = in_cluster.obtain()
    elif name == "docker-desktop":
        cluster = contexts.by_name(name, Phrase("{provider} was asked for", provider=name))
        _provide_images(cluster, home, progress)
    elif name in others.PROVIDERS:
        cluster = others.obtain(request, home, progress)
        _provide_images(cluster, home, progress)
    elif name == "kind" or name.startswith(KIND):
        cluster = _kind(request, home, progress)
    else:
        cluster = _local(request, home, progress)
    return _told(cluster, progress)


def _told(cluster: Cluster, progress: Progress) -> Cluster:
    progress.say(f"cluster: {cluster.name} ({cluster.provider}) — {cluster.reason}")
    return cluster


def _seen(request: Request, home: Home, progress: Progress) -> Cluster:
    """Return the cluster that is meant, as it is: for a run that changes nothing.

    Raises:
        UsageError: there is no such context.
        ClusterError: none of that name is up.
    """
    name = request.cluster
    why = Phrase("{provider} was asked for", provider=name)
    if name.startswith(CONTEXT):
        return contexts.by_name(name.removeprefix(CONTEXT), Phrase("it was named"))
    if name == in_cluster.NAME:
        return in_cluster.obtain()
    if name == "docker-desktop":
        return contexts.by_name(name, why)
    named = name.removeprefix(KIND) if name.startswith(KIND) else ""
    ours = replace(request, name=named or request.name)
    is_kind = name == "kind" or bool(named)
    if is_kind and (found := _ours(ours, why, home, progress)):
        return found
    patterns = {"local": contexts.LOCAL, "k3d": ("k3d-*",), "minikube": (contexts.MINIKUBE,)}
    found, passed_over = contexts.first_local(
        patterns.get(name, (f"kind-{named or '*'}",)), None if name == "local" else why
    )
    for reason in passed_over:
        progress.say(f"passed over: {reason}")
    if name == "local":
        found = found or _ours(ours, why, home, progress)
    if found:
        return found
    raise ClusterError(
        Phrase("no cluster is up that --cluster {name} could mean", name=name),
        hint=Phrase(
            "none is made for a run that writes nothing; `--cluster context:NAME` takes one"
        ),
    )


def _ours(request: Request, why: Phrase, home: Home, progress: Progress) -> Cluster | None:
    provider = _provider(home, progress)
    return provider.found(request, why) if provider.is_there(request.name) else None


def _provider(home: Home, progress: Progress) -> Provider:
    # With it comes the engine, which is of Linux alone; a cluster that is there needs none of it.
    from nova_acceptance.cluster.kind.provider import Provider  # noqa: PLC0415

    return Provider(home, progress)


def _provide_images(cluster: Cluster, home: Home, progress: Progress) -> None:
    if not cluster.is_local:
        return  # nobody has been asked whether anything may be written there
    kube = Kube(cluster.kubeconfig, cluster.context)
    local_images.provide(cluster.context, kube, home, progress)


def _kind(request: Request, home: Home, progress: Progress) -> Cluster:
    """Return the kind cluster that is named, else ours, else one that is up; else make one.

    One that somebody else made is used as it is, unless nodes or their image are asked for.
    """
    named = request.cluster.removeprefix(KIND) if request.cluster.startswith(KIND) else ""
    request = replace(request, name=named or request.name)
    why = Phrase("{provider} was asked for", provider=request.cluster)
    provider = _provider(home, progress)
    if there := provider.up_again(request, why):
        return there
    is_any = named or (request.nodes is None and request.node_image is None)
    pattern = f"kind-{named}" if named else "kind-*"
    if is_any and (found := _answering((pattern,), why, home, progress)):
        return found
    return _made(provider, request, why)


def _local(request: Request, home: Home, progress: Progress) -> Cluster:
    found = _answering(contexts.LOCAL, None, home, progress)
    why = Phrase("no local context answers, so kind was taken")
    return found or _made(_provider(home, progress), request, why)


def _made(provider: Provider, request: Request, why: Phrase) -> Cluster:
    if not request.may_create and not provider.is_there(request.name):
        raise ClusterError(
            Phrase("no cluster is up that --cluster {name} could mean", name=request.cluster),
            hint=Phrase("without --no-deploy one is made; `--cluster context:NAME` takes another"),
        )
    return provider.up(request, why)


def _answering(
    patterns: tuple[str, ...], why: Phrase | None, home: Home, progress: Progress
) -> Cluster | None:
    """Return the first context of such a name that answers, with Nova's images on its nodes."""
    found, passed_over = contexts.first_local(patterns, why)
    for reason in passed_over:
        progress.say(f"passed over: {reason}")
    if found:
        _provide_images(found, home, progress)
    return found
