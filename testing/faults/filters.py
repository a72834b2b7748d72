"""Packet filter rules of a node, by the addresses that pods have at the moment."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from testing.faults.fault import Filter, Pods
from testing.faults.ground import Ground

_ANSWERS: Final = {"drop": ["DROP"], "refuse": ["REJECT", "--reject-with", "tcp-reset"]}


def rules(ground: Ground, wanted: Filter) -> Iterator[tuple[list[str], list[str]]]:
    """Yield the commands that put a rule in and take it out, one for each pair of addresses.

    The rules stand in FORWARD, through which every packet between pods goes, those of one node
    too; a kubelet's own probes do not.
    """
    sources = _addresses(ground, wanted.source) if wanted.source else ["0.0.0.0/0"]
    for source in sources:
        for target in _addresses(ground, wanted.to):
            rule = [
                *("FORWARD", "--source", source, "--destination", target),
                *("--protocol", "tcp", "--dport", str(wanted.port)),
                *("--jump", *_ANSWERS[wanted.answer]),
            ]
            yield ["iptables", "--wait", "--insert", *rule], ["iptables", "-w", "--delete", *rule]


def _addresses(ground: Ground, pods: Pods) -> list[str]:
    return [str(ground.pod(pod)["status"]["podIP"]) for pod in ground.pods(pods)]
