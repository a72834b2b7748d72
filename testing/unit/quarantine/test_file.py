"""The file of known failures: what it may say, and how it is refused."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from nova_acceptance.errors import SpecError
from nova_acceptance.verification.quarantine import Entry, Quarantine, load

FULL = "reason: why, owner: who, until: 2030-01-31"
DAY = date(2030, 1, 31)


def read(tmp_path: Path, text: str) -> Quarantine:
    path = tmp_path / "known.yaml"
    path.write_text(text, encoding="utf-8")
    return load(path)


def test_entries_are_read(tmp_path: Path) -> None:
    found = read(tmp_path, f"- {{test: 'a::*', cause: DNS_WRONG_ANSWER, {FULL}}}\n")

    assert found.entries == (
        Entry(test="a::*", cause="DNS_WRONG_ANSWER", reason="why", owner="who", until=DAY),
    )


@pytest.mark.parametrize("text", ["", "[]", "# nothing\n"])
def test_file_may_be_empty(tmp_path: Path, text: str) -> None:
    assert read(tmp_path, text).entries == ()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- {test: a, reason: r, owner: o}", "known.yaml:1: [0].until: is missing"),
        ("- {test: a, owner: o, until: 2030-01-31}", "known.yaml:1: [0].reason: is missing"),
        ("- {test: a, reason: r, until: 2030-01-31}", "known.yaml:1: [0].owner: is missing"),
        (f"\n- {{tests: a, {FULL}}}", "known.yaml:2: [0].tests: is not a known key"),
        (f"- {{{FULL}}}", "known.yaml:1: [0]: has neither test nor cause"),
        (
            f"- {{cause: DNS, {FULL}}}",
            "known.yaml:1: [0].cause: there is no cause DNS; docs/diagnosis.md has them all",
        ),
        (
            "- test: a\n  reason: r\n  owner: o\n  until: '2030-01-31'",
            "known.yaml:4: [0].until: must be a date, such as 2027-01-31, without quotes",
        ),
        (
            "- test: a\n  reason: ''\n  owner: o\n  until: 2030-01-31",
            "known.yaml:2: [0].reason: must not be empty",
        ),
        ("- test: a\n  test: b", "known.yaml:2: [0].test: is there twice"),
        ("- [", "known.yaml:1: "),
        ("a: b", "known.yaml:1: must be a list"),
    ],
)
def test_wrong_file_is_refused_with_line_and_field(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(SpecError) as error:
        read(tmp_path, text)

    assert str(tmp_path / said) in error.value.message


def test_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="cannot be read"):
        load(tmp_path / "absent.yaml")


@pytest.mark.parametrize(
    ("pattern", "fits"),
    [
        ("tests/a.py::test_x[redis]", True),
        ("tests/*::test_x*", True),
        ("tests/a.py::test_?[redis]", True),
        ("", True),
        ("test_x[redis]", False),
        ("tests/a.py::test_x[a-z]*", False),
        ("tests/a_py::test_x[redis]", False),
    ],
)
def test_brackets_of_a_pattern_mean_themselves(pattern: str, fits: bool) -> None:
    found = Entry(test=pattern, cause="", reason="r", owner="o", until=DAY)

    assert found.fits("tests/a.py::test_x[redis]", "ANY") is fits


def test_one_that_holds_comes_before_one_that_has_run_out() -> None:
    old = Entry(test="*", reason="old", owner="o", until=date(2029, 1, 1))
    new = Entry(test="*", reason="new", owner="o", until=DAY)

    assert Quarantine((old, new)).find("a", "", date(2029, 6, 1)) == (1, new)
    assert Quarantine((old,)).find("a", "", date(2029, 6, 1)) == (0, old)
    assert Quarantine((new,)).find("a", "", DAY) == (0, new)


def test_failure_without_a_known_cause_is_met_by_that_word() -> None:
    found = Entry(cause="UNKNOWN", reason="r", owner="o", until=DAY)

    assert found.fits("a", "UNKNOWN")
    assert Quarantine((found,)).find("a", "", DAY) == (0, found)
    assert Quarantine((found,)).find("a", "IMAGE_PULL", DAY) is None
