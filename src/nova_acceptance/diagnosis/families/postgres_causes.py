"""The causes of PostgreSQL's family: most are shown by an answer, not by an object of the API."""

from __future__ import annotations

from typing import Final

from nova_acceptance.diagnosis.cause import Cause

DISK_FULL: Final = Cause(
    "DISK_FULL",
    "PostgreSQL's volume is full",
    "Writes fail, then the server stops and does not come back",
    "SQLSTATE 53100, or `No space left on device` in the log",
    "make room or enlarge the claim; never delete files of pg_wal by hand",
)
POSTGRES_STRANGER: Final = Cause(
    "POSTGRES_STRANGER",
    "A member's data belongs to another cluster of PostgreSQL",
    "The member stays outside; Patroni says that the system identifier differs",
    "`system ID mismatch` in its log",
    "empty that member's volume, so that it copies the leader anew",
)
TWO_LEADERS: Final = Cause(
    "TWO_LEADERS",
    "Two members of PostgreSQL take writes as leader",
    "Clients see now one history, now another; rows that were committed are missing",
    "`pg_is_in_recovery()` is false on more than one member, or two pods carry the leader's label",
    "stop writes, let Patroni demote the one that does not hold the key (`patronictl list`), then "
    "reinitialise it (`patronictl reinit`)",
)
NO_LEADER: Final = Cause(
    "NO_LEADER",
    "No member of PostgreSQL leads",
    "Reads may be answered, writes are not; postgres-primary has no endpoint",
    "`pg_is_in_recovery()` is true on every member, or no ready pod carries the leader's label",
    "see Patroni's log for why nobody takes the lock: etcd away, no member caught up, or paused",
    is_symptom=True,
)
TIMELINE_DIVERGED: Final = Cause(
    "TIMELINE_DIVERGED",
    "A member follows a history that the leader does not share",
    "It does not stream; its log speaks of timelines",
    "Timelines that differ in Patroni's list, or `requested timeline … is not a child`",
    "let Patroni rewind it, or reinitialise it (`patronictl reinit`)",
)
CONNECTIONS_EXHAUSTED: Final = Cause(
    "CONNECTIONS_EXHAUSTED",
    "Every connection that PostgreSQL allows is taken",
    "New connections are refused while old ones work",
    "SQLSTATE 53300: `sorry, too many clients already`, or a role's or database's own limit",
    "see who holds them (`SELECT usename, application_name, count(*) FROM pg_stat_activity GROUP "
    "BY 1, 2`); end them, pool connections, or raise the limit that the answer names: "
    "`max_connections`, `max_wal_senders`, or the CONNECTION LIMIT of the role or database",
)
DATABASE_STARTING: Final = Cause(
    "DATABASE_STARTING",
    "PostgreSQL is starting, stopping or recovering",
    "Connections are refused for a while with SQLSTATE 57P03",
    "`the database system is starting up`, or is shutting down",
    "wait for it; where it lasts, the pod's log says what it recovers from",
    is_symptom=True,
)
DATABASE_CLOSED: Final = Cause(
    "DATABASE_CLOSED",
    "A database takes no connections",
    "Every connection to it is refused, the superuser's too, while others work",
    "`database … is not currently accepting connections`; `datallowconn` in pg_database",
    "ALTER DATABASE … ALLOW_CONNECTIONS true, from another database, once what it was closed for "
    "is over",
)
STATEMENT_TIMED_OUT: Final = Cause(
    "STATEMENT_TIMED_OUT",
    "PostgreSQL does not carry out a statement in time",
    "Statements hang, and end with SQLSTATE 57014 or 55P03",
    "`canceling statement due to statement timeout`, or due to lock timeout",
    "see what it waits for while it hangs (`SELECT pid, state, wait_event_type, wait_event, "
    "pg_blocking_pids(pid), query FROM pg_stat_activity`): another transaction's lock, which "
    "`pg_terminate_backend` of its holder ends; SyncRep, a standby that confirms nothing; or load",
    is_symptom=True,
)
PRIMARY_READ_ONLY: Final = Cause(
    "PRIMARY_READ_ONLY",
    "What answers as PostgreSQL's primary refuses writes for being read-only",
    "Reads work, every write fails with SQLSTATE 25006",
    "`cannot execute … in a read-only transaction`; `default_transaction_read_only`, or recovery",
    "set default_transaction_read_only off (`patronictl edit-config`, ALTER DATABASE, ALTER ROLE), "
    "or see why the Service leads to a member in recovery",
)
PRIMARY_SERVICE_ASTRAY: Final = Cause(
    "PRIMARY_SERVICE_ASTRAY",
    "A Service for one role of PostgreSQL leads to members of another",
    "Writes through it fail, or reads burden the leader",
    "The Service's endpoints against what each member says of itself",
    "see the role label of the pods: its callback in Patroni's configuration, and its rights",
)
REPLICA_NOT_STREAMING: Final = Cause(
    "REPLICA_NOT_STREAMING",
    "A member of PostgreSQL does not stream from the leader",
    "Its rows are old; were the leader lost now, less would be left",
    "`pg_stat_replication` on the leader against the members that there are",
    "see that member's log, and `patronictl list`; `patronictl reinit` copies the leader anew",
    is_symptom=True,
)
REPLICA_LAGS: Final = Cause(
    "REPLICA_LAGS",
    "A replica shows committed rows too late",
    "What was just written is not read through postgres-replicas",
    "A committed row is not on the replica within its budget",
    "see whether replay is paused (`pg_is_wal_replay_paused()`), delayed "
    "(`recovery_min_apply_delay`), or the node overloaded",
)
NOT_SYNCHRONOUS: Final = Cause(
    "NOT_SYNCHRONOUS",
    "No replica is synchronous",
    "A commit that was acknowledged may be lost with the leader",
    "`sync_state` in `pg_stat_replication`",
    "switch synchronous_mode on (`patronictl edit-config`), and have a replica that streams",
    is_symptom=True,
)
DURABILITY_OFF: Final = Cause(
    "DURABILITY_OFF",
    "A setting without which a crash loses acknowledged commits is off",
    "Nothing, until a crash",
    "`SHOW fsync`, `full_page_writes`, `synchronous_commit`",
    "switch it on (`patronictl edit-config`), and see who switched it off: ALTER SYSTEM, a role",
)
COMMITS_LOST: Final = Cause(
    "COMMITS_LOST",
    "Commits that were acknowledged are gone",
    "Rows are missing after a failover",
    "Numbers whose commit was acknowledged against the rows of the new leader",
    "switch synchronous_mode on, and keep a replica that is caught up",
)
FAILOVER_SLOW: Final = Cause(
    "FAILOVER_SLOW",
    "Nobody took over from a lost leader in time",
    "Writes fail for longer than the system promises",
    "Seconds from the leader's death to the next acknowledged commit",
    "see Patroni's ttl, loop_wait and retry_timeout, and its log during the failover",
)
PASSWORD_REFUSED: Final = Cause(
    "PASSWORD_REFUSED",
    "PostgreSQL refuses the password of a role",
    "Connections fail with SQLSTATE 28P01",
    "`password authentication failed for user …` with the password that the Secret holds",
    "make them equal again: ALTER ROLE … PASSWORD, or the Secret's value",
)
PASSWORD_EXPIRED: Final = Cause(
    "PASSWORD_EXPIRED",
    "The password of a role has come to its end",
    "Connections fail as with a wrong password, SQLSTATE 28P01",
    "`rolvaliduntil` in pg_roles; PostgreSQL's log says `has an expired password`",
    "ALTER ROLE … VALID UNTIL 'infinity', or a new password with a new end",
)
ADMISSION_REFUSED: Final = Cause(
    "ADMISSION_REFUSED",
    "pg_hba.conf does not let a role in where it should",
    "Connections fail with SQLSTATE 28000",
    "`no pg_hba.conf entry for …`, or `pg_hba.conf rejects connection`",
    "put the entry into Patroni's pg_hba, above any rule that rejects it",
)
SETTING_UNDECLARED: Final = Cause(
    "SETTING_UNDECLARED",
    "A role, a database or the leader has a setting that somebody made by hand",
    "Sessions behave otherwise than Patroni's configuration says: time limits, another search_path",
    "pg_db_role_setting, which ALTER ROLE … SET and ALTER DATABASE … SET fill; "
    "postgresql.auto.conf in pg_file_settings, which ALTER SYSTEM writes",
    "ALTER ROLE … RESET, ALTER DATABASE … RESET or ALTER SYSTEM RESET; what is meant for all "
    "belongs into Patroni's configuration",
)
TRUST_AUTHENTICATION: Final = Cause(
    "TRUST_AUTHENTICATION",
    "PostgreSQL lets a role in without asking for its password",
    "A wrong password connects",
    "A connection with another password is accepted; `pg_hba_file_rules` with trust",
    "take the trust line out of Patroni's pg_hba and reload (`patronictl reload`)",
)
ADMISSION_TOO_WIDE: Final = Cause(
    "ADMISSION_TOO_WIDE",
    "pg_hba.conf lets in whom it should not",
    "A role connects to what is none of its affair, or from where it should not",
    "A connection that must be refused is accepted",
    "narrow the line of Patroni's pg_hba that lets it in, and reload (`patronictl reload`)",
)
PASSWORD_STORED_WEAKLY: Final = Cause(
    "PASSWORD_STORED_WEAKLY",
    "A role's password is not stored as a SCRAM verifier",
    "Whoever reads pg_authid can use or guess it",
    "`rolpassword` in pg_authid",
    "set password_encryption to scram-sha-256, and the password anew",
)
DATABASE_MISSING: Final = Cause(
    "DATABASE_MISSING",
    "A database does not exist",
    "Connections fail with SQLSTATE 3D000",
    "`pg_database` against nova.yaml, or `database … does not exist`",
    "create it with its owner, schemas and grants, as manifests/base/postgres/sql does",
)
DATABASE_UNDECLARED: Final = Cause(
    "DATABASE_UNDECLARED",
    "There is a database that nova.yaml does not know",
    "Nothing; somebody made it",
    "`pg_database` against nova.yaml",
    "declare it in nova.yaml, or drop it once nobody needs it",
)
DATABASE_OWNER_WRONG: Final = Cause(
    "DATABASE_OWNER_WRONG",
    "A database belongs to another role than it should",
    "Its owner may do what nobody granted",
    "`datdba` in pg_database against nova.yaml",
    "ALTER DATABASE … OWNER TO …",
)
SCHEMA_MISSING: Final = Cause(
    "SCHEMA_MISSING",
    "A schema does not exist",
    "Statements fail with SQLSTATE 3F000 or 42P01",
    "`pg_namespace` against nova.yaml",
    "create it with its owner and grants: manifests/base/postgres/sql",
)
SCHEMA_UNDECLARED: Final = Cause(
    "SCHEMA_UNDECLARED",
    "There is a schema that nova.yaml does not know",
    "Nothing; somebody made it",
    "`pg_namespace` against nova.yaml",
    "declare it in nova.yaml, or drop it once nobody needs it",
)
SCHEMA_OWNER_WRONG: Final = Cause(
    "SCHEMA_OWNER_WRONG",
    "A schema, or what is in it, belongs to another role than it should",
    "Its owner may do what nobody granted; default privileges do not apply to what it makes",
    "`nspowner` and `relowner` against nova.yaml",
    "ALTER SCHEMA … OWNER TO …, ALTER TABLE … OWNER TO …",
)
TABLE_MISSING: Final = Cause(
    "TABLE_MISSING",
    "A table does not exist",
    "Statements fail with SQLSTATE 42P01",
    "`relation … does not exist`, or a database that holds no table",
    "create it as its schema's owner: manifests/base/postgres/sql",
)
ROLE_MISSING: Final = Cause(
    "ROLE_MISSING",
    "A role does not exist",
    "Connections fail as with a wrong password; grants name nobody",
    "`pg_roles` against nova.yaml",
    "create it with its attributes and grants: manifests/base/postgres/sql/10-roles.sql",
)
ROLE_UNDECLARED: Final = Cause(
    "ROLE_UNDECLARED",
    "There is a role that nova.yaml does not know",
    "Nothing; somebody may connect as it",
    "`pg_roles` against nova.yaml",
    "declare it in nova.yaml, or drop it",
)
ROLE_ATTRIBUTES_WRONG: Final = Cause(
    "ROLE_ATTRIBUTES_WRONG",
    "A role has other attributes than it should",
    "It may do too much (SUPERUSER, CREATEDB), or cannot log in",
    "`pg_roles` against nova.yaml",
    "ALTER ROLE … with the attribute, or with NO before it",
)
ROLE_INHERITS: Final = Cause(
    "ROLE_INHERITS",
    "A role has rights through another role",
    "It may do what nobody granted to it",
    "`pg_has_role` and pg_auth_members",
    "REVOKE the membership: REVOKE … FROM …",
)
PRIVILEGE_MISSING: Final = Cause(
    "PRIVILEGE_MISSING",
    "A role lacks a privilege that it needs",
    "Statements fail with SQLSTATE 42501, permission denied",
    "`has_…_privilege` against nova.yaml",
    "GRANT it, as manifests/base/postgres/sql does",
)
DEFAULT_PRIVILEGES_MISSING: Final = Cause(
    "DEFAULT_PRIVILEGES_MISSING",
    "On what is created from now on a role lacks the privileges that it needs",
    "All goes well until the next table, then permission denied",
    "A table created by the schema's owner, and what the role may do with it",
    "ALTER DEFAULT PRIVILEGES FOR ROLE owner IN SCHEMA … GRANT … TO …",
)
PRIVILEGE_EXCESS: Final = Cause(
    "PRIVILEGE_EXCESS",
    "A role holds a privilege that it should not have",
    "It can do what must be denied",
    "`has_…_privilege` against nova.yaml, or a statement that must be denied and is not",
    "REVOKE it, and see where it comes from: a grant, PUBLIC, a membership, ownership",
)
PUBLIC_PRIVILEGE: Final = Cause(
    "PUBLIC_PRIVILEGE",
    "PUBLIC, which is everybody, holds a privilege",
    "Any role that connects may use it",
    "The access lists of databases, schemas, relations and functions, and default privileges",
    "REVOKE … FROM PUBLIC, and in the default privileges as well",
)
POSTGRES_VERSION_WRONG: Final = Cause(
    "POSTGRES_VERSION_WRONG",
    "What answers is another version of PostgreSQL than is wanted",
    "Statements or clients behave otherwise",
    "`SHOW server_version_num`",
    "set the StatefulSet's image to the version that is wanted, and upgrade the data with it",
)

