"""A nova.yaml as data with comments, from what there is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from pydantic import ValidationError

from nova_acceptance.components.candidate import Candidate, Drafted
from nova_acceptance.components.kind import Access, Kind
from nova_acceptance.components.kubernetes.checks.services import CLUSTER_IP
from nova_acceptance.components.kubernetes.status import status_of
from nova_acceptance.components.kubernetes.workloads import pods_of, template
from nova_acceptance.components.registry import kinds
from nova_acceptance.draft import posture
from nova_acceptance.draft.candidates import Landscape, survey
from nova_acceptance.draft.configuration import Configurations, configurations
from nova_acceptance.draft.conventions import common, holders, names_of
from nova_acceptance.draft.sources import Source
from nova_acceptance.draft.uses import Uses, uses_of
from nova_acceptance.errors import NovaError
from nova_acceptance.findings import ref
from nova_acceptance.kube.refusals import verbs_into_pods
from nova_acceptance.kube.snapshot import Snapshot
from nova_acceptance.system import Component, System
from nova_acceptance.system.base import Path

_TOKEN: Final = "/var/run/secrets/kubernetes.io/serviceaccount"  # noqa: S105 - a path
_ALLOWED: Final = "allowed"
_SIZES: Final = ("Ki", "Mi", "Gi", "Ti", "")


@dataclass(slots=True)
class Document:
    """What is written.

    Attributes:
        data: the document.
        comments: what stands above which field.
        unknown: what could not be found out, a line each.
        wrong: what is not well, a line each.
        to_decide: what a person has to decide, a line each.
        allows_undeclared: why what the file does not name has to be allowed, a line each.
        common: what is said of several components, and therefore once.
    """

    data: dict[str, Any] = field(default_factory=dict)
    comments: dict[Path, list[str]] = field(default_factory=dict)
    unknown: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    to_decide: list[str] = field(default_factory=list)
    allows_undeclared: list[str] = field(default_factory=list)
    common: set[str] = field(default_factory=set)

    def comment(self, text: str, *path: str | int) -> None:
        """Put a comment above a field."""
        self.comments.setdefault(path, []).append(text)


@dataclass(slots=True)
class _Made:
    """A component that was made of a candidate."""

    candidate: Candidate
    kind: Kind
    drafted: Drafted
    fields: dict[str, Any]
    component: Component


def describe(source: Source, access: Access | None) -> Document:
    """Return what nova.yaml says of what there is.

    Args:
        source: what was seen.
        access: the way to what runs; None where nothing is asked.
    """
    found = Document()
    ways = {place: access for place in source.namespaces if access and _may_ask(access, place)}
    if access:
        found.unknown += [
            f"this user may not open a port-forward in {place}, so that nothing there was asked"
            for place in source.namespaces
            if place not in ways
        ]
    landscape = survey(source.snapshot, source.namespaces)
    made = sorted(
        filter(
            None,
            (
                _made(each, ways.get(each.namespace), landscape, found)
                for each in landscape.candidates
            ),
        ),
        key=lambda each: _order(each, source),
    )
    system = _system(made, source)
    uses = uses_of(
        [each.candidate for each in made],
        landscape.outward,
        system,
    )
    held = configurations(
        source.snapshot,
        [each.candidate for each in made],
        system,
        holders(uses.by_component),
    )
    _write(found, source, made, system, uses)
    _write_configuration(found, held, uses)
    _say_what_is_wrong(found, source, landscape, made)
    _allow(found, source.snapshot, landscape, made)
    return found


def _may_ask(access: Access, namespace: str) -> bool:
    try:
        verbs = verbs_into_pods(access.kube.server_version)
        return all(access.kube.can_i(verb, "", "pods/portforward", namespace) for verb in verbs)
    except NovaError:
        return True  # whoever tries it will be told


def _made(
    candidate: Candidate, access: Access | None, landscape: Landscape, found: Document
) -> _Made | None:
    """Return the component that a workload runs; None where no kind can name it."""
    drafting = [(each.drafting, each) for each in kinds() if each.drafting]
    sure = [(found_.recognises(candidate), kind) for found_, kind in drafting]
    best, kind = max(sure, key=lambda each: each[0], default=(0, None))
    where = ref(candidate.workload)
    if kind is None or not best or kind.drafting is None:
        landscape.unsaid.append(f"{where} has no Service with a port, by which it could be asked")
        return None
    drafted = kind.drafting.draft(candidate, access)
    fields = _fields(candidate, kind, drafted)
    try:
        component = kind.spec.model_validate(_frozen(fields))
        if level := posture.level(candidate, component.workload):
            fields = _with_level(fields, level, drafted)
            component = kind.spec.model_validate(_frozen(fields))
    except ValidationError as error:
        problem = error.errors()[0]
        place = ".".join(str(step) for step in problem["loc"])
        landscape.unsaid.append(f"{where}: nova.yaml cannot say its {place}")
        return None
    problems = [message for _, message in component.problems()]
    if problems:
        landscape.unsaid.append(f"{where}: {problems[0]}")
        return None
    for remark in drafted.remarks:
        if remark.is_unknown:
            found.unknown.append(f"{candidate.name}: {remark.text}")
    return _Made(candidate, kind, drafted, fields, component)


def _fields(candidate: Candidate, kind: Kind, drafted: Drafted) -> dict[str, Any]:
    """Return a component's fields in the order in which people write them."""
    fields: dict[str, Any] = {
        "kind": kind.name,
        "name": candidate.name,
        "namespace": candidate.namespace,
    }
    if workload := _workload(candidate, kind, drafted):
        fields["workload"] = workload
    fields |= drafted.fields
    fields = {key: value for key, value in fields.items() if value is not None}
    services = [*candidate.services]
    for each in services:
        if (type_ := each["spec"].get("type") or CLUSTER_IP) != CLUSTER_IP:
            drafted.remark(
                f"The Service {ref(each).name} is of type {type_}, where nova.yaml means ClusterIP:"
                " the verification will find it."
            )
    return _with_client(candidate, kind, fields)


