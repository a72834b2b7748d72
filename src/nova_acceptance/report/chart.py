"""Pictures of time, drawn by Vega-Lite on this side: SVG that needs no script.

Colours are custom properties of the page's style, so that a picture follows its colour scheme.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

from markupsafe import Markup

from nova_acceptance.drawing import ENGINE, SCHEMA
from nova_acceptance.report.escaping import plain
from nova_acceptance.report.texts import Texts
from nova_acceptance.report.timeline import FAILED, OF_THE_RUN, STEPS, TESTS, Bar

_HERE: Final = "https://reports.invalid/"
"""Stands for this page's directory: Vega puts an address of its own before a relative one."""
_ASTRAL: Final = re.compile("[\U00010000-\U0010ffff]")
_WIDTH: Final = 760
_ROW: Final = 18
_LABEL: Final = 300
_LEVEL: Final = 8
"""Columns whose names fit beside each other."""
_CONFIG: Final[dict[str, Any]] = {
    "background": None,
    "font": "sans-serif",
    "view": {"stroke": None},
    # A browser's font may be wider than the one that Vega measured with.
    "padding": {"left": 40, "right": 10, "top": 5, "bottom": 5},
    "axis": {
        "labelColor": "var(--ink)",
        "titleColor": "var(--soft)",
        "gridColor": "var(--line)",
        "domainColor": "var(--line)",
        "tickColor": "var(--line)",
        "titleFontWeight": "normal",
        "labelLimit": _LABEL,
    },
    "legend": {
        "labelColor": "var(--ink)",
        "titleColor": "var(--soft)",
        "orient": "top",
        "columnPadding": 24,
    },
}


def draw_timeline(bars: Sequence[Bar], say: Texts) -> Markup:
    """Draw bars of time, row by row; those on the critical path have an outline.

    Args:
        bars: in the order of their rows.
        say: the texts of the page's language.
    """
    there = {bar.step for bar in bars}
    every = (*OF_THE_RUN, *STEPS, TESTS, FAILED)
    words: dict[str, str] = {step: say(f"page.timeline.{step}") for step in every if step in there}
    run = say("page.timeline.run")
    rows = [
        {
            "row": _label(bar.row or run),
            "step": words[bar.step],
            "start": round(bar.start, 3),
            "end": round(bar.end, 3),
            "critical": bar.is_critical,
            "told": f"{_label(bar.row or run)}: {words[bar.step]}, {_span(bar, say)}",
        }
        for bar in bars
    ]
    return _draw(
        {
            "height": {"step": _ROW},
            "data": {"values": rows},
            "mark": {"type": "bar", "height": _ROW - 6, "minBandSize": 2},
            "encoding": {
                "y": {
                    "field": "row",
                    "type": "nominal",
                    "sort": None,
                    "title": None,
                    "axis": {"ticks": False, "domain": False},
                },
                "x": {
                    "field": "start",
                    "type": "quantitative",
                    "title": say("page.timeline.axis"),
                },
                "x2": {"field": "end"},
                "color": {
                    "field": "step",
                    "type": "nominal",
                    "title": None,
                    "scale": {
                        "domain": list(words.values()),
                        "range": [f"var(--step-{step})" for step in words],
                    },
                },
                "stroke": {
                    "condition": {"test": "datum.critical", "value": "var(--ink)"},
                    "value": None,
                },
                "description": {"field": "told"},
            },
        }
    )


def _span(bar: Bar, say: Texts) -> str:
    return say("words.duration.seconds", n=f"{bar.start:.1f}–{bar.end:.1f}")  # noqa: RUF001


def draw_durations(
    points: Sequence[dict[str, Any]], *, axis: str, colours: dict[str, str]
) -> Markup:
    """Draw a column a run, as high as the run took long, in the colour of its verdict.

    Args:
        points: `run`, `seconds`, `verdict`, `told` (the column in words) and `href`, which is
            relative to the page, in order.
        axis: what is drawn, in words.
        colours: by verdict, as the points spell it.
    """
    angle = 0 if len(points) <= _LEVEL else -40
    return _draw(
        {
            "height": 120,
            "data": {"values": [_column(point) for point in points]},
            "mark": {"type": "bar", "cornerRadiusTopLeft": 2, "cornerRadiusTopRight": 2},
            "encoding": {
                "x": {
                    "field": "run",
                    "type": "nominal",
                    "sort": None,
                    "title": None,
                    "axis": {"labelAngle": angle, "ticks": False},
                },
                "y": {"field": "seconds", "type": "quantitative", "title": axis},
                "color": {
                    "field": "verdict",
                    "type": "nominal",
                    "title": None,
                    "scale": {"domain": list(colours), "range": list(colours.values())},
                },
                "href": {"field": "href"},
                "description": {"field": "told"},
            },
        }
    )


def _column(point: dict[str, Any]) -> dict[str, Any]:
    shown = {name: _label(point[name]) for name in ("run", "told")}
    return {**point, **shown, "href": f"{_HERE}{point['href']}"}


def _label(text: str) -> str:
    """Return a text that can be drawn: at a character that XML lacks the library would abort.

    It cuts long labels between the halves of a character, too, where one has two (UTF-16).
    """
    return _ASTRAL.sub("\ufffd", plain(text))


def _draw(spec: dict[str, Any]) -> Markup:
    whole = {"$schema": SCHEMA, "width": _WIDTH, "config": _CONFIG, **spec}
    # Vega escapes what it writes; nothing else makes this text.
    svg = ENGINE.svg(whole)
    return Markup(svg.replace(f'xlink:href="{_HERE}', 'xlink:href="'))  # noqa: S704
