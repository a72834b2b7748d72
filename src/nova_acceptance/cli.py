"""nova-cluster: clusters of our own, from the command line."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import yaml

from nova_acceptance import masking, secrecy
from nova_acceptance.cluster import (
    DEFAULT_NODES,
    MOST_NODES,
    Request,
    consent,
    contexts,
    doctor,
    suite,
)
from nova_acceptance.cluster.home import Home
from nova_acceptance.cluster.kind.images import images_of
from nova_acceptance.cluster.kind.provider import Provider
from nova_acceptance.cluster.runs import running
from nova_acceptance.collect import examination
from nova_acceptance.collect.values import without_passwords
from nova_acceptance.command_group import CommandGroup
from nova_acceptance.components.registry import json_schema
from nova_acceptance.components.registry import load as load_spec
from nova_acceptance.deploy import Form, form_of, load_credentials, placed
from nova_acceptance.deploy import render as rendered
from nova_acceptance.deploy.provenance import is_committed
from nova_acceptance.deploy.rendering import overlays_of
from nova_acceptance.deploy.unfinished import remove_alone
from nova_acceptance.diagnosis.account import account
from nova_acceptance.draft import draft as drafted
from nova_acceptance.draft import from_api, from_manifests
from nova_acceptance.errors import UsageError
from nova_acceptance.kube import Kube, Object
from nova_acceptance.phrase import Phrase
from nova_acceptance.progress import Progress
from nova_acceptance.vantage.left_over import remove_left_over
from nova_acceptance.verification import cleaning
from nova_acceptance.verification.asking import ask

_OVERLAY = "multi-node"


def _provider() -> Provider:
    return Provider(Home.of_user(), Progress())


def _name(command: Callable[..., Any]) -> Callable[..., Any]:
    return click.argument("name", default=Request.name)(command)


def _manifests(command: Callable[..., Any]) -> Callable[..., Any]:
    return click.option(
        "--manifests",
        type=click.Path(path_type=Path, exists=True),
        default=Path("manifests"),
        show_default=True,
        help="layers like manifests/, a kustomization, or a file or directory of plain YAML",
    )(command)


def _allowed(command: Callable[..., Any]) -> Callable[..., Any]:
    return click.option(
        consent.OPTION, "allowed", metavar="NAME", help="as for pytest, by context or UID"
    )(command)


def _rendered(manifests: Path, overlay: str | None) -> list[Object]:
    """Return the objects of manifests, Secrets of ours with credentials of no cluster.

    Raises:
        UsageError: an overlay is named where there are none.
        RenderError: they cannot be rendered.
    """
    if form_of(manifests) is Form.LAYERS:
        objects = rendered(manifests, overlay or _OVERLAY, load_credentials(None, manifests))
    elif overlay:
        raise UsageError(f"{manifests} has no overlays", hint="leave the overlay out")
    else:
        objects = rendered(manifests)
    masking.register(secrecy.secrets_among(objects))
    return objects


@click.group(cls=CommandGroup)
@click.version_option(package_name="nova-acceptance")
def main() -> None:
    """Kubernetes clusters for Nova's acceptance, by kind."""


@main.command()
@_name
@click.option("--nodes", type=click.IntRange(1, MOST_NODES), help=f"{DEFAULT_NODES} for a new one")
@click.option("--node-image", help="another node image for kind")
def up(name: str, nodes: int | None, node_image: str | None) -> None:
    """Bring a cluster up, or find it up, and say how to use it."""
    progress = Progress()
    request = Request("kind", nodes=nodes, node_image=node_image, name=name)
    cluster = Provider(Home.of_user(), progress).up(request, Phrase("it was asked for"))
    progress.say(f"cluster {cluster.name}: {cluster.reason}")
    click.echo(f"export KUBECONFIG={cluster.kubeconfig}")


@main.command()
@_name
def status(name: str) -> None:
    """Say which nodes a cluster has and how they are."""
    provider = _provider()
    if not provider.is_up(name):
        click.echo(f"{name}: down")
        sys.exit(1)
    for node in provider.cluster(name).nodes():
        click.echo(f"{node.name}: {node.state} ({node.image})")


@main.command()
@_name
def down(name: str) -> None:
    """Remove a cluster; with the last one our container engine goes as well."""
    _provider().down(name)


@main.command()
@_name
def kubeconfig(name: str) -> None:
    """Print the path of a cluster's kubeconfig."""
    path = Home.of_user().cluster(name) / "kubeconfig"
    if not path.exists():
        raise UsageError(f"there is no cluster {name}", hint="start it with `nova-cluster up`")
    click.echo(path)


