from __future__ import annotations

import json
from pathlib import Path

from testing.faults import table
from testing.faults.verdict import Verdict

RIGHT = Verdict("one", "services", caught=True, named="SELECTOR_WRONG", seconds=2.0, by=3)
WRONG = Verdict("two", "redis", seconds=6.0, false_alarms=("t::x",), problems=("not named",))


def test_score_counts_what_is_right_and_every_false_alarm() -> None:
    assert table.score([RIGHT, WRONG]) == (
        "1 of 2 caught and rightly named; median time to the named cause 4.0 s; "
        "later than expected: 0; false alarms: 1"
    )


def test_table_has_a_row_for_each_fault() -> None:
    lines = table.text([RIGHT, WRONG]).splitlines()

    assert lines[2].split("|")[1:6] == [
        " services/one ",
        " yes    ",
        " 3     ",
        " SELECTOR_WRONG ",
        " 2.0     ",
    ]
    assert "not named" in lines[3]


def test_table_is_written_for_programs(tmp_path: Path) -> None:
    table.write([RIGHT, WRONG], tmp_path / "faults.json")

    content = json.loads((tmp_path / "faults.json").read_text())
    assert (content["right"], content["all"], content["false_alarms"]) == (1, 2, 1)
    assert content["faults"][0]["is_right"]
