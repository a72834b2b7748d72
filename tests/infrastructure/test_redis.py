"""Redis by its protocol, through its Service, from inside a pod that uses it."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest

from nova_acceptance.claims import equal
from nova_acceptance.components.kubernetes.objects import Objects
from nova_acceptance.components.kubernetes.successor import await_successor, kill
from nova_acceptance.components.redis.client import Redis
from nova_acceptance.components.redis.spec import Redis as Spec
from nova_acceptance.kube import Kube, PodRef
from nova_acceptance.phrase import verbatim

pytestmark = pytest.mark.redis


@pytest.fixture
def redis_pod(fresh_objects: Objects, redis_spec: Spec) -> PodRef:
    """The pod that Redis runs in, or the first of several."""
    return fresh_objects.refs_of(redis_spec.workload)[0]


@pytest.fixture
def key(redis: Redis) -> Iterator[str]:
    """A key of this test's own, gone when the test ends."""
    name = f"nova-acceptance:{uuid.uuid4()}"
    yield name
    redis.ask("DEL", name)


@pytest.mark.means("REDIS_WRONG_PASSWORD")
def test_redis_answers_ping(redis: Redis) -> None:
    """Redis answers PING with PONG when its password is given."""
    assert redis.answers_ping


@pytest.mark.means("REDIS_WITHOUT_PASSWORD")
def test_redis_refuses_without_a_password(
    redis: Redis,
    guarded_redis: Spec,  # noqa: ARG001 - of those that demand one
) -> None:
    """Redis answers NOAUTH to whoever gives no password."""
    assert redis.answers_ping

    assert "authentication required" in redis.refusal(None).lower()


@pytest.mark.means("REDIS_WRONG_PASSWORD")
def test_redis_without_a_password_demands_none(
    redis: Redis,
    open_redis: Spec,  # noqa: ARG001 - of those that demand none
) -> None:
    """Redis answers whoever gives no password, as nova.yaml says."""
    assert redis.refusal(None) == ""


@pytest.mark.means("REDIS_WITHOUT_PASSWORD")
def test_redis_refuses_a_wrong_password(
    redis: Redis,
    guarded_redis: Spec,  # noqa: ARG001 - of those that demand one
) -> None:
    """Redis answers WRONGPASS to whoever gives another password."""
    assert redis.answers_ping

    assert "invalid username-password pair" in redis.refusal("not-the-password")


@pytest.mark.means("REDIS_DATA_LOST", "REDIS_READ_ONLY", "REDIS_OUT_OF_MEMORY", "REDIS_WRITE_FAILS")
def test_redis_keeps_a_value(redis: Redis, key: str) -> None:
    """A value that is written through the Service is read back through it."""
    redis.ask("SET", key, "kept")

    assert redis.ask("GET", key) == "kept"


@pytest.mark.means("REDIS_PERSISTENCE_OFF", "REDIS_WRITE_FAILS")
def test_redis_is_append_only(
    redis: Redis,
    persistent_redis: Spec,  # noqa: ARG001 - of those that keep their writes
) -> None:
    """Every write is appended to a file, and the last one succeeded."""
    assert redis.is_append_only
    written = redis.info("persistence")["aof_last_write_status"]
    equal(written, "ok", "REDIS_WRITE_FAILS", verbatim("aof_last_write_status"))


@pytest.mark.means("REDIS_VERSION_WRONG")
def test_redis_has_its_version(redis: Redis, versioned_redis: Spec) -> None:
    """What answers is Redis in the version that nova.yaml says."""
    assert str(redis.info("server")["redis_version"]).startswith(str(versioned_redis.version))


@pytest.mark.disruptive
@pytest.mark.storage
@pytest.mark.means("REDIS_DATA_LOST")
def test_redis_keeps_its_data_when_its_pod_is_deleted(
    healthy: None,  # noqa: ARG001
    persistent_redis: Spec,  # noqa: ARG001 - of those that keep their writes
    redis: Redis,
    key: str,
    kube: Kube,
    redis_pod: PodRef,
) -> None:
    """A value is still there after the pod was deleted and another server took its place."""
    before = redis.info("server")["run_id"]
    redis.ask("SET", key, "kept")

    await_successor(kube, redis_pod, kill(kube, redis_pod))

    assert redis.once_back("GET", key) == "kept"
    assert redis.info("server")["run_id"] != before
