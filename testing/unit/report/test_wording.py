"""The model's words, as a page spells them."""

from __future__ import annotations

import pytest

from nova_acceptance.report.model import Problem
from nova_acceptance.report.texts import texts
from nova_acceptance.report.topology import Limit
from nova_acceptance.report.wording import Wording

ENGLISH = Wording(texts("en"))
CHINESE = Wording(texts("zh-Hant"))


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 ms"),
        (0.0456, "46 ms"),
        (0.9996, "1.0 s"),
        (59.94, "59.9 s"),
        (59.96, "1 min 0 s"),
        (3725, "62 min 5 s"),
    ],
)
def test_duration_reads_well(seconds: float, text: str) -> None:
    assert ENGLISH.duration(seconds) == text


def test_words_are_in_the_language_of_the_page() -> None:
    assert (ENGLISH.verdict("not verified"), CHINESE.verdict("not verified")) == (
        "not verified",
        "未驗證",
    )
    assert (ENGLISH.count("failed", 1), CHINESE.count("failed", 1)) == ("1 failed", "1 項失敗")


def test_problem_is_told_with_its_values() -> None:
    assert ENGLISH.problem(Problem("without-result", {"n": 1})) == (
        "1 collected test has no result"
    )
    assert "gw0" in CHINESE.problem(Problem("worker-lost", {"worker": "gw0", "text": "{odd}"}))


def test_state_and_kind_that_are_unknown_are_told_as_they_are() -> None:
    assert ENGLISH.state("timeout") == "no answer"
    assert ENGLISH.state("odd") == "odd"
    assert ENGLISH.counted("odd") == "odd"


def test_reason_of_a_limit_is_in_english_where_there_is_no_other() -> None:
    assert (
        CHINESE.reason(Limit("spread", (), {"en": "one node", "zh-Hant": "單一節點"})) == "單一節點"
    )
    assert CHINESE.reason(Limit("spread", (), {"en": "one node"})) == "one node"
    assert CHINESE.reason(Limit("spread", (), {})) == ""
