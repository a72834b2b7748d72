"""A PostgreSQL of this machine's own, for what only PostgreSQL itself can say.

It holds what the nova.yaml of somebody else says: a shop, with its roles and schemas.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from nova_acceptance.components.postgres.client import Postgres
from nova_acceptance.components.postgres.parts import Reach, Schema, reaches, schemas
from nova_acceptance.components.postgres.spec import Postgres as Spec
from nova_acceptance.components.postgres.sql import Login, Server
from nova_acceptance.kube import PodRef
from nova_acceptance.vantage.routes import Route
from nova_acceptance.vantage.transcript import Transcript

SUPERUSER = "root_of_all"
SHOP = Spec.model_validate_json(
    """
    {
        "kind": "postgres", "name": "pg", "namespace": "shop",
        "databases": [
            {"name": "orders", "owner": "keeper",
             "schemas": {"sales": "keeper", "archive": "keeper"}}
        ],
        "roles": [
            {
                "name": "root_of_all",
                "attributes":
                    ["SUPERUSER", "LOGIN", "REPLICATION", "CREATEDB", "CREATEROLE", "BYPASSRLS"],
                "password": {"secret": "pg", "key": "root"}
            },
            {"name": "keeper"},
            {
                "name": "till", "attributes": ["LOGIN"],
                "password": {"secret": "pg", "key": "till"},
                "grants": [{
                    "database": "orders", "on_database": ["CONNECT"],
                    "schemas": ["sales", "archive"], "on_schemas": ["USAGE"],
                    "on_tables": ["SELECT", "INSERT"], "on_sequences": ["USAGE"]
                }]
            },
            {
                "name": "bookkeeping", "attributes": ["LOGIN"],
                "grants": [{
                    "database": "orders", "on_database": ["CONNECT"],
                    "schemas": ["sales"], "on_schemas": ["USAGE"], "on_tables": ["SELECT"]
                }]
            }
        ]
    }
    """
)
_ROLES = (
    "CREATE ROLE keeper",
    "CREATE ROLE till LOGIN",
    "CREATE ROLE bookkeeping LOGIN",
)
_CLOSED = "REVOKE ALL ON DATABASE postgres, template0, template1 FROM PUBLIC"
_HELD = """
    REVOKE ALL ON DATABASE orders FROM PUBLIC;
    GRANT CONNECT ON DATABASE orders TO till, bookkeeping;
    DROP SCHEMA public;
    SET ROLE keeper;
    CREATE SCHEMA sales;
    CREATE SCHEMA archive;
    GRANT USAGE ON SCHEMA sales TO till, bookkeeping;
    GRANT USAGE ON SCHEMA archive TO till;
    ALTER DEFAULT PRIVILEGES IN SCHEMA sales GRANT SELECT, INSERT ON TABLES TO till;
    ALTER DEFAULT PRIVILEGES IN SCHEMA sales GRANT SELECT ON TABLES TO bookkeeping;
    ALTER DEFAULT PRIVILEGES IN SCHEMA sales GRANT USAGE ON SEQUENCES TO till;
    ALTER DEFAULT PRIVILEGES IN SCHEMA archive GRANT SELECT, INSERT ON TABLES TO till;
    ALTER DEFAULT PRIVILEGES IN SCHEMA archive GRANT USAGE ON SEQUENCES TO till;
    CREATE TABLE sales.receipts (id bigserial, total int);
    CREATE TABLE sales.lines (id int);
    CREATE TABLE archive."Receipts" (id int);
    INSERT INTO sales.receipts (total) VALUES (1), (2);
    RESET ROLE
