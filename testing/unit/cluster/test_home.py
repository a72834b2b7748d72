"""The directory of ours, which the environment may put anywhere."""

from __future__ import annotations

from pathlib import Path

from nova_acceptance.cluster.home import Home


def test_removal_leaves_nothing_of_ours(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.log("kind").write_text("said\n")
    (home.root / "lock").touch()
    home.digests.touch()
    for directory in (home.rootfs, home.binaries, home.sources, home.cluster("nova")):
        directory.mkdir(parents=True)

    home.remove()

    assert not home.root.exists()


def test_removal_spares_what_somebody_else_keeps_there(tmp_path: Path) -> None:
    letters = tmp_path / "letters"
    letters.mkdir()
    (tmp_path / "sources").symlink_to(letters)
    (letters / "one").touch()

    Home(tmp_path).remove()

    assert (letters / "one").exists()
    assert not (tmp_path / "sources").is_symlink()


def test_removal_of_what_never_was_is_none(tmp_path: Path) -> None:
    Home(tmp_path / "absent").remove()

    assert not (tmp_path / "absent").exists()
