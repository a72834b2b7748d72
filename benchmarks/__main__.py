"""python -m benchmarks NAME…: measure a claim and print its rows for benchmarks/README.md.

Each measurement runs the commands a user would run, in processes of their own, on this machine. A
claim of being faster is measured against the alternative in the same run. `peers` and `scale` take
`--cluster`, as the suite does; the others are about the cluster that `nova-cluster up` makes.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.carried import measure_carried
from benchmarks.commands import BIN, ROOT, timed
from benchmarks.elsewhere import measure_elsewhere
from benchmarks.pages import measure_pages
from benchmarks.path import path_of
from benchmarks.peers.measure import ROUNDS, measure_peers
from benchmarks.place import place_of
from benchmarks.processors import busy
from benchmarks.scale import SIZES, measure_scale
from benchmarks.table import row, spread
from benchmarks.wire import measure_wire
from nova_acceptance.cluster.home import Home
from nova_acceptance.cluster.kind.images import NOVA
from nova_acceptance.cluster.kind.provider import Provider
from nova_acceptance.cluster.model import Request
from nova_acceptance.components.registry import load as load_spec
from nova_acceptance.deploy import deploy, load_credentials, remove, render
from nova_acceptance.errors import NovaError
from nova_acceptance.kube import Kube, PodRef
from nova_acceptance.progress import Progress
from nova_acceptance.report import Outcome, load
from nova_acceptance.vantage.agent import ask_everywhere
from nova_acceptance.vantage.places import Places
from nova_acceptance.vantage.questions import Dial
from nova_acceptance.verification.topology import needs

MANIFESTS = ROOT / "manifests"
PYTEST: list[str | Path] = [BIN / "pytest", "--cluster", "kind", "--no-deploy", "-q"]
REPEATS = 3
PAIRS = 5


def verified(*selection: str) -> float:
    """Run the verification; a failure or a skip ends the measurement. Return its seconds."""
    seconds = timed([*PYTEST, *selection])
    run = load(ROOT / "reports" / "latest")
    if skipped := [test.nodeid for test in run.tests if test.outcome == Outcome.SKIPPED]:
        sys.exit(f"{len(skipped)} tests were skipped: {skipped[:3]}")
    return seconds


def until_first_test() -> float:
    """Run the quick check; return the seconds from typing it to its first test's set-up."""
    typed = datetime.now(UTC)
    verified("-m", "infra")
    run = load(ROOT / "reports" / "latest")
    began = [test.began for test in run.tests if test.began is not None]
    if run.started is None or not began:
        sys.exit("the record does not say when the first test began")
    return (run.started - typed).total_seconds() + min(began)


def kube() -> Kube:
    """Return the API of the cluster that runs."""
    cluster = Provider(Home.of_user(), Progress()).cluster(Request.name)
    return Kube(cluster.kubeconfig, cluster.context)


def nothing() -> None:
    """From nothing: a fresh clone and an empty home, to the report. Stops a running cluster."""
    timed([BIN / "nova-cluster", "down"])
    with tempfile.TemporaryDirectory(prefix="nova-", dir=Home.of_user().root) as scratch:
        clone = Path(scratch, "clone")
        timed(["git", "clone", "--quiet", ROOT, clone])
        home = {"NOVA_ACCEPTANCE_HOME": str(Path(scratch, "home"))}
        try:
            seconds = timed(["make", "-C", clone, "acceptance"], environment=home)
            row("`make acceptance` from nothing", seconds)
        finally:
            timed([clone / ".venv/bin/nova-cluster", "purge", "--yes"], environment=home)


def cluster() -> None:
    """A warm start of three nodes, and its end."""
    ups, downs = [], []
    for _ in range(REPEATS):
        timed([BIN / "nova-cluster", "down"])
        ups.append(timed([BIN / "nova-cluster", "up"]))
        downs.append(timed([BIN / "nova-cluster", "down"]))
    row("warm start, three nodes Ready, DNS and storage", statistics.median(ups), spread(ups))
    row("`nova-cluster down`", statistics.median(downs), spread(downs))
    timed([BIN / "nova-cluster", "up"])


