"""Ways in which the rights of a shop's PostgreSQL go wrong, as statements."""

from __future__ import annotations

from collections.abc import Sequence

MADE_BY_A_MIGRATION = [
    "CREATE ROLE migrator",
    "GRANT CREATE, USAGE ON SCHEMA sales TO migrator",
    "SET ROLE migrator",
]
PASSED_ON = [
    "CREATE ROLE auditors",
    "CREATE ROLE helper",
    "GRANT USAGE ON SCHEMA sales TO auditors, helper",
    "GRANT UPDATE ON sales.lines TO auditors WITH GRANT OPTION",
    "SET ROLE auditors",
    "GRANT UPDATE ON sales.lines TO helper WITH GRANT OPTION",
    "RESET ROLE",
]
MADE = ["RESET ROLE", "REVOKE CREATE, USAGE ON SCHEMA sales FROM migrator"]


def by(role: str, *statements: str) -> list[str]:
    """Return statements as a role carries them out."""
    return [f"SET ROLE {role}", *statements, "RESET ROLE"]


CASES: dict[str, tuple[Sequence[str], Sequence[str], set[str]]] = {
    "serial table of another": (
        [],
        [*MADE_BY_A_MIGRATION, "CREATE TABLE sales.coupons (id bigserial)", *MADE],
        {"SCHEMA_OWNER_WRONG"},
    ),
    "identity table of another": (
        [],
        [
            *MADE_BY_A_MIGRATION,
            'CREATE TABLE sales."Coupons" (id int GENERATED ALWAYS AS IDENTITY)',
            *MADE,
        ],
        {"SCHEMA_OWNER_WRONG"},
    ),
    "sequence of another, of no table": (
        [],
        [*MADE_BY_A_MIGRATION, "CREATE SEQUENCE sales.numbers", *MADE],
        {"SCHEMA_OWNER_WRONG"},
    ),
    "table of a role that works with it": (
        [],
        ["ALTER TABLE sales.receipts OWNER TO till"],
        {"SCHEMA_OWNER_WRONG"},
    ),
    "schema of a role that works in it": (
        [],
        ["ALTER SCHEMA sales OWNER TO till"],
        {"SCHEMA_OWNER_WRONG"},
    ),
    "database of a role that works in it": (
        [],
        ["ALTER DATABASE orders OWNER TO till"],
        {"DATABASE_OWNER_WRONG"},
    ),
    "membership by which a role works": (
        ["CREATE ROLE auditors", "GRANT SELECT, INSERT, TRUNCATE ON sales.lines TO auditors"],
        ["GRANT auditors TO till", "REVOKE SELECT, INSERT ON sales.lines FROM till"],
        {"ROLE_INHERITS"},
    ),
    "membership, and later tables by it alone": (
        [
            "CREATE ROLE auditors",
            "ALTER DEFAULT PRIVILEGES FOR ROLE keeper IN SCHEMA sales"
            " GRANT INSERT, UPDATE ON TABLES TO auditors",
        ],
        [
            "GRANT auditors TO till",
            "ALTER DEFAULT PRIVILEGES FOR ROLE keeper IN SCHEMA sales"
            " REVOKE INSERT ON TABLES FROM till",
        ],
        {"ROLE_INHERITS"},
    ),
    "rights beside a membership": (
        ["CREATE ROLE auditors", "GRANT TRUNCATE ON sales.lines TO auditors"],
        ["GRANT auditors TO till", "GRANT TRUNCATE ON sales.lines TO till"],
        {"ROLE_INHERITS", "PRIVILEGE_EXCESS"},
    ),
    "rights beside those of everybody": (
        [],
        ["GRANT UPDATE ON sales.lines TO PUBLIC, bookkeeping"],
        {"PUBLIC_PRIVILEGE", "PRIVILEGE_EXCESS"},
    ),
    "superuser that was granted too little, and too much": (
        [],
        [
            "ALTER ROLE till SUPERUSER",
            "REVOKE INSERT ON ALL TABLES IN SCHEMA sales FROM till",
            "REVOKE USAGE ON SCHEMA archive FROM till",
            "GRANT CREATE ON DATABASE orders TO till",
        ],
        {"ROLE_ATTRIBUTES_WRONG", "PRIVILEGE_EXCESS"},
    ),
    "later tables everywhere, and in a schema": (
        [],
        [
            "ALTER DEFAULT PRIVILEGES FOR ROLE keeper GRANT TRUNCATE ON TABLES TO till",
            "ALTER DEFAULT PRIVILEGES FOR ROLE keeper IN SCHEMA sales"
            " GRANT TRUNCATE ON TABLES TO till",
        ],
        {"PRIVILEGE_EXCESS"},
    ),
    "later tables everywhere, where some are meant": (
        [],
        [
            "ALTER DEFAULT PRIVILEGES FOR ROLE keeper GRANT SELECT ON TABLES TO bookkeeping",
            "ALTER DEFAULT PRIVILEGES FOR ROLE keeper IN SCHEMA sales"
            " REVOKE SELECT ON TABLES FROM bookkeeping",
        ],
        {"PRIVILEGE_EXCESS"},
    ),
    "later sequences everywhere": (
        [],
        ["ALTER DEFAULT PRIVILEGES FOR ROLE keeper GRANT UPDATE ON SEQUENCES TO bookkeeping"],
        {"PRIVILEGE_EXCESS"},
    ),
    "later tables of everybody": (
        [],
        ["ALTER DEFAULT PRIVILEGES FOR ROLE keeper GRANT SELECT ON TABLES TO PUBLIC"],
        {"PUBLIC_PRIVILEGE"},
    ),
    "later tables of everybody, and of no other": (
        [],
        [
            "ALTER DEFAULT PRIVILEGES FOR ROLE keeper GRANT SELECT ON TABLES TO PUBLIC",
            "ALTER DEFAULT PRIVILEGES FOR ROLE keeper IN SCHEMA sales"
            " REVOKE SELECT ON TABLES FROM till, bookkeeping",
            "ALTER DEFAULT PRIVILEGES FOR ROLE keeper IN SCHEMA archive"
            " REVOKE SELECT ON TABLES FROM till",
        ],
        {"PUBLIC_PRIVILEGE"},
    ),
    "right that was passed on": (
        ["CREATE ROLE auditors"],
        [
            "GRANT UPDATE ON sales.lines TO till WITH GRANT OPTION",
            *by("till", "GRANT UPDATE ON sales.lines TO bookkeeping"),
        ],
        {"PRIVILEGE_EXCESS"},
    ),
    "right by one who may pass it on": (
        PASSED_ON,
        by("auditors", "GRANT UPDATE ON sales.lines TO till"),
        {"PRIVILEGE_EXCESS"},
    ),
    "right of everybody by one who may pass it on": (
        PASSED_ON,
        by("auditors", "GRANT UPDATE ON sales.lines TO PUBLIC"),
        {"PUBLIC_PRIVILEGE"},
    ),
    "right by one whom another let pass it on": (
        [*PASSED_ON, "GRANT SELECT ON sales.lines TO auditors WITH GRANT OPTION"],
        by("helper", "GRANT UPDATE ON sales.lines TO till"),
        {"PRIVILEGE_EXCESS"},
    ),
    "rights on several tables beside a view": (
        ["CREATE VIEW sales.totals AS SELECT 1", "GRANT UPDATE ON sales.totals TO bookkeeping"],
        ["GRANT UPDATE ON sales.lines, sales.receipts TO bookkeeping"],
        {"PRIVILEGE_EXCESS"},
    ),
    "procedure that everybody may call": (
        [],
        ["CREATE PROCEDURE sales.close(int) LANGUAGE sql AS 'SELECT 1'"],
        {"PUBLIC_PRIVILEGE"},
    ),
    "default of everybody in the maintenance database": (
        [],
        ["GRANT CONNECT ON DATABASE postgres TO PUBLIC"],
        {"PUBLIC_PRIVILEGE"},
    ),
}
"""By name: what there is besides and is no fault, what is put in, and which causes are found."""
NEW = (
    "coupons",
    "Coupons",
    "coupons_id_seq",
    "Coupons_id_seq",
    "numbers",
    "sales.close(IN integer)",
)
"""What a case makes, on which nobody had a right before."""
