"""What nova.yaml says of an etcd."""

from __future__ import annotations

from typing import Literal

from nova_acceptance.system.component import Component


class Etcd(Component):
    """The members of an etcd; clients connect to the first port of its first Service."""

    kind: Literal["etcd"] = "etcd"

    @property
    def quorum(self) -> int:
        """How many members must agree."""
        return self.runs.replicas // 2 + 1
