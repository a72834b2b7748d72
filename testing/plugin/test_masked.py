"""No secret appears in the record, the reports, the terminal or pytest's own reports."""

from __future__ import annotations

import base64
import html
import json
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

import pytest

if TYPE_CHECKING:
    from testing.plugin.conftest import Suite

SECRET = "Tr0ub4dor&/3 <x>\"'ö"
OTHER = "w8Yz_kq-7Fh2pLmN"
FORMS = {
    "plain": SECRET,
    "url": quote(SECRET),
    "url without safe characters": quote(SECRET, safe=""),
    "form": quote_plus(SECRET),
    "json": json.dumps(SECRET)[1:-1],
    "html": html.escape(SECRET),
    "base64": base64.b64encode(SECRET.encode()).decode(),
    "base64 for URLs": base64.urlsafe_b64encode(SECRET.encode()).decode(),
    "hex": SECRET.encode().hex(),
    "other": OTHER,
}

LEAKING = f"""
import base64, logging, warnings
from urllib.parse import quote

import pytest

from nova_acceptance import masking
from nova_acceptance.errors import ClusterError
from nova_acceptance.evidence import Evidence
from nova_acceptance.phrase import verbatim

FORMS = {list(FORMS.values())!r}
TEXT = " | ".join(FORMS)

masking.register([{SECRET!r}, {OTHER!r}])

@pytest.fixture
def broken():
    raise ClusterError(TEXT, hint=TEXT, evidence=[TEXT])

def test_assertion(evidence, record_property):
    '''Says {OTHER} of itself.'''
    evidence.add(Evidence(TEXT, TEXT, TEXT, TEXT, 0.1))
    record_property(TEXT, TEXT)
    print(TEXT)
    logging.getLogger("any").warning("look: %s", TEXT)
    try:
        raise ValueError(TEXT)
    except ValueError:
        logging.getLogger("any").exception("again")
    warnings.warn(TEXT)
    header = base64.b64encode(b"user:" + {SECRET!r}.encode() + b"!").decode()
    assert {{"header": header, "forms": FORMS}} == {{}}

def test_long_value(broken): pass

def test_cut_value():
    value = "x" * 100 + {OTHER!r} * 40
    assert value == ""

def test_skipped(): pytest.skip(TEXT)

@pytest.mark.xfail(reason=TEXT)
def test_expected_failure(): raise RuntimeError(TEXT)

def test_fact(recorder):
    recorder.tell("note", text=verbatim(TEXT))
    recorder.tell("cluster", name=TEXT, provider=TEXT, reuse_hint=TEXT)
    recorder.tell("snapshot", external=[dict(name=TEXT)],
                  rows=[dict(layer="services", component=TEXT, wanted=1, ready=1)])
"""
REFUSED = f"""
from nova_acceptance import masking
masking.register([{OTHER!r}])
raise RuntimeError("could not import with {OTHER}")
"""


def _leaks(text: str) -> list[str]:
    found = [name for name, form in FORMS.items() if form in text]
    # Half a secret is one too: pytest shortens long values in the middle.
    found += [part for part in (OTHER[:6], OTHER[-6:], SECRET[:6]) if part in text]
    header = base64.b64encode(b"user:" + SECRET.encode() + b"!").decode()
    return found + ([header] if header[8:-8] in text else [])


@pytest.mark.parametrize(
    "arguments",
    [[], ["-vv", "--showlocals"], ["--tb=native", "-rA"], ["--full-trace"], ["-n", "2", "-rA"]],
    ids=["plain", "verbose", "native", "full", "distributed"],
)
def test_no_secret_is_written(suite: Suite, arguments: list[str]) -> None:
    suite.write("tests/services/test_a.py", LEAKING)

    result = suite.run(
        "--junitxml=own.xml",
        "--html=own.html",
        "--self-contained-html",
        "--log-file=own.log",
        *arguments,
        isolated=True,
    )

    result.assert_outcomes(failed=2, errors=1, skipped=1, xfailed=1, passed=1)
    written = {
        path.name: path.read_text(encoding="utf-8")
        for path in [*suite.latest.iterdir(), *suite.path.glob("own.*")]
    }
    assert {*written} >= {"run.jsonl", "report.html", "junit.xml", "own.xml", "own.html"}
    written["terminal"] = result.stdout.str() + result.stderr.str()
    for name, text in written.items():
        assert _leaks(text) == [], name
    assert "‹secret›" in written["terminal"]  # noqa: RUF001
    assert "‹secret›" in written["run.jsonl"]  # noqa: RUF001


