"""The control plane: whether its controllers act on what is written."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from nova_acceptance.components.kubernetes.graces import STARTING
from nova_acceptance.components.kubernetes.status import CONTROLLERS, is_unseen
from nova_acceptance.components.kubernetes.workloads import workloads
from nova_acceptance.findings import Finding, ref
from nova_acceptance.kube.snapshot import Snapshot, uid
from nova_acceptance.phrase import Phrase

_FEW: Final = 3


def controllers_silent(snapshot: Snapshot) -> Iterator[Finding]:
    """Find workloads that were changed, and that their controller has not seen since."""
    unseen = [found for found in workloads(snapshot) if uid(found) and is_unseen(found)]
    if unseen:
        few, more = [ref(found) for found in unseen[:_FEW]], len(unseen) - _FEW
        said = Phrase(
            "no controller has seen the last change of {workloads} and {more} more"
            if more > 0
            else "no controller has seen the last change of {workloads}",
            workloads=few,
            more=more,
        )
        yield Finding(
            "CONTROLLERS_SILENT",
            CONTROLLERS,
            said,
            evidence=tuple(
                f"{ref(found)}: generation {found['metadata'].get('generation')}, observed "
                f"{(found.get('status') or {}).get('observedGeneration', 'never')}"
                for found in unseen
            ),
            grace=STARTING,
        )


LIVE: Final = (controllers_silent,)
