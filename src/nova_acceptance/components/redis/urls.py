"""Trying the URL of a Redis from the pod that is configured with it."""

from __future__ import annotations

from collections.abc import Iterator

from nova_acceptance.checks import check
from nova_acceptance.components.kind import UrlTrial
from nova_acceptance.components.redis.client import Redis
from nova_acceptance.findings import Finding
from nova_acceptance.phrase import Phrase

WRONG = "not-the-password"
INVALID = "invalid username-password pair"


@check
def locked_out(trial: UrlTrial) -> Iterator[Finding]:
    """Find why the URL's password is not taken."""
    redis = Redis(trial.route, trial.password or None, trial.transcript)
    try:
        if not redis.answers_ping:
            said = Phrase("Redis does not answer PING with PONG")
            yield Finding.here("CONNECTION_CUT", said)
    finally:
        redis.close()


@check
def accepted_wrong_password(trial: UrlTrial) -> Iterator[Finding]:
    """Find that another password than the URL's is taken as well."""
    if trial.owner.password is None:
        return  # none is demanded, as nova.yaml says
    yield from locked_out(trial)
    redis = Redis(trial.route, trial.password, trial.transcript)
    try:
        said = redis.refusal(WRONG)
    finally:
        redis.close()
    if INVALID not in said:
        sentence = Phrase("to a wrong password Redis says {said}", said=repr(said))
        yield Finding.here("REDIS_WITHOUT_PASSWORD", sentence)
