"""The catalogues of texts say the same in both languages, and each says all that it should.

Every file below `report/texts` is read, so that a new one is held to the same.
"""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, get_args

import pytest

from nova_acceptance import report
from nova_acceptance.causes import Cause, Field, causes
from nova_acceptance.diagnosis import explanation
from nova_acceptance.report.cause_texts import UNKNOWN, cause_text
from nova_acceptance.report.texts import CHINESE, ENGLISH, LANGUAGES, Texts, texts
from nova_acceptance.report.wording import doc_of

ROOT = Path(__file__).parents[3]
SOURCES = Path(report.__path__[0]).parent
FOLDER = Path(report.__path__[0]) / "texts"
FILES = sorted(FOLDER.glob("*/*.toml"))

TEST_TEXTS, PHRASES = "tests", "phrases"
IN_ONE_LANGUAGE = {PHRASES: CHINESE}
"""The English of a cause is the cause itself, and that of a phrase is where it is made."""
WITHOUT_PLACEHOLDERS = {TEST_TEXTS}
"""Their texts are shown as they are."""
PLURAL = {"one", "other"}
NAMES = frozenset("Kubernetes Nova".split())
"""Words that are the same in every language, as names are."""

FIELDS = get_args(Field)

Entry = str | dict[str, str]

FACT = "tests/infrastructure/test_redis.py::test_redis_has_its_version"
FACT_IN_ENGLISH = "What answers is Redis in the version that nova.yaml says."
FACT_IN_CHINESE = "回應的是 nova.yaml 所寫版本的 Redis。"


def is_plural(entry: Any) -> bool:
    return isinstance(entry, Mapping) and PLURAL.issuperset(entry)


