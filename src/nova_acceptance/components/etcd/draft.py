"""Recognising an etcd that no nova.yaml names."""

from __future__ import annotations

import re
from typing import Final

from nova_acceptance.components.candidate import Candidate, Drafted
from nova_acceptance.components.kind import Access

PORT: Final = 2379
_IMAGE: Final = re.compile(r"(^|[-_.])etcd([-_.]|$)")
_BESIDE: Final = re.compile(r"backup|operator|exporter|browser|client")


def recognises(candidate: Candidate) -> int:
    """Return how sure it is that a workload runs an etcd: by its image and its port."""
    is_named = any(_IMAGE.search(image) and not _BESIDE.search(image) for image in candidate.images)
    if PORT in candidate.ports:
        return 3 if is_named else 2
    return 2 if "etcd" in candidate.images else 0


def draft(candidate: Candidate, access: Access | None) -> Drafted:  # noqa: ARG001 - of all kinds
    """Return what nova.yaml says of it: nothing that not every kind has."""
    return Drafted({"services": candidate.service_fields("client", PORT)})