def _with_level(fields: dict[str, Any], level: str, drafted: Drafted) -> dict[str, Any]:
    """Say to which level the pods keep."""
    drafted.remark(
        f"The pods keep to the level `{level}` of the Pod Security Standards. Take that away, where"
        " they should keep to `restricted`."
    )
    first = {key: fields[key] for key in ("kind", "name", "namespace")}
    return {
        **first,
        "workload": {**fields.get("workload", {}), "pod_security": level},
        **{key: value for key, value in fields.items() if key not in (*first, "workload")},
    }


def _with_client(candidate: Candidate, kind: Kind, fields: dict[str, Any]) -> dict[str, Any]:
    """Name the Service by which others connect, where it is not the usual one."""
    told: dict[str, int] = {}
    for link in candidate.incoming:
        told[link.service.name] = told.get(link.service.name, 0) + 1
    if not told:
        return fields
    try:
        usual = kind.spec.model_validate(_frozen(fields)).client_service
    except ValidationError:
        return fields
    most = max(told, key=lambda name: told[name])
    if usual is None or told.get(usual.name, 0) >= told[most]:
        return fields
    place = list(fields).index("services") + 1 if "services" in fields else len(fields)
    pairs = list(fields.items())
    return dict([*pairs[:place], ("client", most), *pairs[place:]])


def _workload(candidate: Candidate, kind: Kind, drafted: Drafted) -> dict[str, Any]:
    where, spec = ref(candidate.workload), candidate.workload["spec"]
    made: dict[str, Any] = {}
    if where.kind != kind.spec.usual_workload:
        made["kind"] = where.kind
    if where.name != candidate.name:
        made["name"] = where.name
    if candidate.replicas != 1:
        made["replicas"] = candidate.replicas
    claims = {
        str(entry["metadata"]["name"]): _size(entry)
        for entry in spec.get("volumeClaimTemplates") or ()
    }
    if any(size is None for size in claims.values()):
        drafted.allows_undeclared = True
        drafted.remark("Its claims have a size that nova.yaml cannot say.", "workload")
    elif claims:
        made["claims"] = claims
    if _holds_token(candidate):
        made["api_token"] = True
    return made


def _size(entry: Mapping[str, Any]) -> str | None:
    requests = (entry["spec"].get("resources") or {}).get("requests") or {}
    size = str(requests.get("storage", ""))
    number = size.rstrip("KMGTi")
    is_said = number.isdigit() and not number.startswith("0") and size[len(number) :] in _SIZES
    return size if is_said else None


def _holds_token(candidate: Candidate) -> bool:
    """Whether its containers hold a token of the API: as its pods do, else as its template says."""
    if pods := pods_of(candidate.snapshot, candidate.workload):
        containers = [it for pod in pods for it in pod["spec"].get("containers") or ()]
        return any(
            mount.get("mountPath") == _TOKEN
            for it in containers
            for mount in it.get("volumeMounts") or ()
        )
    spec = template(candidate.workload)["spec"]
    wanted = spec.get("automountServiceAccountToken")
    if wanted is None:
        account = candidate.snapshot.get(
            "ServiceAccount", candidate.namespace, spec.get("serviceAccountName") or "default"
        )
        wanted = (account or {}).get("automountServiceAccountToken")
    return wanted is not False


