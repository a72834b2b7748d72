"""Users of a cluster that may read what is verified, and some of what asking takes."""

from __future__ import annotations

import base64
import copy
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import yaml

from nova_acceptance import timeouts
from nova_acceptance.kube import Kube, Object
from nova_acceptance.vantage.until import until

NAMESPACE: Final = "default"
_READ: Final = ["get", "list", "watch"]
_READING: Final = [
    {
        "apiGroups": [""],
        "resources": [
            *("namespaces", "nodes", "persistentvolumes", "pods", "pods/log", "services"),
            *("endpoints", "events", "configmaps", "secrets", "persistentvolumeclaims"),
            *("serviceaccounts", "resourcequotas", "limitranges"),
        ],
        "verbs": _READ,
    },
    {
        "apiGroups": [
            *("apps", "batch", "discovery.k8s.io", "networking.k8s.io", "policy"),
            *("scheduling.k8s.io", "storage.k8s.io"),
        ],
        "resources": ["*"],
        "verbs": _READ,
    },
]
"""What verifying reads."""
RIGHTS: Final = {
    "port-forward": ("pods/portforward", ["get", "create"]),
    "exec": ("pods/exec", ["get", "create"]),
    "pods": ("pods", ["create", "delete"]),
    "everything": ("*", ["*"]),
}
"""What asking takes, by a word for it."""


@contextmanager
def user(
    kube: Kube, kubeconfig: Path | None, rights: tuple[str, ...], directory: Path
) -> Iterator[Path]:
    """Yield a kubeconfig of a user who may read, and what some of `RIGHTS` allow."""
    name = f"nova-testing-may-{'-'.join(rights) or 'read'}"
    rules = [
        *_READING,
        *(
            {"apiGroups": [""], "resources": [RIGHTS[it][0]], "verbs": RIGHTS[it][1]}
            for it in rights
        ),
    ]
    made = [
        _object("v1", "ServiceAccount", name, NAMESPACE),
        _object("rbac.authorization.k8s.io/v1", "ClusterRole", name) | {"rules": rules},
        _object("rbac.authorization.k8s.io/v1", "ClusterRoleBinding", name)
        | {
            "roleRef": {
                "apiGroup": "rbac.authorization.k8s.io",
                "kind": "ClusterRole",
                "name": name,
            },
            "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": NAMESPACE}],
        },
        _token_of(name, NAMESPACE),
    ]
    try:
        for each in made:
            kube.apply(each)
        path = directory / f"{name}.kubeconfig"
        token = _token(kube, name, NAMESPACE)
        path.write_text(yaml.safe_dump(_as(token, kubeconfig or Path())), "utf-8")
        yield path
    finally:
        for each in reversed(made):
            metadata = each["metadata"]
            kube.delete(
                each["apiVersion"], each["kind"], metadata["name"], metadata.get("namespace")
            )


def kubeconfig_of(kube: Kube, kubeconfig: Path, name: str, namespace: str, into: Path) -> Path:
    """Return a kubeconfig of a ServiceAccount that is there; its token goes with it."""
    kube.apply(_token_of(name, namespace))
    path = into / f"{name}.kubeconfig"
    token = _token(kube, name, namespace)
    path.write_text(yaml.safe_dump(_as(token, kubeconfig)), "utf-8")
    return path


def _token_of(name: str, namespace: str) -> Object:
    """Return a Secret that the API fills with a token, also since 1.24, which makes none itself."""
    made = _object("v1", "Secret", name, namespace)
    made["metadata"]["annotations"] = {"kubernetes.io/service-account.name": name}
    return {**made, "type": "kubernetes.io/service-account-token"}


def _object(version: str, kind: str, name: str, namespace: str = "") -> Object:
    metadata: dict[str, Any] = {"name": name, **({"namespace": namespace} if namespace else {})}
    return {"apiVersion": version, "kind": kind, "metadata": metadata}


def _token(kube: Kube, name: str, namespace: str) -> str:
    def data() -> dict[str, str]:
        return (kube.get("v1", "Secret", name, namespace) or {}).get("data") or {}

    took = until(lambda: "token" in data(), within=timeouts.API_SETTLES)
    assert took <= timeouts.API_SETTLES, f"the API gave {name} no token"
    return base64.b64decode(data()["token"]).decode()


def _as(token: str, kubeconfig: Path) -> dict[str, Any]:
    content = copy.deepcopy(yaml.safe_load(kubeconfig.read_text("utf-8")))
    for each in content["users"]:
        each["user"] = {"token": token}
    return dict(content)
