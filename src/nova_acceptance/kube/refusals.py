"""Who refuses, where it is neither a missing right nor the system: a policy, or a node's kubelet.

Source: Kubernetes documentation, "Dynamic Admission Control", "Pod Security Admission", "Resource
Quotas" and "Kubelet TLS bootstrapping"; the sentences are those of the API server.
"""

from __future__ import annotations

import re
from typing import Final

from nova_acceptance.phrase import Phrase

_KEPT_BY: Final = (
    (r'admission webhook "([^"]+)" denied', "kubectl get validatingwebhookconfigurations"),
    (r"ValidatingAdmissionPolicy '([^']+)'", "kubectl get validatingadmissionpolicies"),
    (r'violates PodSecurity "([^"]+)"', "kubectl get namespaces --show-labels"),
    (r"exceeded quota: ([^,]+)", "kubectl get resourcequotas --all-namespaces"),
)
_TERMINATING: Final = re.compile(r"in namespace (\S+) because it is being terminated")
_BY_KUBELET: Final = re.compile(r"/pods/[^/ ]+/(?:exec|attach|log|portforward)\b")
_UNTRUSTED: Final = re.compile(
    r"remote error: tls: |x509: |tls: failed to verify certificate|tls: internal error"
    r"|:10250\b.*\b502\b|\b502\b.*:10250\b",
    re.DOTALL,
)
_VERSION: Final = re.compile(r"v?(\d+)\.(\d+)")
_CREATES: Final = (1, 35)
"""The version from which a WebSocket into a pod takes `create`, though its request is a GET."""


def cure_of_policy(said: str) -> Phrase | None:
    """Return what to do about a policy's refusal, which names it; None where it is none's.

    Args:
        said: what the API says of it.
    """
    if found := _TERMINATING.search(said):
        return Phrase(
            "namespace {namespace} is being deleted: wait until it is gone, and deploy then; "
            "`kubectl get namespace {namespace} -o yaml` says under `status` what holds it",
            namespace=found[1],
        )
    for pattern, command in _KEPT_BY:
        if found := re.search(pattern, said):
            return Phrase(
                "`{name}` forbids it, whatever this user's rights: ask whoever keeps it for an "
                "exception (`{command}`)",
                name=found[1],
                command=command,
            )
    return None


def is_of_kubelet(asked: str, said: str) -> bool:
    """Whether the API could not speak to a node's kubelet because of a certificate.

    Args:
        asked: the request.
        said: what the API says.
    """
    return bool(_BY_KUBELET.search(asked) and _UNTRUSTED.search(said) and "webhook" not in said)


def kubelet_refusal(node: str) -> tuple[Phrase, Phrase]:
    """Return what is wrong with a node's kubelet whose certificate nobody approved, and the cure.

    Args:
        node: the node's name; empty where it is not known.
    """
    cure = Phrase(
        "its certificate may wait for approval: see `kubectl get csr`, "
        "then approve it with `kubectl certificate approve`"
    )
    if not node:
        return Phrase("the API cannot speak to the kubelet of the pod's node"), cure
    return Phrase("the API cannot speak to the kubelet of the node {node}", node=node), cure


def verbs_into_pods(version: str) -> tuple[str, ...]:
    """Return the verbs that exec and port-forward take by WebSocket.

    Args:
        version: the server's, such as `v1.35.0`.
    """
    found = _VERSION.match(version)
    is_new = found is not None and (int(found[1]), int(found[2])) >= _CREATES
    return ("get", "create") if is_new else ("get",)