@main.command()
@_name
@click.option("--into", type=click.Path(path_type=Path), default=Path("reports/cluster-logs"))
def logs(name: str, into: Path) -> None:
    """Collect what the nodes of a cluster wrote."""
    provider = _provider()
    if not provider.is_up(name):
        raise UsageError(f"there is no cluster {name}", hint="start it with `nova-cluster up`")
    provider.cluster(name).export_logs(into)
    click.echo(into)


@main.command()
@click.argument("directory", type=click.Path(path_type=Path, exists=True, file_okay=False))
@_name
def load(directory: Path, name: str) -> None:
    """Build the images of another system and load them into a cluster.

    DIRECTORY holds images/<image>/Containerfile for each; they are named
    docker.io/<directory>/<image>:1.
    """
    images = images_of(directory)
    for tag in _provider().load(images, name):
        click.echo(tag)


@main.command(name="suite")
@_name
@click.option(
    "--into",
    type=click.Path(path_type=Path),
    help="load it nowhere, and write what an engine elsewhere builds it from to a new directory",
)
def load_suite(name: str, into: Path | None) -> None:
    """Build the image of this suite, and load it into a cluster, to run there."""
    home, progress = Home.of_user(), Progress()
    if into:
        suite.write_context(into, home, progress)
        click.echo(f"docker build --file {into}/Containerfile --tag NAME {into}")
        return
    with suite.suite_image(home, progress) as image:
        for tag in Provider(home, progress).load((image,), name):
            click.echo(tag)


@main.command()
@click.confirmation_option(prompt="Remove every cluster and image of ours from this machine?")
def purge() -> None:
    """Remove everything of ours from this machine, built parts included."""
    _provider().purge()


@main.command()
@click.argument("manifests", type=click.Path(path_type=Path, exists=True, file_okay=False))
def credentials(manifests: Path) -> None:
    """Write fresh passwords and a certificate into a copy of manifests/, for kubectl alone."""
    if form_of(manifests) is not Form.LAYERS:
        raise UsageError(
            f"{manifests} has no place for credentials of ours",
            hint="a copy of manifests/ has; Secrets of other manifests have their values",
        )
    if is_committed(manifests):
        raise UsageError(
            f"{manifests} is of a repository, into which no credential belongs",
            hint="fill in a copy: cp -r manifests /tmp/nova && nova-cluster credentials /tmp/nova",
        )
    found = load_credentials(None, manifests)
    if not found.passwords:
        raise UsageError(
            f"no Secret in {manifests} has a placeholder",
            hint="it may be filled in already; begin with a new copy",
        )
    found.write(manifests)
    click.echo(f"kubectl apply --server-side -k {manifests}/overlays/{_OVERLAY}")


@main.command()
@click.argument("overlay", required=False)
@_manifests
def render(overlay: str | None, manifests: Path) -> None:
    """Print what would be applied; of Secrets the keys, never the values."""
    objects = _rendered(manifests, overlay)
    is_ours = form_of(manifests) is Form.LAYERS
    shown = "(generated for each deployment)" if is_ours else "(not shown)"
    for obj in objects:
        for field in ("data", "stringData") if obj["kind"] == "Secret" else ():
            if field in obj:
                obj[field] = dict.fromkeys(obj[field] or (), shown)
    click.echo(yaml.safe_dump_all(objects, sort_keys=False, allow_unicode=True), nl=False)


@main.command()
@click.option("--context", required=True, help="the context of a cluster that is not ours")
@_manifests
@_allowed
@click.confirmation_option(prompt="Remove Nova, with its data, from that cluster?")
def remove(context: str, manifests: Path, allowed: str | None) -> None:
    """Remove Nova, and nothing else, from a cluster that stays.

    What runs that were killed have left beside it goes as well.
    """
    progress = Progress()
    kube = _kube_to_write(context, allowed, progress)
    objects = _rendered(manifests, next(iter(overlays_of(manifests)), None))
    wanted = placed(kube, objects).objects
    namespaces = {obj["metadata"]["namespace"] for obj in wanted if "namespace" in obj["metadata"]}
    with running(Home.of_user()) as run:
        for pod in remove_left_over(kube, sorted(namespaces), run.is_alive):
            progress.say(f"removed pod {pod}, which a killed run had left")
        remove_alone(kube, wanted, run, progress)


