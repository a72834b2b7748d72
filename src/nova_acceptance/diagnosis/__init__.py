"""Why something went wrong: from an object that failed down to a named cause.

Layers, top to bottom: `explanation` > `catalogue` > `families` > `ranking` > `graph` >
`addresses` > `workloads` > `status`, `shapes`, `snapshot` > `cause`. Everything here is pure: it
reads a snapshot and asks nobody.
"""

from nova_acceptance.diagnosis.catalogue import BY_ID, CAUSES, beforehand, examine
from nova_acceptance.diagnosis.cause import Cause, Diagnosis, Ref, ref
from nova_acceptance.diagnosis.explanation import Doctor, Explanation
from nova_acceptance.diagnosis.ranking import Ranked
from nova_acceptance.diagnosis.snapshot import Log, Snapshot

__all__ = [
    "BY_ID",
    "CAUSES",
    "Cause",
    "Diagnosis",
    "Doctor",
    "Explanation",
    "Log",
    "Ranked",
    "Ref",
    "Snapshot",
    "beforehand",
    "examine",
    "ref",
]
