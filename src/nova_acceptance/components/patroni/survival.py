"""Whether anybody would take over from a leader, by the word of its Patroni.

Source: https://patroni.readthedocs.io/en/latest/rest_api.html, "Cluster status endpoints" and
"Config endpoint"; https://patroni.readthedocs.io/en/latest/pause.html for what a pause means.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any, Final

from nova_acceptance.components.patroni.client import FOLLOWS, LEADERS
from nova_acceptance.components.peril import Peril
from nova_acceptance.errors import ProbeError
from nova_acceptance.findings import Ref
from nova_acceptance.phrase import Phrase
from nova_acceptance.vantage.http import exchange
from nova_acceptance.vantage.routes import Route
from nova_acceptance.vantage.transcript import Transcript, shorten

CLOSE: Final = 1024 * 1024
"""Bytes that a follower may lack; Patroni's own default for `maximum_lag_on_failover`."""
_SYNCHRONOUS: Final = frozenset({"sync_standby", "quorum_standby"})
_BARRED: Final = ("nofailover", "archive_recovery")


def asked(route: Route, transcript: Transcript, where: Ref) -> list[Peril]:
    """Ask the Patroni of a member, and return why nobody might take over.

    Args:
        route: leads to its REST API.
        transcript: who takes down what is asked.
        where: the member's pod.

    Raises:
        ProbeError: it did not answer.
    """
    cluster, config = (_page(route, transcript, path) for path in ("/cluster", "/config"))
    return list(perils(where, cluster, config))


def perils(where: Ref, cluster: dict[str, Any], config: dict[str, Any]) -> Iterator[Peril]:
    """Yield why nobody might take over, by what `/cluster` and `/config` say."""
    if cluster.get("pause") or config.get("pause"):
        said = Phrase("Patroni is paused, by the word of {pod}", pod=where)
        yield Peril(where, said, Phrase("`patronictl resume`, once whoever paused it agrees"))
    members = cluster.get("members") or []
    followers = [each for each in members if each.get("role") not in LEADERS]
    limit = int(config.get("maximum_lag_on_failover") or CLOSE)
    candidates = [each for each in followers if _is_candidate(each, limit)]
    if not candidates:
        said = Phrase(
            "no member may take over, by the word of Patroni in {pod}: {members}",
            pod=where,
            members=[_told(each) for each in followers] or Phrase("none"),
        )
        cure = Phrase("wait until a replica streams; take `nofailover` off one of them")
        yield Peril(where, said, cure)
    elif config.get("synchronous_mode") and not _are_synchronous(candidates):
        said = Phrase(
            "synchronous mode has no synchronous standby, by the word of Patroni in {pod}: "
            "{members}",
            pod=where,
            members=[_told(each) for each in followers],
        )
        yield Peril(where, said, Phrase("wait until `patronictl list` shows a Sync Standby"))


def _is_candidate(member: dict[str, Any], limit: int) -> bool:
    tags = member.get("tags") or {}
    lag = member.get("lag", 0)
    is_close = isinstance(lag, int) and lag <= limit
    is_barred = any(tags.get(tag) for tag in _BARRED) or tags.get("failover_priority") == 0
    return member.get("state") in FOLLOWS and is_close and not is_barred


def _are_synchronous(members: Iterable[dict[str, Any]]) -> bool:
    return any(member.get("role") in _SYNCHRONOUS for member in members)


def _told(member: dict[str, Any]) -> str:
    tags = ", ".join(sorted(name for name, value in (member.get("tags") or {}).items() if value))
    lag = f"lag {member['lag']}" if "lag" in member else ""
    words = (member.get("role"), member.get("state"), lag, tags)
    return f"{member.get('name')} ({', '.join(str(each) for each in words if each)})"


def _page(route: Route, transcript: Transcript, path: str) -> dict[str, Any]:
    source, target = route.source, route.target
    with transcript.asking(f"GET {path}", source=source, target=target) as asking:
        status, body = exchange(route, "GET", path)
        asking.answered(f"{status} {body}")
    try:
        found: dict[str, Any] = json.loads(body)
    except ValueError as error:
        raise ProbeError(
            f"Patroni at {target} gave no JSON at {path}", evidence=[shorten(body)]
        ) from error
    return found
