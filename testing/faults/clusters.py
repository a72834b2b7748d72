"""The faults of a catalogue on several clusters side by side, each cluster by its own process.

A run mostly waits: for pods, for answers, for what must not come. So two clusters on one machine
take little more time than one.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Final

from testing.faults import table
from testing.faults.fault import Fault
from testing.faults.phases import told
from testing.faults.runner import say
from testing.faults.verdict import Verdict

FILE_NAME: Final = "faults.json"


def names_of(cluster: str, count: int) -> list[str]:
    """Return the names of so many clusters, the first of which is `cluster`."""
    return [cluster, *(f"{cluster}-{number}" for number in range(2, count + 1))]


def split(faults: Sequence[Fault], count: int) -> list[list[Fault]]:
    """Return the faults of each of so many clusters: they take them in turns, so each family."""
    return [each for number in range(count) if (each := [*faults[number::count]])]


def run(
    faults: Sequence[Fault], clusters: Sequence[str], options: Sequence[str], records: Path
) -> int:
    """Run faults on several clusters, and write the table of all of them.

    Ctrl-C and SIGTERM are passed on to each process, which takes out what it has put in.

    Args:
        faults: in the order of the table.
        clusters: their names; they are brought up where they are not.
        options: of the command that runs faults on one cluster, besides those that say which.
        records: a directory for what is recorded, one in it for each cluster.

    Returns:
        0 when each fault was caught, rightly named and taken out.
    """
    shares = split(faults, len(clusters))
    argv = [sys.executable, "-u", "-m", "testing.faults", *options]
    running = [
        subprocess.Popen(
            [
                *(*argv, f"--cluster={cluster}", f"--records={records / cluster}"),
                *(f"{fault.family}/{fault.name}" for fault in share),
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            process_group=0,  # Ctrl-C is passed on, once, and does not come from the terminal too
        )
        for cluster, share in zip(clusters, shares, strict=False)
    ]
    relays = [
        threading.Thread(target=_relay, args=(process.stdout, cluster))
        for process, cluster in zip(running, clusters, strict=False)
    ]
    for relay in relays:
        relay.start()
    try:
        statuses = [process.wait() for process in running]
    except KeyboardInterrupt:
        for process in running:
            process.terminate()
        for process in running:
            process.wait()
        raise
    finally:
        for relay in relays:
            relay.join()
    verdicts, seconds = merged([records / cluster / FILE_NAME for cluster in clusters], faults)
    table.write(verdicts, records / FILE_NAME, seconds)
    say(table.text(verdicts))
    say(f"in all, on {len(clusters)} clusters: {told(seconds)}")
    say(f"records: {records}")
    return max(statuses)


def merged(
    files: Sequence[Path], faults: Sequence[Fault]
) -> tuple[list[Verdict], dict[str, float]]:
    """Return what several tables say together, in the order of the faults, and their seconds."""
    seconds: Counter[str] = Counter()
    found: dict[tuple[str, str], Verdict] = {}
    for file in files:
        if not file.exists():
            continue  # it ended before the first verdict, and said why
        content = json.loads(file.read_text("utf-8"))
        seconds.update(content["seconds"])
        for each in content["faults"]:
            del each["is_right"]
            found[each["family"], each["fault"]] = Verdict(**each)
    keys = [(fault.family, fault.name) for fault in faults]
    return [found[key] for key in keys if key in found], dict(seconds)


def _relay(lines: IO[str] | None, cluster: str) -> None:
    """Show what a process says, and on which cluster."""
    for line in lines or ():
        say(f"{cluster}: {line.rstrip()}")
