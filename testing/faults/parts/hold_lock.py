"""Locks a table of PostgreSQL and never lets go: `DATABASE TABLE`.

Runs in PostgreSQL's own image, which brings psycopg2, as the superuser by the pod's own socket.
"""

import sys
import time

import psycopg2  # type: ignore[import-untyped, import-not-found, unused-ignore]

PAUSE = 60

database, table = sys.argv[1:]
held = psycopg2.connect(dbname=database, user="postgres", host="/run/postgresql")
held.cursor().execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
while True:
    time.sleep(PAUSE)
