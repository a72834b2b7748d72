"""python -m testing.browser.pictures RUN: the pictures of the READMEs, of a run's report.

Each shows the verdict, the layers and the topology, without some of what is between them in the
report, and is of the same size in pixels, whatever the run.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Final

from nova_acceptance.errors import UsageError
from nova_acceptance.report import load, page
from nova_acceptance.report.history import history_of
from nova_acceptance.report.texts import CHINESE, ENGLISH
from testing.browser.chromium import ChromiumMissingError, launched
from testing.browser.reader import WIDE, reading

PICTURES: Final = Path(__file__).parents[2] / "docs" / "pictures"
NAMES: Final = {ENGLISH: "report.png", CHINESE: f"report.{CHINESE}.png"}
HEIGHT: Final = 1930
"""Pixels: down to the end of the topology of a run on three nodes."""
LEFT_OUT: Final = "#system > .wide ~ *, [data-layer=networking] tr:not(.layer)"
"""What comes after the layers, and the rows of the Services, which the topology has as well."""


def take(directory: Path, pictures: Path = PICTURES) -> list[Path]:
    """Take the pictures of a run's report, one in each language, in light colours.

    Args:
        directory: the run's directory.
        pictures: where to put them.

    Returns:
        Their files.

    Raises:
        UsageError: there is no record of a run.
        ChromiumMissingError: there is nothing to read a report with.
    """
    run = load(directory)
    history = history_of(run, directory.resolve().parent)
    taken = []
    with tempfile.TemporaryDirectory() as scratch, launched() as browser:
        for language, name in NAMES.items():
            report = Path(scratch, page.FILE_NAME)
            shown = "".join(page.render(run, language=language, history=history))
            report.write_text(shown, encoding="utf-8")
            with reading(browser, report) as reader:
                path = pictures / name
                reader.page.set_viewport_size({"width": WIDE, "height": HEIGHT})
                reader.page.add_style_tag(content=f"{LEFT_OUT} {{ display: none; }}")
                reader.page.screenshot(path=path)
                taken.append(path)
    return taken


def main(arguments: list[str]) -> None:
    """Take the pictures of the run that is named and say where they are."""
    if len(arguments) != 1:
        sys.exit("usage: python -m testing.browser.pictures RUN, such as reports/latest")
    try:
        taken = take(Path(arguments[0]))
    except (ChromiumMissingError, UsageError) as error:
        sys.exit(str(error))
    for path in taken:
        sys.stdout.write(f"{path} {path.stat().st_size // 1000} kB\n")


if __name__ == "__main__":
    main(sys.argv[1:])
