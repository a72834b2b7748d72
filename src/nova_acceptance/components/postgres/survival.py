"""Whether what a leader of PostgreSQL holds would outlive it, by its own word and Patroni's."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from nova_acceptance.components.kind import Access
from nova_acceptance.components.patroni import survival as patroni
from nova_acceptance.components.peril import Holding, Peril
from nova_acceptance.components.postgres.client import Postgres
from nova_acceptance.components.postgres.spec import Postgres as Spec
from nova_acceptance.components.postgres.sql import Row
from nova_acceptance.findings import Ref
from nova_acceptance.kube import PodRef
from nova_acceptance.phrase import Phrase

_FOLLOWERS = (
    "SELECT application_name, state, sync_state,"
    " coalesce(pg_wal_lsn_diff(pg_current_wal_lsn(), flush_lsn), 'Infinity'::float8)"
    " FROM pg_stat_replication"
)


def holding(access: Access, client: Postgres, component: Spec, pod: PodRef) -> Holding:
    """Return where the PostgreSQL of a pod keeps its data, and why nobody might take over."""
    where = Ref("Pod", pod.namespace, pod.name)
    found: list[Peril] = []
    with client.member(pod.name) as session:
        directory = str(session.value("SHOW data_directory"))
        leads = not session.value("SELECT pg_is_in_recovery()")
        if leads and component.is_replicated:
            names = str(session.value("SHOW synchronous_standby_names"))
            found += perils(where, session.rows(_FOLLOWERS), is_synchronous=bool(names))
    if component.patroni and leads:
        route = access.to_pod(pod, component.patroni.port)
        found += patroni.asked(route, access.transcript, where)
    return Holding(directory, tuple(found))


def perils(where: Ref, followers: Iterable[Row], *, is_synchronous: bool) -> Iterator[Peril]:
    """Yield that nobody follows a leader closely enough to have what it has acknowledged.

    Args:
        where: the leader's pod.
        followers: name, state, synchrony and the bytes that it has not flushed, of each.
        is_synchronous: whether commits wait for a follower.
    """
    rows = [tuple(row) for row in followers]
    told = [f"{name} ({state}, {synchrony}, lag {lag})" for name, state, synchrony, lag in rows]
    close = [
        str(synchrony)
        for _, state, synchrony, lag in rows
        if state == "streaming" and float(str(lag)) <= patroni.CLOSE
    ]
    if not close:
        said = Phrase(
            "no replica streams closely enough from {pod}: {members}",
            pod=where,
            members=told or Phrase("none"),
        )
        yield Peril(where, said, Phrase("wait until a replica has caught up"))
    elif is_synchronous and not {"sync", "quorum"} & set(close):
        said = Phrase("commits on {pod} wait for nobody: {members}", pod=where, members=told)
        yield Peril(where, said, Phrase("wait until a replica is synchronous"))
