"""Pictures of time are drawn of any text, and load and link nothing from elsewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from nova_acceptance.report.chart import draw_timeline
from nova_acceptance.report.history import History
from nova_acceptance.report.past import duration_picture
from nova_acceptance.report.texts import ENGLISH, texts
from nova_acceptance.report.timeline import TESTS, Bar
from testing.unit.report.markup import Elements
from testing.unit.report.runs import past

SAY = texts(ENGLISH)


def drawn(row: str) -> Elements:
    return Elements(str(draw_timeline([Bar(row, TESTS, 0.0, 1.5)], SAY)))


@pytest.mark.parametrize(
    "name",
    ["a\x07b", "a\x00b", "a\ud800b", "a\uffffb", "a\u202eb", "\U0001f4a5" * 100, "", "w" * 9000],
    ids=range(8),
)
def test_any_name_can_be_drawn(name: str) -> None:
    assert "tests" in drawn(name).text


def test_name_does_not_become_markup() -> None:
    found = drawn("</text><script>alert(1)</script>\"'&amp;")

    assert {tag for tag, _ in found.tags} <= {"svg", "g", "path", "line", "text", "defs"}
    assert "<script>" in found.text


def test_column_of_a_run_leads_to_its_report_beside_this_one() -> None:
    runs = [past("first & best", hours=-2), past("..second", hours=-1), past("now")]

    picture = str(duration_picture(History(tuple(runs)), SAY))

    links = [str(found["xlink:href"]) for tag, found in Elements(picture).tags if tag == "a"]
    assert links == ["../first%20%26%20best/report.html", "../..second/report.html", "#history"]


def test_picture_names_no_other_place_than_the_standards(tmp_path: Path) -> None:
    runs = [past(str(tmp_path)), past("now")]

    picture = str(duration_picture(History(tuple(runs)), SAY)) + str(draw_timeline([], SAY))

    assert set(re.findall(r"\w+://[^/\"]+", picture)) == {"http://www.w3.org"}
