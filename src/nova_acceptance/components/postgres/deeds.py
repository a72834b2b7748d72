"""What a role must not be able to do unless nova.yaml says that it may."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, LiteralString

from nova_acceptance.phrase import Phrase

PREFIX: Final = "nova_acceptance_"
"""What the name of everything begins with that is made for a moment."""
MADE: Final = f"{PREFIX}denied"
"""What a deed that is not denied leaves behind outside of its transaction."""


def is_of_a_test(name: str) -> bool:
    """Whether a table or a sequence, by its name alone, is made for a moment and taken away."""
    return name.startswith(PREFIX)


@dataclass(frozen=True, slots=True)
class Deed:
    """Something that a role can try.

    Attributes:
        what: as it is told: to …
        statement: SQL with places for `table`, one that the role has grants on, its `schema` and
            the `owner` of what is in that, the `role` itself, a `superuser`, and `made`.
        permitted_by: the attribute or privilege that permits it, as `Reach.rights` has it.
        within: the schema that it needs; empty where it needs none but those of the grant.
        is_of_public: whether PUBLIC may do it in a database as PostgreSQL makes it.
        undo: what a superuser removes `made` with; empty for a deed in a transaction.
        only_reads: whether it would change nothing where it is not denied.
        is_felt: whether others would see it where it is not denied, although it is undone: it is
            tried while nothing of ours is under way that looks there.
    """

    what: Phrase
    statement: LiteralString
    permitted_by: str = ""
    is_of_public: bool = False
    undo: LiteralString = ""
    within: str = ""
    only_reads: bool = False
    is_felt: bool = False


_CREATE: Final = "CREATE on schemas"

DEEDS: Final = (
    Deed(Phrase("create a table"), "CREATE TABLE {schema}.denied (id int)", _CREATE),
    Deed(
        Phrase("create a table in public"),
        "CREATE TABLE public.denied (id int)",
        "CREATE on schema public",
        is_of_public=True,
        within="public",
    ),
    Deed(
        Phrase("create a temporary table"),
        "CREATE TEMPORARY TABLE denied (id int)",
        "TEMPORARY on database",
        is_of_public=True,
    ),
    Deed(Phrase("create a view"), "CREATE VIEW {schema}.denied AS SELECT 1", _CREATE),
    Deed(
        Phrase("create a function"),
        "CREATE FUNCTION {schema}.denied() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        _CREATE,
    ),
    Deed(Phrase("create a schema"), "CREATE SCHEMA denied", "CREATE on database"),
    Deed(Phrase("create a role"), "CREATE ROLE denied", "CREATEROLE"),
    Deed(
        Phrase("create a database"),
        "CREATE DATABASE {made}",
        "CREATEDB",
        undo="DROP DATABASE IF EXISTS {made}",
        is_felt=True,
    ),
    Deed(Phrase("truncate a table"), "TRUNCATE {table}", "TRUNCATE on tables"),
    Deed(Phrase("alter a table"), "ALTER TABLE {table} ADD COLUMN denied int"),
    Deed(Phrase("drop a table"), "DROP TABLE {table}"),
    Deed(Phrase("index a table"), "CREATE INDEX ON {table} ((1))"),
    Deed(
        Phrase("put a trigger on a table"),
        "CREATE TRIGGER denied BEFORE UPDATE ON {table} FOR EACH ROW"
        " EXECUTE FUNCTION suppress_redundant_updates_trigger()",
        "TRIGGER on tables",
    ),
    Deed(Phrase("read password hashes"), "SELECT rolpassword FROM pg_authid", only_reads=True),
    Deed(Phrase("run a program"), "COPY (SELECT 1) TO PROGRAM 'true'"),
    Deed(Phrase("write a file of the server"), "COPY (SELECT 1) TO '/tmp/denied'"),
    Deed(Phrase("read a file of the server"), "SELECT pg_read_file('PG_VERSION')", only_reads=True),
    Deed(Phrase("list files of the server"), "SELECT pg_ls_dir('.')", only_reads=True),
    Deed(Phrase("become the owner"), "SET ROLE {owner}"),
    Deed(Phrase("become a superuser"), "ALTER ROLE {role} SUPERUSER"),
    Deed(Phrase("act for the superuser"), "SET SESSION AUTHORIZATION {superuser}"),
    # before PostgreSQL 16 whoever may make roles may join any that is no superuser
    Deed(Phrase("join the owner"), "GRANT {owner} TO {role}", "CREATEROLE"),
    Deed(Phrase("change the server's settings"), "SET zero_damaged_pages = on"),
    Deed(Phrase("reload the server"), "SELECT pg_reload_conf()"),
    # an idle session comes first, as one of the suite's own is: where it is not denied, nothing is
    # lost
    Deed(
        Phrase("cancel the superuser's statements"),
        "SELECT pg_cancel_backend(pid) FROM pg_stat_activity JOIN pg_roles ON oid = usesysid"
        " WHERE rolsuper AND pid <> pg_backend_pid()"
        " ORDER BY state IS DISTINCT FROM 'idle' LIMIT 1",
    ),
)
