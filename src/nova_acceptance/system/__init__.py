"""nova.yaml as typed data: what the system should be, apart from how it is deployed.

`load` reads the file and refuses a wrong one with file, line and field; everything else is
plain, frozen data that tests are parametrised over.
"""

from nova_acceptance.system.load import load
from nova_acceptance.system.model import (
    Certificate,
    Claim,
    Configuration,
    Database,
    External,
    Grant,
    KubeService,
    Role,
    SecretKey,
    Service,
    System,
    Workload,
)
from nova_acceptance.system.parts import Door, Front, Passage, Reach, Schema, Use

__all__ = [
    "Certificate",
    "Claim",
    "Configuration",
    "Database",
    "Door",
    "External",
    "Front",
    "Grant",
    "KubeService",
    "Passage",
    "Reach",
    "Role",
    "Schema",
    "SecretKey",
    "Service",
    "System",
    "Use",
    "Workload",
    "load",
]
