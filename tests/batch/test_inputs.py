"""What a batch reads: everything there is, once, under names that stay."""

import gzip
import io
import os
import tarfile
import tracemalloc
import zipfile
from pathlib import Path

import pytest

from shizi.batch import stores
from shizi.batch.inputs import Sources, load
from shizi.errors import DamagedFile, InputError, OptionsError, ShiziError, TooLarge


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("scans/a.png", "scans/deep/b.jpg", "scans/.hidden", "scans/.git/c", "scans/deep/notes.txt", "one.png"):
        path = Path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(path.name)
    return tmp_path


def tar_of(path: Path, mode: str, **members: bytes) -> Path:
    with tarfile.open(path, mode) as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return path


def read(*names: str, include: tuple[str, ...] = (), exclude: tuple[str, ...] = (), **more: str) -> dict[str, bytes]:
    """Give what is found, by id; errors as their codes."""
    found = {}
    for item in Sources(names, include, exclude, **more).items():
        assert item.id not in found
        try:
            found[item.id] = load(item)
        except ShiziError as error:
            found[item.id] = f"! {error.code}".encode()
    return found


def test_folders_are_walked_and_hidden_files_left() -> None:
    assert read("scans") == {
        "scans/a.png": b"a.png",
        "scans/deep/b.jpg": b"b.jpg",
        "scans/deep/notes.txt": b"notes.txt",
    }
    assert read("./scans/") == read("scans")
    assert set(read("scans", "one.png")) == {*read("scans"), "one.png"}


def test_patterns_choose_by_path_or_name() -> None:
    assert set(read("scans", include=("*.png", "*.jpg"))) == {"scans/a.png", "scans/deep/b.jpg"}
    assert set(read("scans", exclude=("deep/*",))) == {"scans/a.png"}


def test_the_results_are_no_input() -> None:
    Path("scans/out").mkdir()
    Path("scans/out/rows-000001.jsonl").touch()
    assert read("scans", leave_out="scans/out") == read("scans", exclude=("out/*",))


def test_links_that_go_round_end() -> None:
    Path("scans/deep/up").symlink_to(Path.cwd() / "scans")
    assert len(read("scans")) == 3


def test_what_is_no_file_is_a_row_and_hides_no_other() -> None:
    Path("scans/to itself.png").symlink_to("to itself.png")
    Path("scans/to nowhere.zip").symlink_to("nowhere.zip")
    os.mkfifo("scans/pipe.png")
    os.mkfifo("scans/pipe.zip")
    found = read("scans")
    wrong = {name for name, data in found.items() if data == b"! input"}
    assert wrong == {f"scans/{name}" for name in ("to itself.png", "to nowhere.zip", "pipe.png", "pipe.zip")}
    assert len(found) == 3 + len(wrong)
    assert read("scans/pipe.png") == {"scans/pipe.png": b"! input"}


def test_names_that_are_no_utf8_get_an_id_that_is() -> None:
    with open(b"scans/\xb2\xe2.png", "wb") as file:
        file.write(b"GBK")
    assert read("scans")["scans/\\xb2\\xe2.png"] == b"GBK"


@pytest.mark.parametrize("suffix", ["tar", "tar.gz", "tgz", "tar.bz2", "tar.xz"])
def test_tar(suffix: str) -> None:
    kind = {"tar": "", "tgz": "gz"}.get(suffix, suffix.removeprefix("tar."))
    path = tar_of(Path(f"x.{suffix}"), f"w:{kind}", **{"a/1.png": b"one", "../2.png": b"two", ".hidden": b""})
    assert read(str(path)) == {f"{path}!/a/1.png": b"one", f"{path}!/../2.png": b"two"}


def test_tar_cut_short() -> None:
    data = tar_of(Path("x.tar"), "w", a=b"a" * 5000, b=b"b" * 5000, c=b"c" * 5000).read_bytes()
    Path("x.tar").write_bytes(data[:8000])
    found = read("x.tar")
    assert found["x.tar!/a"] == b"a" * 5000
    assert found["x.tar!/b"] == b"! damaged_file"
    assert "x.tar!/c" not in found
    tar_of(Path("y.tgz"), "w:gz", a=os.urandom(5000), b=os.urandom(50_000))
    Path("y.tgz").write_bytes(Path("y.tgz").read_bytes()[:20_000])
    assert found.keys() >= {"x.tar!/a"}
    assert read("y.tgz")["y.tgz"] == b"! damaged_file"


def test_zip() -> None:
    with zipfile.ZipFile("x.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a/1.png", b"one")
        archive.writestr("__MACOSX/._1.png", b"litter")
        archive.mkdir("empty")
        archive.writestr("扫描.png", b"two")
    assert read("x.zip") == {"x.zip!/a/1.png": b"one", "x.zip!/扫描.png": b"two"}


