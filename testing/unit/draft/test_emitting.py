"""YAML as a person would write it, and as its readers have it."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from nova_acceptance.draft.emitting import WIDTH, emit

ODD = [
    *("7.", "15", "yes", "no", "null", "", " a", "a ", "a: b", "a #b", "*", "~", "a, b", "{a}"),
    *("é", "-", "[a", "0x1F", "1e3", "2024-01-01", "a\nb", '"', "'"),
]


@pytest.mark.parametrize("text", ODD)
def test_text_stays_text(text: str) -> None:
    data = {"a": text, "b": [text, {"c": text}], "d": {"e": [text]}}

    assert yaml.safe_load(emit(data, {})) == data


@pytest.mark.parametrize(
    "data",
    [
        {"a": {}, "b": [], "c": {"d": []}},
        {"a": [{"b": [{"c": [1, 2]}]}]},
        {"a": [{"b": 1}, {"c": 2}], "d": [[1, 2], [3]]},
        {"a": {"long": ["x" * 30] * 5, "longer": {str(n): "y" * 20 for n in range(9)}}},
        {"a": True, "b": None, "c": 1.5},
    ],
)
def test_data_is_read_back(data: dict[str, Any]) -> None:
    assert yaml.safe_load(emit(data, {})) == data


def test_comment_stands_above_what_it_is_about() -> None:
    data = {"parts": [{"name": "a", "more": {"x": 1}}, {"name": "b"}], "end": 1}
    comments = {("parts", 1): ["about b"], ("parts", 0, "more"): ["about more"], ("end",): ["last"]}
    text = emit(data, comments, ["at the top"])

    assert yaml.safe_load(text) == data
    lines = [line.strip() for line in text.splitlines()]
    assert lines[0] == "# at the top"
    assert lines[lines.index("# about b") + 1] == "- name: b"
    assert lines[lines.index("# about more") + 1].startswith("more:")
    assert lines[lines.index("# last") + 1] == "end: 1"


def test_comment_at_the_first_field_of_an_item_does_not_part_it() -> None:
    data = {"parts": [{"name": "a", "x": "y"}]}

    assert yaml.safe_load(emit(data, {("parts", 0, "name"): ["here"]})) == data


def test_lines_are_no_longer_than_they_may_be() -> None:
    words = " ".join(["word"] * 60)
    text = emit({"a": [{"name": "n" * 40, "list": ["x" * 9] * 9}]}, {("a", 0): [words]}, [words])

    assert max(map(len, text.splitlines())) <= WIDTH


def test_comment_of_several_lines_stays_a_comment() -> None:
    data = {"a": 1}

    assert yaml.safe_load(emit(data, {("a",): ["one\ntwo: 2"]}, ["x\ny: 3"])) == data
