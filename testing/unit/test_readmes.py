"""The two READMEs say the same, and what the documents link to is there."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ENGLISH = ROOT / "README.md"
CHINESE = ROOT / "README.zh-TW.md"
LANGUAGES = (ENGLISH.name, CHINESE.name)
DOCUMENTS = sorted(
    path
    for files in ("*.md", "docs/**/*.md", "benchmarks/*.md", "manifests/README.md")
    for path in ROOT.glob(files)
)

CODE_BLOCK = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
COMMENT = re.compile(r"(^|\s+)# .*$", re.MULTILINE)
HEADING = re.compile(r"^(#+) ", re.MULTILINE)
LINK = re.compile(r"\]\(([^)\s]+)\)")
TABLE_ROW = re.compile(r"^\|.*\|$", re.MULTILINE)
ELSEWHERE = re.compile(r"[a-z]+:|#")

Aspect = Callable[[str], list[str]]


def prose(text: str) -> str:
    return CODE_BLOCK.sub("", text)


def heading_levels(text: str) -> list[str]:
    return HEADING.findall(prose(text))


def code_blocks(text: str) -> list[str]:
    return [COMMENT.sub("", block) for block in CODE_BLOCK.findall(text)]


def link_targets(text: str) -> list[str]:
    return LINK.findall(prose(text))


def links_besides_the_language(text: str) -> list[str]:
    """Sorted, as a sentence has another order in another language; pictures are in each."""
    targets = (target.replace(".zh-Hant.", ".") for target in link_targets(text))
    return sorted(target for target in targets if target not in LANGUAGES)


def cells_by_row(text: str) -> list[str]:
    return ["|" * row.count("|") for row in TABLE_ROW.findall(prose(text))]


def missing_targets(path: Path) -> list[str]:
    targets = [target for target in link_targets(path.read_text()) if not ELSEWHERE.match(target)]
    return [target for target in targets if not (path.parent / target.split("#")[0]).exists()]


def short(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize(
    "aspect", [heading_levels, code_blocks, links_besides_the_language, cells_by_row]
)
def test_readmes_are_alike(aspect: Aspect) -> None:
    english = aspect(ENGLISH.read_text())

    assert english
    assert aspect(CHINESE.read_text()) == english


@pytest.mark.parametrize(("path", "other"), [(ENGLISH, CHINESE), (CHINESE, ENGLISH)])
def test_readme_leads_to_the_other_language_first(path: Path, other: Path) -> None:
    assert link_targets(path.read_text())[0] == other.name


@pytest.mark.parametrize("path", DOCUMENTS, ids=short)
def test_document_links_only_to_what_is_there(path: Path) -> None:
    assert not missing_targets(path)


def test_link_to_an_absent_file_is_found(tmp_path: Path) -> None:
    path = tmp_path / "page.md"
    path.write_text("[a](page.md#part) [b](absent.md) [c](https://example.com) [d](#part)\n")

    assert missing_targets(path) == ["absent.md"]


def test_comments_in_code_blocks_may_differ() -> None:
    english = "```console\n# first\n$ make test     # the tests\n```\n"
    chinese = "```console\n# 首先\n$ make test  # 測試\n```\n"

    assert code_blocks(english) == code_blocks(chinese)
    assert code_blocks(english) != code_blocks(chinese.replace("test", "check"))


def test_comment_in_a_code_block_is_no_heading() -> None:
    assert heading_levels("# Title\n```console\n# comment\n```\n## Part\n") == ["#", "##"]
