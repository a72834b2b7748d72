"""Templates that were compiled before are read, and where none can be kept nothing is lost."""

from __future__ import annotations

from pathlib import Path

import pytest
from jinja2 import DictLoader, Environment

from nova_acceptance.cluster.home import VARIABLE, Home
from nova_acceptance.report.compiled import kept


def shown(text: str) -> str:
    environment = Environment(
        loader=DictLoader({"page": text}), autoescape=True, bytecode_cache=kept()
    )
    return environment.get_template("page").render(name="<Nova>")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(VARIABLE, str(tmp_path / "home"))
    return tmp_path / "home"


def test_templates_are_compiled_once(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert shown("of {{ name }}") == "of &lt;Nova&gt;"
    assert len(list((home / "templates").iterdir())) == 1

    monkeypatch.setattr(Environment, "_compile", lambda *_: pytest.fail("it was compiled again"))
    assert shown("of {{ name }}") == "of &lt;Nova&gt;"


def test_template_that_was_changed_is_compiled_again(home: Path) -> None:
    assert shown("of {{ name }}") == "of &lt;Nova&gt;"

    assert shown("for {{ name }}") == "for &lt;Nova&gt;"
    assert (home / "templates").stat().st_mode & 0o777 == 0o700


def test_spoilt_template_is_compiled_again(home: Path) -> None:
    shown("of {{ name }}")
    (file,) = (home / "templates").iterdir()
    file.write_bytes(file.read_bytes()[:20])

    assert shown("of {{ name }}") == "of &lt;Nova&gt;"


def test_home_that_cannot_be_written_keeps_nothing(home: Path) -> None:
    home.write_text("a file")

    assert kept() is None
    assert shown("of {{ name }}") == "of &lt;Nova&gt;"


def test_directory_that_is_gone_is_no_error(home: Path) -> None:
    cache = kept()
    (home / "templates").rmdir()
    environment = Environment(
        loader=DictLoader({"page": "of {{ name }}"}), autoescape=True, bytecode_cache=cache
    )

    assert environment.get_template("page").render(name="Nova") == "of Nova"


def test_templates_go_with_everything_of_ours(home: Path) -> None:
    shown("of {{ name }}")
    Home.of_user().remove()

    assert not home.exists()
