"""Logins of a PostgreSQL's roles, with the passwords that its Secrets hold."""

from __future__ import annotations

from nova_acceptance.claims import BrokenClaimError
from nova_acceptance.components.kind import Access
from nova_acceptance.components.postgres.client import MAINTENANCE, Postgres
from nova_acceptance.components.postgres.spec import Postgres as Spec
from nova_acceptance.components.postgres.sql import Login
from nova_acceptance.findings import NOWHERE, Finding
from nova_acceptance.phrase import Phrase


class Logins:
    """Makes logins from the names of roles and databases."""

    def __init__(self, access: Access, spec: Spec) -> None:
        self._access = access
        self._spec = spec

    def untested(self, role: str, database: str = MAINTENANCE) -> Login:
        """Return a login; whether the role exists has not been asked.

        Raises:
            ValueError: nova.yaml gives the role no password.
            ProbeError: its Secret holds none.
        """
        home = self._spec.role(role).password
        if home is None:
            raise ValueError(f"nova.yaml gives {role} no password")
        return Login(role, database, self._access.password(self._spec, home))

    def of(self, postgres: Postgres, role: str, database: str = MAINTENANCE) -> Login:
        """Return the login of a role that exists.

        PostgreSQL does not tell a role that is not there from one whose password is wrong.

        Raises:
            BrokenClaimError: there is no such role.
        """
        if not postgres.has_role(role):
            sentence = Phrase("there is no role {role}", role=role)
            raise BrokenClaimError(Finding("ROLE_MISSING", NOWHERE, sentence))
        return self.untested(role, database)
