"""A history that outlives its machine: what it keeps, and what it refuses to read."""

from __future__ import annotations

import gzip
import io
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from nova_acceptance.errors import UsageError
from nova_acceptance.report import archives, kept, load, outcomes
from nova_acceptance.report.history import history_of
from nova_acceptance.report.kept import KeptHistory, entry_of
from testing.unit.report.events import REDIS
from testing.unit.report.runs import keep, past, recorded

FIRST, SECOND, THIRD = (f"2029123{day}T000000Z-abcdef" for day in range(3))
FORMS = ["history", "history.tar.gz", "history.tgz", "history.zip"]


def octets(name: str = "a-run", *, hours: float = 0) -> bytes:
    return outcomes.render(past(name, hours=hours)).encode()


def packed_tar(path: Path, *entries: tarfile.TarInfo, content: bytes = b"{}") -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for entry in entries:
            entry.size = len(content) if entry.isreg() else 0
            archive.addfile(entry, io.BytesIO(content) if entry.isreg() else None)
    return path


def member(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.type, entry.linkname = kind, link
    return entry


@pytest.mark.parametrize("form", FORMS)
class TestEveryForm:
    def test_what_was_added_is_read_oldest_first(self, tmp_path: Path, form: str) -> None:
        history = KeptHistory(tmp_path / "made" / form)
        assert history.read() == {}

        history.add({SECOND: octets("second")})
        names = history.add({FIRST: octets("first")})

        assert names == [FIRST, SECOND]
        assert history.read() == {FIRST: octets("first"), SECOND: octets("second")}
        assert [name for name, _ in history.pasts()] == [SECOND, FIRST]

    def test_run_is_kept_once(self, tmp_path: Path, form: str) -> None:
        history = KeptHistory(tmp_path / form)
        history.add({FIRST: octets("before")})

        history.add({FIRST: octets("after")})

        assert history.read() == {FIRST: octets("after")}

    def test_oldest_go_where_there_are_too_many(self, tmp_path: Path, form: str) -> None:
        history = KeptHistory(tmp_path / form)
        history.add({FIRST: octets(), THIRD: octets()})

        assert history.add({SECOND: octets()}, keep=2) == [SECOND, THIRD]
        assert list(history.read()) == [SECOND, THIRD]

    def test_what_a_later_version_wrote_is_kept_and_passed_over(
        self, tmp_path: Path, form: str
    ) -> None:
        history = KeptHistory(tmp_path / form)
        deep = b"[" * 100_000
        history.add({FIRST: b'{"schema": 99}', SECOND: octets(), THIRD: deep})

        assert [name for name, _ in history.pasts()] == [SECOND]
        assert history.read()[FIRST] == b'{"schema": 99}'
        assert history.read()[THIRD] == deep

    def test_adding_leaves_nothing_half_written(self, tmp_path: Path, form: str) -> None:
        KeptHistory(tmp_path / form).add({FIRST: octets()})

        left = {path.name for path in tmp_path.rglob("*")} - {FIRST, "run.json", form}
        assert left == {".lock" if form == "history" else f".{form}.lock"}

    def test_runs_that_are_added_at_once_are_all_kept(self, tmp_path: Path, form: str) -> None:
        program = (
            "import sys; from pathlib import Path\n"
            "from nova_acceptance.report.kept import KeptHistory\n"
            "path, first = Path(sys.argv[1]), int(sys.argv[2])\n"
            "for number in range(first, first + 8):\n"
            "    KeptHistory(path).add({f'20291231T{number:06}Z-abcdef': b'{}'})\n"
        )
        adding = [
            subprocess.Popen([sys.executable, "-c", program, str(tmp_path / form), str(first)])
            for first in (0, 100, 200)
        ]

        assert [process.wait(60) for process in adding] == [0, 0, 0]
        assert len(KeptHistory(tmp_path / form).read()) == 24


@pytest.mark.parametrize(
    "entry",
    [
        member("../../etc/passwd"),
        member(f"/{FIRST}/run.json"),
        member(f"{FIRST}/../run.json"),
        member(f"{FIRST}/run.json", tarfile.SYMTYPE, "/etc/passwd"),
        member(f"{FIRST}/run.json", tarfile.LNKTYPE, "/etc/passwd"),
        member(f"{FIRST}/run.json", tarfile.FIFOTYPE),
        member(f"{FIRST}/run.json", tarfile.CHRTYPE),
        member(f"{FIRST}/run.json", tarfile.DIRTYPE),
        member(f"{FIRST}/report.html"),
        member("run.json"),
    ],
    ids=lambda entry: f"{entry.name} {entry.type.decode()}",
)
def test_tar_with_anything_else_is_refused(tmp_path: Path, entry: tarfile.TarInfo) -> None:
    path = packed_tar(tmp_path / "history.tar.gz", member(f"{SECOND}/run.json"), entry)

    with pytest.raises(UsageError, match="no history of runs"):
        KeptHistory(path).read()

    assert [each.name for each in tmp_path.iterdir()] == ["history.tar.gz"]


def test_sparse_file_is_refused(tmp_path: Path) -> None:
    entry = member(f"{FIRST}/run.json")
    entry.pax_headers = {
        "GNU.sparse.major": "0",
        "GNU.sparse.minor": "1",
        "GNU.sparse.size": "2",
        "GNU.sparse.map": "0,2",
    }

    with pytest.raises(UsageError, match="no history of runs"):
        KeptHistory(packed_tar(tmp_path / "history.tar.gz", entry)).read()


@pytest.mark.parametrize("name", ["../../etc/passwd", f"{FIRST}\\run.json", "C:/run.json"])
def test_zip_with_anything_else_is_refused(tmp_path: Path, name: str) -> None:
    with zipfile.ZipFile(tmp_path / "history.zip", "w") as archive:
        archive.writestr(name, b"{}")

    with pytest.raises(UsageError, match="no history of runs"):
        KeptHistory(tmp_path / "history.zip").read()


def test_link_in_a_zip_is_refused(tmp_path: Path) -> None:
    entry = zipfile.ZipInfo(f"{FIRST}/run.json")
    entry.create_system, entry.external_attr = 3, 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "history.zip", "w") as archive:
        archive.writestr(entry, "/etc/passwd")

    with pytest.raises(UsageError, match="no history of runs"):
        KeptHistory(tmp_path / "history.zip").read()


