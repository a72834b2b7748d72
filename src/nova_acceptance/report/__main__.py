"""Renders the pages of runs again: `python -m nova_acceptance.report reports/<run> …`."""

from __future__ import annotations

from pathlib import Path

import click

from nova_acceptance.errors import NovaError
from nova_acceptance.report import render


@click.command()
@click.argument("directories", nargs=-1, required=True, type=click.Path(path_type=Path))
def main(directories: tuple[Path, ...]) -> None:
    """Render the report of each run in DIRECTORIES from its record."""
    for directory in directories:
        try:
            run, page = render(directory)
        except NovaError as error:
            raise click.ClickException(str(error)) from error
        click.echo(f"{run.verdict}: {page}")


if __name__ == "__main__":
    main(prog_name="python -m nova_acceptance.report")
