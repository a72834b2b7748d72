"""Redis: what it answers, and what its log says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from nova_acceptance.diagnosis.cause import Cause, Diagnosis
from nova_acceptance.diagnosis.members import pods_of_workload, said
from nova_acceptance.diagnosis.snapshot import Snapshot
from nova_acceptance.phrase import Phrase

REDIS_APPEND_FILE_DAMAGED: Final = Cause(
    "REDIS_APPEND_FILE_DAMAGED",
    "Redis cannot read its append-only file",
    "The container ends right after its start, again and again",
    "Redis's log: `Bad file format reading the append only file`",
    "copy the volume, then repair the file (`redis-check-aof --fix`) or restore a backup",
)
REDIS_WRITE_FAILS: Final = Cause(
    "REDIS_WRITE_FAILS",
    "Redis cannot write to its disk, and refuses writes for it",
    "Writes are answered with MISCONF; the readiness probe fails",
    "The answer's first word MISCONF, or `aof_last_write_status` other than ok",
    "see the pod's log for the disk's own error; make room on the volume, or mend it",
)
REDIS_OUT_OF_MEMORY: Final = Cause(
    "REDIS_OUT_OF_MEMORY",
    "Redis holds as much as `maxmemory` lets it",
    "Writes are refused with OOM, while reads are answered",
    "The answer `OOM command not allowed when used memory > 'maxmemory'`",
    "raise `maxmemory` and the container's limit, remove keys, or set an eviction policy",
)
REDIS_LOADING: Final = Cause(
    "REDIS_LOADING",
    "Redis is still reading its data into memory",
    "Every command is answered with LOADING",
    "The answer's first word LOADING",
    "wait until it has read its file (`INFO persistence`); a large one takes its time",
    is_symptom=True,
)
REDIS_READ_ONLY: Final = Cause(
    "REDIS_READ_ONLY",
    "Redis is a read-only replica where a writable server is wanted",
    "Writes are refused with READONLY, while reads are answered",
    "The answer's first word READONLY, or `role:slave` in `INFO replication`",
    "make it a primary again (`REPLICAOF NO ONE`), and see who made it a replica",
)
REDIS_WITHOUT_PASSWORD: Final = Cause(
    "REDIS_WITHOUT_PASSWORD",
    "Redis answers whoever gives no password, or a wrong one",
    "A client without a password is served",
    "PING without a password, or with a wrong one, is answered PONG",
    "give Redis its password (`requirepass`, or an ACL for the default user)",
)
REDIS_WRONG_PASSWORD: Final = Cause(
    "REDIS_WRONG_PASSWORD",
    "Redis refuses the password of its Secret",
    "Clients are answered WRONGPASS or NOAUTH",
    "AUTH with the password that the Secret holds now is refused",
    "restart Redis, so that it takes the Secret's password, or put back the one that it has",
)
REDIS_COMMAND_FORBIDDEN: Final = Cause(
    "REDIS_COMMAND_FORBIDDEN",
    "Redis lets its user in and forbids it a command, a key or a channel",
    "Some commands are answered with NOPERM, while others work",
    "The answer's first word NOPERM; `ACL LIST`, and `ACL LOG` for what was refused",
    "give the user what it needs (`ACL SETUSER default +@all ~* &*`), and see who took it away",
)
REDIS_CLIENTS_EXHAUSTED: Final = Cause(
    "REDIS_CLIENTS_EXHAUSTED",
    "Redis has as many clients as `maxclients` lets it have",
    "New connections are refused while old ones work",
    "The answer `ERR max number of clients reached`, and `rejected_connections` in `INFO stats`",
    "see who holds them (`CLIENT LIST`); end them, pool connections, or raise `maxclients`",
)
REDIS_REPLICAS_WANTED: Final = Cause(
    "REDIS_REPLICAS_WANTED",
    "Redis takes writes only with replicas, and has too few of them",
    "Writes are refused with NOREPLICAS, while reads are answered",
    "`CONFIG GET min-replicas-to-write` against `connected_slaves` in `INFO replication`",
    "set `min-replicas-to-write 0` where there are to be no replicas, or bring them back",
)
REDIS_PERSISTENCE_OFF: Final = Cause(
    "REDIS_PERSISTENCE_OFF",
    "Redis does not keep its writes in an append-only file",
    "All goes well until a restart, which loses data",
    "`CONFIG GET appendonly`, and `aof_enabled` in `INFO persistence`",
    "set `appendonly yes` in redis.conf, and at run time by `CONFIG SET appendonly yes`",
)
REDIS_DATA_LOST: Final = Cause(
    "REDIS_DATA_LOST",
    "Redis did not keep what it had acknowledged",
    "A key that was written before a restart is not there after it",
    "A value that was set is not the value that is read",
    "see that the append-only file is on the claim's volume and that the volume is kept",
)
REDIS_VERSION_WRONG: Final = Cause(
    "REDIS_VERSION_WRONG",
    "What answers is another version of Redis than is wanted",
    "Commands or replies differ from what clients were made for",
    "`redis_version` in `INFO server`",
    "set the StatefulSet's image to the version that is wanted",
)

CAUSES: Final = (
    REDIS_APPEND_FILE_DAMAGED,
    REDIS_WRITE_FAILS,
    REDIS_OUT_OF_MEMORY,
    REDIS_LOADING,
    REDIS_READ_ONLY,
    REDIS_WITHOUT_PASSWORD,
    REDIS_WRONG_PASSWORD,
    REDIS_COMMAND_FORBIDDEN,
    REDIS_CLIENTS_EXHAUSTED,
    REDIS_REPLICAS_WANTED,
    REDIS_PERSISTENCE_OFF,
    REDIS_DATA_LOST,
    REDIS_VERSION_WRONG,
)

_SAID: Final = (
    (
        REDIS_APPEND_FILE_DAMAGED,
        re.compile(r"(?i)bad file format reading the append only|AOF.*corrupt"),
    ),
    (REDIS_CLIENTS_EXHAUSTED, re.compile(r"(?i:max number of clients reached)")),
    (REDIS_WRITE_FAILS, re.compile(r"MISCONF|(?i:error writing to the AOF|write error saving DB)")),
)
_CRASHED_TWICE: Final = 10.0


def redis_says_why(snapshot: Snapshot) -> Iterator[Diagnosis]:
    """Find what Redis itself names: in its log, or in the answer to its readiness probe."""
    if snapshot.system is None:
        return
    for pod in pods_of_workload(snapshot, snapshot.system.redis.workload):
        for cause, pattern in _SAID:
            if found := said(snapshot, pod, pattern):
                where, line = found
                yield Diagnosis(
                    cause,
                    where,
                    Phrase("{where} says: {line}", where=where, line=line),
                    evidence=(line,),
                    grace=_CRASHED_TWICE,
                )


LIVE: Final = (redis_says_why,)
