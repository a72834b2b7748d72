"""Row-level security that hides from a role the rows which its privileges are for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from nova_acceptance.checks import check
from nova_acceptance.components.postgres.client import Postgres
from nova_acceptance.components.postgres.parts import Schema, schemas
from nova_acceptance.components.postgres.quoting import quoted
from nova_acceptance.components.postgres.spec import Postgres as Spec
from nova_acceptance.components.postgres.spec import Role
from nova_acceptance.findings import NOWHERE, Finding
from nova_acceptance.phrase import Phrase

_UNDER_POLICIES: Final = ("SELECT", "INSERT", "UPDATE", "DELETE")
"""The rest, such as TRUNCATE, is not subject to row-level security."""

_HIDDEN: Final = """
    SELECT relname::text, c, EXISTS (SELECT FROM pg_policy WHERE polrelid = t.oid)
    FROM pg_class t, pg_roles r, unnest(%s::text[], %s::text[]) AS commands (c, letter)
    WHERE t.relnamespace = to_regnamespace(quote_ident(%s)) AND t.relkind IN ('r', 'p')
    AND r.rolname = %s AND t.relrowsecurity AND NOT (r.rolsuper OR r.rolbypassrls)
    AND (t.relforcerowsecurity OR NOT pg_has_role(r.oid, t.relowner, 'USAGE'))
    AND (
        NOT EXISTS (
            SELECT FROM pg_policy WHERE polrelid = t.oid AND polpermissive
            AND polcmd IN ('*', letter) AND {fits} AND NOT {never}
        ) OR EXISTS (
            SELECT FROM pg_policy WHERE polrelid = t.oid AND NOT polpermissive
            AND polcmd IN ('*', letter) AND {fits} AND {never}
        )
    )
    ORDER BY 1
""".replace(
    "{fits}",
    "EXISTS (SELECT FROM unnest(polroles) given WHERE given = 0"
    " OR pg_has_role(r.oid, given, 'USAGE'))",
).replace(
    # a row that is written is judged by WITH CHECK, or by USING where there is none
    "{never}",
    "coalesce(pg_get_expr(CASE letter WHEN 'a' THEN coalesce(polwithcheck, polqual)"
    " ELSE polqual END, polrelid) = 'false', false)",
)
"""The tables whose policies leave a role no row for a command, and whether they have any policy.

A policy fits that is for the command or for all, for the role or for one of which it has the
rights; what it lets through is the affair of who wrote it, unless it says that no row ever is.
Source: the PostgreSQL manual, "Row Security Policies", "CREATE POLICY" and "pg_policy".
"""


@check
def rows_hidden(postgres: Postgres, spec: Spec, schema: Schema) -> Iterator[Finding]:
    """Find tables of a schema whose rows no policy lets a role have that works with them."""
    for role, wanted in _working(spec, schema):
        for table, commands, has_policies in _hidden(postgres, schema, role, wanted):
            sentence = Phrase(
                "row-level security of {table} in database {database} is on, and no policy lets"
                " {role} {commands} any row",
                table=f"{schema.schema}.{table}",
                database=schema.database,
                role=role.name,
                commands=list(commands),
            )
            yield Finding(
                "ROW_SECURITY_HIDES",
                NOWHERE,
                sentence,
                _cure(schema, table, role.name, commands, has_policies=has_policies),
            )


@check
def hidden_rows(postgres: Postgres, spec: Spec) -> Iterator[Finding]:
    """Find tables of any schema whose rows no policy lets a role have that works with them."""
    for schema in schemas(spec):
        if schema.schema in postgres.schemas(schema.database):
            yield from rows_hidden(postgres, spec, schema)


def _working(spec: Spec, schema: Schema) -> Iterator[tuple[Role, list[str]]]:
    """Yield who works with the tables of a schema, and by which commands.

    The owner may do all, and is subject to the policies where they are forced on it.
    """
    for role in spec.roles:
        if role.name in (schema.owner, schema.maker):
            yield role, list(_UNDER_POLICIES)
            continue
        grant = role.grant_in(schema.database)
        if schema.schema in grant.schemas and not role.is_superuser:
            yield role, [each for each in _UNDER_POLICIES if each in grant.on_tables]


def _hidden(
    postgres: Postgres, schema: Schema, role: Role, wanted: list[str]
) -> Iterator[tuple[str, tuple[str, ...], bool]]:
    letters = {"SELECT": "r", "INSERT": "a", "UPDATE": "w", "DELETE": "d"}
    found: dict[str, tuple[tuple[str, ...], bool]] = {}
    rows = postgres.admin(schema.database).rows(
        _HIDDEN, wanted, [letters[each] for each in wanted], schema.schema, role.name
    )
    for table, command, has_policies in rows:
        commands, _ = found.get(table, ((), False))
        found[table] = (*commands, command), has_policies
    for table, (commands, has_policies) in found.items():
        ordered = tuple(each for each in _UNDER_POLICIES if each in commands)
        yield table, ordered, has_policies


def _cure(
    schema: Schema, table: str, role: str, commands: tuple[str, ...], *, has_policies: bool
) -> Phrase:
    """Return both ways out, the likelier one first: a policy is wanted where others have one."""
    on, to = quoted(schema.schema, table), quoted(role)
    policies = "; ".join(
        f"CREATE POLICY {quoted(f'{role}_{each.lower()}')} ON {on} FOR {each} TO {to} "
        + {"SELECT": "USING (true)", "DELETE": "USING (true)", "INSERT": "WITH CHECK (true)"}.get(
            each, "USING (true) WITH CHECK (true)"
        )
        # one for all commands where all of them are wanted
        for each in (("ALL",) if set(commands) == set(_UNDER_POLICIES) else commands)
    )
    off = f"ALTER TABLE {on} DISABLE ROW LEVEL SECURITY"
    return Phrase(
        "`{policies}` in database {database}; or, if its rows are for everybody with a privilege,"
        " `{off}`"
        if has_policies
        else "`{off}` in database {database}; or, if policies are meant, `{policies}`",
        policies=policies,
        off=off,
        database=schema.database,
    )
