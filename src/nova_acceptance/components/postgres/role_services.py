"""Services for one role of PostgreSQL, and the right by which labels follow the roles.

Patroni, or a callback of it, writes each member's role into a label of its pod; a Service for a
role selects by that label. Which label it is, and how the roles are spelt, differs between systems.
Source: https://patroni.readthedocs.io/en/latest/kubernetes.html, `role_label`, and Kubernetes'
"Using RBAC Authorization".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from nova_acceptance.components.kubernetes.members import (
    pods_of_component,
    workload_of_component,
)
from nova_acceptance.components.postgres.spec import Postgres
from nova_acceptance.findings import Finding, Ref, ref
from nova_acceptance.kube import Object
from nova_acceptance.kube.snapshot import Snapshot
from nova_acceptance.phrase import Phrase

LEADS: Final = frozenset({"primary", "master", "leader", "promoted"})
"""What operators and Patroni write into the label of the member that leads."""
FOLLOWS: Final = frozenset({"replica", "standby", "slave", "secondary", "follower", "sync_standby"})
"""What they write into those of the others."""
_PRIMARY: Final = "primary"
_ANY: Final = "*"
_REFUSED: Final = re.compile(
    r'is forbidden: User \\*"system:serviceaccount:(?P<home>[^:"\\]+):(?P<account>[^"\\]+)\\*" '
    r'cannot (?P<verb>patch|update) resource \\*"pods'
)
"""The API's refusal; in JSON its quotes have backslashes before them."""
_CUT: Final = re.compile(r"(?i)\b403\b|\bforbidden\b")
"""What is left of it where a log keeps only the beginning of an answer."""
_FAILS: Final = re.compile(r"(?i)forbidden|40[13]|error|fail|retry|still|cannot|warn")


class Refusal(NamedTuple):
    """What the API did not let a member do: to label its pod."""

    pod: str
    home: str
    account: str
    verb: str

    @property
    def by(self) -> Ref:
        """The account that lacks the right."""
        return Ref("ServiceAccount", self.home, self.account)


def wrong_role_selected(snapshot: Snapshot) -> Iterator[Finding]:
    """Find Services for one role whose selector asks for the other, or for none."""
    for component in snapshot.system.of(Postgres):
        if not component.is_replicated:
            continue
        for each in component.services:
            found = snapshot.get("Service", component.namespace, each.name)
            if each.role and found and found["spec"].get("selector"):
                yield from _wrong_role(snapshot, component, found, each.role)


def _wrong_role(
    snapshot: Snapshot, component: Postgres, service: Object, role: str
) -> Iterator[Finding]:
    selector = service["spec"]["selector"]
    pods = pods_of_component(snapshot, component)
    labels = [pod["metadata"].get("labels") or {} for pod in pods]
    label, asked = _role_asked(component, selector)
    wanted, other = (LEADS, FOLLOWS) if role == _PRIMARY else (FOLLOWS, LEADS)
    where = ref(service)
    if asked in other:
        carrying = [
            pod["metadata"]["name"]
            for pod, its in zip(pods, labels, strict=True)
            if its.get(label) == asked
        ]
        sentence = Phrase(
            "{service} is for the role {role}, and selects {label}={value}, the label of {pods}",
            service=where,
            role=role,
            label=label,
            value=asked,
            pods=carrying or Phrase("no pod now"),
        )
    elif not asked and component.role_label and _selects_members(selector, labels):
        label = component.role_label
        sentence = Phrase(
            "{service} is for the role {role}, and selects every member of {workload}, for its "
            "selector lacks {label}",
            service=where,
            role=role,
            workload=component.workload.ref,
            label=label,
        )
    else:
        return
    there = sorted({its.get(label, "") for its in labels} & wanted)
    value = there[0] if there else role
    yield Finding(
        "PRIMARY_SERVICE_ASTRAY",
        where,
        sentence,
        Phrase("select {label}={value} in {service}", label=label, value=value, service=where),
        evidence=(
            f"selector: {', '.join(f'{key}={it}' for key, it in selector.items())}",
            *(
                f"{ref(pod)}: {label}={its.get(label, '(none)')}"
                for pod, its in zip(pods, labels, strict=True)
            ),
        ),
    )


def _role_asked(component: Postgres, selector: dict[str, str]) -> tuple[str, str]:
    """Return the label that a selector asks a role by, and the role; both empty where it does not.

    Where nova.yaml does not say which label it is, it is the one whose value is the name of a role.
    """
    if component.role_label:
        label = component.role_label
        return (label, selector[label]) if label in selector else ("", "")
    named = (pair for pair in selector.items() if pair[1] in LEADS | FOLLOWS)
    return next(named, ("", ""))


def _selects_members(selector: dict[str, str], labels: list[dict[str, str]]) -> bool:
    return bool(labels) and all(selector.items() <= its.items() for its in labels)


def label_forbidden(snapshot: Snapshot) -> Iterator[Finding]:
    """Find that the account of a PostgreSQL's pods may not write their labels, by their logs.

    Why it may not is said where Roles and RoleBindings may be read; where these grant it, what the
    log says is over.
    """
    for component in snapshot.system.of(Postgres):
        found = workload_of_component(snapshot, component)
        refusals = list(_refusals(snapshot, component))
        if found is None or not refusals:
            continue
        first = refusals[0]
        why = _why(snapshot, first)
        if why is None:
            continue
        said, cure = why
        pods = sorted({each.pod for each in refusals})
        sentence = Phrase(
            "{account} may not {verb} pods, so that the labels of {pods} do not follow their "
            "roles: {why}",
            account=first.by,
            verb=first.verb,
            pods=pods,
            why=said,
        )
        seen = tuple(
            f"Pod {name}: HTTP 403, {first.by} cannot {first.verb} pods in {component.namespace}"
            for name in pods
        )
        yield Finding("ROLE_LABEL_FORBIDDEN", ref(found), sentence, cure, evidence=seen)


