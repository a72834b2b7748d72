"""Keeps the label `nova/role` of this pod at the role that PostgreSQL has in it.

Patroni calls it as `role_label.py ACTION ROLE SCOPE` when PostgreSQL starts, stops or changes its
role; the services `postgres-primary` and `postgres-replicas` select pods by the label. Patroni
calls once, so a failure is tried again for as long as it takes; the next call ends this one, so
an old role never overwrites a newer one.
"""

from __future__ import annotations

import http.client
import json
import logging
import os
import ssl
import sys
import time
from pathlib import Path
from typing import Final

LABEL: Final = "nova/role"
ACCOUNT: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount")
# Patroni 3.0 hands callbacks the older name; later ones say primary.
PRIMARY: Final = frozenset({"master", "primary", "promoted"})

REQUEST_SECONDS: Final = 3.0
FIRST_PAUSE: Final = 0.2
LONGEST_PAUSE: Final = 3.0


def label_of(action: str, role: str) -> str | None:
    """Return the label's value after an action; None takes the label away.

    Args:
        action: `on_start`, `on_restart`, `on_role_change` or `on_stop`.
        role: PostgreSQL's role as Patroni names it.
    """
    if action == "on_stop":
        return None
    return "primary" if role in PRIMARY else "replica"


def patch_label(value: str | None) -> None:
    """Set or take away the label through the API (JSON merge patch, RFC 7396).

    Raises:
        OSError: the API server could not be asked, or it refused.
    """
    pod = f"/api/v1/namespaces/{os.environ['POD_NAMESPACE']}/pods/{os.environ['POD_NAME']}"
    connection = http.client.HTTPSConnection(
        os.environ["KUBERNETES_SERVICE_HOST"],
        int(os.environ["KUBERNETES_SERVICE_PORT"]),
        timeout=REQUEST_SECONDS,
        context=ssl.create_default_context(cafile=str(ACCOUNT / "ca.crt")),
    )
    try:
        connection.request(
            "PATCH",
            pod,
            body=json.dumps({"metadata": {"labels": {LABEL: value}}}),
            headers={
                # Read anew each time: the kubelet replaces the token while the pod runs.
                "Authorization": f"Bearer {(ACCOUNT / 'token').read_text().strip()}",
                "Content-Type": "application/merge-patch+json",
            },
        )
        response = connection.getresponse()
        answer = response.read()
    except http.client.HTTPException as error:
        raise OSError(f"{type(error).__name__}: {error}") from error
    finally:
        connection.close()
    if response.status != http.client.OK:
        raise OSError(f"HTTP {response.status}: {answer[:200].decode(errors='replace')}")


def main() -> int:
    """Carry one call of Patroni's through to the API."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    action, role = sys.argv[1:3]
    value = label_of(action, role)
    pause = FIRST_PAUSE
    while True:
        try:
            patch_label(value)
        except OSError as error:
            logging.warning("label %s=%s is still to be set: %s", LABEL, value, error)
            time.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)
        else:
            logging.info("label %s=%s is set after %s", LABEL, value, action)
            return 0


if __name__ == "__main__":
    sys.exit(main())
