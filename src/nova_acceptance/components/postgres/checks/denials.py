"""What a role can do that nova.yaml does not permit it, tried.

Before a denial the same connection does what it is allowed to.
"""

from __future__ import annotations

from collections.abc import Iterator

from nova_acceptance.checks import check
from nova_acceptance.components.postgres.checks.privileges import source_of_deed
from nova_acceptance.components.postgres.parts import Denial
from nova_acceptance.components.postgres.trials import Trials
from nova_acceptance.findings import Finding
from nova_acceptance.phrase import Phrase


@check
def permitted_deed(trials: Trials, denial: Denial) -> Iterator[Finding]:
    """Find that a role can do something which it has no right to, and where the right is from.

    Raises:
        UnaskedError: it would change something if it could, in a run that only reads.
    """
    if not trials.is_denied(denial):
        sentence = Phrase("{role} can {deed}", role=denial.reach.role.name, deed=denial.deed.what)
        yield source_of_deed(trials.connections.postgres, denial.reach, sentence)
