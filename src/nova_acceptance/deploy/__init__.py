"""Putting the system on a cluster: credentials, rendering, applying, readiness, removal.

Layers, top to bottom: `rollout`, `removal` > `readiness` > `explanation` > `findings` >
`terminal`, `status`, `picture`; `rendering` > `credentials` > `certificate`; `phases` and
`timeline` stand by themselves.
"""

from nova_acceptance.deploy.credentials import Credentials, load_credentials
from nova_acceptance.deploy.removal import remove
from nova_acceptance.deploy.rendering import render
from nova_acceptance.deploy.rollout import Deployment, deploy
from nova_acceptance.deploy.timeline import PodTimes

__all__ = [
    "Credentials",
    "Deployment",
    "PodTimes",
    "deploy",
    "load_credentials",
    "remove",
    "render",
]
