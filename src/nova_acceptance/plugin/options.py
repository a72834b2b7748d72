"""The command line's options, checked before anything is touched."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

from nova_acceptance.errors import UsageError
from nova_acceptance.report.texts import ENGLISH, LANGUAGES

REPORTS: Final = "nova_reports"
"""The ini option that makes a pytest run an acceptance run: the directory of the reports."""

_OVERLAYS: Final = Path("manifests") / "overlays"


def add(parser: pytest.Parser) -> None:
    """Add the options of group "nova" and the ini option `nova_reports`."""
    parser.addini(REPORTS, "directory of the acceptance reports; unset: not an acceptance run")
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
        "--report-lang",
        metavar="LANG",
        default=ENGLISH,
        help=f"the report's language: {' or '.join(LANGUAGES)} (default: {ENGLISH})",
    )


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
    names = "cluster nodes node_image overlay spec teardown no_deploy report_lang".split()
    values = {name.replace("_", "-"): getattr(config.option, name) for name in names}
    values |= {"markers": config.option.markexpr, "keywords": config.option.keyword}
    return {name: value for name, value in values.items() if value not in (None, "", False)}


def _nodes(value: str | int) -> int:
    from nova_acceptance.cluster import MOST_NODES  # noqa: PLC0415

    try:
        nodes = int(value)
    except ValueError:
        nodes = 0
    if not 1 <= nodes <= MOST_NODES:
        raise pytest.UsageError(f"--nodes: {value!r} is not a number from 1 to {MOST_NODES}")
    return nodes


def _check_cluster(value: str) -> None:
    # Only in an acceptance run: the clients it brings take a while to import.
    from nova_acceptance.cluster import check_name  # noqa: PLC0415

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
