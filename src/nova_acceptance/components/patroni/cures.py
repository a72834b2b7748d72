"""What mends a PostgreSQL that Patroni runs, where nothing else would last or it is done otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from nova_acceptance.findings import Finding
from nova_acceptance.phrase import Phrase

CURES: Final[Mapping[str, Phrase]] = {
    "TWO_LEADERS": Phrase(
        "stop writes, let Patroni demote the one that does not hold the key (`patronictl list`),"
        " then reinitialise it (`patronictl reinit`)"
    ),
    "NO_LEADER": Phrase(
        "see Patroni's log for why nobody takes the lock: its store away, no member caught up, or"
        " paused"
    ),
    "TIMELINE_DIVERGED": Phrase("let Patroni rewind it, or reinitialise it (`patronictl reinit`)"),
    "PRIMARY_READ_ONLY": Phrase(
        "set default_transaction_read_only off (`patronictl edit-config`, ALTER DATABASE,"
        " ALTER ROLE), or see why the Service leads to a member in recovery"
    ),
    "PRIMARY_SERVICE_ASTRAY": Phrase(
        "see the role label of the pods: its callback in Patroni's configuration, and its rights"
    ),
    "REPLICA_NOT_STREAMING": Phrase(
        "see that member's log, and `patronictl list`; `patronictl reinit` copies the leader anew"
    ),
    "NOT_SYNCHRONOUS": Phrase(
        "switch synchronous_mode on (`patronictl edit-config`), and have a replica that streams"
    ),
    "DURABILITY_OFF": Phrase(
        "switch it on (`patronictl edit-config`), and see who switched it off: ALTER SYSTEM, a role"
    ),
    "COMMITS_LOST": Phrase("switch synchronous_mode on, and keep a replica that is caught up"),
    "ADMISSION_REFUSED": Phrase(
        "put the entry into Patroni's pg_hba, above any rule that rejects it"
    ),
    "TRUST_AUTHENTICATION": Phrase(
        "take the trust line out of Patroni's pg_hba and reload (`patronictl reload`)"
    ),
    "ADMISSION_TOO_WIDE": Phrase(
        "narrow the line of Patroni's pg_hba that lets it in, and reload (`patronictl reload`)"
    ),
    "SETTING_UNDECLARED": Phrase(
        "ALTER ROLE … RESET, ALTER DATABASE … RESET or ALTER SYSTEM RESET; what is meant for all"
        " belongs into Patroni's configuration"
    ),
}
"""By the cause; every other is mended as without Patroni."""


def under_patroni(found: Finding) -> Finding:
    """Return a finding with the cure that Patroni asks for, where it has one of its own."""
    cure = CURES.get(found.cause)
    return replace(found, cure=cure) if cure and not found.cure else found
