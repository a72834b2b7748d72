"""Clusters that the user's kubeconfig already leads to."""

from __future__ import annotations

import fnmatch
import ipaddress
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml
from kubernetes.config import ConfigException
from kubernetes.config.kube_config import KubeConfigMerger

from nova_acceptance.cluster.model import Cluster
from nova_acceptance.errors import ClusterError, UsageError
from nova_acceptance.kube import Kube
from nova_acceptance.phrase import Phrase

MINIKUBE = "minikube"
LOCAL = ("docker-desktop", "kind-*", "k3d-*", MINIKUBE)
"""Names that the makers of local clusters give their contexts."""


def names() -> list[str]:
    """Return the contexts of the user's kubeconfig, the current one first.

    Raises:
        UsageError: the file cannot be read.
    """
    content = _content()
    current = content.get("current-context")
    found = [str(context["name"]) for context in content.get("contexts") or ()]
    return sorted(found, key=lambda name: name != current)


def called(context: str) -> str:
    """Return what a context of the user's kubeconfig calls its cluster; empty if there is none.

    Raises:
        UsageError: the file cannot be read.
    """
    for each in _content().get("contexts") or ():
        if each["name"] == context:
            return str(each["context"]["cluster"])
    return ""


def _content() -> Mapping[str, Any]:
    source = os.environ.get("KUBECONFIG") or str(Path.home() / ".kube" / "config")
    try:
        merged = KubeConfigMerger(source).config  # type: ignore[no-untyped-call]
    except ConfigException:
        return {}  # the file is empty, which to kubectl is no error either
    except (yaml.YAMLError, OSError, AttributeError, TypeError) as error:
        raise UsageError(
            Phrase("the kubeconfig {file} cannot be read", file=source),
            evidence=[str(error)],
            hint=Phrase("mend it, or let $KUBECONFIG name another"),
        ) from error
    return merged.value if merged else {}


def by_name(name: str, reason: Phrase) -> Cluster:
    """Return the cluster of a context of the user's, once it has answered.

    Raises:
        UsageError: there is no such context.
        ClusterError: its API does not answer or refuses.
    """
    known = names()
    if name not in known:
        raise UsageError(
            Phrase("there is no context {context} in the kubeconfig", context=name),
            evidence=[f"there are: {', '.join(known)}" if known else "it has no contexts"],
            hint=Phrase("see `kubectl config get-contexts`; $KUBECONFIG names the file"),
        )
    kube = Kube(None, name)
    version = kube.server_version
    return Cluster(
        name=name,
        provider="context",
        kubeconfig=None,
        context=name,
        reason=Phrase("{reason}; it runs Kubernetes {version}", reason=reason, version=version),
        reuse_hint=f"pytest --cluster context:{name} --no-deploy",
        remove_hint=f"nova-cluster remove --context {name}",
        is_local=is_local(name, kube.server),
    )


def first_local(
    patterns: Sequence[str] = LOCAL, why: Phrase | None = None
) -> tuple[Cluster | None, list[str]]:
    """Return the first reachable context that is known to be local, and why others were not.

    Args:
        patterns: the names that count, as a shell would match them.
        why: what is said of the one that is taken, before that it answers.
    """
    passed_over = []
    for name in names():
        if not any(fnmatch.fnmatch(name, pattern) for pattern in patterns):
            continue
        try:
            if not is_on_this_machine(Kube(None, name).server):
                passed_over.append(f"{name} leads to another machine")
                continue
            reason = Phrase("context {context} is local and answers", context=name)
            if why:
                reason = Phrase("{asked}, and {found}", asked=why, found=reason)
            return by_name(name, reason), passed_over
        except ClusterError as error:
            passed_over.append(f"{name}: {error.message}")
    return None, passed_over


def is_local(name: str, server: str) -> bool:
    """Whether a context is a local cluster's, by the name that its maker gave it and its address.

    A private address is another machine's as likely as not: only minikube's is taken for this
    machine's own, whose nodes have networks of their own here.
    """
    if not any(fnmatch.fnmatch(name, pattern) for pattern in LOCAL):
        return False
    return is_on_this_machine(server) and (name == MINIKUBE or _is_of_the_host(server))


def _is_of_the_host(server: str) -> bool:
    host = urlsplit(server).hostname or ""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return True  # a name that stands for this machine
    return address.is_loopback or address.is_unspecified  # k3d writes 0.0.0.0


def is_on_this_machine(server: str) -> bool:
    """Whether an API's address is a local cluster's: loopback, private, or Docker's own."""
    host = urlsplit(server).hostname or ""
    if host == "localhost" or host.endswith(".docker.internal"):
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address.is_loopback or address.is_private