PASSING_BY = f"""
import logging, subprocess, sys, threading, traceback, warnings
from urllib.parse import urlsplit

import pytest

from nova_acceptance import secrecy

PASSWORD = "Sommer2024/x"
URL = "redis://:" + PASSWORD + "@host:6379/0"
secrecy.hide({{"kind": "Secret", "data": {{"URL": {base64.b64encode(b"redis://:Sommer2024/x@host:6379/0").decode()!r}}}}})

@pytest.fixture
def asked():
    handler = logging.StreamHandler(sys.stderr)
    logging.getLogger("own").addHandler(handler)
    print("set up", URL)
    yield urlsplit(URL)
    sys.stderr.write("torn down " + URL)

def test_one(asked, capsys):
    print("to be seen", PASSWORD)
    sys.stdout.buffer.write(PASSWORD.encode())
    logging.getLogger("urllib3").debug("header: %s", URL)
    logging.getLogger("own").error("handler %s", URL)
    with capsys.disabled():
        print("past the capture", PASSWORD)
    local = [URL, PASSWORD]
    assert asked.port == 6379

def test_two(asked):
    sys.stdout.writelines(["to be seen as well ", PASSWORD])
    thread = threading.Thread(target=int, args=(PASSWORD,))
    thread.start()
    thread.join()
    try:
        asked.port
    except ValueError:
        traceback.print_exc()
    assert {{"a": URL, "b": [PASSWORD]}} == {{"a": 1}}
"""


@pytest.mark.parametrize(
    "arguments",
    [
        ["-s"],
        ["-s", "--log-cli-level=DEBUG", "-l", "--full-trace", "-vv"],
        ["--capture=tee-sys", "--log-cli-level=DEBUG", "-l"],
        ["-s", "--log-cli-level=DEBUG", "-l", "--full-trace", "-n", "2"],
    ],
    ids=["uncaptured", "everything", "tee", "distributed"],
)
def test_no_part_of_a_password_passes_by_what_pytest_captures(
    suite: Suite, arguments: list[str]
) -> None:
    suite.write("tests/services/test_a.py", PASSING_BY)

    result = suite.run("--junitxml=own.xml", "--log-file=own.log", *arguments, isolated=True)

    result.assert_outcomes(failed=2)
    paths = [*suite.latest.iterdir(), *suite.path.glob("own.*")]
    written = {path.name: _read(path) for path in paths}
    written["terminal"] = result.stdout.str() + result.stderr.str()
    for name, text in written.items():
        assert "Sommer" not in text, name
        assert "2024/x" not in text, name
    assert "Port could not be cast to integer value as '‹secret›'" in written["terminal"]  # noqa: RUF001
    assert "‹secret›@host:6379/0" in written["terminal"]  # noqa: RUF001
    if "-n" not in arguments:
        assert "past the capture ‹secret›" in written["terminal"]  # noqa: RUF001


def test_no_secret_of_a_collection_error_is_written(suite: Suite) -> None:
    suite.write("tests/services/test_a.py", REFUSED)

    result = suite.run(isolated=True)

    texts = [path.read_text(encoding="utf-8") for path in suite.latest.iterdir()]
    for text in (*texts, result.stdout.str(), result.stderr.str()):
        assert _leaks(text) == []
    result.stdout.fnmatch_lines(["*could not import with ‹secret›*"])  # noqa: RUF001


@pytest.mark.parametrize("option", ["--full-trace", "--showlocals"])
def test_no_secret_is_written_after_an_interrupt(suite: Suite, option: str) -> None:
    suite.write(
        "tests/services/test_a.py",
        f"""
from nova_acceptance import masking
masking.register([{OTHER!r}])

def ask(password): raise KeyboardInterrupt(password)
def test_first(): ask({OTHER!r})
""",
    )

    result = suite.run(option, isolated=True)

    result.stdout.fnmatch_lines(["*KeyboardInterrupt*"])
    texts = [path.read_text(encoding="utf-8") for path in suite.latest.iterdir()]
    for text in (*texts, result.stdout.str(), result.stderr.str()):
        assert _leaks(text) == []


def test_suite_of_this_test_leaks_without_masking(suite: Suite) -> None:
    unmasked = "\n".join(
        line for line in LEAKING.splitlines() if not line.startswith("masking.register")
    )
    suite.write("tests/services/test_a.py", unmasked)

    result = suite.run("-rA", isolated=True)

    for text in (result.stdout.str(), _read(suite.latest / "run.jsonl")):
        assert {"plain", "url", "base64", "other"} & set(_leaks(text))


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8")
