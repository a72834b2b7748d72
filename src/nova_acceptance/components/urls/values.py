"""How values are written that programs are given, whatever nova.yaml says of them."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from nova_acceptance import secrecy
from nova_acceptance.checks import check
from nova_acceptance.components.kubernetes.addresses import addresses_in, service_meant
from nova_acceptance.components.kubernetes.marks import mark
from nova_acceptance.components.kubernetes.resolution import configured
from nova_acceptance.components.kubernetes.traits import Trait, held_traits, traits_of
from nova_acceptance.components.kubernetes.variables import Given, given
from nova_acceptance.components.urls.written import badly_written, not_text
from nova_acceptance.findings import Finding, Ref
from nova_acceptance.kube.snapshot import Snapshot
from nova_acceptance.phrase import Phrase
from nova_acceptance.system import parts

Place = tuple[Ref, str]

_ENVIRONMENT_KEY: Final = re.compile(
    r"(^|[_.-])((app|deploy|deployment)[_.-]?)?(env|environment|stage)$", re.IGNORECASE
)
_RUNTIMES: Final = ("node", "rails", "rack", "flask", "django", "mix", "babel", "dotnet", "core")
"""Whose variable of that name says how a program is built, and not where it runs."""
_ENVIRONMENTS: Final = {
    "production": ("prod", "production", "prd"),
    "staging": ("staging", "stage", "stg", "preprod", "preproduction", "uat"),
    "development": ("dev", "develop", "development"),
    "test": ("test", "testing", "qa"),
    "local": ("local",),
}


def values_as_written(snapshot: Snapshot) -> Iterator[Finding]:
    """Find passwords and variables that hold what nobody means; one diagnosis each object."""
    urls = {(url.holder, url.key) for url in parts.urls(snapshot.system, inside=True)}
    found: dict[tuple[str, Ref], list[Finding]] = defaultdict(list)
    for (where, key), traits in _judged(snapshot).items():
        if (where, key) in urls:
            continue  # `rules.urls_of_services` tells of those
        is_credential = (where, key) in passwords_of(snapshot) or secrecy.is_telling(key)
        for each in badly_written(where, key, traits, is_credential=is_credential):
            found[each.cause, where].append(each)
        if (where, key) in passwords_of(snapshot) and any(it.name == "bytes" for it in traits):
            found["VALUE_ENCODED_TWICE", where].append(not_text(where, key))
    yield from map(as_one, found.values())


def passwords_of(snapshot: Snapshot) -> frozenset[Place]:
    """Return where nova.yaml says that passwords are."""
    declared = parts.passwords(snapshot.system)
    return frozenset((Ref("Secret", namespace, name), key) for namespace, name, key in declared)


def as_one(findings: list[Finding]) -> Finding:
    """Return one finding for several of one cause at one object, with each as its evidence."""
    first, *more = findings
    if not more:
        return first
    return replace(
        first,
        summary=Phrase("{said} (and {more} more like it)", said=first.summary, more=len(more)),
        evidence=tuple(each.summary for each in findings),
    )


def values_of_another_environment(snapshot: Snapshot) -> Iterator[Finding]:
    """Find addresses of an environment that is not the one for which its namespace is set up."""
    own = _own_environments(snapshot)
    found: dict[Ref, list[Finding]] = defaultdict(list)
    seen: set[Place] = set()
    for each, namespace in _everything_given(snapshot):
        place = each.holder, each.key
        if place in seen or namespace not in own or "\n" in each.shape.strip():
            continue
        seen.add(place)
        (told, told_key), environment = own[namespace]
        for address in addresses_in(each.shape, each.holder, each.key):
            other = _environment_of(address.host, namespace, snapshot.system.zone)
            if other and other != environment:
                sentence = Phrase(
                    "{holder}, {key}, names {host}, of {other}, where {told}, {told_key}, says"
                    " {environment}",
                    holder=each.holder,
                    key=each.key,
                    host=address.host,
                    other=other,
                    told=told,
                    told_key=told_key,
                    environment=environment,
                )
                found[each.holder].append(
                    Finding("VALUE_OF_ANOTHER_ENVIRONMENT", each.holder, sentence)
                )
                break
    yield from map(as_one, found.values())


@check
def written_otherwise(snapshot: Snapshot, holder: Ref) -> Iterator[Finding]:
    """Find values of a ConfigMap or Secret that are written otherwise than anybody means."""
    for rule in BEFOREHAND:
        yield from (found for found in snapshot.told_by(rule) if found.subject == holder)


def _judged(snapshot: Snapshot) -> dict[Place, tuple[Trait, ...]]:
    """Return how values are written of which that matters: variables, and declared passwords.

    What is mounted as a file ends with the end of a line by right, and so does a password that its
    program reads from there.
    """
    found: dict[Place, tuple[Trait, ...]] = {}
    as_files: set[Place] = set()
    for each, _ in _everything_given(snapshot):
        place = each.holder, each.key
        if not each.name:
            as_files.add(place)
        elif each.is_spelled_out:
            # how it is spelled out is seen in full, but for passwords in URLs
            found[place] = tuple(it for it in traits_of(each.shape.encode()) if _is_seen(each, it))
        else:
            found[place] = held_traits(snapshot.at(each.holder), each.key)
    for place in passwords_of(snapshot):
        traits = held_traits(snapshot.at(place[0]), place[1])
        is_file = place in as_files and place not in found
        found[place] = tuple(it for it in traits if not (is_file and it.name.startswith("blank")))
    return {place: traits for place, traits in found.items() if traits}


def _is_seen(each: Given, trait: Trait) -> bool:
    if trait.name == "placeholder" and each.shape.strip().startswith("$("):
        return False  # the kubelet fills that in, where a workload spells it out
    return "://" not in each.shape or trait.name.startswith("blank") or trait.name == "quoted"


def _everything_given(snapshot: Snapshot) -> Iterator[tuple[Given, str]]:
    for user in configured(snapshot):
        namespace = user["metadata"].get("namespace", "")
        if not snapshot.system.components or namespace in snapshot.system.namespaces:
            for each in given(snapshot, user):
                yield each, namespace


def _own_environments(snapshot: Snapshot) -> dict[str, tuple[Place, str]]:
    """Return of each namespace what says for which environment it is set up, and for which.

    Where two values differ, nothing is certain.
    """
    told: dict[str, dict[str, Place]] = defaultdict(dict)
    for each, namespace in _everything_given(snapshot):
        key = each.name or each.key
        if not _ENVIRONMENT_KEY.search(key) or key.lower().startswith(_RUNTIMES):
            continue
        for environment, words in _ENVIRONMENTS.items():
            if each.shape.strip().lower() in words or each.shape in map(mark, words):
                told[namespace].setdefault(environment, (each.holder, each.key))
    return {
        namespace: next((where, environment) for environment, where in its.items())
        for namespace, its in told.items()
        if len(its) == 1
    }


def _environment_of(host: str, namespace: str, zone: str) -> str:
    """Return the environment that a host's name tells; of the own namespace, or of none, nothing.

    Of a name inside the cluster its namespace tells, of another one the labels before its domain.
    """
    meant = service_meant(host, namespace, zone)
    if meant and meant.namespace == namespace:
        return ""
    words = re.split(r"[.-]", meant.namespace if meant else host.rpartition(".")[0])
    for environment, its in _ENVIRONMENTS.items():
        if environment != "local" and not set(its).isdisjoint(words):
            return environment
    return ""


BEFOREHAND: Final = (values_as_written, values_of_another_environment)
