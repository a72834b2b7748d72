"""Configuration: keys that are wanted, and addresses that lead somewhere."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Final

from nova_acceptance.components.kubernetes import checks
from nova_acceptance.components.kubernetes.addresses import Address, addresses_in, addresses_of
from nova_acceptance.components.kubernetes.members import workload_of_component
from nova_acceptance.components.kubernetes.resolution import (
    configured,
    is_certain,
    missing_service,
    nearest,
    service_at,
)
from nova_acceptance.components.kubernetes.workloads import (
    Reference,
    containers,
    references,
    template,
)
from nova_acceptance.findings import Finding, Ref, ref
from nova_acceptance.kube import Object
from nova_acceptance.kube.snapshot import Snapshot
from nova_acceptance.phrase import Phrase
from nova_acceptance.system import Front, parts
from nova_acceptance.system.parts import front_of

_SOURCES: Final = {
    "Secret": ("secretKeyRef", "secretRef"),
    "ConfigMap": ("configMapKeyRef", "configMapRef"),
}
"""How a container names one key of an object, and all of them."""


def configuration_missing(snapshot: Snapshot) -> Iterator[Finding]:
    """Find objects of nova.yaml that are not there and that no pod waits for.

    For what a pod refers to, its start-up says so.
    """
    wanted = {each.target for each in _references(snapshot)}
    for item in snapshot.system.every_configuration:
        is_known = snapshot.knows(item.kind, item.namespace) and _has_namespace(snapshot, item.ref)
        if is_known and item.ref not in wanted:
            yield from checks.configuration.missing_configuration(snapshot, item)


def configuration_keys(snapshot: Snapshot) -> Iterator[Finding]:
    """Find keys that are missing, empty or undeclared in the objects of nova.yaml."""
    told_by_startup = {(each.target, each.key) for each in _references(snapshot) if each.key}
    for item in snapshot.system.every_configuration:
        told = frozenset(key for holder, key in told_by_startup if holder == item.ref)
        lacking = checks.configuration.missing_keys(snapshot, item, told)
        yield from lacking or checks.configuration.empty_values(snapshot, item)
        yield from checks.configuration.undeclared_keys(snapshot, item)


def stale_endpoint_url(snapshot: Snapshot) -> Iterator[Finding]:
    """Find addresses of Services that do not exist; one diagnosis for what holds them."""
    outside = {(url.holder, url.key) for url in parts.urls(snapshot.system, inside=False)}
    declared = _fronts(snapshot)
    found: dict[Ref, dict[tuple[str, str], tuple[Ref, set[str]]]] = defaultdict(dict)
    for user in configured(snapshot):
        for address in addresses_of(snapshot, user):
            missing = missing_service(snapshot, address, user)
            is_outside = (address.holder, address.key) in outside
            if missing is None or is_outside or missing in declared:
                continue  # of a Service that nova.yaml declares, the Service is what is missing
            value = address.key, str(address)
            found[address.holder].setdefault(value, (missing, set()))[1].add(str(ref(user)))
    for holder, values in found.items():
        (key, written), (missing, _) = next(iter(values.items()))
        users = sorted(set().union(*(its for _, its in values.values())))
        said = Phrase(
            "{holder}, {key}, names {written}, and there is no {missing}",
            holder=holder,
            key=key,
            written=written,
            missing=missing,
        )
        if len(values) > 1:
            said = Phrase(
                "{said} (and {more} more addresses like it)", said=said, more=len(values) - 1
            )
        yield Finding(
            "STALE_ENDPOINT_URL",
            holder,
            said,
            nearest(snapshot, missing),
            evidence=(
                *(f"{key}: {written}: no {lost}" for (key, written), (lost, _) in values.items()),
                f"read by {', '.join(users)}",
            ),
            concerns=tuple(lost for lost, _ in values.values()),
        )


def url_port_wrong(snapshot: Snapshot) -> Iterator[Finding]:
    """Find addresses whose Service exists and does not have their port."""
    seen: set[tuple[Ref, str, str]] = set()
    declared = _fronts(snapshot)
    for user in configured(snapshot):
        for address in addresses_of(snapshot, user):
            where = address.holder, address.key, str(address)
            service = service_at(snapshot, address, user["metadata"].get("namespace", ""))
            if service is None or where in seen or not _lacks_port(service, address):
                continue
            if address.port in declared.get(ref(service), ()):
                continue  # the address is as nova.yaml says; the Service is not
            seen.add(where)
            ports = [str(port["port"]) for port in service["spec"]["ports"]]
            yield Finding(
                "URL_PORT_WRONG",
                address.holder,
                Phrase(
                    "{holder}, {key}, names {address}, and {service} has no port {port}",
                    holder=address.holder,
                    key=address.key,
                    address=address,
                    service=ref(service),
                    port=address.port,
                ),
                Phrase("write {ports} in the place of {port}", ports=ports, port=address.port),
                evidence=(f"ports of {ref(service)}: {', '.join(ports)}", f"read by {ref(user)}"),
            )


def address_wrong(snapshot: Snapshot) -> Iterator[Finding]:
    """Find addresses of services that are not those of nova.yaml, where nothing else says so."""
    for item in snapshot.system.every_configuration:
        data = (snapshot.at(item.ref) or {}).get("data") or {}
        for key, spec in item.keys.items():
            text = str(data.get(key) or "").strip()
            if not (spec.address and text):
                continue
            front = front_of(snapshot.system.component(spec.address))
            addresses = addresses_in(text, item.ref, key)
            if front and not any(_is_told_of(snapshot, each, front) for each in addresses):
                yield from checks.configuration.wrong_address(snapshot, snapshot.system, item, key)


def _is_told_of(snapshot: Snapshot, address: Address, front: Front) -> bool:
    """Whether an address names a Service, or a port, that does not exist, which is said as such."""
    meant, own = service_at(snapshot, address, front.namespace), front.ref
    if meant is None:
        return ".svc" in f"{address.host}." or snapshot.at(own) is None
    is_of_another_port = address.port not in front.service.ports.values()
    return ref(meant) == own and is_of_another_port and _lacks_port(meant, address)


def variables_not_given(snapshot: Snapshot) -> Iterator[Finding]:
    """Find variables that no container of a component gets from where nova.yaml says."""
    for component in snapshot.system.components:
        user = workload_of_component(snapshot, component)
        for use in component.uses if user else ():
            key = snapshot.system.key_of(component, use)
            env = snapshot.system.env_of(component, use)
            holder = snapshot.system.holder_of(component, use)
            if key and env and user and not _is_given(user, env, holder, key):
                yield Finding(
                    "VARIABLE_NOT_GIVEN",
                    ref(user),
                    Phrase(
                        "no container of {workload} gets {variable} from {holder}, {key}",
                        workload=ref(user),
                        variable=env,
                        holder=holder,
                        key=key,
                    ),
                )


def _is_given(user: Object, env: str, holder: Ref, key: str) -> bool:
    """Whether a container of a workload has a variable that comes from a key of an object."""
    single, whole = _SOURCES[holder.kind]
    for container in containers(template(user)):
        for variable in container.get("env") or ():
            source = (variable.get("valueFrom") or {}).get(single) or {}
            if (variable["name"], source.get("name"), source.get("key")) == (env, holder.name, key):
                return True
        for entry in container.get("envFrom") or ():
            name = (entry.get(whole) or {}).get("name")
            if name == holder.name and f"{entry.get('prefix') or ''}{key}" == env:
                return True
    return False


def _lacks_port(service: Object, address: Address) -> bool:
    spec = service["spec"]
    ports = {port["port"] for port in spec.get("ports") or ()}
    if address.port is None or not ports or not is_certain(address):
        return False
    # by a headless Service, or another name, one reaches every port that listens behind it
    if spec.get("type") == "ExternalName" or spec.get("clusterIP") == "None":
        return False
    return address.port not in ports


def _references(snapshot: Snapshot) -> Iterator[Reference]:
    for user in configured(snapshot):
        yield from (it for it in references(user) if not it.is_optional)


def _has_namespace(snapshot: Snapshot, where: Ref) -> bool:
    return not snapshot.knows("Namespace") or bool(snapshot.get("Namespace", "", where.namespace))


def _fronts(snapshot: Snapshot) -> dict[Ref, set[int]]:
    """Return the ports of every Service that nova.yaml declares."""
    return {it.ref: set(it.service.ports.values()) for it in parts.fronts(snapshot.system)}


BEFOREHAND: Final = (
    configuration_missing,
    configuration_keys,
    stale_endpoint_url,
    url_port_wrong,
    address_wrong,
    variables_not_given,
)
