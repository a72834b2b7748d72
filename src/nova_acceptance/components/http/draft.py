"""What no other kind knows and has a port: found out by asking for a page, or from the probes."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

from nova_acceptance.components.candidate import Candidate, Drafted
from nova_acceptance.components.certificates.checks import wrong_time
from nova_acceptance.components.certificates.held import dns_names, shown_by
from nova_acceptance.components.kind import Access
from nova_acceptance.components.kubernetes.checks.services import CLUSTER_IP, is_headless, type_of
from nova_acceptance.errors import NovaError
from nova_acceptance.findings import Ref, ref
from nova_acceptance.kube import Object
from nova_acceptance.vantage.http import page
from nova_acceptance.vantage.questions import Get, Page
from nova_acceptance.vantage.routes import Route

_PATHS: Final = ("/health", "/healthz", "/")
_PROBES: Final = ("readinessProbe", "livenessProbe", "startupProbe")
_NAMED: Final = re.compile(r"^(http|web|api|rest|www)", re.IGNORECASE)
_GRPC: Final = re.compile(r"grpc|h2c", re.IGNORECASE)
_SECURE: Final = re.compile(r"\bhttps\b", re.IGNORECASE)
_WELL: Final = range(200, 400)


def recognises(candidate: Candidate) -> int:
    """Return that nothing speaks against it where a Service leads to it."""
    return int(any(each["spec"].get("ports") for each in candidate.services))


def draft(candidate: Candidate, access: Access | None) -> Drafted:
    """Return what nova.yaml says of it."""
    own = _own(candidate)
    main = _main(own)
    others = [port for port in own["spec"]["ports"] if port is not main]
    drafted = Drafted({"port": int(main["port"])})
    fields = drafted.fields
    if ref(own).name != candidate.name:
        fields["service"] = ref(own).name
    if (kind := type_of(own)) != CLUSTER_IP:
        fields["type"] = kind
    if is_headless(own):
        fields["headless"] = True
    if (name := str(main.get("name") or "http")) != "http":
        fields["port_name"] = name
    number = candidate.target_of(main)
    if number is not None and number != main["port"]:
        fields["target"] = main["targetPort"]
    if others:
        fields["ports"] = {str(port.get("name") or port["port"]): port["port"] for port in others}
    listed = candidate.service_fields("http", number)
    fields["services"] = [each for each in listed if each["name"] != ref(own).name] or None
    _protocol(candidate, access, main, number, drafted)
    return drafted


def _own(candidate: Candidate) -> Object:
    """Return the Service by which others connect: that of its name, or what most are told."""
    told = Counter(link.service for link in candidate.incoming)
    workload = ref(candidate.workload).name

    def key(service: Object) -> tuple[bool, bool, bool, int, str]:
        where = ref(service)
        has_none = not service["spec"].get("ports")
        names = (workload, candidate.name)
        is_other = where.name not in names
        return has_none, is_headless(service), is_other, -told[where], where.name

    return min(candidate.services, key=key)


def _main(service: Object) -> dict[str, Any]:
    """Return the port of a Service that is asked."""
    ports: list[dict[str, Any]] = service["spec"]["ports"]
    named = (port for port in ports if _NAMED.match(str(port.get("name") or "")))
    return next(named, ports[0])


def _protocol(
    candidate: Candidate,
    access: Access | None,
    port: dict[str, Any],
    number: int | None,
    drafted: Drafted,
) -> None:
    """Say what answers there, as far as it can be found out."""
    probed = list(_probed(candidate, number))
    words = f"{port.get('name') or ''} {port.get('appProtocol') or ''}"
    if _GRPC.search(words) or any(kind == "grpc" for kind, _ in probed):
        drafted.fields["protocol"] = "grpc"
        return
    is_secure = any(kind == "https" for kind, _ in probed) or bool(_SECURE.search(words))
    if is_secure:
        drafted.fields["protocol"] = "https"
    paths = [path for kind, path in probed if kind in ("http", "https")]
    if access and candidate.pods and number is not None:
        own = ref(_own(candidate))
        host = f"{own.name}.{own.namespace}.svc"
        questions = [
            Get(host, int(port["port"]), path, "https" if is_secure else "http")
            for path in dict.fromkeys((*paths, *_PATHS))
        ]
        _ask(candidate, access.to_pod(candidate.pods[0], number), own, questions, drafted)
        return
    if access:
        drafted.remark("No pod of it is ready, so that it was not asked.", is_unknown=True)
    if paths:
        drafted.fields["health"] = {"path": paths[0]}
        drafted.remark(
            "If its answer is JSON that tells its own name, say under which key: `names_itself`.",
            "health",
        )
    elif _NAMED.match(words.strip()) or "http" in words:
        drafted.remark("No probe asks it for a page: say by which it tells that it is well.")
    else:
        drafted.fields["protocol"] = "tcp"
        drafted.remark("Nothing says that it speaks HTTP: it is only connected to.", "protocol")


def _probed(candidate: Candidate, number: int | None) -> Iterator[tuple[str, str]]:
    """Yield how its probes ask its port: the protocol, and the path of a page."""
    for name in _PROBES:
        for container in candidate.containers:
            probe = container.get(name) or {}
            for field, kind in (("httpGet", "http"), ("grpc", "grpc")):
                asked = probe.get(field)
                if not asked:
                    continue
                port = asked.get("port")
                at = candidate.target_of({"port": 0, "targetPort": port}) if port else number
                if at in (number, None):
                    scheme = str(asked.get("scheme") or kind).lower()
                    yield scheme, str(asked.get("path") or "/")


def _ask(
    candidate: Candidate, route: Route, own: Ref, questions: list[Get], drafted: Drafted
) -> None:
    """Ask for pages until one is well."""
    told: list[str] = []
    for question in questions:
        try:
            found = page(route, question)
        except NovaError:
            break  # what speaks no HTTP does not speak it on the next path either
        if found.state != "answered":
            break
        path, status = question.path, found.status
        told.append(f"{path} with {status}")
        if status in _WELL and question.scheme == "https" and not _fits(found, own):
            drafted.fields["protocol"] = "tcp"
            drafted.remark(
                "It shows a certificate that has expired, or that does not hold its full name: it "
                "is only connected to.",
                "protocol",
            )
            return
        if status in _WELL:
            drafted.fields["health"] = _health(path, status, found.body, candidate.name)
            if told[1:]:
                drafted.remark(f"It answered {', '.join(told)}.", "health")
            return
    if told:
        drafted.remark(
            f"It answered {', '.join(told)}: say by which page it tells that it is well.",
            is_unknown=True,
        )
    else:
        drafted.fields["protocol"] = "tcp"
        spoken = "HTTP over TLS" if questions[0].scheme == "https" else "HTTP"
        drafted.remark(f"It does not answer {spoken}: it is only connected to.", "protocol")


def _fits(found: Page, own: Ref) -> bool:
    """Whether the certificate that was shown is one of now, for a Service by its full name."""
    shown = shown_by(own, found.certificate)
    if wrong_time(shown):
        return False
    full = f"{own.name}.{own.namespace}.svc.", f"*.{own.namespace}.svc."
    return any(name.startswith(full) for name in dns_names(shown.read()))


def _health(path: str, status: int, body: str, name: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if path != _PATHS[0]:
        found["path"] = path
    if status != _WELL.start:
        found["status"] = status
    try:
        told = json.loads(body)
    except ValueError:
        told = None
    if isinstance(told, dict):
        keys = [key for key, value in told.items() if value == name]
        if keys:
            found["names_itself"] = keys[0]
    return found or {"path": path}