"""


def port_of_nobody() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


@contextmanager
def running(*settings: str) -> Iterator[int]:
    """Run a server and yield its port; a test is skipped where there is none to run.

    `INITDB` names the initdb of another version than the newest that Debian's packages brought.
    """
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    initdb = os.environ.get("INITDB") or (str(found[-1]) if found else shutil.which("initdb"))
    if initdb is None:
        pytest.skip("there is no PostgreSQL on this machine")
    # PostgreSQL refuses to run as root
    user = "nobody" if os.getuid() == 0 else None
    with tempfile.TemporaryDirectory(prefix="pg-") as folder:
        if user:
            shutil.chown(folder, user)
        data, port = f"{folder}/data", port_of_nobody()
        made = [initdb, "-D", data, "-U", SUPERUSER, "-A", "trust", "-E", "UTF8", "--no-sync"]
        subprocess.run(made, check=True, capture_output=True, user=user, cwd=folder)
        pg_ctl = [str(Path(initdb).with_name("pg_ctl")), "-D", data, "-w"]
        options = f"-c port={port} -c listen_addresses=127.0.0.1 -c fsync=off -k {folder}"
        options += "".join(f" -c {each}" for each in settings)
        subprocess.run(
            [*pg_ctl, "-o", options, "-l", f"{folder}/log", "start"],
            check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, user=user, cwd=folder,
        )  # fmt: skip
        try:
            yield port
        finally:
            subprocess.run(
                [*pg_ctl, "-m", "immediate", "stop"],
                check=True, capture_output=True, user=user, cwd=folder,
            )  # fmt: skip


class Shop:
    """The shop's server: as it should be at first, and changed by statements."""

    def __init__(self, port: int) -> None:
        self.port = port
        route = Route(port, "runner", "pg:5432")
        self.postgres = Postgres(
            {"pg-0": PodRef("shop", "pg-0")},
            Login(SUPERUSER, "postgres", ""),
            lambda _pod: Server(route, Transcript()),
            spec=SHOP,
            serves=0.0,  # what a test changes by itself it asks for at once
        )

    def do(self, *statements: str, database: str = "orders") -> None:
        with self.connected(SUPERUSER, database) as connection:
            for each in statements:
                connection.execute(each)

    def connected(self, role: str, database: str = "orders") -> psycopg.Connection:
        return psycopg.connect(
            host="127.0.0.1", port=self.port, user=role, dbname=database, autocommit=True
        )

    def again(self) -> None:
        """Make everything anew, as it should be."""
        names = ", ".join(f'"{each}"' for each in self.postgres.role_names - {SUPERUSER})
        self.postgres.forget_leader()
        self.do("DROP DATABASE IF EXISTS orders WITH (FORCE)", database="postgres")
        if names:
            # what they hold elsewhere keeps them; who let others in goes together with those
            self.do(f"DROP OWNED BY {names}", f"DROP ROLE {names}", database="postgres")
        self.do(*_ROLES, "CREATE DATABASE orders OWNER keeper", database="postgres")
        self.do(_CLOSED, database="postgres")
        self.do(_HELD)

    def carry_out(self, cure: str) -> None:
        """Carry out the statements of a cure as they stand, each part where it has to be."""
        parts = re.findall(r"`([^`]+)`(?: in database (\w+))?", cure)
        assert parts, cure
        for statements, database in parts:
            self.do(statements, database=database or "postgres")
        self.postgres.forget_leader()

    def rights(self) -> set[tuple[object, ...]]:
        """Return what is whose, who was granted what and may pass it on, and who is whose member.

        The name of what it is about comes first.
        """
        its = self.postgres
        listed = {
            (each.target.name, each.target, each.right, each.grantee, each.may_be_passed_on)
            for each in its.granted("orders").entries
        }
        owners = {
            (name, owner)
            for schema in its.schemas("orders")
            for of in (its.schemas("orders"), its.tables("orders", schema))
            for name, owner in of.items()
        }
        members = {
            tuple(row)
            for row in its.admin().rows(
                "SELECT roleid::regrole, member::regrole FROM pg_auth_members"
            )
        }
        return listed | owners | members


def reach_of(role: str) -> Reach:
    return next(each for each in reaches(SHOP) if each.role.name == role)


def schema_named(name: str) -> Schema:
    return next(each for each in schemas(SHOP) if each.schema == name)