def test_directories_of_runs_are_passed_over_in_archives(tmp_path: Path) -> None:
    directory, file = member(FIRST, tarfile.DIRTYPE), member(f"{FIRST}/run.json")
    path = packed_tar(tmp_path / "history.tar.gz", directory, file)
    with zipfile.ZipFile(tmp_path / "history.zip", "w") as archive:
        archive.writestr(f"{FIRST}/", b"")
        archive.writestr(f"{FIRST}/run.json", b"{}")

    assert KeptHistory(path).read() == {FIRST: b"{}"}
    assert KeptHistory(tmp_path / "history.zip").read() == {FIRST: b"{}"}


def bomb_of_one_member(path: Path) -> None:
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(f"{FIRST}/run.json", bytes(1001))
    else:
        packed_tar(path, member(f"{FIRST}/run.json"), content=bytes(1001))


def bomb_of_many_members(path: Path) -> None:
    runs = {f"2029123{day}T000000Z-abcdef": bytes(900) for day in range(9)}
    path.write_bytes(archives.packed(path, runs))


def bomb_without_members(path: Path) -> None:
    """A header that says that the next one is as long as it likes; in a zip, a size that lies."""
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(f"{FIRST}/run.json", bytes(5_000_000))
        return
    header = tarfile.TarInfo(f"{FIRST}/run.json")
    header.type, header.size = tarfile.XHDTYPE, 50_000_000
    path.write_bytes(gzip.compress(header.tobuf() + bytes(50_000_000)))


@pytest.mark.parametrize("form", ["history.tar.gz", "history.zip"])
@pytest.mark.parametrize("bomb", [bomb_of_one_member, bomb_of_many_members, bomb_without_members])
def test_bomb_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str, bomb: Callable[[Path], None]
) -> None:
    bomb(tmp_path / form)
    monkeypatch.setattr(outcomes, "LARGEST", 1000)
    monkeypatch.setattr(archives, "LARGEST", 5000)

    with pytest.raises(UsageError, match="larger than any history"):
        KeptHistory(tmp_path / form).read()


def test_history_with_too_many_runs_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    history = KeptHistory(tmp_path / "history.zip")
    history.add({FIRST: octets(), SECOND: octets()})
    monkeypatch.setattr(archives, "MOST_RUNS", 1)

    with pytest.raises(UsageError, match="larger than any history"):
        history.read()


def test_history_is_never_made_larger_than_it_is_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    history = KeptHistory(tmp_path / "history.zip")
    history.add({FIRST: octets()})
    monkeypatch.setattr(kept, "MOST_RUNS", 1)

    with pytest.raises(UsageError, match="more than a history holds") as raised:
        history.add({SECOND: octets()})

    assert "--keep-runs" in raised.value.hint
    assert list(history.read()) == [FIRST]
    assert history.add({SECOND: octets()}, keep=1) == [SECOND]


