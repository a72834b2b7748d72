"""Bars are where their values are, on axes that people read at once."""

from __future__ import annotations

import pytest

from nova_acceptance.report.chart import Scale, scale_of


@pytest.mark.parametrize(
    ("longest", "scale"),
    [
        (0.3, Scale(0.05, 6)),
        (1.0, Scale(0.1, 10)),
        (7.2, Scale(1, 8)),
        (10.5, Scale(2, 6)),
        (112, Scale(20, 6)),
        (600, Scale(100, 6)),
        (1e15, Scale(1e14, 10)),
    ],
)
def test_axis_has_round_steps_and_is_no_longer_than_it_must(longest: float, scale: Scale) -> None:
    assert scale_of(longest) == scale


@pytest.mark.parametrize("longest", [0.0, -1.0, 5e-324])
def test_axis_of_nothing_is_one_all_the_same(longest: float) -> None:
    assert scale_of(longest).ticks == (("0", "0%"), ("1", "100%"))


def test_ticks_are_written_where_their_values_are() -> None:
    scale = scale_of(0.3)

    assert scale.grid == "16.667%"
    assert scale.ticks[:3] == (("0", "0%"), ("0.05", "16.667%"), ("0.1", "33.333%"))
    assert scale.share(0.15) == "50%"
