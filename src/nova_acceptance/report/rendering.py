"""All that is rendered from a run's record, each file by itself: one that fails loses no other."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final

from nova_acceptance.errors import NovaError
from nova_acceptance.report import junit, markdown, metrics, outcomes, page, pytest_html
from nova_acceptance.report.escaping import plain
from nova_acceptance.report.history import history_of
from nova_acceptance.report.kept import KeptHistory
from nova_acceptance.report.model import Run
from nova_acceptance.report.outcomes import Past
from nova_acceptance.report.reading import load
from nova_acceptance.report.texts import ENGLISH, LANGUAGES

OPTION: Final = "report-lang"
"""The recorded option that says in which language a run is reported."""


def write_all(
    run: Run,
    directory: Path,
    *,
    language: str | None = None,
    kept: Iterable[tuple[str, Past]] = (),
) -> dict[str, str]:
    """Write everything that is rendered from a run's record.

    Args:
        run: the run, as read from its record.
        directory: the run's directory; its neighbours are the runs before it.
        language: one of `texts.LANGUAGES`; the one that the run was asked for unless named.
        kept: runs before it that a history kept elsewhere has, the newest first.

    Returns:
        What could not be written: why, by the file's name.
    """
    language = language or language_of(run)
    unwritten = {}
    history = history_of(run, directory.resolve().parent, kept=kept)
    told: dict[str, Any] = {"language": language, "history": history}
    renderers: dict[str, Callable[[], Iterable[str]]] = {
        outcomes.FILE_NAME: lambda: [outcomes.render(history.runs[-1])],
        junit.FILE_NAME: lambda: junit.render(run),
        metrics.FILE_NAME: lambda: [metrics.render(run)],
        markdown.FILE_NAME: lambda: [markdown.render(run, **told)],
        pytest_html.FILE_NAME: lambda: pytest_html.render(run),
        page.FILE_NAME: lambda: page.render(run, **told),
    }
    for name, render in renderers.items():
        try:
            _write(directory / name, render())
        except Exception as error:  # noqa: BLE001 - whatever it is, the other files are wanted
            unwritten[name] = plain(f"{type(error).__name__}: {error}")
    return unwritten


def render(
    directory: Path, *, language: str | None = None, history: Path | None = None
) -> tuple[Run, Path]:
    """Render everything of a run from its record.

    Args:
        directory: the run's directory; what is rendered is written into it.
        language: one of `texts.LANGUAGES`; the one that the run was asked for unless named.
        history: a directory or an archive that keeps earlier runs; it is only read.

    Returns:
        The run, and the path of its HTML report.

    Raises:
        UsageError: there is no record, or one of an unknown schema, or the history is none.
        NovaError: something could not be written; the rest is.
    """
    run = load(directory)
    kept = KeptHistory(history).pasts() if history else ()
    if unwritten := write_all(run, directory, language=language, kept=kept):
        reasons = [f"{name}: {reason}" for name, reason in unwritten.items()]
        raise NovaError(f"{directory}: not everything could be written", evidence=reasons)
    return run, directory / page.FILE_NAME


def prepare() -> None:
    """Compile the templates, which takes longer than to render them."""
    page.prepare()
    pytest_html.prepare()


def _write(path: Path, pieces: Iterable[str]) -> None:
    """Write a file whole or not at all: others may read it, or copy it, at any moment."""
    beside = path.with_name(f".{path.name}-{os.getpid()}")
    try:
        with beside.open("w", encoding="utf-8", errors="backslashreplace") as file:
            file.writelines(pieces)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def language_of(run: Run) -> str:
    """Return the language that a run was to be reported in."""
    asked = run.options.get(OPTION)
    return asked if asked in LANGUAGES else ENGLISH
