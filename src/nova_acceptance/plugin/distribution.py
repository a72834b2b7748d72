"""How pytest-xdist hands tests to workers, where it is installed and used."""

from __future__ import annotations

from xdist.scheduler import LoadScopeScheduling
from xdist.workermanage import WorkerController


class ByModule(LoadScopeScheduling):  # type: ignore[misc]
    """A module's tests run on one worker, in their order.

    A module's fixture may kill a pod; its tests ask what came of that, once.
    """

    def _split_scope(self, nodeid: str) -> str:
        return nodeid.partition("::")[0]

    def remove_node(self, node: WorkerController) -> str | None:
        """Forget a worker that is gone and return the test it crashed in.

        The base class hands that test to the next worker, to crash that one as well.
        """
        units = self.assigned_work[node].values()
        crashed = next(
            ((unit, nodeid) for unit in units for nodeid, is_done in unit.items() if not is_done),
            None,
        )
        if crashed:
            unit, nodeid = crashed
            unit[nodeid] = True
        super().remove_node(node)
        return nodeid if crashed else None
