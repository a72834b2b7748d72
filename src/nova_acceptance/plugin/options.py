"""The command line's options, checked before anything is touched."""

from __future__ import annotations

import argparse
import os
import secrets
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pytest

from nova_acceptance.cluster import MOST_NODES, check_name
from nova_acceptance.deploy import Form, form_of
from nova_acceptance.deploy.rendering import overlays_of
from nova_acceptance.errors import RenderError, UsageError
from nova_acceptance.plugin import keeping
from nova_acceptance.plugin.clash import added_by, told
from nova_acceptance.report.shards import Shard, check_identifier
from nova_acceptance.report.texts import ENGLISH, LANGUAGES

_MANIFESTS: Final = "manifests"


def add(parser: pytest.Parser) -> None:
    """Add the options of group "nova"."""
    group = parser.getgroup("nova", "Nova acceptance")
    group.addoption(
        "--cluster",
        metavar="WHERE",
        default="local",
        help="where the cluster comes from: local (a reachable local context, else kind), kind, "
        "kind:NAME, docker-desktop, k3d, minikube, in-cluster (that of this pod) or context:NAME "
        "(default: local)",
    )
    group.addoption("--nodes", metavar="N", help="nodes of a cluster of our own (a new one has 3)")
    group.addoption("--node-image", metavar="IMAGE", help="node image of a kind cluster of our own")
    group.addoption(
        "--manifests",
        metavar="PATH",
        help="what to deploy: a kustomization, or a file or directory of plain YAML "
        "(default: manifests)",
    )
    group.addoption(
        "--overlay",
        metavar="NAME",
        help="kustomize overlay to deploy (default: by the number of nodes)",
    )
    group.addoption(
        "--spec",
        metavar="FILE",
        default="nova.yaml",
        help="the system as it is expected to be (default: nova.yaml)",
    )
    group.addoption(
        "--teardown", action="store_true", help="remove what is deployed when the run ends"
    )
    group.addoption(
        "--allow-cluster",
        metavar="NAME",
        help="write to a cluster that is not local: its context, remembered once it was allowed, "
        "or the UID that a refusal tells, for one run",
    )
    group.addoption(
        "--read-only",
        action="store_true",
        help="verify what is there, as far as that takes no write at all",
    )
    group.addoption(
        "--dry-run",
        action="store_true",
        help="have the server say what a deployment would change, and run no test",
    )
    group.addoption("--no-deploy", action="store_true", help="verify what is there, deploy nothing")
    group.addoption(
        "--allow-disruptive",
        action="store_true",
        help="kill pods of the system on a cluster that is not local, too",
    )
    group.addoption(
        "--shard",
        metavar="I/N",
        help="run the I-th of N parts of the tests, counted from 1; with --no-deploy",
    )
    group.addoption(
        "--run-id",
        metavar="ID",
        default=os.environ.get("NOVA_RUN_ID") or None,
        help="what the shards of one run have in common, so that they split by the last durations "
        "and the last one waits for the others (default: $NOVA_RUN_ID)",
    )
    group.addoption(
        "--sample-seed",
        metavar="N",
        type=int,
        help="draw the same sample of connections as a run that told this number; one is drawn "
        "where a line of `reachability` stands for very many",
    )
    group.addoption(
        "--probe-image",
        metavar="IMAGE",
        help="image with Python 3.8 or later for pods that ask in place of pods without it",
    )
    group.addoption(
        "--probe-pods",
        action="store_true",
        help="ask from pods of our own only, and run nothing in the system's containers",
    )
    group.addoption(
        "--ephemeral",
        action="store_true",
        help="ask from ephemeral containers in the system's pods, where they stay",
    )
    keeping.add(group)
    group.addoption(
        "--quarantine",
        metavar="FILE",
        help="known failures that do not count, each with reason, owner and its last day (YAML)",
    )
    group.addoption(
        "--report-lang",
        metavar="LANG",
        default=ENGLISH,
        help=f"the report's language: {' or '.join(LANGUAGES)} (default: {ENGLISH})",
    )