def store() -> None:
    """Images in the node image's store, against `kind load` into the running nodes."""
    provider = Provider(Home.of_user(), Progress())
    running = provider.cluster(Request.name)
    tags = [image.tag for image in NOVA]
    started = time.monotonic()
    provider.provide_nova()
    row("handing Nova's images to the engine", time.monotonic() - started, "once")
    nodes = [node.name for node in running.nodes()]
    for node in nodes:
        for tag in tags:
            running.run_docker("exec", node, "ctr", "--namespace=k8s.io", "images", "rm", tag)
    started = time.monotonic()
    running.load(tags, Progress())
    row("`kind load` of Nova's images", time.monotonic() - started, "at every start otherwise")


def deployment() -> None:
    """Nova from empty namespaces to ready, and the same again when it is there."""
    api, progress = kube(), Progress()
    credentials = load_credentials(api, MANIFESTS)
    objects = render(MANIFESTS, "multi-node", credentials)
    system = load_spec(ROOT / "nova.yaml")
    fresh, paths = [], []
    for _ in range(REPEATS):
        remove(api, objects, progress)
        started = time.monotonic()
        deploy(api, objects, progress=progress)
        fresh.append(time.monotonic() - started)
        pods = [it for each in system.namespaces for it in api.list("v1", "Pod", namespace=each)]
        paths.append(path_of(pods, needs(system)))
    row("Nova from empty namespaces to ready", statistics.median(fresh), spread(fresh))
    longest = [each.seconds for each in paths]
    row("its critical path by the API's times", statistics.median(longest), spread(longest))
    row("… of the last run: had a node, ran, was ready", " → ".join(paths[-1].legs))
    ratio = statistics.median(took / path.seconds for took, path in zip(fresh, paths, strict=True))
    row("the deployment, of its critical path", f"{ratio:.2f}")
    again = list(_repeated(lambda: deploy(api, objects, progress=progress)))
    row("applied and awaited when it is there", statistics.median(again), spread(again))
    with _filled() as directory:
        argv = [*_kubectl(), "apply", "--server-side", "--force-conflicts"]
        argv += ["-k", directory / "overlays" / "multi-node"]
        other = list(_repeated(lambda: timed(argv)))
    row("the same by `kubectl apply --server-side`", statistics.median(other), "not awaited")


def verification() -> None:
    """The verification on a running system: everything, without pods killed, and `-m infra`."""
    for what, selection in (
        ("whole verification, pods killed as well", ""),
        ("whole verification, no pod killed", "not disruptive"),
        ("`pytest -m infra`", "infra"),
    ):
        seconds, processors = [], []
        for _ in range(REPEATS):
            began = busy()
            seconds.append(verified("-m", selection))
            processors.append(busy() - began)
        row(what, statistics.median(seconds), f"{spread(seconds)}, start-up included")
        row("… processors busy meanwhile", statistics.median(processors), spread(processors))
    first = [until_first_test() for _ in range(REPEATS)]
    row("from typing to the set-up of the first test", statistics.median(first), spread(first))


def places() -> None:
    """The verification from the system's own containers, and from probe pods, in turn."""
    own, probes = [], []
    for _ in range(PAIRS):
        own.append(verified("-m", "not disruptive"))
        probes.append(verified("-m", "not disruptive", "--probe-pods"))
    row("no pod killed, asked from their own containers", statistics.median(own), spread(own))
    row("… the same from probe pods", statistics.median(probes), spread(probes))
    ratio = statistics.median(probes) / statistics.median(own)
    sys.stdout.write(f"by probe pods it takes {ratio:.2f} of that\n")


def thirty() -> None:
    """The whole verification thirty times in a row with every core kept busy, all green."""
    with _busy():
        seconds = [verified() for _ in range(30)]
    row("30 verifications in a row under load", statistics.median(seconds), spread(seconds))


