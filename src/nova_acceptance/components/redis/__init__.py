"""Redis: its part of nova.yaml, its client, and what goes wrong with it."""

from __future__ import annotations

from typing import Final

from nova_acceptance.components.kind import ALONE, Access, Check, Drafting, Kind, where
from nova_acceptance.components.redis import (
    answers,
    checks,
    draft,
    keys,
    rules,
    spec,
    survival,
    urls,
)
from nova_acceptance.components.redis.client import Redis


def connect(access: Access, component: spec.Redis) -> Redis:
    """Return a client of a Redis through its Service, as its users reach it."""
    home = component.password
    password = access.password(component, home) if home else None
    return Redis(access.to_service(component), password, access.transcript)


_HAS = spec.COMPONENTS
CHECKS: Final = (
    Check(checks.silence, where(_HAS["redis_spec"], ALONE)),
    Check(checks.missing_password, where(_HAS["guarded_redis"], ALONE)),
    Check(checks.accepted_wrong_password, where(_HAS["guarded_redis"], ALONE)),
    Check(checks.needless_password, where(_HAS["open_redis"], ALONE)),
    Check(checks.unkept_writes, where(_HAS["persistent_redis"], ALONE)),
    Check(checks.wrong_version, where(_HAS["versioned_redis"])),
    Check(checks.lacking_replicas, where(_HAS["replicated_redis"])),
)

KIND = Kind(
    name="redis",
    spec=spec.Redis,
    live=rules.LIVE,
    answer=answers.of_error,
    connect=connect,
    urls=urls,
    components=spec.COMPONENTS,
    checks=CHECKS,
    fixtures="nova_acceptance.components.redis.fixtures",
    markers={"redis": "Redis"},
    drafting=Drafting(draft.recognises, draft.draft),
    holding=survival.holding,
    clear=keys.clear,
)