@contextmanager
def added(config: pytest.Config, parser: pytest.Parser, args: list[str]) -> Iterator[None]:
    """Add the options for an acceptance run, before its conftest files are loaded in the context.

    Args:
        config: pytest's configuration, so far as it is known.
        parser: takes the options.
        args: the command line, with what the configuration adds to it.

    Raises:
        pytest.UsageError: a plugin or a conftest file has an option of the same name, or the value
            of one of ours made pytest look for its configuration in another place.
    """
    with told(config, added_by(add)):
        add(parser)
        # Until now pytest took the values of these options for paths of tests.
        known = config.known_args_namespace
        before, known.file_or_dir = known.file_or_dir, parser.parse_known_args(args).file_or_dir
        _check_root(config, args, [word for word in before if word not in known.file_or_dir])
        yield
        # pytest before 9 sees that a conftest file has such an option only when it parses again.
        parser.parse_known_args(args)


def refuse(config: pytest.Config, parser: pytest.Parser, args: list[str]) -> None:
    """Say of options of ours that nobody knows in this run, why that is so.

    Args:
        config: pytest's configuration.
        parser: has every option of this run, ours not among them.
        args: the command line, with what the configuration adds to it.

    Raises:
        pytest.UsageError: there is one.
    """
    ours = added_by(add)
    for word in parser.parse_known_and_unknown_args(args)[1]:
        option = word.partition("=")[0]
        if option in ours:
            where = config.inipath or config.rootpath
            said = f"{option}: not an acceptance run, nova_reports is not set in {where}"
            paths = [each for each in args[args.index(word) + 1 :][:1] if os.path.exists(each)]
            hint = _in_one_word(option, paths[0]) if paths else "run pytest in the acceptance suite"
            raise pytest.UsageError(f"{said}; {hint}")


def check(config: pytest.Config) -> None:
    """Refuse options that cannot be used, and turn `--nodes` into a number.

    Raises:
        pytest.UsageError: the message names the option, what is wrong and what would do.
    """
    option = config.option
    if option.nodes is not None:
        option.nodes = _nodes(option.nodes)
    _check_cluster(option.cluster)
    _check_spec(config.rootpath, option.spec)
    _check_manifests(config.rootpath, option.manifests, option.overlay)
    _check_language(option.report_lang)
    _check_writing(option)
    keeping.check(config)
    if option.teardown and option.no_deploy:
        raise pytest.UsageError(
            "--teardown with --no-deploy: would remove what this run did not deploy; "
            "leave one of them out"
        )
    _check_shard(option)
    if option.teardown and config.getoption("numprocesses", default=None):
        raise pytest.UsageError(
            "--teardown with -n: the first worker to end would remove what the others still "
            "verify; leave one of them out"
        )


def chosen(config: pytest.Config) -> dict[str, str | int | bool]:
    """Return the options and their values, for the record."""
    names = (
        "cluster nodes node_image manifests overlay spec teardown no_deploy read_only"
        " allow_cluster allow_disruptive probe_image probe_pods ephemeral"
        " shard run_id history keep_runs quarantine report_lang"
    ).split()
    values = {name.replace("_", "-"): getattr(config.option, name) for name in names}
    values |= {"markers": config.option.markexpr, "keywords": config.option.keyword}
    return {name: value for name, value in values.items() if value not in (None, "", False)}


def _check_root(config: pytest.Config, args: list[str], values: list[str]) -> None:
    """Refuse a root that is where an option's value is, and not where the tests are."""
    known = config.known_args_namespace
    values = [value for value in values if os.path.exists(value)]
    if not values or known.rootdir or known.inifilename:
        return
    start = config.invocation_params.dir
    tests = [start / path.partition("::")[0] for path in known.file_or_dir] or [start]
    if not any(place.resolve().is_relative_to(config.rootpath.resolve()) for place in tests):
        option = args[args.index(values[0]) - 1]
        hint = _in_one_word(option, values[0])
        raise pytest.UsageError(f"{option}: {config.rootpath} is not where the tests are; {hint}")