@pytest.mark.parametrize("form", ["history.tar.gz", "history.zip"])
@pytest.mark.parametrize("content", [b"", b"not an archive", "half", "changed"])
def test_damaged_archive_is_one_message_and_stays_as_it_is(
    tmp_path: Path, form: str, content: bytes | str
) -> None:
    history = KeptHistory(tmp_path / form)
    history.add({FIRST: octets(), SECOND: octets()})
    whole = history.path.read_bytes()
    middle = len(whole) // 2
    if isinstance(content, str):
        flipped = bytes([whole[middle] ^ 0xFF])
        content = whole[:middle] + (flipped + whole[middle + 1 :]) * (content == "changed")
    history.path.write_bytes(content)

    with pytest.raises(UsageError, match=r"the history is damaged|no history of runs"):
        history.add({THIRD: octets()})

    assert history.path.read_bytes() == content


def test_zip_with_a_password_is_one_message(tmp_path: Path) -> None:
    history = KeptHistory(tmp_path / "history.zip")
    history.add({FIRST: octets()})
    content = bytearray(history.path.read_bytes())
    for signature, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(signature) + flags] |= 1
    history.path.write_bytes(content)

    with pytest.raises(UsageError, match="the history is damaged"):
        history.read()


@pytest.mark.parametrize(("name", "is_directory"), [("history.txt", False), ("a.zip", True)])
def test_what_can_be_no_history_is_said(tmp_path: Path, name: str, is_directory: bool) -> None:
    path = tmp_path / name
    path.mkdir() if is_directory else path.write_text("mine")

    with pytest.raises(UsageError, match="no history can be kept there"):
        KeptHistory(path)


def test_history_in_a_place_of_files_is_one_message(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")

    with pytest.raises(UsageError, match="cannot be written"):
        KeptHistory(tmp_path / "file" / "history.zip").add({FIRST: octets()})


def test_foreign_files_in_a_directory_are_passed_over_and_stay(tmp_path: Path) -> None:
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "run.json").write_text("mine")
    (tmp_path / "secret.json").write_bytes(octets("not this"))
    (tmp_path / FIRST).mkdir()
    (tmp_path / FIRST / "run.json").symlink_to(tmp_path / "secret.json")
    history = KeptHistory(tmp_path)
    history.add({SECOND: octets()})
    (tmp_path / SECOND / "note.txt").write_text("mine")

    assert history.add({THIRD: octets()}, keep=1) == [THIRD]

    assert (tmp_path / "notes" / "run.json").read_text() == "mine"
    assert (tmp_path / FIRST / "run.json").is_symlink()
    assert [path.name for path in (tmp_path / SECOND).iterdir()] == ["note.txt"]


def test_directory_of_reports_is_no_history(tmp_path: Path) -> None:
    directory = keep(tmp_path, past(FIRST))
    before = (directory / "run.json").read_bytes()
    history = KeptHistory(tmp_path)

    assert history.read() == {}
    with pytest.raises(UsageError, match="directory of reports"):
        history.add({FIRST: octets()})
    assert (directory / "run.json").read_bytes() == before


def test_run_is_kept_by_its_directory_s_name(tmp_path: Path) -> None:
    name, found = entry_of(recorded(tmp_path / FIRST, REDIS))

    assert name == FIRST
    assert outcomes.parsed(found).verdict == "accepted"


def test_run_with_another_name_is_kept_by_when_it_began(tmp_path: Path) -> None:
    merged, other = recorded(tmp_path / "whole", REDIS), recorded(tmp_path / "other", REDIS)

    assert entry_of(merged)[0] == entry_of(merged)[0] != entry_of(other)[0]
    assert archives.NAME.fullmatch(entry_of(merged)[0])


def test_run_that_never_began_is_not_kept(tmp_path: Path) -> None:
    (tmp_path / "run.jsonl").write_text('{"type": "run-started", "schema": 2}\n')

    with pytest.raises(UsageError, match="does not tell when"):
        entry_of(tmp_path)


def _of_now(reports: Path, *runs: tuple[str, outcomes.Past]) -> list[str]:
    found = history_of(load(recorded(reports / "now", REDIS)), reports, 3, runs)
    return [f"{run.name}{'*' * (run.name in found.elsewhere)}" for run in found.runs]


def test_report_shows_kept_runs_among_those_beside_it(tmp_path: Path) -> None:
    keep(tmp_path, past("beside", hours=-2))
    newer, older = past("newer", hours=-1), past("older", hours=-3)

    assert _of_now(tmp_path, ("newer", newer), ("older", older)) == ["beside", "newer*", "now"]


def test_run_that_lies_beside_the_report_is_not_shown_twice(tmp_path: Path) -> None:
    keep(tmp_path, past(FIRST, hours=-1))

    assert _of_now(tmp_path, (FIRST, past(FIRST, hours=-1))) == [FIRST, "now"]


def test_kept_runs_of_other_clusters_and_later_ones_are_no_history(tmp_path: Path) -> None:
    other = past("other", hours=-1, cluster=outcomes.PastCluster("other", "kind"))

    assert _of_now(tmp_path, ("later", past("later", hours=1)), ("other", other)) == ["now"]
