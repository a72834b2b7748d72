"""Whether what a Redis holds would outlive it, by its own word."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from nova_acceptance.components.kind import Access
from nova_acceptance.components.peril import Holding, Peril
from nova_acceptance.components.redis.client import Redis
from nova_acceptance.components.redis.spec import Redis as Spec
from nova_acceptance.findings import Ref
from nova_acceptance.kube import PodRef
from nova_acceptance.libraries import redis as redis_py
from nova_acceptance.phrase import Phrase

_ASKED: Final = ("dir", "appendonly", "save")
_LAST: Final = ("rdb_last_bgsave_status", "aof_last_write_status", "aof_last_bgrewrite_status")


def holding(access: Access, _client: Redis, component: Spec, pod: PodRef) -> Holding:
    """Return where the Redis of a pod keeps its data, and why its loss would cost some.

    It is asked at the pod itself: of several, others may be behind the Service.
    """
    home = component.password
    password = access.password(component, home) if home else None
    redis = Redis(access.to_pod(pod, component.client_port or 6379), password, access.transcript)
    where = Ref("Pod", pod.namespace, pod.name)
    try:
        said = {name: str(redis.ask("CONFIG GET", name).get(name, "")) for name in _ASKED}
        return Holding(said["dir"], tuple(perils(where, said, redis.info("persistence"))))
    except redis_py.ResponseError as error:
        sentence = Phrase("Redis does not tell whether it keeps anything: {said}", said=error)
        cure = Phrase("let the user as whom it is asked call CONFIG GET and INFO")
        return Holding(perils=(Peril(where, sentence, cure),))
    finally:
        redis.close()


def perils(where: Ref, said: dict[str, str], persistence: dict[str, Any]) -> Iterator[Peril]:
    """Yield what Redis would lose.

    Source: Redis' manual, "INFO", section Persistence.

    Args:
        where: its pod.
        said: `appendonly` and `save`, as CONFIG GET has them.
        persistence: that section.
    """
    cure = Phrase("set `appendonly yes`, or say in nova.yaml that nothing is kept")
    if persistence.get("loading"):
        sentence = Phrase("Redis in {pod} is still reading its data", pod=where)
        yield Peril(where, sentence, Phrase("try again once it has read them"))
    if said["appendonly"] != "yes":
        unsaved = int(persistence.get("rdb_changes_since_last_save", 0))
        if not said["save"].strip():
            sentence = Phrase("Redis in {pod} neither appends its writes nor saves", pod=where)
            yield Peril(where, sentence, cure)
        elif unsaved:
            sentence = Phrase(
                "Redis in {pod} appends no writes, and {count} changes are not saved yet",
                pod=where,
                count=unsaved,
            )
            yield Peril(where, sentence, cure)
    for name in _LAST:
        if (status := persistence.get(name, "ok")) != "ok":
            sentence = Phrase(
                "Redis in {pod} says {name} {status}", pod=where, name=name, status=status
            )
            yield Peril(where, sentence, Phrase("see its log, and whether its volume has room"))
