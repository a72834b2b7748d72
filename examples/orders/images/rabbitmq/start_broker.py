"""Starts RabbitMQ with the definitions of the manifests and the passwords of the Secret.

`/etc/rabbitmq/definitions.json` says which vhosts, users, permissions and queues there are, and
holds no password. Each user's password is the content of the file of its name below
`/etc/rabbitmq-passwords`. RabbitMQ imports what the two make together at every start, so that a
change of the Secret takes a restart of the pod, and no more.

A user without a password ends the start: RabbitMQ would make a user whom nobody can log in as.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import secrets
from pathlib import Path
from typing import Any, Final

TEMPLATE: Final = Path("/etc/rabbitmq/definitions.json")
PASSWORDS: Final = Path("/etc/rabbitmq-passwords")
DEFINITIONS: Final = Path("/run/rabbitmq/definitions.json")
"""Named by `load_definitions` in rabbitmq.conf."""
SALT_BYTES: Final = 4


def hashed(password: str) -> str:
    """Return a password as RabbitMQ keeps it: salted, by SHA-256, in base 64.

    Source: RabbitMQ's guide "Credentials and Passwords", "Computing Password Hash".
    """
    salt = secrets.token_bytes(SALT_BYTES)
    return base64.b64encode(salt + hashlib.sha256(salt + password.encode()).digest()).decode()


def with_passwords(definitions: dict[str, Any], passwords: Path) -> dict[str, Any]:
    """Return the definitions with each user's password, hashed, from the file of its name.

    Raises:
        OSError: a user's file is missing or cannot be read.
    """
    users = [
        {
            **user,
            "password_hash": hashed((passwords / user["name"]).read_text().rstrip("\n")),
            "hashing_algorithm": "rabbit_password_hashing_sha256",
        }
        for user in definitions["users"]
    ]
    return {**definitions, "users": users}


def main() -> None:
    """Write the definitions and become RabbitMQ."""
    os.umask(0o077)
    definitions = json.loads(TEMPLATE.read_text())
    complete = with_passwords(definitions, PASSWORDS)
    DEFINITIONS.write_text(json.dumps(complete))
    # By itself the script stays as a parent that ends with 0 whatever RabbitMQ ended with. Under
    # systemd it becomes RabbitMQ, which is then the first process, with its signals and its status.
    os.environ["RUNNING_UNDER_SYSTEMD"] = "true"
    os.execvp("rabbitmq-server", ["rabbitmq-server"])


if __name__ == "__main__":
    main()
