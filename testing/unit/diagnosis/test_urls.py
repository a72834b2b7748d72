"""URLs against nova.yaml, by what can be seen of them: the same to the rule and to the test."""

from __future__ import annotations

import pytest

from nova_acceptance.components.kubernetes.marks import mark
from nova_acceptance.components.kubernetes.shapes import shape
from nova_acceptance.components.kubernetes.traits import traits_of
from nova_acceptance.components.urls import checks
from nova_acceptance.components.urls.held import HeldUrl
from nova_acceptance.findings import Ref
from nova_acceptance.kube import Object
from nova_acceptance.system import Url
from testing.unit.diagnosis.rendered import Nova, system
from testing.unit.system.specs import spec

HOLDER = Ref("Secret", "nova-services", "user-service-secrets")
REDIS = Url(HOLDER, "REDIS_URL", "redis", None)
DATABASE = Url(HOLDER, "DATABASE_URL", "nova_auth", None)
HOST = "redis-service.nova-redis.svc.cluster.local"
PRIMARY = "postgres-primary.nova-database.svc.cluster.local"


def found(url: Url, text: str) -> list[str]:
    held = HeldUrl.of(url, system(), shape(text.encode()), traits_of(text.encode()))
    assert held is not None
    every = checks.differing_url(held)
    assert {each.subject for each in every} <= {HOLDER}
    assert all("s3cret" not in f"{each.headline} {each.evidence}" for each in every)
    return [each.cause for each in every]


@pytest.mark.parametrize(
    "text",
    [
        f"redis://:s3cret@{HOST}:6379/0",
        f"redis://:s3cret@{HOST}:6379",
        f"rediss://:s3cret@{HOST}:6379/0?ssl_cert_reqs=none",
        # the port that is meant where none is written
        f"redis://:s3cret@{HOST}/0",
        # every form of the name works from every namespace
        "redis://:s3cret@redis-service.nova-redis:6379",
        "redis://:s3cret@redis-service.nova-redis.svc:6379",
        f"redis://:s3cret@{HOST}.:6379",
    ],
)
def test_url_of_redis_that_is_right(text: str) -> None:
    assert found(REDIS, text) == []


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("soon", "URL_MALFORMED"),
        (HOST, "URL_MALFORMED"),
        (f"see redis://:s3cret@{HOST}:6379", "URL_MALFORMED"),
        (f'"redis://:s3cret@{HOST}:6379"', "VALUE_IN_QUOTES"),
        (f"redis://{HOST}:6379,redis://{HOST}:6379", "URL_MALFORMED"),
        (f"http://:s3cret@{HOST}:6379", "URL_SCHEME_WRONG"),
        ("redis://:s3cret@redis.nova-redis.svc.cluster.local:6379", "URL_TARGET_WRONG"),
        ("redis://:s3cret@redis-service:6379", "URL_TARGET_WRONG"),
        ("redis://:s3cret@redis-service.nova-services:6379", "URL_TARGET_WRONG"),
        ("redis://:s3cret@redis-service.nova-redis.svc.other.zone:6379", "URL_TARGET_WRONG"),
        ("redis://:s3cret@redis-0.redis-service.nova-redis.svc:6379", "URL_TARGET_WRONG"),
        ("redis://:s3cret@cache.example.com:6379", "URL_TARGET_WRONG"),
        ("redis://:s3cret@10.96.1.2:6379/0", "URL_TARGET_WRONG"),
        ("redis://:s3cret@[fd00::2]:6379/0", "URL_TARGET_WRONG"),
        (f"redis://:s3cret@{HOST}:6380", "URL_PORT_WRONG"),
    ],
)
def test_url_of_redis_that_is_wrong(text: str, cause: str) -> None:
    assert found(REDIS, text) == [cause]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"postgresql://app_user:s3cret@{PRIMARY}:5432/nova_auth", []),
        (f"postgres+asyncpg://app_user:s3cret@{PRIMARY}/nova_auth", []),
        (f"postgresql://app_user:s3cret@{PRIMARY}:5432/nova_messaging", ["URL_DATABASE_WRONG"]),
        (f"postgresql://app_user:s3cret@{PRIMARY}:5432", ["URL_DATABASE_WRONG"]),
        (f"postgresql://nova_owner:s3cret@{PRIMARY}:5432/nova_auth", ["URL_USER_WRONG"]),
        (f"postgresql://{PRIMARY}:5432/nova_auth", ["URL_USER_WRONG"]),
        (
            f"mysql://root:s3cret@{PRIMARY.replace('primary', 'replicas')}:3306/shop",
            ["URL_SCHEME_WRONG", "URL_TARGET_WRONG", "URL_DATABASE_WRONG", "URL_USER_WRONG"],
        ),
    ],
)
def test_url_of_a_database(text: str, expected: list[str]) -> None:
    assert found(DATABASE, text) == expected


def test_port_that_the_service_has_for_something_else_leads_elsewhere() -> None:
    two = spec("""
components:
  - kind: redis
    name: redis
    namespace: data
    services: [{name: redis, ports: {redis: 6380, metrics: 9121}}]
""")
    url = Url(Ref("Secret", "data", "s"), "REDIS_URL", "redis", None)

    def causes(text: str) -> list[str]:
        held = HeldUrl.of(url, two, shape(text.encode()))
        assert held is not None
        return [each.cause for each in checks.differing_url(held)]

    assert causes("redis://redis:6380") == []
    assert causes("redis://redis:9121") == ["URL_TARGET_WRONG"]
    assert causes("redis://redis:7000") == ["URL_PORT_WRONG"]
    # without one it is the usual port that is asked
    assert causes("redis://redis") == ["URL_TARGET_WRONG"]


def test_target_without_urls_has_none_to_judge() -> None:
    assert HeldUrl.of(Url(HOLDER, "A", "kafka", None), system(), "") is None
    assert HeldUrl.of(Url(HOLDER, "A", "etcd", None), system(), "") is None


def test_several_urls_of_one_secret_are_one_diagnosis() -> None:
    nova = Nova()
    for key, usual in (("REDIS_URL", "redis:"), ("DATABASE_URL", "postgresql:")):
        nova.rewrite("Secret/user-service-secrets", key, usual, "http:")

    (one,) = nova.diagnoses()
    assert one.cause == "URL_SCHEME_WRONG"
    assert one.summary.endswith("(and 1 more like it)")
    assert len(one.evidence) == 2


@pytest.mark.parametrize(
    ("holder", "expected"),
    [
        (None, ["CONFIGURATION_MISSING"]),
        ({"data": None}, ["CONFIGURATION_KEY_MISSING"]),
        ({"data": {"KAFKA": ""}}, ["CONFIGURATION_KEY_MISSING"]),
        ({"data": {"KAFKA": mark("")}}, ["CONFIGURATION_KEY_MISSING"]),
        ({"data": {"KAFKA": mark("kafka:9092")}}, []),
    ],
)
def test_address_of_a_system_outside(holder: Object | None, expected: list[str]) -> None:
    url = Url(HOLDER, "KAFKA", "kafka", None)

    assert [each.cause for each in checks.missing_address(holder, url)] == expected