def entries(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Entry]]:
    """Yield every key below a table with its text, or with its forms by number."""
    for name, entry in table.items():
        if isinstance(entry, Mapping) and not is_plural(entry):
            yield from entries(entry, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", entry


def read(language: str, part: str) -> dict[str, Entry]:
    path = FOLDER / language / f"{part}.toml"
    return dict(entries(tomllib.loads(path.read_text(encoding="utf-8"))))


def parts(language: str) -> set[str]:
    return {path.stem for path in FILES if path.parent.name == language}


PARTS = sorted(parts(ENGLISH) & parts(CHINESE))


def forms(entry: Entry) -> tuple[str, ...]:
    return (entry,) if isinstance(entry, str) else tuple(entry.values())


def general(entry: Entry) -> str:
    """Return the form for any number but one, which has all that is to be filled in."""
    return entry if isinstance(entry, str) else entry["other"]


def placeholders(text: str) -> set[str]:
    """Return what is filled in, also what the page's script fills in later (`{{name}}`)."""
    return set(re.findall(r"\{(\w+)", text))


def code_spans(text: str) -> list[str]:
    """Return commands, fields and messages, which are the same in every language."""
    return sorted(re.findall(r"`[^`]*`", text))


def simplified(text: str) -> list[str]:
    """Return the Chinese characters that Big5 lacks, as it does nearly all simplified ones."""
    return [each for each in text if is_chinese(each) and not each.encode("big5", "ignore")]


def is_chinese(text: str) -> bool:
    return re.search(r"[\u3400-\u9fff]", text) is not None


def facts() -> dict[str, str]:
    """Return the first line of every acceptance test's docstring, by its key in the catalogue."""
    folder = ROOT / "tests"
    return {
        f"{path.relative_to(folder).as_posix()}.{node.name}": (ast.get_docstring(node) or "")
        .partition("\n")[0]
        .strip()
        for path in folder.rglob("test_*.py")
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }


def test_languages_have_the_same_parts() -> None:
    assert {path.parent.name for path in FILES} == set(LANGUAGES)
    assert parts(CHINESE) ^ parts(ENGLISH) == set(IN_ONE_LANGUAGE)
    for part, language in IN_ONE_LANGUAGE.items():
        assert part in parts(language)


@pytest.mark.parametrize("part", PARTS)
def test_part_has_the_same_keys_in_both_languages(part: str) -> None:
    assert read(CHINESE, part).keys() == read(ENGLISH, part).keys()


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_no_text_is_empty_and_a_plural_has_both_forms(path: Path) -> None:
    found = read(path.parent.name, path.stem)

    assert found
    for key, entry in found.items():
        assert all(text.strip() for text in forms(entry)), key
        assert isinstance(entry, str) or entry.keys() == PLURAL, key


@pytest.mark.parametrize("part", sorted(set(PARTS) - WITHOUT_PLACEHOLDERS))
def test_text_is_filled_with_the_same_in_both_languages(part: str) -> None:
    english, chinese = read(ENGLISH, part), read(CHINESE, part)

    for key in english:
        wanted = placeholders(general(english[key]))
        assert placeholders(general(chinese[key])) == wanted, key
        for text in (*forms(english[key]), *forms(chinese[key])):
            assert placeholders(text) <= wanted, key


@pytest.mark.parametrize("part", PARTS)
def test_text_in_chinese_is_another_than_in_english(part: str) -> None:
    english, chinese = read(ENGLISH, part), read(CHINESE, part)

    alike = [
        key
        for key in english
        if english[key] == chinese[key]
        and not NAMES.issuperset(
            re.findall(r"[^\W\d_]+", re.sub(r"\{.*?\}", "", general(english[key])))
        )
    ]

    assert alike == []


@pytest.mark.parametrize("part", sorted(set(PARTS) - WITHOUT_PLACEHOLDERS))
def test_every_text_is_shown_somewhere(part: str) -> None:
    paths = [each for each in SOURCES.rglob("*") if each.suffix in (".py", ".html")]
    sources = "\n".join(path.read_text(encoding="utf-8") for path in paths)
    words = {word.replace(" ", "-") for word in re.findall(r'"([\w -]+)"', sources)}

    def is_shown(key: str) -> bool:
        # A key is whole, or its last part is a word from elsewhere: `"page.part." ~ name`.
        table, _, name = key.rpartition(".")
        return f'"{key}"' in sources or (
            re.search(rf'"{re.escape(table)}\.["{{]', sources) is not None and name in words
        )

    assert [key for key in read(ENGLISH, part) if not is_shown(f"{part}.{key}")] == []


@pytest.mark.parametrize("part", sorted(parts(CHINESE)))
def test_chinese_is_traditional_and_apart_from_latin_letters(part: str) -> None:
    for key, entry in read(CHINESE, part).items():
        for text in forms(entry):
            assert simplified(text) == [], key
            assert not re.search(r"[\u3400-\u9fff][\w`]|[\w`][\u3400-\u9fff]", text, re.ASCII), key


def test_text_is_chosen_by_the_number() -> None:
    english, chinese = texts(ENGLISH), texts(CHINESE)

    assert [english("page.causes.files", n=n) for n in (0, 1, 2)] == [
        "0 files",
        "1 file",
        "2 files",
    ]
    assert chinese("page.causes.files", n=1) == "1 個檔案"


def test_word_of_its_own_is_no_plural() -> None:
    assert texts(ENGLISH)("words.layer.other") == "Other"


@pytest.mark.parametrize("language", LANGUAGES)
def test_missing_text_or_value_is_an_error(language: str) -> None:
    say = Texts(language)

    with pytest.raises(KeyError):
        say("words.count.nothing", n=1)
    with pytest.raises(KeyError):
        say("words.count.failed")
    assert say.get("words.count.nothing") == ""


@pytest.mark.parametrize("cause", [*causes().values(), UNKNOWN], ids=str)
def test_cause_is_told_in_chinese(cause: Cause) -> None:
    assert list(cause.translations) == [CHINESE]
    assert list(cause.translations[CHINESE]) == list(FIELDS)
    assert all(is_chinese(text) for text in cause.translations[CHINESE].values())
    assert all(simplified(text) == [] for text in cause.translations[CHINESE].values())


def test_unknown_cause_has_one_name() -> None:
    assert UNKNOWN.id == explanation.UNKNOWN


@pytest.mark.parametrize("cause", [*causes().values(), UNKNOWN], ids=str)
def test_cause_names_the_same_things_in_both_languages(cause: Cause) -> None:
    for field in FIELDS:
        english = cause_text(cause.id, field, ENGLISH)
        chinese = cause_text(cause.id, field, CHINESE)

        assert english == getattr(cause, field)
        assert code_spans(chinese) == code_spans(english)
        assert not chinese.endswith("。")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", ["", "NO_SUCH_CAUSE", "IMAGE_PULL.title", "?"])
def test_cause_of_another_name_has_no_text(name: str, language: str) -> None:
    assert cause_text(name, "title", language) == ""


def test_facts_in_english_are_the_docstrings_of_the_tests() -> None:
    wanted = facts()

    assert wanted[FACT.removeprefix("tests/").replace("::", ".")] == FACT_IN_ENGLISH
    assert read(ENGLISH, TEST_TEXTS) == wanted


def test_facts_name_the_same_things_in_both_languages() -> None:
    english, chinese = read(ENGLISH, TEST_TEXTS), read(CHINESE, TEST_TEXTS)

    for key, text in chinese.items():
        assert is_chinese(general(text)), key
        assert general(text).endswith("。"), key
        assert code_spans(general(text)) == code_spans(general(english[key])), key


@pytest.mark.parametrize("nodeid", [FACT, FACT.removeprefix("tests/"), f"{FACT}[a::b[c]]"])
def test_fact_is_told_in_the_language_that_is_wanted(nodeid: str) -> None:
    assert doc_of(nodeid, FACT_IN_ENGLISH, ENGLISH) == (FACT_IN_ENGLISH, ENGLISH)
    assert doc_of(nodeid, FACT_IN_ENGLISH, CHINESE) == (FACT_IN_CHINESE, CHINESE)


@pytest.mark.parametrize(
    ("nodeid", "doc"),
    [
        (FACT, "Redis answers something else by now."),
        (FACT, ""),
        ("tests/test_new.py::test_new", "It is so."),
        ("tests/test_new.py::test_new", ""),
        ("tests/infrastructure/test_redis.py", FACT_IN_ENGLISH),
    ],
)
def test_fact_that_was_not_translated_is_told_as_recorded(nodeid: str, doc: str) -> None:
    assert doc_of(nodeid, doc, CHINESE) == (doc, ENGLISH)
