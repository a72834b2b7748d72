"""python -m testing.faults [NAME…]: what the suite makes of every fault of the catalogue."""

from __future__ import annotations

import argparse
import itertools
import os
import secrets
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from nova_acceptance.causes import causes
from nova_acceptance.cluster.home import project
from nova_acceptance.cluster.model import Request
from nova_acceptance.errors import NovaError, UsageError
from nova_acceptance.progress import Progress
from testing.faults import table
from testing.faults.fault import Fault
from testing.faults.lanes import Lane, side_by_side
from testing.faults.phases import told
from testing.faults.reading import CATALOGUE, check_causes, chosen, read_catalogue
from testing.faults.runner import Manner, own_directory, say

INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the faults that are asked for; 0 when each was caught, rightly named and taken out."""
    signal.signal(signal.SIGTERM, _interrupt)
    options = _options(arguments)
    try:
        every = options.all or options.list
        faults = chosen(
            read_catalogue(options.catalogue), options.names, options.family, every=every
        )
        check_causes(faults, causes())
        if options.list:
            say("\n".join(f"{f.family}/{f.name}: {f.title}" for f in faults))
            return 0
        every_test = bool(os.environ.get("ALL"))
        manner = Manner(options.seed, every_test, options.one_by_one)
        return _run(faults, options.cluster, options.clusters, manner)
    except NovaError as error:
        sys.stderr.write(f"faults: {error}\n")
        return 2 if isinstance(error, UsageError) else 1
    except KeyboardInterrupt as error:
        left = "; ".join(map(str, error.args))
        sys.stderr.write(f"faults: interrupted; left behind: {left or 'nothing'}\n")
        return INTERRUPTED


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m testing.faults", description=main.__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="faults, as shell patterns")
    parser.add_argument("--family", default="", help="only the faults of one family")
    parser.add_argument("--all", action="store_true", help="those that are run seldom, too")
    parser.add_argument("--cluster", default=Request.name, help="a kind cluster of ours")
    parser.add_argument(
        "--clusters",
        type=int,
        choices=range(1, 10),
        default=1,
        metavar="N",
        help="on how many of them side by side; the others are called <CLUSTER>-2, … (default: 1)",
    )
    parser.add_argument("--list", action="store_true", help="name the faults and run none")
    parser.add_argument(
        "--catalogue",
        type=Path,
        default=CATALOGUE,
        metavar="DIRECTORY",
        help="where the faults are, as <family>/<name>.yaml (default: the project's own)",
    )
    parser.add_argument(
        "--seed",
        type=int,
        default=secrets.randbelow(1_000_000),
        help="what the tests are drawn by that look for false alarms (default: another each time); "
        "ALL=1 in the environment takes all tests",
    )
    parser.add_argument(
        "--one-by-one", action="store_true", help="put no faults in together that are independent"
    )
    return parser.parse_args(arguments)


def _run(faults: Sequence[Fault], cluster: str, count: int, manner: Manner) -> int:
    progress = Progress()
    progress.say(f"tests: {'all' if manner.every else f'a sample, drawn by --seed {manner.seed}'}")
    directory = own_directory(project() / "reports")
    if count == 1:
        verdicts, phases = Lane(cluster, faults, manner, directory).run(itertools.count())
    else:
        names = [cluster, *(f"{cluster}-{number}" for number in range(2, count + 1))]
        lanes = [Lane(name, faults, manner, directory / name) for name in names]
        verdicts, phases = side_by_side(lanes)
        table.write(verdicts, directory / "faults.json", phases.seconds)
    say(table.text(verdicts))
    say(f"in all: {told(phases.seconds)}")
    say(f"records: {directory}")
    return 0 if all(verdict.is_right for verdict in verdicts) else 1


def _interrupt(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
