"""What each role must not be able to do, tried, and refused for the reason that is meant.

Before a denial the same connection does what it is allowed to.
"""

from __future__ import annotations

import pytest

from nova_acceptance.components.postgres.checks import admission as checks
from nova_acceptance.components.postgres.checks import denials as denial_checks
from nova_acceptance.components.postgres.connections import RoleConnections
from nova_acceptance.components.postgres.members import MAINTENANCE
from nova_acceptance.components.postgres.parts import Denial, Reach
from nova_acceptance.components.postgres.spec import Database, Role
from nova_acceptance.components.postgres.trials import Trials

pytestmark = pytest.mark.postgres


def test_role_must_not(trials: Trials, denial: Denial) -> None:
    """The role reads its rows, and is denied what it has no right to, for lack of that right."""
    assert denial_checks.permitted_deed(trials, denial) == []


@pytest.mark.usefixtures("strict_spec")
@pytest.mark.parametrize("elsewhere", [MAINTENANCE, "template1"])
def test_role_must_not_connect_elsewhere(
    primary: RoleConnections, client: Reach, elsewhere: str
) -> None:
    """The role connects to the databases that nova.yaml grants it, and to no others."""
    assert checks.client_elsewhere(primary, client, elsewhere) == []


def test_wrong_password_is_refused(primary: RoleConnections, client: Reach) -> None:
    """The role connects with its password, and with another one does not."""
    assert checks.client_with_wrong_password(primary, client) == []


def test_unknown_role_is_refused(primary: RoleConnections, client: Reach) -> None:
    """Whoever is not known is told no more than that."""
    assert checks.unknown_role(primary, client) == []


def test_local_role_is_refused_over_the_network(
    primary: RoleConnections, local_role: Role, database: Database
) -> None:
    """The role connects from inside the pod, and from elsewhere not even by its password."""
    assert checks.local_role_over_the_network(primary, local_role, database) == []


def test_follower_opens_a_replication_connection(primary: RoleConnections, follower: Role) -> None:
    """The role may stream: the server identifies itself as the leader does."""
    assert checks.refused_follower(primary, follower) == []


@pytest.mark.usefixtures("strict_spec")
def test_stranger_must_not_connect(primary: RoleConnections, stranger: Reach) -> None:
    """The role is refused by the database, whose rows are none of its affair."""
    assert checks.admitted_stranger(primary, stranger) == []


def test_client_must_not_replicate(primary: RoleConnections, ordinary_client: Reach) -> None:
    """The role connects, and is refused a replication connection."""
    assert checks.replicating_client(primary, ordinary_client) == []
