"""What fixtures may ask of, and tell, the diagnosis of a run; the plugin provides it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from nova_acceptance.diagnosis import Explanation
from nova_acceptance.errors import DeployError
from nova_acceptance.findings import Finding
from nova_acceptance.kube import Kube
from nova_acceptance.kube.snapshot import Snapshot


class Diagnosis(Protocol):
    """Explains the failures of a run."""

    def attach(self, kube: Kube) -> None:
        """Look at this cluster from now on."""

    def tell(self, error: DeployError, source: str) -> None:
        """Record what an error of a deployment says of its cause.

        Args:
            error: which may carry an explanation.
            source: `preflight` or `deployment`.
        """

    def lost(self, explanation: Explanation) -> None:
        """Record why a part of a deployment is lost, while the wait for the rest goes on."""

    def warn(self, found: Finding) -> None:
        """Record what a preflight has found and what does not keep anything from being deployed."""

    def policies_unenforced(self) -> None:
        """Take no NetworkPolicy for a cause from now on: nothing enforces them."""

    def look(self) -> None:
        """Look at the cluster now, for `look_around`; nothing of what is seen is written yet."""

    def look_around(self) -> Snapshot | None:
        """Record what the cluster's objects show to be wrong, before anything is asked of them.

        Returns:
            what was seen; None where the API was away.
        """

    def unwell(self, components: Iterable[str]) -> Finding | None:
        """Return what is known to be wrong with parts of the system now, by their names."""
