"""Trying the URL of a Redis from the pod that is configured with it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

from nova_acceptance.checks import check
from nova_acceptance.components.kind import UrlTrial
from nova_acceptance.components.redis import checks
from nova_acceptance.components.redis.client import Redis
from nova_acceptance.findings import Finding


@check
def locked_out(trial: UrlTrial) -> Iterator[Finding]:
    """Find why the URL's password is not taken."""
    with closing(Redis(trial.route, trial.password or None, trial.transcript)) as redis:
        yield from checks.silence(redis)


@check
def accepted_wrong_password(trial: UrlTrial) -> Iterator[Finding]:
    """Find that another password than the URL's is taken as well."""
    if trial.owner.password is None:
        return  # none is demanded, as nova.yaml says
    with closing(Redis(trial.route, trial.password or None, trial.transcript)) as redis:
        yield from checks.accepted_wrong_password(redis)
