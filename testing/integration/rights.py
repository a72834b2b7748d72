"""A user of a cluster who may do no more than a verification needs, or less, with a kubeconfig."""

from __future__ import annotations

import base64
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import yaml

from nova_acceptance import timeouts
from nova_acceptance.collect import KUBE_SYSTEM
from nova_acceptance.kube import Kube, Object
from nova_acceptance.kube.kinds import KINDS, Kind, version_served

VERIFIER: Final = "verifier"
"""The user's name, and the context's."""
HOME: Final = "default"
"""The namespace of the user."""
LABEL: Final = {"testing.nova/rights": "true"}
READ: Final = ("get", "list", "watch")
OF_THE_CLUSTERS_DNS: Final = ("Service", "Endpoints", "EndpointSlice")
"""What is read of kube-system."""

Rule = Mapping[str, Sequence[str]]
"""One of RBAC's: groups, resources and verbs."""

LOGS: Final = {"apiGroups": [""], "resources": ["pods/log"], "verbs": ["get"]}
FORWARD: Final = {"apiGroups": [""], "resources": ["pods/portforward"], "verbs": ["get", "create"]}
EXEC: Final = {"apiGroups": [""], "resources": ["pods/exec"], "verbs": ["get", "create"]}
PODS: Final = {"apiGroups": [""], "resources": ["pods"], "verbs": ["create", "delete"]}
"""To make probe pods and to take them away."""


@contextmanager
def user(
    kube: Kube,
    namespaces: Sequence[str],
    rules: Sequence[Rule],
    into: Path,
    *,
    of_the_cluster: bool = True,
    name: str = VERIFIER,
) -> Iterator[Path]:
    """Yield the kubeconfig of a user who may read a system and what else the rules say.

    Args:
        kube: the API, as somebody who may give rights.
        namespaces: the system's.
        rules: what the user may do in them besides reading.
        into: a directory for the kubeconfig.
        of_the_cluster: whether nodes, storage classes and the cluster's DNS may be read, too.
        name: the user's and the context's.
    """
    objects = [*_account(name)]
    readable = [each for each in KINDS.values() if each.is_namespaced]
    for namespace in namespaces:
        objects += _granted(name, namespace, [*_read(kube, readable), LOGS, *rules])
    if of_the_cluster:
        wide = [each for each in KINDS.values() if not each.is_namespaced]
        dns = [KINDS[kind] for kind in OF_THE_CLUSTERS_DNS]
        objects += _granted(name, "", _read(kube, wide))
        objects += _granted(name, KUBE_SYSTEM, _read(kube, dns))
    try:
        for obj in objects:
            kube.apply(obj)
        yield _kubeconfig(kube, name, into)
    finally:
        for obj in reversed(objects):
            metadata = obj["metadata"]
            kube.delete(obj["apiVersion"], obj["kind"], metadata["name"], metadata.get("namespace"))


def _account(name: str) -> Iterator[Object]:
    metadata = {"name": name, "namespace": HOME, "labels": LABEL}
    yield {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata}
    # Since 1.24 an account has no token unless a Secret asks for one; before, it is one more.
    yield {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "kubernetes.io/service-account-token",
        "metadata": {**metadata, "annotations": {"kubernetes.io/service-account.name": name}},
    }


def _granted(name: str, namespace: str, rules: Sequence[Rule]) -> Iterator[Object]:
    """Yield a role and who has it, in a namespace or, where that is empty, for the cluster."""
    wide = "" if namespace else "Cluster"
    version = "rbac.authorization.k8s.io/v1"
    metadata: dict[str, Any] = {"name": name, "labels": LABEL}
    if namespace:
        metadata["namespace"] = namespace
    yield {
        "apiVersion": version,
        "kind": f"{wide}Role",
        "metadata": metadata,
        "rules": [dict(rule) for rule in rules],
    }
    yield {
        "apiVersion": version,
        "kind": f"{wide}RoleBinding",
        "metadata": metadata,
        "roleRef": {
            "apiGroup": "rbac.authorization.k8s.io",
            "kind": f"{wide}Role",
            "name": name,
        },
        "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": HOME}],
    }


def _read(kube: Kube, kinds: Sequence[Kind]) -> list[Rule]:
    rules: list[Rule] = []
    for kind in kinds:
        version = version_served(kube, kind.name)
        if version and (plural := kube.plural(version, kind.name)):
            group = version.partition("/")[0] if "/" in version else ""
            rules.append({"apiGroups": [group], "resources": [plural], "verbs": READ})
    return rules


def _kubeconfig(kube: Kube, name: str, into: Path) -> Path:
    """Write the kubeconfig of the user, once the cluster has made a token."""
    deadline = time.monotonic() + timeouts.READING
    data: dict[str, str] = {}
    while "token" not in data:
        assert time.monotonic() < deadline, "no token was made"
        secret = kube.get("v1", "Secret", name, HOME) or {}
        data = secret.get("data") or {}
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": name,
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
        "clusters": [
            {
                "name": name,
                "cluster": {
                    "server": kube.server,
                    "certificate-authority-data": data["ca.crt"],
                },
            }
        ],
        "users": [{"name": name, "user": {"token": base64.b64decode(data["token"]).decode()}}],
    }
    path = into / f"{name}.yaml"
    path.write_text(yaml.safe_dump(content))
    path.chmod(0o600)
    return path
