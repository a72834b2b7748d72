"""What is wrong with a Redis, by what it answers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from nova_acceptance.checks import check
from nova_acceptance.components.redis.client import Redis, Word
from nova_acceptance.components.redis.sentinels import Sentinel, Server
from nova_acceptance.components.redis.spec import Redis as Spec
from nova_acceptance.findings import NOWHERE, Finding, Ref
from nova_acceptance.libraries import redis as redis_py
from nova_acceptance.phrase import Phrase

WRONG = "not-the-password"
KEPT = "kept"


@check
def silence(redis: Redis) -> Iterator[Finding]:
    """Find a Redis that does not answer PING with PONG when its password is given."""
    if not redis.answers_ping:
        yield Finding.here("CONNECTION_CUT", Phrase("Redis does not answer PING with PONG"))


@check
def missing_password(redis: Redis) -> Iterator[Finding]:
    """Find a Redis that serves whoever gives no password."""
    yield from silence(redis)
    said = redis.refusal_over_the_network(None)
    if "authentication required" not in said.lower():
        yield Finding.here(
            "REDIS_WITHOUT_PASSWORD",
            Phrase("without a password Redis answers PING with {said}", said=_said(said)),
        )


@check
def needless_password(redis: Redis) -> Iterator[Finding]:
    """Find a Redis that demands a password although nova.yaml names none."""
    if said := redis.refusal_over_the_network(None):
        yield Finding.here(
            "REDIS_WRONG_PASSWORD",
            Phrase("nova.yaml names no password, and Redis answers {said}", said=repr(said)),
        )


@check
def accepted_wrong_password(redis: Redis) -> Iterator[Finding]:
    """Find a Redis that serves whoever gives another password."""
    yield from silence(redis)
    said = redis.refusal_over_the_network(WRONG)
    if "invalid username-password pair" not in said:
        sentence = Phrase("to a wrong password Redis says {said}", said=_said(said))
        yield Finding.here("REDIS_WITHOUT_PASSWORD", sentence)


@check
def lost_value(redis: Redis, key: str) -> Iterator[Finding]:
    """Find a Redis in which a value that is written is not the one that is read."""
    redis.ask("SET", key, KEPT)
    yield from missing_value(redis, key)


@check
def missing_value(redis: Redis, key: str) -> Iterator[Finding]:
    """Find a Redis that no longer holds what was written under a key."""
    found: Word | None = redis.once_back("GET", key)
    if found != KEPT:
        yield Finding.here(
            "REDIS_DATA_LOST",
            Phrase("{key} was set to {wanted} and is {found}", key=key, wanted=KEPT, found=found),
        )


@check
def same_server(redis: Redis, before: str) -> Iterator[Finding]:
    """Find that the server answers still whose pod was deleted.

    Args:
        redis: who answers now.
        before: the `run_id` of the server that answered before.
    """
    if redis.info("server")["run_id"] == before:
        sentence = Phrase("the Redis answers whose pod was deleted, and not its successor")
        yield Finding.here("ENDPOINTS_STALE", sentence)


@check
def unkept_writes(redis: Redis) -> Iterator[Finding]:
    """Find a Redis that does not append every write to a file, or whose last one failed."""
    configured = redis.ask("CONFIG GET", "appendonly").get("appendonly")
    persistence = redis.info("persistence")
    if configured != "yes" or persistence["aof_enabled"] != 1:
        yield Finding.here(
            "REDIS_PERSISTENCE_OFF",
            Phrase(
                "appendonly is {configured}, and aof_enabled is {enabled}",
                configured=configured,
                enabled=persistence["aof_enabled"],
            ),
        )
    elif (status := persistence["aof_last_write_status"]) != "ok":
        sentence = Phrase("aof_last_write_status is {status}", status=status)
        yield Finding.here("REDIS_WRITE_FAILS", sentence)


@check
def wrong_version(redis: Redis, spec: Spec) -> Iterator[Finding]:
    """Find a Redis of another version than nova.yaml says."""
    found = str(redis.info("server")["redis_version"])
    if spec.version and not found.startswith(spec.version):
        yield Finding.here(
            "REDIS_VERSION_WRONG",
            Phrase(
                "Redis is version {found}, where nova.yaml says {wanted}",
                found=found,
                wanted=spec.version,
            ),
        )


@check
def lacking_replicas(redis: Redis, spec: Spec) -> Iterator[Finding]:
    """Find a Redis with fewer replicas that keep up with it than nova.yaml says."""
    replication = redis.info("replication")
    wanted = spec.runs.replicas - 1
    online = [
        each
        for name, each in replication.items()
        if name.startswith("slave") and isinstance(each, dict) and each.get("state") == "online"
    ]
    if replication["role"] != "master":
        sentence = Phrase("the Redis by which clients connect follows another one")
        yield Finding.here("REDIS_READ_ONLY", sentence)
    elif len(online) < wanted:
        yield Finding.here(
            "REDIS_REPLICAS_WANTED",
            Phrase(
                "{count} of {wanted} replicas of Redis are online", count=len(online), wanted=wanted
            ),
        )


@check
def wrong_primary(
    sentinels: Sequence[Sentinel], servers: Sequence[Server], spec: Spec
) -> Iterator[Finding]:
    """Find a Sentinel that names as primary anything but the server that is the primary."""
    yield from _no_sentinels(sentinels, spec)
    primaries = [server for server in servers if server.is_primary]
    for sentinel in sentinels:
        named = sentinel.redis.ask("SENTINEL GET-MASTER-ADDR-BY-NAME", _master(spec))
        if named is None:
            yield _unknown(sentinel, spec)
        elif not any(server.is_at(*named) for server in primaries):
            host, port = named
            yield Finding(
                "SENTINEL_PRIMARY_WRONG",
                sentinel.pod,
                Phrase(
                    "{sentinel} names {host}:{port} as the primary, which is {primary}",
                    sentinel=sentinel.name,
                    host=host,
                    port=port,
                    primary=[server.name for server in primaries] or Phrase("no server"),
                ),
            )


@check
def lost_quorum(sentinels: Sequence[Sentinel], spec: Spec) -> Iterator[Finding]:
    """Find Sentinels of which too few agree to make another server the primary."""
    yield from _no_sentinels(sentinels, spec)
    for sentinel in sentinels:
        try:
            # In words apart, or redis-py makes of the answer whether it is just "OK".
            sentinel.redis.ask("SENTINEL", "CKQUORUM", _master(spec))
        except redis_py.ResponseError as error:
            said = str(error)
            if "No such master" in said:
                yield _unknown(sentinel, spec)
            elif said.startswith("NOQUORUM"):
                yield Finding(
                    "SENTINEL_QUORUM_LOST",
                    _service(spec),
                    Phrase("{sentinel} says {said}", sentinel=sentinel.name, said=repr(said)),
                )
            else:
                raise


def _no_sentinels(sentinels: Sequence[Sentinel], spec: Spec) -> Iterator[Finding]:
    if not sentinels:
        sentence = Phrase("no Sentinel of {master} runs", master=_master(spec))
        yield Finding("SENTINEL_QUORUM_LOST", _service(spec), sentence)


def _unknown(sentinel: Sentinel, spec: Spec) -> Finding:
    sentence = Phrase(
        "{sentinel} knows no primary called {master}", sentinel=sentinel.name, master=_master(spec)
    )
    return Finding("SENTINEL_PRIMARY_WRONG", sentinel.pod, sentence)


def _master(spec: Spec) -> str:
    return spec.sentinel.master if spec.sentinel else ""


def _service(spec: Spec) -> Ref:
    return Ref("Service", spec.namespace, spec.sentinel.service) if spec.sentinel else NOWHERE


def _said(said: str) -> str:
    return repr(said) if said else "PONG"
