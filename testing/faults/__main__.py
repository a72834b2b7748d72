"""python -m testing.faults [NAME…]: what the suite makes of every fault of the catalogue."""

from __future__ import annotations

import argparse
import os
import secrets
import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from nova_acceptance.causes import causes
from nova_acceptance.cluster.home import Home, project
from nova_acceptance.cluster.kind.provider import Provider
from nova_acceptance.cluster.lock import exclusive
from nova_acceptance.cluster.model import Request
from nova_acceptance.components.kubernetes.placement import hosts
from nova_acceptance.components.registry import load
from nova_acceptance.errors import NovaError, UsageError
from nova_acceptance.kube import Kube
from nova_acceptance.phrase import Phrase
from nova_acceptance.progress import Progress
from nova_acceptance.system import System
from testing.faults import table
from testing.faults.fault import Fault
from testing.faults.ground import Ground
from testing.faults.phases import told
from testing.faults.reading import CATALOGUE, check_causes, chosen, read_catalogue
from testing.faults.runner import Manner, Runner, own_directory, say
from testing.faults.verification import Suite

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
        return _run(faults, options.cluster, Manner(options.seed, every_test, options.one_by_one))
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


def _run(faults: Sequence[Fault], name: str, manner: Manner) -> int:
    progress = Progress()
    progress.say(f"tests: {'all' if manner.every else f'a sample, drawn by --seed {manner.seed}'}")
    provider = Provider(Home.of_user(), progress)
    cluster = provider.up(Request("kind", name=name), Phrase("the faults need one"))
    if cluster.kubeconfig is None:
        raise UsageError(f"cluster {name} has no kubeconfig of its own")
    docker = provider.cluster(name).run_docker
    system = load(project() / "nova.yaml")
    directory = own_directory(project() / "reports")
    lock = Home.of_user().root / "locks" / f"faults-{name}"
    with (
        exclusive(lock, f"putting faults into {name}", progress),
        tempfile.TemporaryDirectory(prefix="nova-faults-") as scratch,
    ):
        ground = Ground(
            cluster.kubeconfig,
            cluster.context,
            system,
            lambda node, argv: docker("exec", node, *argv),
            Path(scratch),
        )
        suite = Suite(cluster.kubeconfig, cluster.context, _overlay(ground.kube, system), directory)
        runner = Runner(ground, suite, progress, manner)
        verdicts = runner.run(faults)
    say(table.text(verdicts))
    say(f"in all: {told(runner.phases.seconds)}")
    say(f"records: {directory}")
    return 0 if all(verdict.is_right for verdict in verdicts) else 1


def _overlay(kube: Kube, system: System) -> str:
    spread = max(workload.replicas for workload in system.every_workload)
    return "multi-node" if len(hosts(kube.list("v1", "Node"))) >= spread else "single-node"


def _interrupt(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
