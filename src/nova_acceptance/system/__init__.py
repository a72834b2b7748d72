"""nova.yaml as typed data: what the system should be, apart from how it is deployed.

`load` reads the file and refuses a wrong one with file, line and field; everything else is
plain, frozen data that tests are parametrised over.
"""

from nova_acceptance.system.component import (
    Claim,
    Component,
    KubeService,
    SecretKey,
    UrlOf,
    Use,
    Workload,
)
from nova_acceptance.system.configuration import Certificate, Configuration
from nova_acceptance.system.load import load, model_of
from nova_acceptance.system.model import External, System
from nova_acceptance.system.parts import Door, Front, Passage, Url

__all__ = [
    "Certificate",
    "Claim",
    "Component",
    "Configuration",
    "Door",
    "External",
    "Front",
    "KubeService",
    "Passage",
    "SecretKey",
    "System",
    "Url",
    "UrlOf",
    "Use",
    "Workload",
    "load",
    "model_of",
]
