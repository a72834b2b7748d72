"""The control plane: whether its controllers act on what is written."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from nova_acceptance.diagnosis.cause import Cause, Diagnosis, ref
from nova_acceptance.diagnosis.graces import STARTING
from nova_acceptance.diagnosis.snapshot import Snapshot, uid
from nova_acceptance.diagnosis.status import CONTROLLERS, is_unseen
from nova_acceptance.diagnosis.workloads import workloads
from nova_acceptance.phrase import Phrase

CONTROLLERS_SILENT: Final = Cause(
    "CONTROLLERS_SILENT",
    "What is written is stored, and no controller acts on it",
    "Workloads keep their old pods or none at all, and nothing says why",
    "`metadata.generation` of workloads against `status.observedGeneration`",
    "see that kube-controller-manager runs; where it is a pod: "
    "`kubectl -n kube-system get pods -l component=kube-controller-manager`",
)

CAUSES: Final = (CONTROLLERS_SILENT,)

_FEW: Final = 3


def controllers_silent(snapshot: Snapshot) -> Iterator[Diagnosis]:
    """Find workloads that were changed, and that their controller has not seen since."""
    unseen = [found for found in workloads(snapshot) if uid(found) and is_unseen(found)]
    if unseen:
        few, more = [ref(found) for found in unseen[:_FEW]], len(unseen) - _FEW
        said = (
            Phrase(
                "no controller has seen the last change of {workloads} and {more} more",
                workloads=few,
                more=more,
            )
            if more > 0
            else Phrase("no controller has seen the last change of {workloads}", workloads=few)
        )
        yield Diagnosis(
            CONTROLLERS_SILENT,
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
