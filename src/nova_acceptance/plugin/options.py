"""The command line's options, checked before anything is touched."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

from nova_acceptance.cluster import MOST_NODES, check_name
from nova_acceptance.errors import UsageError
from nova_acceptance.plugin.clash import added_by, told
from nova_acceptance.report.texts import ENGLISH, LANGUAGES

_OVERLAYS: Final = Path("manifests") / "overlays"


def add(parser: pytest.Parser) -> None:
    """Add the options of group "nova"."""
    group = parser.getgroup("nova", "Nova acceptance")
    group.addoption(
        "--cluster",
        metavar="WHERE",
        default="local",
        help="where the cluster comes from: local (a reachable local context, else kind), kind, "
        "docker-desktop, k3d, minikube or context:NAME (default: local)",
    )
    group.addoption("--nodes", metavar="N", help="nodes of a cluster of our own (a new one has 3)")
    group.addoption("--node-image", metavar="IMAGE", help="node image of a kind cluster of our own")
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
    group.addoption("--no-deploy", action="store_true", help="verify what is there, deploy nothing")
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
    _check_overlay(config.rootpath, option.overlay)
    _check_language(option.report_lang)
    if option.teardown and option.no_deploy:
        raise pytest.UsageError(
            "--teardown with --no-deploy: would remove what this run did not deploy; "
            "leave one of them out"
        )
    if option.teardown and config.getoption("numprocesses", default=None):
        raise pytest.UsageError(
            "--teardown with -n: the first worker to end would remove what the others still "
            "verify; leave one of them out"
        )


def chosen(config: pytest.Config) -> dict[str, str | int | bool]:
    """Return the options and their values, for the record."""
    names = (
        "cluster nodes node_image overlay spec teardown no_deploy probe_image probe_pods ephemeral"
        " report_lang"
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


def _check_cluster(value: str) -> None:
    try:
        check_name(value)
    except UsageError as error:
        raise pytest.UsageError(str(error)) from error


def _check_spec(root: Path, value: str) -> None:
    if not (root / value).is_file():
        raise pytest.UsageError(f"--spec: there is no file {value} (looked in {root})")


def _check_overlay(root: Path, value: str | None) -> None:
    overlays = root / _OVERLAYS
    if value is None or (overlays / value / "kustomization.yaml").is_file():
        return
    there = ", ".join(sorted(path.parent.name for path in overlays.glob("*/kustomization.yaml")))
    raise pytest.UsageError(
        f"--overlay: there is no {_OVERLAYS / value}; there are: {there or 'none'}"
    )


def _check_language(value: str) -> None:
    if value not in LANGUAGES:
        there = ", ".join(LANGUAGES)
        raise pytest.UsageError(f"--report-lang: there is no {value!r}; there are: {there}")
