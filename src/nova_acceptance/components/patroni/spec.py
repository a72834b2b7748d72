"""What nova.yaml says of the Patroni that runs a PostgreSQL."""

from __future__ import annotations

from nova_acceptance.system.base import Port, Seconds, Strict

KUBERNETES = "kubernetes"
"""The store of a Patroni that keeps its state in objects of the API."""


class Patroni(Strict):
    """How members of PostgreSQL agree on who leads.

    Attributes:
        port: where each member's Patroni answers.
        store: the component that keeps who leads, or `kubernetes`.
        role_label: the label by which a member's pod tells its role; None where it has none.
        failover: seconds from a leader's death to the next acknowledged commit.
        rejoin: seconds until a lost member follows the new leader.
    """

    port: Port = 8008
    store: str = KUBERNETES
    role_label: str | None = None
    failover: Seconds = 30.0
    rejoin: Seconds = 120.0
