"""The Kubernetes API itself: what it serves, allows and answers."""

from __future__ import annotations

from typing import Final

from nova_acceptance.diagnosis.cause import Cause

KIND_NOT_SERVED: Final = Cause(
    "KIND_NOT_SERVED",
    "The manifests hold a kind that the cluster does not serve",
    "`no matches for kind …`; the object cannot be created",
    "The API's own list of the kinds of that group and version",
    "write a version that this cluster serves (`kubectl api-resources`), or install what brings "
    "the kind",
)
RIGHTS_MISSING: Final = Cause(
    "RIGHTS_MISSING",
    "The kubeconfig's user may not do what a deployment needs",
    "`… is forbidden: User … cannot …`, half-way through a deployment",
    "The API's answer to SelfSubjectAccessReview for every kind and namespace, before the first "
    "write",
    "use a context whose user may, or have the right granted (`kubectl auth can-i --list`)",
)
API_REFUSED: Final = Cause(
    "API_REFUSED",
    "The API refused a request",
    "An error with a status such as 403, 409 or 422, and the API's reason",
    "The API's answer",
    "the reason says which field or right is concerned",
)
API_UNREACHABLE: Final = Cause(
    "API_UNREACHABLE",
    "The Kubernetes API does not answer",
    "Requests are refused, reset or time out; nothing is known about Nova",
    "The requests themselves, repeated for a while",
    "see whether the cluster runs (`nova-cluster status`) and repeat; this says nothing of Nova",
)
CAUSES: Final = (API_UNREACHABLE, KIND_NOT_SERVED, RIGHTS_MISSING, API_REFUSED)
