"""The control plane: whether its controllers act on what is written."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from nova_acceptance.diagnosis.cause import Cause, Diagnosis, ref
from nova_acceptance.diagnosis.graces import STARTING
from nova_acceptance.diagnosis.snapshot import Snapshot, uid
from nova_acceptance.diagnosis.status import CONTROLLERS, is_unseen
from nova_acceptance.diagnosis.workloads import workloads

CONTROLLERS_SILENT: Final = Cause(
    "CONTROLLERS_SILENT",
    "What is written is stored, and no controller acts on it",
    "Workloads keep their old pods or none at all, and nothing says why",
    "`metadata.generation` of workloads against `status.observedGeneration`",
    "see that kube-controller-manager runs; where it is a pod: "
    "`kubectl -n kube-system get pods -l component=kube-controller-manager`",
)

CAUSES: Final = (CONTROLLERS_SILENT,)


def controllers_silent(snapshot: Snapshot) -> Iterator[Diagnosis]:
    """Find workloads that were changed, and that their controller has not seen since."""
    unseen = [found for found in workloads(snapshot) if uid(found) and is_unseen(found)]
    if unseen:
        names = ", ".join(str(ref(found)) for found in unseen[:3])
        more = f" and {len(unseen) - 3} more" if len(unseen) > 3 else ""  # noqa: PLR2004
        yield Diagnosis(
            CONTROLLERS_SILENT,
            CONTROLLERS,
            f"no controller has seen the last change of {names}{more}",
            evidence=tuple(
                f"{ref(found)}: generation {found['metadata'].get('generation')}, observed "
                f"{(found.get('status') or {}).get('observedGeneration', 'never')}"
                for found in unseen
            ),
            grace=STARTING,
        )


LIVE: Final = (controllers_silent,)
