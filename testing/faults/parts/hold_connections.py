"""Opens connections to PostgreSQL until it takes no more, and keeps them: `NUMBER`.

Runs in PostgreSQL's own image, which brings psycopg2, with the environment of its container.
"""

import os
import sys
import time

import psycopg2  # type: ignore[import-untyped, import-not-found, unused-ignore]

PAUSE = 0.2

held = []
while True:
    try:
        held.append(
            psycopg2.connect(
                host=os.environ["POD_IP"],
                user="app_user",
                password=os.environ["APP_USER_PASSWORD"],
                dbname="nova_auth",
            )
        )
    except psycopg2.OperationalError:
        time.sleep(PAUSE)
    if len(held) >= int(sys.argv[1]):
        time.sleep(PAUSE)
