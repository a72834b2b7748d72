"""The sentence that says what a test shows, in the reader's language.

A record has it in English, from the test's docstring. `texts/<language>/tests.toml` has it by the
file's path below `tests/` and the function's name, in English as it was when it was translated.
"""

from __future__ import annotations

from nova_acceptance.report.texts import ENGLISH, texts


def doc_of(nodeid: str, doc: str, language: str) -> tuple[str, str]:
    """Return what a test shows, and the language that this is in.

    A test whose docstring is another than the one that was translated is told in the words of the
    record: it may show something else by now.

    Args:
        nodeid: pytest's name of the test; its parameters make no difference.
        doc: the sentence in the record.
        language: the one that is wanted, of `texts.LANGUAGES`.
    """
    path, _, function = nodeid.partition("[")[0].removeprefix("tests/").partition("::")
    key = f"tests.{path}.{function}"
    is_the_same = texts(ENGLISH).get(key) == doc
    translated = texts(language).get(key) if is_the_same else ""
    return (translated, language) if translated else (doc, ENGLISH)
