"""Trying the URL of a Redis from the pod that is configured with it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

from nova_acceptance.checks import check
from nova_acceptance.components.kind import UrlTrial
from nova_acceptance.components.redis import checks
from nova_acceptance.components.redis.client import Redis
from nova_acceptance.errors import ProbeError
from nova_acceptance.findings import Finding
from nova_acceptance.libraries import redis as redis_py
from nova_acceptance.phrase import Phrase

_TLS = "rediss"


@check
def locked_out(trial: UrlTrial) -> Iterator[Finding]:
    """Find why what the URL says is not taken: its protocol, user, password or database."""
    try:
        with closing(_asked(trial)) as redis:
            yield from checks.silence(redis)
    except (ProbeError, redis_py.InvalidResponse):
        if not _speaks_the_other(trial):
            raise
        yield _of_protocol(trial)
    except redis_py.AuthenticationError:
        if not _lacks_user(trial):
            raise
        sentence = Phrase(
            "{url} names {user}, and Redis has no user of that name",
            url=trial.url.name,
            user=trial.user,
        )
        yield Finding.here("URL_USER_WRONG", sentence)
    except redis_py.ResponseError as error:
        if "DB index" not in str(error):
            raise
        sentence = Phrase(
            "{url} names database {number}, and Redis has none of that number",
            url=trial.url.name,
            number=trial.path,
        )
        yield Finding.here("URL_DATABASE_WRONG", sentence, str(error))


@check
def accepted_wrong_password(trial: UrlTrial) -> Iterator[Finding]:
    """Find that another password than the URL's is taken as well."""
    if trial.owner.password is None:
        return  # none is demanded, as nova.yaml says
    with closing(_asked(trial)) as redis:
        yield from checks.accepted_wrong_password(redis)


def _asked(trial: UrlTrial, *, by_the_other: bool = False) -> Redis:
    return Redis(
        trial.route,
        trial.password or None,
        trial.transcript,
        user=trial.user or None,
        speaks_tls=(trial.scheme == _TLS) is not by_the_other,
        number=int(trial.path) if trial.path.isdecimal() else 0,
    )


def _speaks_the_other(trial: UrlTrial) -> bool:
    """Whether a Redis answers there by TLS that is asked without, or without TLS that is."""
    try:
        with closing(_asked(trial, by_the_other=True)) as redis:
            redis.ask("PING")
    except (ProbeError, redis_py.InvalidResponse):
        return False
    except redis_py.RedisError:
        return True  # it refuses, in its own words
    return True


def _of_protocol(trial: UrlTrial) -> Finding:
    is_tls = trial.scheme == _TLS
    sentence = Phrase(
        "{url} asks by TLS (rediss://), and at this port Redis speaks without"
        if is_tls
        else "{url} asks without TLS (redis://), and at this port Redis speaks by TLS",
        url=trial.url.name,
    )
    return Finding.here("URL_SCHEME_WRONG", sentence)


def _lacks_user(trial: UrlTrial) -> bool:
    """Whether the URL names a user whom the ACL of Redis does not have."""
    if trial.user in ("", "default"):
        return False
    return trial.user not in trial.client().ask("ACL USERS")
