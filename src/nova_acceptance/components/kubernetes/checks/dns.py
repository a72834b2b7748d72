"""What is wrong with the DNS that a cluster's pods are told to ask."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from nova_acceptance.checks import check
from nova_acceptance.components.dns.lookups import state_of_dns
from nova_acceptance.components.dns.service import DNS
from nova_acceptance.components.kubernetes.backends import ready_behind
from nova_acceptance.findings import Finding
from nova_acceptance.kube import PodRef
from nova_acceptance.kube.snapshot import Store
from nova_acceptance.phrase import Phrase
from nova_acceptance.vantage.questions import Exchanged

Asked = Mapping[PodRef, Sequence[Exchanged]]
"""What the DNS answered, by the pod that asked."""


@check
def missing_servers(store: Store) -> Iterator[Finding]:
    """Find a cluster whose DNS has no server that is ready."""
    if store.at(DNS) is None:
        yield Finding(
            "DNS_DOWN",
            DNS,
            Phrase("there is no {service}, by which every pod asks for names", service=DNS),
        )
    elif not ready_behind(store, DNS):
        yield Finding("DNS_DOWN", DNS, Phrase("nothing is behind {service}", service=DNS))


@check
def wrong_answers(asked: Asked) -> Iterator[Finding]:
    """Find a DNS that does not answer all pods, answers wrongly, or answers late."""
    if not any(asked.values()):
        yield Finding("DNS_DOWN", DNS, Phrase("the cluster's DNS was asked from no pod"))
    elif found := state_of_dns(asked):
        yield found


@check
def other_servers(store: Store, asked: Asked) -> Iterator[Finding]:
    """Find pods that ask another name server than the cluster's DNS."""
    service = store.at(DNS)
    own = service["spec"].get("clusterIP") if service else None
    for pod, answers in asked.items():
        if others := sorted({answer.server for answer in answers} - {own}):
            yield Finding(
                "NAME_RESOLVES_WRONGLY",
                DNS,
                Phrase(
                    "{pod} asks {servers} for names, where the cluster's DNS is {own}",
                    pod=pod,
                    servers=others,
                    own=own or Phrase("nowhere"),
                ),
            )
