"""Clusters that the user's kubeconfig already leads to."""

from __future__ import annotations

import fnmatch
import ipaddress
import os
from pathlib import Path
from urllib.parse import urlsplit

import yaml
from kubernetes.config import ConfigException
from kubernetes.config.kube_config import KubeConfigMerger

from nova_acceptance.cluster.model import Cluster
from nova_acceptance.errors import ClusterError, UsageError
from nova_acceptance.kube import Kube
from nova_acceptance.phrase import Phrase

LOCAL = ("docker-desktop", "kind-*", "k3d-*", "minikube")
"""Names that the makers of local clusters give their contexts."""


def names() -> list[str]:
    """Return the contexts of the user's kubeconfig, the current one first.

    Raises:
        UsageError: the file cannot be read.
    """
    source = os.environ.get("KUBECONFIG") or str(Path.home() / ".kube" / "config")
    try:
        merged = KubeConfigMerger(source).config  # type: ignore[no-untyped-call]
    except ConfigException:
        return []  # the file is empty, which to kubectl is no error either
    except (yaml.YAMLError, OSError, AttributeError, TypeError) as error:
        raise UsageError(
            Phrase("the kubeconfig {file} cannot be read", file=source),
            evidence=[str(error)],
            hint=Phrase("mend it, or let $KUBECONFIG name another"),
        ) from error
    content = merged.value if merged else {}
    current = content.get("current-context")
    found = [str(context["name"]) for context in content.get("contexts") or ()]
    return sorted(found, key=lambda name: name != current)


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
    version = Kube(None, name).server_version
    return Cluster(
        name=name,
        provider="context",
        kubeconfig=None,
        context=name,
        reason=Phrase("{reason}; it runs Kubernetes {version}", reason=reason, version=version),
        reuse_hint=f"pytest --cluster context:{name} --no-deploy",
        remove_hint=f"nova-cluster remove --context {name}",
    )


def first_local() -> tuple[Cluster | None, list[str]]:
    """Return the first reachable context that is known to be local, and why others were not."""
    passed_over = []
    for name in names():
        if not any(fnmatch.fnmatch(name, pattern) for pattern in LOCAL):
            continue
        try:
            if not is_on_this_machine(Kube(None, name).server):
                passed_over.append(f"{name} leads to another machine")
                continue
            reason = Phrase("context {context} is local and answers", context=name)
            return by_name(name, reason), passed_over
        except ClusterError as error:
            passed_over.append(f"{name}: {error.message}")
    return None, passed_over


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
