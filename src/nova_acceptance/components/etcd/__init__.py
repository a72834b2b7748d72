"""etcd: its part of nova.yaml, its client, and what goes wrong with it."""

from __future__ import annotations

from typing import Final

from nova_acceptance.components.etcd import checks, draft, keys, rules, spec, survival
from nova_acceptance.components.etcd.client import Member
from nova_acceptance.components.kind import Access, Check, Drafting, Kind


def connect(access: Access, component: spec.Etcd) -> dict[str, Member]:
    """Return the members of an etcd by the names of their pods."""
    port = component.client_port or 2379
    return {
        pod.name: Member(access.to_pod(pod, port), access.transcript)
        for pod in access.pods(component)
    }


CHECKS: Final = (Check(checks.wrong_members), Check(checks.wrong_leader))

KIND = Kind(
    name="etcd",
    spec=spec.Etcd,
    live=rules.LIVE,
    connect=connect,
    components={"etcd_spec": lambda _etcd: True},
    checks=CHECKS,
    fixtures="nova_acceptance.components.etcd.fixtures",
    markers={"etcd": "etcd"},
    drafting=Drafting(draft.recognises, draft.draft),
    holding=survival.holding,
    clear=keys.clear,
)