def _check_writing(option: argparse.Namespace) -> None:
    """Refuse what contradicts `--read-only` or `--dry-run`, and have the first deploy nothing."""
    if option.read_only:
        deploys = option.manifests is not None and not option.no_deploy
        _refuse(
            "--read-only",
            {
                "--dry-run": (option.dry_run, "a rehearsal sends what would be written"),
                "--teardown": (option.teardown, "a removal writes"),
                "--allow-disruptive": (option.allow_disruptive, "no pod is killed"),
                "--ephemeral": (option.ephemeral, "the containers would stay"),
                "--probe-pods": (option.probe_pods, "none is made"),
                "--probe-image": (option.probe_image, "no pod is made of it"),
                "--manifests": (deploys, "nothing is deployed; add --no-deploy to compare"),
            },
        )
        option.no_deploy = True
    if option.dry_run:
        _refuse(
            "--dry-run",
            {
                "--no-deploy": (option.no_deploy, "there is nothing to rehearse"),
                "--teardown": (option.teardown, "nothing is deployed"),
                "-n": (getattr(option, "numprocesses", None), "no test is run"),
            },
        )


def _refuse(option: str, others: Mapping[str, tuple[object, str]]) -> None:
    for other, (is_given, why) in others.items():
        if is_given:
            raise pytest.UsageError(f"{option} with {other}: {why}; leave one of them out")


def _in_one_word(option: str, path: str) -> str:
    return f"pytest took {path} for a path of tests; write {option}={path}"


def _nodes(value: str | int) -> int:
    try:
        nodes = int(value)
    except ValueError:
        nodes = 0
    if not 1 <= nodes <= MOST_NODES:
        raise pytest.UsageError(f"--nodes: {value!r} is not a number from 1 to {MOST_NODES}")
    return nodes


def _check_shard(option: Any) -> None:
    if option.shard is None:
        option.run_id = None  # the environment's is for shards alone
        return
    try:
        Shard.parse(option.shard)
    except UsageError as error:
        raise pytest.UsageError(f"--shard: {error}") from error
    try:
        if option.run_id is not None:
            check_identifier(option.run_id)
    except UsageError as error:
        raise pytest.UsageError(f"--run-id: {error}") from error
    if not option.no_deploy:
        raise pytest.UsageError(
            "--shard without --no-deploy: each shard would deploy the system; deploy it before "
            "them, and let the shards verify what is there"
        )


def _seed(option: Any) -> int:
    """Draw the seed of a run's sample, which is one and the same for the shards of a run."""
    if option.shard:
        return zlib.crc32((option.run_id or "").encode())
    return secrets.randbelow(10**6)


def _check_cluster(value: str) -> None:
    try:
        check_name(value)
    except UsageError as error:
        raise pytest.UsageError(str(error)) from error


def _check_spec(root: Path, value: str) -> None:
    if not (root / value).is_file():
        raise pytest.UsageError(f"--spec: there is no file {value} (looked in {root})")


def _check_manifests(root: Path, value: str | None, overlay: str | None) -> None:
    manifests = root / (value or _MANIFESTS)
    try:
        form = form_of(manifests) if value is not None else Form.LAYERS
    except RenderError as error:
        raise pytest.UsageError(f"--manifests: {error}") from error
    if overlay is None:
        return
    if form is not Form.LAYERS:
        raise pytest.UsageError(
            f"--overlay: {value} has no overlays; a directory with base/ and overlays/ has"
        )
    there = overlays_of(manifests)
    if overlay not in there:
        place = Path(value or _MANIFESTS) / "overlays" / overlay
        raise pytest.UsageError(
            f"--overlay: there is no {place}; there are: {', '.join(there) or 'none'}"
        )


def _check_language(value: str) -> None:
    if value not in LANGUAGES:
        there = ", ".join(LANGUAGES)
        raise pytest.UsageError(f"--report-lang: there is no {value!r}; there are: {there}")