def _frozen(value: Any) -> Any:
    """Return data with tuples for its lists, as the reader of a file makes it."""
    if isinstance(value, Mapping):
        return {key: _frozen(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return tuple(map(_frozen, value))
    return value


def _order(made: _Made, source: Source) -> tuple[bool, int, str, str]:
    """Return where a component stands: infrastructure first, then by namespace."""
    candidate = made.candidate
    is_service = made.component.layer == "services"
    place = source.namespaces.index(candidate.namespace)
    return is_service, place, made.kind.name, candidate.name


def _system(made: Iterable[_Made], source: Source) -> System:
    return System(zone=source.zone, components=tuple(each.component for each in made))


def _write(found: Document, source: Source, made: list[_Made], system: System, uses: Uses) -> None:
    """Write all but the configuration."""
    if source.zone != System(components=()).zone:
        found.data["zone"] = source.zone
    shared = common(uses.by_component, system)
    found.data["components"] = []
    _say_once(found, made)
    for each in made:
        name = each.component.name
        its = [
            shared.use(name, use, names_of(use.target, system))
            for use in uses.by_component.get(name, ())
        ]
        _write_component(found, each, its, uses.remarks.get(name, ()))
    if uses.external:
        found.data["external"] = [_external(name, at) for name, at in uses.external.items()]
        found.comment("Outside of what is described: declared, and not verified.", "external")
    if shared.fields:
        found.data["conventions"] = shared.fields
    for holder, names in uses.addresses.items():
        found.to_decide.append(
            f"{holder} tells everybody the addresses of {', '.join(sorted(names))}: which of them a"
            " service uses, `uses` has to say."
        )


def _say_once(found: Document, made: Iterable[_Made]) -> None:
    """Put at the head what is said of several components."""
    users: dict[str, list[str]] = {}
    for each in made:
        for text in dict.fromkeys(it.text for it in each.drafted.remarks if not it.is_unknown):
            users.setdefault(text, []).append(each.component.name)
    for text, names in users.items():
        if len(names) > 1:
            found.common.add(text)
            found.to_decide.append(f"{', '.join(names)}: {text}")


def _write_component(
    found: Document, made: _Made, uses: Iterable[Any], remarks: Iterable[str]
) -> None:
    """Write a component with its uses, and put comments at it."""
    index, fields = len(found.data["components"]), dict(made.fields)
    if its := list({str(use): use for use in uses}.values()):
        fields["uses"] = its
    found.data["components"].append(fields)
    for remark in made.drafted.remarks:
        if remark.text not in found.common:
            path = [step for step in remark.path[:1] if step in fields]
            found.comment(remark.text, "components", index, *path)
    for text in dict.fromkeys(remarks):
        found.comment(text, "components", index, *(["uses"] if its else []))


def _write_configuration(found: Document, held: Configurations, uses: Uses) -> None:
    if held.listed:
        found.data["configuration"] = held.listed
    if held.certificates:
        found.data["certificates"] = held.certificates
    if uses.open:
        found.data["reachability"] = {
            "open": [{"from": origin, "to": to} for origin, to in uses.open]
        }
        found.comment("No use says so: what they are configured with does.", "reachability")
    for (part, index), texts in held.remarks.items():
        for text in texts:
            found.comment(text, part, index)
    found.to_decide[:0] = held.head


def _external(name: str, at: tuple[str, int] | None) -> dict[str, Any]:
    return {"name": name, **({"host": at[0], "port": at[1]} if at else {})}


def _say_what_is_wrong(
    found: Document, source: Source, landscape: Landscape, made: Iterable[_Made]
) -> None:
    """Say what could not be read, what is not ready, and what the objects show to be wrong."""
    found.unknown += [f"not read: {line}" for line in source.snapshot.unread]
    found.to_decide += landscape.loose
    for each in made:
        found.wrong += [
            f"{it.cause}: {it.summary}"
            for it in posture.findings(each.candidate, each.component.workload)
        ]
    if not source.is_live:
        return
    for each in made:
        status = status_of(each.candidate.workload)
        if not status.is_current:
            where = ref(each.candidate.workload)
            found.wrong.append(f"{where} is not ready: {status.message or status.reason}")


def _allow(
    found: Document, snapshot: Snapshot, landscape: Landscape, made: Iterable[_Made]
) -> None:
    """Allow what the file does not name, where there is something that it cannot name."""
    made = list(made)
    claimed = {(it.namespace, it.name) for each in made for it in each.component.workload.claimed}
    homes = {each.component.namespace for each in made}
    spare = [
        str(ref(each))
        for each in snapshot.of_kind("PersistentVolumeClaim")
        if ref(each).namespace in homes and ref(each)[1:] not in claimed
    ]
    reasons = [*dict.fromkeys(landscape.unsaid)]
    reasons += [
        f"{each.component.name} holds what nova.yaml cannot say"
        for each in made
        if each.drafted.allows_undeclared
    ]
    reasons += [f"{each} is no claim of a template" for each in spare]
    found.allows_undeclared += reasons
