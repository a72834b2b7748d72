"""Recognising a Redis that no nova.yaml names, and what it says for itself."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import closing
from typing import Any, Final

from nova_acceptance.components.candidate import Candidate, Drafted
from nova_acceptance.components.kind import Access
from nova_acceptance.components.redis.client import Redis
from nova_acceptance.components.redis.spec import Redis as Spec
from nova_acceptance.components.redis.spec import Sentinel
from nova_acceptance.errors import NovaError
from nova_acceptance.findings import ref
from nova_acceptance.libraries import redis
from nova_acceptance.system import SecretKey

PORT: Final = 6379
SENTINEL_PORT: Final = 26379
_IMAGE: Final = re.compile(r"(^|[-_.])(redis|valkey|keydb)([-_.]|$)")
_BESIDE: Final = re.compile(r"exporter|sentinel|commander|insight|operator|proxy|client")
_SERVER: Final = re.compile(r"^(redis|valkey|keydb|redis-stack-server)$")
_APPENDS: Final = re.compile(r"(^|\s|--)appendonly[\s=]+[\"']?yes\b")
_MONITORS: Final = re.compile(r"^\s*sentinel\s+monitor\s+(\S+)", re.MULTILINE)
_OLDEST: Final = 3
_VARIABLES: Final = ("REDIS_PASSWORD", "REDISCLI_AUTH", "VALKEY_PASSWORD")


def recognises(candidate: Candidate) -> int:
    """Return how sure it is that a workload runs a Redis: by its image and its port."""
    ports = set(candidate.ports)
    if SENTINEL_PORT in ports and PORT not in ports:
        return 0  # a Sentinel, which is the same program
    is_named = any(_IMAGE.search(image) and not _BESIDE.search(image) for image in candidate.images)
    if PORT in ports:
        return 3 if is_named else 2
    return 2 if candidate.is_of_image(_SERVER) else 0


def draft(candidate: Candidate, access: Access | None) -> Drafted:
    """Return what nova.yaml says of it, asked of the server where there is a way to it."""
    drafted = Drafted({"services": candidate.service_fields("redis", _port(candidate))})
    homes = candidate.password_homes(*_VARIABLES)
    asked = _asked(candidate, access, homes, drafted) if access else None
    if asked is None:
        asked = _read(candidate, homes, drafted)
    drafted.fields |= asked
    if sentinel := _sentinel(candidate):
        drafted.fields["sentinel"] = sentinel
    return drafted


def _port(candidate: Candidate) -> int:
    """Return the port of its pods."""
    return PORT if PORT in candidate.ports else next(iter(candidate.ports), PORT)


def _asked(
    candidate: Candidate, access: Access, homes: Sequence[dict[str, str]], drafted: Drafted
) -> dict[str, Any] | None:
    """Return what the server says; None where it says nothing."""
    if not candidate.pods:
        drafted.remark("No pod of it is ready, so that it was not asked.", is_unknown=True)
        return None
    route = access.to_pod(candidate.pods[0], _port(candidate))
    try:
        with closing(Redis(route, None, access.transcript)) as open_:
            said = open_.refusal(None)
            if not said:
                return _told(open_, drafted)
        component = Spec(name=candidate.name, namespace=candidate.namespace)
        for home in homes:
            password = access.password(component, SecretKey(**home))
            with closing(Redis(route, password, access.transcript)) as client:
                if not client.refusal(password):
                    return {"password": home, **_told(client, drafted)}
    except (NovaError, redis.RedisError) as error:
        drafted.remark(f"It was not asked: {_line(error)}", is_unknown=True)
        return None
    drafted.remark(
        "It demands a password, and no Secret that could be read holds it: say which key does.",
        is_unknown=True,
    )
    return None


def _told(client: Redis, drafted: Drafted) -> dict[str, Any]:
    """Return what a server says to whoever may ask."""
    told: dict[str, Any] = {}
    try:
        appends = client.ask("CONFIG GET", "appendonly").get("appendonly") == "yes"
        told["persistence"] = "append-only" if appends else "none"
    except redis.RedisError as error:
        drafted.remark(
            f"Whether it appends every write to a file was not told: {_line(error)}",
            "persistence",
            is_unknown=True,
        )
    version = str(client.info("server").get("redis_version", ""))
    if major := version.partition(".")[0]:
        told["version"] = f"{major}."
    return told


def _read(
    candidate: Candidate, homes: Sequence[dict[str, str]], drafted: Drafted
) -> dict[str, Any]:
    """Return what the manifests say."""
    found: dict[str, Any] = {}
    if homes:
        found["password"] = homes[0]
    else:
        drafted.remark(
            "No Secret that it is given holds a password, so that it should demand none."
        )
    appends = any(_APPENDS.search(text) for text in candidate.texts)
    found["persistence"] = "append-only" if appends else "none"
    if not appends:
        drafted.remark(
            "Nothing in its configuration says `appendonly yes`, as far as that could be read.",
            "persistence",
        )
    if version := candidate.version_of(_IMAGE, _OLDEST):
        found["version"] = f"{version}."
    return found


def _sentinel(candidate: Candidate) -> dict[str, Any] | None:
    """Return the Service of the Sentinels of its namespace, where it has replicas."""
    services = [
        each
        for each in candidate.snapshot.of_kind("Service", candidate.namespace)
        if any(port["port"] == SENTINEL_PORT for port in each["spec"].get("ports") or ())
        and ref(each) in candidate.behind
    ]
    if candidate.replicas < 2 or not services:  # noqa: PLR2004 - a primary and another
        return None
    services.sort(key=lambda each: each["spec"].get("clusterIP") == "None")
    texts = (
        str(text)
        for config in candidate.snapshot.of_kind("ConfigMap", candidate.namespace)
        for text in (config.get("data") or {}).values()
    )
    names = [found[1] for text in texts if (found := _MONITORS.search(text))]
    made: dict[str, Any] = {"service": ref(services[0]).name}
    usual = Sentinel.model_fields["master"].default
    if names and names[0] != usual:
        made["master"] = names[0]
    return made


def _line(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
