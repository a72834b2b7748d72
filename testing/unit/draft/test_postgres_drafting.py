"""Whose password a Secret holds, and what a role holds as nova.yaml says it."""

from __future__ import annotations

import pytest

from nova_acceptance.components.postgres.holdings import Held, holdings
from nova_acceptance.components.postgres.verifier import is_password
from testing.unit.probes.a_postgres import ASession

# RFC 7677, section 3: the password is "pencil"
SCRAM = (
    "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY="
    ":wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="
)
MD5 = "md520c46e3762c864548e296b33c3406aa9"
"""Of the password "pencil" and the role "user"."""
READ = frozenset({"SELECT"})
USE = frozenset({"USAGE"})


def test_password_is_that_of_a_scram_verifier() -> None:
    assert is_password("pencil", "user", SCRAM)
    assert not is_password("pencils", "user", SCRAM)


def test_password_is_that_of_an_md5_verifier() -> None:
    assert is_password("pencil", "user", MD5)
    assert not is_password("pencil", "another", MD5)


@pytest.mark.parametrize("stored", ["", "pencil", "md5", "SCRAM-SHA-256$x:y$z:w"])
def test_what_is_no_verifier_is_nobodys(stored: str) -> None:
    assert not is_password("pencil", "user", stored)


def test_grant_names_the_schemas_in_which_something_is_held() -> None:
    held = Held(
        on_database=frozenset({"CONNECT"}),
        on_schemas={"app": USE, "public": frozenset()},
        on_tables={"app": READ | {"INSERT"}, "public": frozenset()},
    )

    assert held.grant("shop", Held()) == (
        {
            "database": "shop",
            "on_database": ["CONNECT"],
            "schemas": ["app"],
            "on_schemas": ["USAGE"],
            "on_tables": ["SELECT", "INSERT"],
        },
        True,
    )


def test_grant_that_differs_between_schemas_is_not_all_of_it() -> None:
    held = Held(
        on_schemas=dict.fromkeys(("a", "b", "c"), USE),
        on_tables={"a": READ, "b": READ, "c": READ | {"DELETE"}},
    )
    grant, is_whole = held.grant("shop", Held())

    assert (grant["on_tables"], is_whole) == (["SELECT"], False)


def test_schema_without_tables_speaks_for_none() -> None:
    held = Held(on_schemas={"a": USE, "b": USE}, on_tables={"a": READ})

    assert held.grant("shop", Held())[1]


def test_schema_in_which_everybody_holds_as_much_is_not_named() -> None:
    held = Held(on_schemas={"app": USE, "public": USE}, on_tables={"app": READ})
    grant, is_whole = held.grant("shop", Held(on_schemas={"public": USE}))

    assert (grant["schemas"], is_whole) == (["app"], True)


def test_holdings_are_told_by_role() -> None:
    session = ASession(
        has_database_privilege=[("app", "CONNECT")],
        has_schema_privilege=[("app", "s", "USAGE"), ("other", "s", "USAGE")],
        has_table_privilege=[
            ("app", "s", "SELECT", True, True),
            ("app", "s", "DELETE", False, True),
        ],
        has_sequence_privilege=[("app", "s", "USAGE", False, False)],
    )
    found = holdings(session)  # type: ignore[arg-type]

    assert found["app"].on_database == {"CONNECT"}
    assert found["app"].on_tables == {"s": READ}
    assert found["app"].on_sequences == {"s": frozenset()}
    assert found["app"].is_uneven
    assert not found["other"].is_uneven
