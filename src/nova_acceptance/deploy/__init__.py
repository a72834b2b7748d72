"""Putting the system on a cluster: credentials, rendering, applying, readiness, removal.

Layers, top to bottom: `rollout`, `removal`, `preflight` > `readiness` > `outcome`, `verdict`,
`words`, `watches` > `timeline` > `phases`; `rendering` > `credentials` > `certificate`;
`provenance` stands by itself.
"""

from nova_acceptance.deploy.credentials import Credentials, load_credentials
from nova_acceptance.deploy.outcome import Deployment, RolloutError
from nova_acceptance.deploy.preflight import PreflightError, preflight
from nova_acceptance.deploy.removal import remove
from nova_acceptance.deploy.rendering import render
from nova_acceptance.deploy.rollout import deploy
from nova_acceptance.deploy.timeline import PodTimes

__all__ = [
    "Credentials",
    "Deployment",
    "PodTimes",
    "PreflightError",
    "RolloutError",
    "deploy",
    "load_credentials",
    "preflight",
    "remove",
    "render",
]