def _refusals(snapshot: Snapshot, component: Postgres) -> Iterator[Refusal]:
    accounts = {
        pod["metadata"]["name"]: pod["spec"].get("serviceAccountName") or "default"
        for pod in pods_of_component(snapshot, component)
    }
    for (namespace, name, _), logs in sorted(snapshot.logs.items()):
        if namespace != component.namespace or name not in accounts:
            continue
        own = Refusal(name, namespace, accounts[name], "patch")
        for log in logs:
            if not log.previous and (found := _last_refused(log.text, component.role_label, own)):
                yield found


def _last_refused(text: str, label: str | None, own: Refusal) -> Refusal | None:
    """Return the refusal that a log ends with; None where the label was written after it.

    Args:
        text: the log.
        label: the label by which a pod tells its role; None where it is not known.
        own: what was refused where the log keeps too little of the answer to say it.
    """
    said = None
    for line in text.splitlines():
        if found := _REFUSED.search(line):
            said = own._replace(home=found["home"], account=found["account"], verb=found["verb"])
        elif label and label in line:
            if _CUT.search(line):
                said = own
            elif not _FAILS.search(line):
                said = None
    return said


def _why(snapshot: Snapshot, refusal: Refusal) -> tuple[Phrase, Phrase] | None:
    """Return why an account lacks a right, and the cure; None where it has it by now."""
    home = refusal.home
    general = Phrase(
        "let a Role of {namespace} allow {verb} on pods, and a RoleBinding give it to {account}",
        namespace=home,
        verb=refusal.verb,
        account=refusal.by,
    )
    if not all(snapshot.knows(kind, home) for kind in ("Role", "RoleBinding")):
        return Phrase("its Roles cannot be read here"), general
    bound = [it for it in snapshot.of_kind("RoleBinding", home) if _names(it, refusal)]
    if not bound:
        return _unbound(snapshot, refusal) or (
            Phrase("no RoleBinding of {namespace} names it", namespace=home),
            general,
        )
    if any(it["roleRef"]["kind"] != "Role" for it in bound):
        return Phrase("its Roles cannot be read here"), general  # a ClusterRole, which is not read
    for binding in bound:
        role = Ref(binding["roleRef"]["kind"], home, binding["roleRef"]["name"])
        found = snapshot.at(role)
        if found is None:
            missing = Phrase(
                "{binding} gives it {role}, which is not there", binding=ref(binding), role=role
            )
            cure = Phrase(
                "create {role}, which allows {verb} on pods", role=role, verb=refusal.verb
            )
            return missing, cure
        if _allows(found, refusal.verb, refusal.pod):
            return None
    roles = [Ref(it["roleRef"]["kind"], home, it["roleRef"]["name"]) for it in bound]
    lacking = Phrase(
        "{roles} does not allow {verb} on {pod}", roles=roles, verb=refusal.verb, pod=refusal.pod
    )
    cure = Phrase(
        "add {verb} on pods to {role}, for {pod} and the other members",
        verb=refusal.verb,
        role=roles[0],
        pod=refusal.pod,
    )
    return lacking, cure


def _unbound(snapshot: Snapshot, refusal: Refusal) -> tuple[Phrase, Phrase] | None:
    """Return that the Role is there, and its RoleBinding is missing or names another."""
    fitting = [
        it
        for it in snapshot.of_kind("Role", refusal.home)
        if _allows(it, refusal.verb, refusal.pod)
    ]
    if not fitting:
        return None
    role = fitting[0]
    name = role["metadata"]["name"]
    bindings = [
        it
        for it in snapshot.of_kind("RoleBinding", refusal.home)
        if (it["roleRef"]["kind"], it["roleRef"]["name"]) == ("Role", name)
    ]
    if bindings:
        others = [f"{it['kind']} {it['name']}" for it in bindings[0].get("subjects") or ()]
        said = Phrase(
            "{binding} gives {role} to {others}, not to it",
            binding=ref(bindings[0]),
            role=ref(role),
            others=others or Phrase("nobody"),
        )
        return said, Phrase(
            "name {account} as a subject of {binding}",
            account=refusal.by,
            binding=ref(bindings[0]),
        )
    return Phrase("no RoleBinding gives it {role}", role=ref(role)), Phrase(
        "`kubectl -n {namespace} create rolebinding {name} --role={name} "
        "--serviceaccount={namespace}:{account}`",
        namespace=refusal.home,
        name=name,
        account=refusal.account,
    )


def _names(binding: Object, refusal: Refusal) -> bool:
    groups = {
        "system:serviceaccounts",
        f"system:serviceaccounts:{refusal.home}",
        "system:authenticated",
    }
    for it in binding.get("subjects") or ():
        home = it.get("namespace") or refusal.home
        if (it["kind"], it["name"], home) == ("ServiceAccount", refusal.account, refusal.home):
            return True
        if it["kind"] == "Group" and it["name"] in groups:
            return True
    return False


def _allows(role: Object, verb: str, pod: str) -> bool:
    return any(_rule_allows(each, verb, pod) for each in role.get("rules") or ())


def _rule_allows(rule: dict[str, Any], verb: str, pod: str) -> bool:
    return (
        not {"", _ANY}.isdisjoint(rule.get("apiGroups") or ())
        and not {"pods", _ANY}.isdisjoint(rule.get("resources") or ())
        and not {verb, _ANY}.isdisjoint(rule.get("verbs") or ())
        and (not rule.get("resourceNames") or pod in rule["resourceNames"])
    )


LIVE: Final = (wrong_role_selected, label_forbidden)
"""What the labels of live pods and their logs are needed for."""