CAUSES: Final = (
    DISK_FULL,
    POSTGRES_STRANGER,
    TWO_LEADERS,
    NO_LEADER,
    TIMELINE_DIVERGED,
    CONNECTIONS_EXHAUSTED,
    DATABASE_STARTING,
    DATABASE_CLOSED,
    PRIMARY_READ_ONLY,
    PRIMARY_SERVICE_ASTRAY,
    REPLICA_NOT_STREAMING,
    REPLICA_LAGS,
    NOT_SYNCHRONOUS,
    DURABILITY_OFF,
    COMMITS_LOST,
    FAILOVER_SLOW,
    PASSWORD_EXPIRED,
    PASSWORD_REFUSED,
    ADMISSION_REFUSED,
    TRUST_AUTHENTICATION,
    ADMISSION_TOO_WIDE,
    PASSWORD_STORED_WEAKLY,
    DATABASE_MISSING,
    DATABASE_UNDECLARED,
    DATABASE_OWNER_WRONG,
    SCHEMA_MISSING,
    SCHEMA_UNDECLARED,
    SCHEMA_OWNER_WRONG,
    TABLE_MISSING,
    ROLE_MISSING,
    ROLE_UNDECLARED,
    ROLE_ATTRIBUTES_WRONG,
    ROLE_INHERITS,
    PUBLIC_PRIVILEGE,
    PRIVILEGE_MISSING,
    DEFAULT_PRIVILEGES_MISSING,
    PRIVILEGE_EXCESS,
    SETTING_UNDECLARED,
    STATEMENT_TIMED_OUT,
    POSTGRES_VERSION_WRONG,
)