@main.command()
@click.option("--context", help="a context of the kubeconfig; else our own cluster if it is up")
@click.option(
    "--spec",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    default=examination.SPEC,
    show_default=True,
    help="what the system should be that the runs were about",
)
@_allowed
def clean(context: str | None, spec: Path, allowed: str | None) -> None:
    """Remove what killed runs have left on a cluster, and nothing else.

    That is probe pods, Leases, what tests wrote into components, and a deployment that was begun
    from nothing and has not come to its end. It waits for a run that goes on. Exits with 1 where
    something stays, which it lists.
    """
    system, progress = load_spec(spec), Progress()
    kube = _kube_to_write(context, allowed, progress)
    with running(Home.of_user()) as run:
        done = cleaning.clean(kube, system, run, progress)
    for each in done.removed:
        click.echo(f"removed: {masking.mask(each)}")
    for each in done.left:
        click.echo(f"left: {masking.mask(each)}")
    if not (done.removed or done.left):
        click.echo("nothing was left over")
    sys.exit(1 if done.left else 0)


@main.command()
def schema() -> None:
    """Print what nova.yaml may say, as a JSON Schema by which editors complete it."""
    click.echo(json.dumps(json_schema(), indent=2, ensure_ascii=False))


@main.command(name="doctor")
def examine() -> None:
    """Say what this machine lacks for a cluster, and what mends it."""
    findings = doctor.examine(Home.of_user())
    for finding in findings:
        mark = "✗" if finding.is_fatal else "!"
        click.echo(f"{mark} {finding.problem}\n  → {finding.cure}")
    if not findings:
        click.echo("✓ nothing is missing")
    sys.exit(1 if any(finding.is_fatal for finding in findings) else 0)


@main.command()
@click.option("--context", help="a context of the kubeconfig; else our own cluster if it is up")
@click.option("--namespace", "namespaces", multiple=True, help="may be given several times")
@click.option(
    "--spec",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="what the system should be; else nova.yaml, where its namespaces exist",
)
@click.option("--api-only", "is_api_only", is_flag=True, help="ask the API and nobody else")
def diagnose(
    context: str | None, namespaces: tuple[str, ...], spec: Path | None, *, is_api_only: bool
) -> None:
    """Say what is wrong with a cluster and why, without changing anything.

    The cluster's objects are looked at, and what nova.yaml describes is asked by its own protocols,
    as far as this user may: components, connections, names and URLs. The last line says what was
    looked at and asked, and what was not. Exits with 1 where something is wrong.
    """
    kube = _kube(context)
    snapshot = examination.seen(kube, namespaces, spec)
    answers = ask(kube, snapshot, is_api_only=is_api_only)
    found = account(snapshot, answers.findings, answers.asked)
    for line in found.lines():
        click.echo(without_passwords(masking.mask(line)))
    sys.exit(0 if found.is_well else 1)


@main.command()
@click.option("--context", help="what runs on the cluster of a context; reads only")
@click.option(
    "--manifests",
    type=click.Path(path_type=Path, exists=True),
    help="what is in a kustomization, a directory of YAML or a file",
)
@click.option("--namespace", "namespaces", multiple=True, help="may be given several times")
def draft(context: str | None, manifests: Path | None, namespaces: tuple[str, ...]) -> None:
    """Print a nova.yaml of what is there, with comments where a person has to decide.

    Without --namespace all of a cluster's namespaces are described that are not its own. Of
    Secrets there are the keys, and no value.
    """
    if context and manifests:
        raise UsageError("--context and --manifests are two places", hint="give one of them")
    if manifests:
        source = from_manifests(manifests, namespaces)
    else:
        source = from_api(_kube(context), namespaces, f"context {context}" if context else "")
    click.echo(drafted(source), nl=False)


def _kube(context: str | None) -> Kube:
    """Return the API of a context that is named, else of our own cluster, else of the current."""
    if context:
        return Kube(None, contexts.by_name(context, Phrase("it was named")).context)
    provider = _provider()
    if provider.is_up(Request.name):
        cluster = provider.cluster(Request.name)
        return Kube(cluster.kubeconfig, cluster.context)
    return Kube(None, None)


def _kube_to_write(context: str | None, allowed: str | None, progress: Progress) -> Kube:
    """Return the same, once it may be written to.

    Raises:
        RefusedError: nobody has allowed it.
    """
    kube = _kube(context)
    if context is None and _provider().is_up(Request.name):
        return kube
    named = context or next(iter(contexts.names()), "")
    found = contexts.by_name(named, Phrase("it was named"))
    consent.require(found, kube, allowed, progress, command=["nova-cluster", *sys.argv[1:]])
    return kube
