"""Kills processes inside a pod, without a chance to put anything in order.

Its text is passed to `python3 -c` in a container, so it needs nothing but Python 3.8 and its
standard library. It reads one line of JSON from standard input, the processes' name as the kernel
knows it (proc(5), `comm`), and writes the numbers of those that it killed.
"""

from __future__ import annotations

import json
import os
import signal
import sys


def processes(name: str) -> list[int]:
    """Return the numbers of the processes of that name."""
    found = []
    for entry in os.listdir("/proc"):
        try:
            with open(f"/proc/{entry}/comm", encoding="utf-8", errors="replace") as comm:
                if entry.isdigit() and comm.read().rstrip("\n") == name:
                    found.append(int(entry))
        except OSError:
            continue  # no process, or one that has just ended
    return sorted(found)


if __name__ == "__main__":
    victims = processes(json.loads(sys.stdin.readline()))
    for victim in victims:
        try:
            os.kill(victim, signal.SIGKILL)
        except ProcessLookupError:
            continue
    sys.stdout.write(json.dumps(victims) + "\n")
