"""nova-report: reports of records, from the command line."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from importlib import resources
from pathlib import Path
from typing import Any, Final

import click

from nova_acceptance import timeouts
from nova_acceptance.errors import NovaError, UsageError
from nova_acceptance.report.comparison import compare
from nova_acceptance.report.differences import differences
from nova_acceptance.report.escaping import plain
from nova_acceptance.report.gathering import gather as gather_shards
from nova_acceptance.report.kept import KeptHistory, entry_of
from nova_acceptance.report.merging import merge as merge_shards
from nova_acceptance.report.model import Verdict
from nova_acceptance.report.outcomes import read
from nova_acceptance.report.rendering import render as render_run
from nova_acceptance.report.shards import MOST
from nova_acceptance.report.texts import ENGLISH, LANGUAGES, texts
from nova_acceptance.report.wording import Wording

_WORSE: Final = 1
INCOMPLETE: Final = 6
"""Exit status where nothing is wrong and something was not asked; as a run's, `plugin.exits`."""
_LONGEST: Final = 4000
_DIRECTORY: Final = click.Path(path_type=Path, exists=True, file_okay=False)


class _Group(click.Group):
    """Commands whose failures end in one message."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except NovaError as error:
            for line in _lines(error):
                click.echo(line, err=True)
            ctx.exit(2 if isinstance(error, UsageError) else 1)


def _lines(error: NovaError) -> Iterator[str]:
    """Yield a message for a terminal: what a record says may be in it."""
    yield f"nova-report: {plain(error.message, _LONGEST)}"
    yield from (f"  {plain(line, _LONGEST)}" for line in error.evidence)
    if error.hint:
        yield f"→ {error.hint}"


def _language(command: Callable[..., Any]) -> Callable[..., Any]:
    return click.option(
        "--report-lang",
        "language",
        type=click.Choice(LANGUAGES),
        help="the report's language; else the one that the run was asked for",
    )(command)


@click.group(cls=_Group)
@click.version_option(package_name="nova-acceptance")
def main() -> None:
    """Reports of acceptance runs, from their records."""


@main.command()
@click.argument("directories", metavar="DIRECTORY...", nargs=-1, required=True, type=_DIRECTORY)
@click.option(
    "--history",
    type=click.Path(path_type=Path),
    help="a directory or an archive that keeps what came of earlier runs; it is only read",
)
@_language
def render(directories: tuple[Path, ...], history: Path | None, language: str | None) -> None:
    """Render everything of each run in DIRECTORY from its record."""
    for directory in directories:
        run, page = render_run(directory, language=language, history=history)
        click.echo(f"{run.verdict}: {page}")


@main.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.argument("directories", metavar="[DIRECTORY]...", nargs=-1, type=_DIRECTORY)
@click.option(
    "--keep-runs",
    metavar="N",
    type=click.IntRange(min=1),
    help="keep the newest N runs and remove older ones from the history",
)
def history(path: Path, directories: tuple[Path, ...], keep_runs: int | None) -> None:
    """Add each run in DIRECTORY to the history in PATH, and print the runs that it holds.

    PATH is a directory or an archive, .tar.gz or .zip; it is made where it is not there. A run that
    it holds already is replaced. `pytest --history PATH` does the same at a run's end; this also
    takes runs that were killed, and those merged from shards.
    """
    kept = KeptHistory(path)
    if directories or keep_runs:
        kept.add(dict(map(entry_of, directories)), keep_runs)
    for name, past in kept.pasts():
        cluster = plain(f"{past.cluster.name} {past.cluster.version}")
        click.echo(f"{name}  {past.verdict}  {len(past.tests)} tests  {cluster}".rstrip())


@main.command()
@click.argument("into", type=click.Path(path_type=Path, file_okay=False))
@click.argument("directories", metavar="DIRECTORY...", nargs=-1, required=True, type=_DIRECTORY)
@_language
def merge(into: Path, directories: tuple[Path, ...], language: str | None) -> None:
    """Merge the records of a run's shards into one, and render it.

    They have to be of the same cluster and of the same manifests.
    """
    merge_shards(into, directories)
    run, page = render_run(into, language=language)
    click.echo(f"{run.verdict}: {page}")


@main.command()
@click.argument("reports", type=_DIRECTORY)
@click.argument("identifier", metavar="RUN-ID")
@click.option("--of", "number", type=click.IntRange(1, MOST), required=True, help="how many shards")
@click.option(
    "--within",
    type=click.FloatRange(min=0),
    default=timeouts.SHARDS,
    show_default=True,
    help="seconds to wait for those that have not ended",
)
@_language
def gather(
    reports: Path, identifier: str, number: int, within: float, language: str | None
) -> None:
    """Wait for the shards of the run RUN-ID in REPORTS, merge them, and render the run.

    Exits as that run would have: with 0 where it is accepted, 1 where it is rejected, and else
    with what says why it is not complete. Of a shard that does not end in time there is what its
    record holds, or that it has none.
    """
    gathered = gather_shards(reports, identifier, number, within)
    run, page = render_run(gathered.directory, language=language)
    gathered.tidy()
    for shard in gathered.unfinished:
        click.echo(f"shard {shard} did not end", err=True)
    click.echo(f"{run.verdict}: {page}")
    if run.verdict is Verdict.ACCEPTED:
        sys.exit(0)
    sys.exit(_WORSE if run.verdict is Verdict.REJECTED else run.exit_status or INCOMPLETE)


@main.command()
@click.argument("before", type=_DIRECTORY)
@click.argument("after", type=_DIRECTORY)
@_language
def diff(before: Path, after: Path, language: str | None) -> None:
    """Say what differs between two runs.

    Exits with 1 where something got worse: a test fails that did not, or is no longer shown to
    pass, or an accepted run is followed by one that is not.
    """
    comparison = compare(read(before), read(after))
    say = texts(language or ENGLISH)
    word = Wording(say)
    old, new = comparison.before, comparison.after
    verdicts = {"old": word.verdict(old.verdict), "new": word.verdict(new.verdict)}
    names = {"before": plain(old.name), "after": plain(new.name)}
    click.echo(say("comparison.verdict", **names, **verdicts))
    parts = list(differences(comparison, say, plain))
    for part in parts:
        click.echo(part.heading)
        for line in part.lines:
            click.echo(f"  {line}")
    if not parts:
        click.echo(say("page.history.nothing"))
    sys.exit(_WORSE if comparison.is_worse else 0)


@main.command()
def schema() -> None:
    """Print the JSON Schema of a record's lines."""
    file = resources.files("nova_acceptance.report") / "schema" / "run.schema.json"
    click.echo(file.read_text(encoding="utf-8"), nl=False)
