"""Foreign text stays text, in a terminal and in Markdown."""

from __future__ import annotations

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

from nova_acceptance.report.escaping import code, plain, prose, sentence

HOSTILE = [
    "<script>alert(1)</script>",
    "<!-- comment",
    "&lt;b&gt; &#60;",
    "[a link](https://example.com)",
    "![a picture](https://example.com/x.png)",
    "<https://example.com>",
    "[reference]: https://example.com",
    "**bold** __bold__ *it* _it_ ~~gone~~",
    "`code` ``more ` code`` ```\nfence\n```",
    "`",
    "a\n\n# heading\n\n- item\n\n---\n\n> quote",
    "| a | b |\n| - | - |\n| c | d |",
    "\\",
    "trailing\\",
    "line  \nbreak",
    "\\`not code\\`",
    "$math$ $$more$$",
]


def _tokens(text: str) -> list[Token]:
    """Return what a reader of Markdown with GitHub's tables makes of a list item's text."""
    reader = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    blocks = reader.parse(f"- before {text} after\n")
    assert [block.type for block in blocks] == [
        "bullet_list_open",
        "list_item_open",
        "paragraph_open",
        "inline",
        "paragraph_close",
        "list_item_close",
        "bullet_list_close",
    ]
    return blocks[3].children or []


@pytest.mark.parametrize("text", HOSTILE)
def test_code_span_holds_any_text(text: str) -> None:
    before, span, after = _tokens(code(text))

    assert (before.content, after.content) == ("before ", " after")
    assert span.type == "code_inline"
    assert span.content == plain(text)


@pytest.mark.parametrize("text", HOSTILE)
def test_prose_is_nothing_but_text(text: str) -> None:
    tokens = _tokens(prose(text))

    assert {token.type for token in tokens} <= {"text", "text_special"}
    shown = "".join(token.content for token in tokens).replace("\u2060", "")
    assert shown == f"before {plain(text)} after"


@pytest.mark.parametrize("text", HOSTILE)
def test_sentence_is_nothing_but_text_and_code(text: str) -> None:
    tokens = _tokens(sentence(f"`kubectl get pods` shows {text}"))

    assert {token.type for token in tokens} <= {"text", "text_special", "code_inline"}


def test_sentence_sets_in_code_what_it_has_in_backticks() -> None:
    assert sentence("`a` and `b*`, *not*") == r"`a` and `b*`, \*not\*"
    assert sentence("one ` alone") == r"one \` alone"


@pytest.mark.parametrize(
    ("text", "apart"),
    [
        ("@team", "@\u2060team"),
        ("a@example.com", "a@\u2060example.com"),
        ("#12", "#\u206012"),
        ("owner/repo#12", "owner/repo#\u206012"),
        ("!12", "!\u206012"),
        ("%2", "%\u20602"),
        ("GH-12", "GH-\u206012"),
        ("https://example.com", "https:\u2060//example.com"),
        ("www.example.com", "www\u2060.example.com"),
    ],
)
def test_mention_reference_and_address_are_parted(text: str, apart: str) -> None:
    assert prose(text) == apart


def test_code_span_of_nothing_is_nothing() -> None:
    assert code("") == ""
    assert code(" \n") == ""


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("two\nlines\r\n\tand  more", "two lines and more"),
        ("\x1b[31mred\x07", r"\x1b[31mred\x07"),
        ("\u202egnp.exe", r"\u202egnp.exe"),
        ("\ud800", r"\ud800"),
        ("叢集「nova」、三個節點", "叢集「nova」、三個節點"),
    ],
)
def test_plain_text_is_one_line_that_can_be_seen(text: str, shown: str) -> None:
    assert plain(text) == shown


def test_long_text_is_cut_whatever_it_holds() -> None:
    for text in ("x" * 500, "\x00" * 500, "\U000e0001" * 500):
        assert len(plain(text, 100)) == 100
        assert plain(text, 100).endswith(" [cut]")
    assert plain("x" * 100, 100) == "x" * 100
