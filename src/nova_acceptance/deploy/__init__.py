"""Putting the system on a cluster: credentials, rendering, applying, readiness, removal.

Layers, top to bottom: `rollout`, `removal`, `rehearsal`, `preflight` > `readiness` > `outcome`,
`verdict`, `words`, `watches` > `timeline` > `phases` > `ownership`, `placement` > `definitions`;
`rendering` > `credentials` > `certificate`, `services` > `templates` > `files`; `provenance` stands
by itself.
"""

from nova_acceptance.deploy.credentials import Credentials, load_credentials
from nova_acceptance.deploy.outcome import Deployment, RolloutError
from nova_acceptance.deploy.placement import placed
from nova_acceptance.deploy.preflight import PreflightError, preflight
from nova_acceptance.deploy.rehearsal import Fate, Rehearsed, rehearse
from nova_acceptance.deploy.removal import remove
from nova_acceptance.deploy.rendering import Form, form_of, render
from nova_acceptance.deploy.rollout import deploy
from nova_acceptance.deploy.timeline import PodTimes

__all__ = [
    "Credentials",
    "Deployment",
    "Fate",
    "Form",
    "PodTimes",
    "PreflightError",
    "Rehearsed",
    "RolloutError",
    "deploy",
    "form_of",
    "load_credentials",
    "placed",
    "preflight",
    "rehearse",
    "remove",
    "render",
]
