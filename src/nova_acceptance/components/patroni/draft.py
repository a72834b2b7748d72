"""Recognising the Patroni that runs a PostgreSQL, by its port, variables, labels and image."""

from __future__ import annotations

import re
from typing import Any, Final

from nova_acceptance.components.candidate import Candidate, Drafted
from nova_acceptance.components.kubernetes.addresses import addresses_in, services_meant
from nova_acceptance.components.patroni.spec import KUBERNETES, Patroni
from nova_acceptance.findings import Ref

_IMAGE: Final = re.compile(r"patroni|spilo")
_STORE: Final = re.compile(r"^\s*etcd3?:", re.MULTILINE)
_STORE_PORT: Final = 2379
_VARIABLES: Final = re.compile(r"^(PATRONI_|SPILO_)")
_USUAL_PORT: Final = int(Patroni.model_fields["port"].default)


def of(candidate: Candidate, drafted: Drafted) -> dict[str, Any] | None:
    """Return what nova.yaml says of the Patroni of a PostgreSQL; None where it has none."""
    named = [number for number, name in candidate.ports.items() if name == "patroni"]
    is_told = any(_VARIABLES.match(each.name) for each in candidate.given)
    if not (named or is_told or candidate.is_of_image(_IMAGE)):
        return None
    made: dict[str, Any] = {}
    if named and named[0] != _USUAL_PORT:
        made["port"] = named[0]
    store = _store(candidate)
    if store:
        made["store"] = store
    elif any(_STORE.search(text) for text in candidate.texts):
        drafted.remark(
            "Its configuration names an etcd, and no component of this file is there: say which"
            f" keeps who leads, in the place of `{KUBERNETES}`",
            "patroni",
            is_unknown=True,
        )
    if label := candidate.role_label():
        made["role_label"] = label
    return made


def _store(candidate: Candidate) -> str | None:
    """Return the component at whose port for clients of etcd its configuration looks."""
    here = Ref("", "", "")
    for each in candidate.given:
        for address in addresses_in(each.shape, here, each.key):
            if address.port != _STORE_PORT:
                continue
            for service in services_meant(address.host, candidate.namespace):
                name = candidate.behind.get(service)
                if name and name != candidate.name:
                    return name
    return None
