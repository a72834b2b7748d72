"""Redis by its protocol, through its Service, from inside a pod that uses it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from nova_acceptance.components.kubernetes.seen import Seen
from nova_acceptance.components.kubernetes.successor import await_successor, kill
from nova_acceptance.components.redis import checks
from nova_acceptance.components.redis.client import Redis
from nova_acceptance.components.redis.keys import own_key
from nova_acceptance.components.redis.sentinels import (
    Sentinel,
    Server,
    close,
    sentinels_of,
    servers_of,
)
from nova_acceptance.components.redis.spec import Redis as Spec
from nova_acceptance.kube import Kube, PodRef
from nova_acceptance.system import System
from nova_acceptance.verification.access import RunAccess
from nova_acceptance.verification.survival import Survival

pytestmark = pytest.mark.redis


@pytest.fixture
def redis_pod(
    fresh_objects: Seen, redis_spec: Spec, survival: Survival, request: pytest.FixtureRequest
) -> PodRef:
    """The pod that Redis runs in, or the first of several, whose data outlive it."""
    pod, *_ = fresh_objects.refs_of(redis_spec.workload) or [PodRef(redis_spec.namespace, "-")]
    survival.require(redis_spec, pod)
    request.getfixturevalue("healthy")
    return pod


@pytest.fixture
def key(redis: Redis) -> Iterator[str]:
    """A key of this test's own, gone when the test ends."""
    with own_key(redis) as name:
        yield name


@pytest.fixture
def sentinels(access: RunAccess, system: System, sentinel_redis: Spec) -> Iterator[list[Sentinel]]:
    """The Sentinels that watch Redis, each asked at its own pod."""
    found = sentinels_of(access, system, sentinel_redis)
    yield found
    close(found)


@pytest.fixture
def servers(
    access: RunAccess, fresh_objects: Seen, system: System, sentinel_redis: Spec
) -> Iterator[list[Server]]:
    """Redis and its replicas, each asked at its own pod."""
    found = servers_of(access, fresh_objects, system, sentinel_redis)
    yield found
    close(found)


def test_redis_answers_ping(redis: Redis) -> None:
    """Redis answers PING with PONG when its password is given."""
    assert checks.silence(redis) == []


@pytest.mark.usefixtures("guarded_redis")
def test_redis_refuses_without_a_password(redis: Redis) -> None:
    """Redis answers NOAUTH to whoever gives no password."""
    assert checks.missing_password(redis) == []


@pytest.mark.usefixtures("guarded_redis")
def test_redis_refuses_a_wrong_password(redis: Redis) -> None:
    """Redis answers WRONGPASS to whoever gives another password."""
    assert checks.accepted_wrong_password(redis) == []


@pytest.mark.usefixtures("open_redis")
def test_redis_without_a_password_demands_none(redis: Redis) -> None:
    """Redis answers whoever gives no password, as nova.yaml says."""
    assert checks.needless_password(redis) == []


@pytest.mark.writes(own=True)
def test_redis_keeps_a_value(redis: Redis) -> None:
    """A value that is written through the Service is read back through it."""
    with own_key(redis) as key:
        assert checks.lost_value(redis, key) == []


@pytest.mark.usefixtures("persistent_redis")
def test_redis_is_append_only(redis: Redis) -> None:
    """Every write is appended to a file, and the last one succeeded."""
    assert checks.unkept_writes(redis) == []


def test_redis_has_its_version(redis: Redis, versioned_redis: Spec) -> None:
    """What answers is Redis in the version that nova.yaml says."""
    assert checks.wrong_version(redis, versioned_redis) == []


def test_redis_has_its_replicas(redis: Redis, replicated_redis: Spec) -> None:
    """As many replicas keep up with Redis as nova.yaml says."""
    assert checks.lacking_replicas(redis, replicated_redis) == []


def test_sentinels_name_the_primary(
    sentinels: list[Sentinel], servers: list[Server], sentinel_redis: Spec
) -> None:
    """Every Sentinel names as primary the server that is the primary."""
    assert checks.wrong_primary(sentinels, servers, sentinel_redis) == []


def test_sentinels_have_a_quorum(sentinels: list[Sentinel], sentinel_redis: Spec) -> None:
    """Enough Sentinels agree to make another server the primary."""
    assert checks.lost_quorum(sentinels, sentinel_redis) == []


@pytest.mark.disruptive
@pytest.mark.storage
@pytest.mark.usefixtures("persistent_redis")
def test_redis_keeps_its_data_when_its_pod_is_deleted(
    *, redis_pod: PodRef, redis_spec: Spec, redis: Redis, key: str, kube: Kube, survival: Survival
) -> None:
    """A value is still there after the pod was deleted and another server took its place."""
    assert checks.lost_value(redis, key) == []
    before = redis.info("server")["run_id"]

    judged = survival.require(redis_spec, redis_pod)
    await_successor(kube, redis_pod, kill(kube, redis_pod, judged))

    assert checks.missing_value(redis, key) == []
    assert checks.same_server(redis, before) == []