def test_zip_of_chinese_windows() -> None:
    with zipfile.ZipFile("x.zip", "w") as archive:
        archive.writestr("aaaa.png", b"one")
    Path("x.zip").write_bytes(Path("x.zip").read_bytes().replace(b"aaaa.png", "扫描.png".encode("gbk")))
    assert read("x.zip") == {"x.zip!/扫描.png": b"one"}


def test_damaged_archives_are_rows() -> None:
    Path("x.zip").write_bytes(b"PK\3\4 and nothing")
    Path("y.tar").write_bytes(b"no tar at all" * 100)
    assert read("x.zip") == {"x.zip": b"! damaged_file"}
    assert read("y.tar") == {"y.tar": b"! damaged_file"}


def test_an_archive_without_a_file_is_a_row() -> None:
    zipfile.ZipFile("x.zip", "w").close()
    with zipfile.ZipFile("y.zip", "w") as archive:
        archive.writestr("__MACOSX/._1.png", b"litter")
    assert read("x.zip", "y.zip", include=("*.png",)) == {"x.zip": b"! input", "y.zip": b"! input"}


def test_archives_within_folders_are_opened() -> None:
    tar_of(Path("scans/shard-0.tar"), "w", a=b"one")
    assert read("scans")["scans/shard-0.tar!/a"] == b"one"


def test_a_zip_bomb_is_refused_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    with zipfile.ZipFile("x.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.png", bytes(2_000_000))
    monkeypatch.setattr("shizi.batch.inputs.most_bytes", lambda: 1_000_000)
    (item,) = Sources(("x.zip",)).items()
    with pytest.raises(TooLarge, match="2000000 bytes"):
        load(item)


def test_lists() -> None:
    Path("lists").mkdir()
    Path("lists/all.txt").write_text("\ufeff# scans\n../scans/deep\n\n../one.png\n../gone.png\n", encoding="utf-8")
    assert read("@lists/all.txt") == {
        "scans/deep/b.jpg": b"b.jpg",
        "scans/deep/notes.txt": b"notes.txt",
        "one.png": b"one.png",
        "gone.png": b"! input",
    }


def test_list_on_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("scans/a.png\n"))
    assert read("@-") == {"scans/a.png": b"a.png"}


def test_a_list_that_is_no_text_is_a_row() -> None:
    Path("all.txt").write_bytes(gzip.compress(b"a.png"))
    assert read("@all.txt") == {"@all.txt": b"! input"}


def test_addresses() -> None:
    here = Path.cwd().as_uri()
    tar_of(Path("scans/x.tar"), "w", a=b"one")
    assert read(f"{here}/scans") == {
        f"{here}/scans/a.png": b"a.png",
        f"{here}/scans/deep/b.jpg": b"b.jpg",
        f"{here}/scans/deep/notes.txt": b"notes.txt",
        f"{here}/scans/x.tar!/a": b"one",
    }
    assert read(f"{here}/one.png") == {f"{here}/one.png": b"one.png"}
    assert read(f"{here}/none.png") == {f"{here}/none.png": b"! input"}
    Path("all.txt").write_text(f"{here}/one.png\n")
    assert read(f"@{here}/all.txt") == {f"{here}/one.png": b"one.png"}


@pytest.mark.parametrize(
    ("name", "error", "said"),
    [
        ("none", InputError, "no file or folder none"),
        ("@none.txt", InputError, "no list none.txt"),
        ("scans/deep/notes.txt", OptionsError, "name it @scans/deep/notes.txt"),
        ("odd://bucket/x", OptionsError, "odd://"),
        ("@", OptionsError, "empty"),
    ],
)
def test_refused_at_once(name: str, error: type[ShiziError], said: str) -> None:
    with pytest.raises(error, match=said):
        Sources((name,)).check()


def test_a_missing_extra_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(OptionsError, match=r"pip install 'shizi\[s3\]'"):
        stores.check("s3://bucket/x")


def test_names_cost_no_memory() -> None:
    def peak(count: int) -> int:
        with tarfile.open(f"{count}.tar", "w") as archive:
            for number in range(count):
                archive.addfile(tarfile.TarInfo(f"{number:09}.png"))
        tracemalloc.start()
        assert sum(1 for _ in Sources((f"{count}.tar",)).items()) == count
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    peak(10)  # what is imported at the first
    assert peak(5000) < peak(500) + 100_000


def test_a_damaged_member_is_its_own_error() -> None:
    with zipfile.ZipFile("x.zip", "w") as archive:
        archive.writestr("a.png", b"one" * 100)
        archive.writestr("b.png", b"two")
    data = bytearray(Path("x.zip").read_bytes())
    data[40] ^= 255  # within the first member's bytes
    Path("x.zip").write_bytes(data)
    (first, second) = Sources(("x.zip",)).items()
    with pytest.raises(DamagedFile):
        load(first)
    assert load(second) == b"two"
