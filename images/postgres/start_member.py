"""Starts Patroni on this pod's volume, once it is safe to: `start_member.py CONFIGURATION`.

Two things happen first that Patroni 3.0 leaves open when a pod is killed and is back at once:

- Its predecessor may still be running for a moment, in another container on the same volume, where
  PostgreSQL's own interlock does not reach. A lock on the volume keeps the two apart.
- The leader's key in etcd may still bear this member's name. Patroni would take it for its own and
  lead on after crash recovery, while a follower that has every acknowledged commit stands ready.
  A member that is only starting leads nothing: the key goes, and the followers elect a leader.
"""

from __future__ import annotations

import fcntl
import http.client
import json
import logging
import os
import sys
import time
from base64 import b64encode
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

LOCK_FILE: Final = "in-use.lock"
REQUEST_SECONDS: Final = 2.0
PAUSE: Final = 0.5


@dataclass(frozen=True)
class Store:
    """The etcd that Patroni keeps its state in.

    Attributes:
        hosts: `host:port` of each member.
        leader_key: the key that holds the leader's name.
    """

    hosts: tuple[str, ...]
    leader_key: str

    @classmethod
    def of(cls, configuration: dict[str, Any]) -> Store:
        """Find it where Patroni does."""
        namespace = configuration["namespace"].strip("/")
        return cls(
            tuple(configuration["etcd3"]["hosts"]),
            f"/{namespace}/{configuration['scope']}/leader",
        )

    def drop_leadership(self, name: str) -> bool:
        """Delete the leader's key if it holds `name`; say whether it did.

        Raises:
            OSError: no member of etcd carried it out.
        """
        key = b64encode(self.leader_key.encode()).decode()
        value = b64encode(name.encode()).decode()
        transaction = {
            "compare": [{"key": key, "target": "VALUE", "result": "EQUAL", "value": value}],
            "success": [{"request_delete_range": {"key": key}}],
        }
        failures = []
        for host in self.hosts:
            try:
                return bool(_ask(host, "/v3/kv/txn", transaction).get("succeeded"))
            except (OSError, ValueError) as error:
                failures.append(f"{host}: {error}")
        raise OSError("; ".join(failures))


def _ask(host: str, path: str, question: dict[str, Any]) -> dict[str, Any]:
    connection = http.client.HTTPConnection(host, timeout=REQUEST_SECONDS)
    try:
        connection.request("POST", path, body=json.dumps(question))
        response = connection.getresponse()
        answer = response.read()
    except http.client.HTTPException as error:
        raise OSError(f"{type(error).__name__}: {error}") from error
    finally:
        connection.close()
    if response.status != http.client.OK:
        raise OSError(f"HTTP {response.status}: {answer[:200].decode(errors='replace')}")
    content: dict[str, Any] = json.loads(answer)
    return content


def hold(volume: Path) -> None:
    """Wait until no other container uses the volume, then keep it for as long as this process is.

    The descriptor stays open across the exec that turns this process into Patroni.
    """
    descriptor = os.open(volume / LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        logging.info("the predecessor still runs on %s; waiting for its end", volume)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    os.set_inheritable(descriptor, True)


def when_answered(store: Store, name: str) -> bool:
    """Drop the leadership as soon as etcd answers; as long as it does not, Patroni cannot start."""
    said = ""
    while True:
        try:
            return store.drop_leadership(name)
        except OSError as error:
            if str(error) != said:
                said = str(error)
                logging.info("waiting for etcd: %s", said)
            time.sleep(PAUSE)


def main() -> None:
    """Take the volume, give up a leadership that is past, and become Patroni."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    path = sys.argv[1]
    configuration = yaml.safe_load(Path(path).read_text())
    name = os.environ["PATRONI_NAME"]
    hold(Path(configuration["postgresql"]["data_dir"]).parent)
    if when_answered(Store.of(configuration), name):
        logging.info("%s led before; the followers elect a leader", name)
    os.execvp("patroni", ["patroni", path])


if __name__ == "__main__":
    main()
