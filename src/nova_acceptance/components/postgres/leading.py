"""Which member of PostgreSQL leads, by what each of them says."""

from __future__ import annotations

from collections.abc import Mapping

from nova_acceptance.components.postgres.shown import leadership
from nova_acceptance.components.postgres.sql import REFUSED
from nova_acceptance.errors import ProbeError
from nova_acceptance.findings import Finding


class LeadershipError(ProbeError):
    """Not exactly one member leads, so the leader cannot be asked."""

    def __init__(self, shown: Finding) -> None:
        super().__init__(
            shown.summary,
            hint="the members' logs say why: `kubectl logs` of each of the pods",
            evidence=shown.evidence,
        )
        self.shown = shown


def leading(answers: Mapping[str, bool], failures: Mapping[str, Exception]) -> str:
    """Return the name of the one member that leads.

    Args:
        answers: whether each member follows, as far as they could be asked.
        failures: why others could not.

    Raises:
        LeadershipError: none leads, or several do.
        ProbeError: nobody was found to lead, and not all could be asked.
    """
    leaders = sorted(name for name, follows in answers.items() if not follows)
    if len(leaders) == 1:
        return leaders[0]
    if failures and not leaders:
        # What a server says for itself tells more than one that is silent.
        told = [error for error in failures.values() if REFUSED.search(str(error))]
        error = (told or list(failures.values()))[0]
        raise ProbeError(
            "no member of PostgreSQL was found to lead, and not all could be asked",
            hint="`kubectl get pods -A` shows them, and `kubectl logs` what they say",
            evidence=[
                f"{name}: {line}"
                for name, error in failures.items()
                for line in str(error).splitlines()[:2]
            ],
        ) from error
    raise LeadershipError(leadership(leaders, answers))