def matrix() -> None:
    """Reachability from every service's pod: one exec a pod, against one `kubectl exec` a cell."""
    api = kube()
    pods = [
        PodRef("nova-services", pod["metadata"]["name"])
        for pod in api.list("v1", "Pod", namespace="nova-services")
    ]
    targets = [
        (f"{service['metadata']['name']}.{service['metadata']['namespace']}", port["port"])
        for namespace in ("nova-redis", "nova-database", "nova-services")
        for service in api.list("v1", "Service", namespace=namespace)
        for port in service["spec"]["ports"]
    ]
    questions = [Dial(host, port) for host, port in targets]
    started = time.monotonic()
    ask_everywhere(Places(api), dict.fromkeys(pods, questions))
    cells = len(pods) * len(targets)
    row(f"{cells} cells by {len(pods)} execs", time.monotonic() - started)
    script = "import socket, sys; socket.create_connection((sys.argv[1], int(sys.argv[2])), 3)"
    kubectl = [*_kubectl(), "exec", "--namespace=nova-services"]
    started = time.monotonic()
    for pod in pods:
        for host, port in targets:
            timed([*kubectl, pod.name, "--", "python3", "-c", script, host, str(port)])
    row(f"{cells} cells by {cells} `kubectl exec`", time.monotonic() - started)


def carried() -> None:
    """A question to a pod by a connection of its own, against one on a connection that is kept."""
    measure_carried(kube())


def report() -> None:
    """A report of 5,000 tests: written, opened and searched, against pytest-html's page."""
    measure_pages()


def elsewhere() -> None:
    """What the plugin adds to a pytest run that is no acceptance run."""
    measure_elsewhere()


def scale(cluster: str, sizes: list[int]) -> None:
    """Nova with 5, 25, 50 and 100 services: tests, seconds, CPU, memory, bytes, execs."""
    with place_of(cluster) as place:
        measure_scale(place, sizes)


def peers(cluster: str, rounds: int) -> None:
    """The same checks by this suite, kubectl run, kubectl exec, pytest-kubernetes, plain pytest."""
    with place_of(cluster) as place:
        measure_peers(place, rounds)


def wire() -> None:
    """One DNS answer of the node image's server, against dnspython's."""
    measure_wire()


@contextmanager
def _busy() -> Iterator[None]:
    """Keep every core busy with something else."""
    spin: list[str | Path] = [sys.executable, "-c", "while True: pass"]
    with ExitStack() as spinning:
        for _ in range(os.cpu_count() or 1):
            process = subprocess.Popen(spin)
            spinning.callback(process.wait)
            spinning.callback(process.kill)
        yield


def _repeated(action: Callable[[], object]) -> Iterator[float]:
    for _ in range(REPEATS):
        started = time.monotonic()
        action()
        yield time.monotonic() - started


def _kubectl() -> list[str | Path]:
    return [BIN / "kubectl", "--kubeconfig", _kubeconfig()]


def _kubeconfig() -> Path:
    return Home.of_user().cluster(Request.name) / "kubeconfig"


@contextmanager
def _filled() -> Iterator[Path]:
    """Yield a copy of the manifests with the running system's credentials in it."""
    with tempfile.TemporaryDirectory() as scratch:
        copy = Path(scratch, "manifests")
        shutil.copytree(MANIFESTS, copy)
        load_credentials(kube(), MANIFESTS).write(copy)
        yield copy


MEASUREMENTS = (
    *(nothing, cluster, store, deployment, verification, places, thirty, matrix, carried, report),
    elsewhere,
    wire,
)


def main(arguments: list[str]) -> None:
    """Run the measurements that are named."""
    options = _options(arguments)
    known: dict[str, Callable[[], object]] = {each.__name__: each for each in MEASUREMENTS}
    known["scale"] = lambda: scale(options.cluster, options.sizes)
    known["peers"] = lambda: peers(options.cluster, options.rounds)
    sys.stdout.write(f"{json.dumps({'cores': os.cpu_count(), 'load': os.getloadavg()[0]})}\n")
    try:
        for name in options.names:
            known[name]()
    except NovaError as error:
        sys.exit(str(error))


def _options(arguments: list[str]) -> argparse.Namespace:
    every = (*MEASUREMENTS, scale, peers)
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="\n".join(f"  {each.__name__}: {each.__doc__}" for each in every),
    )
    names = [each.__name__ for each in every]
    parser.add_argument("names", nargs="+", choices=names, metavar="NAME", help="which, see below")
    parser.add_argument("--cluster", default="kind", help="of peers and scale; Nova is on it")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="of peers: each runs so often")
    parser.add_argument("--sizes", type=_sizes, default=SIZES, help="of scale: 5,25 services")
    return parser.parse_args(arguments)


def _sizes(text: str) -> list[int]:
    return sorted(map(int, text.split(",")))


if __name__ == "__main__":
    main(sys.argv[1:])
