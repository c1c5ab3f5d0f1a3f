"""The command line, through `main` in this process, and through a process of its own where that matters."""

import dataclasses
import io
import json
import socket
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fakes import RAISED, FakeReader, add_version
from PIL import Image

import shizi
from shizi import errors
from shizi.cli import main
from shizi.cli.reading import _PageBar, _progress
from shizi.document import Check, Document, Field, PageImage, Verdict
from shizi.errors import ShiziError
from shizi.export import FORMATS
from shizi.geometry import Polygon
from shizi.options import ReadOptions
from shizi.service.settings import Settings
from shizi.versions import READ_WITH, SHIPPED, Versions
from shizi.weights import suitable

Run = Callable[..., int]
Captured = pytest.CaptureFixture[bytes]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to stand in, with files that hold their own names."""
    for name in ("a.png", "a.jpg", "b.png", "bad.png", "odd.doc", "other/a.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def run(reader: FakeReader, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run `shizi` with these arguments on the fake reader and give its exit code."""
    monkeypatch.setattr("shizi.reader.Reader", lambda: reader)
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)  # put back what main sets

    def call(*arguments: str) -> int:
        monkeypatch.setattr(sys, "argv", ["shizi", *map(str, arguments)])
        with pytest.raises(SystemExit) as stop:
            main()
        return int(stop.value.code or 0)

    return call


def test_version_and_help(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--version") == 0
    assert capsys.readouterr().out == f"shizi {shizi.__version__}\n"
    assert run("--help") == 0
    out = capsys.readouterr().out
    assert all(command in out for command in ("read", "serve", "doctor"))


def test_read_prints_text(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("read", "a.png") == 0
    captured = capsys.readouterr()
    assert captured.out == "识字 reads\n第二行 <b>&amp;\n"
    assert captured.err == ""


def test_read_passes_options(run: Run, reader: FakeReader) -> None:
    flags = ["--mode", "fast", "--enhance", "classic", "--orientation", "none", "--detail", "word"]
    assert run("read", "a.png", *flags) == 0
    [(source, options)] = reader.asked
    assert source == b"a.png"
    assert (options.mode, options.enhance, options.orientation, options.detail) == (
        "fast",
        "classic",
        "none",
        "word",
    )


@pytest.mark.parametrize(("flags", "tables"), [([], "none"), (["--tables"], "auto"), (["--skip-tables"], "skip")])
def test_tables_are_found_or_left_out(flags: list[str], tables: str, run: Run, reader: FakeReader) -> None:
    assert run("read", "a.png", *flags) == 0
    assert reader.asked[0][1].tables == tables


def test_read_json_is_one_document(run: Run, reader: FakeReader, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("read", "a.png", "--format", "json") == 0
    document = Document.from_dict(json.loads(capsys.readouterr().out))
    assert document == reader.read("again")


def test_several_files_say_whose_text_it_is(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("read", "a.png", "b.png") == 0
    out = capsys.readouterr().out
    assert out.startswith("==> a.png <==\n识字 reads\n")
    assert "\n==> b.png <==\n" in out
    assert run("read", "a.png", "b.png", "--format", "json") == 0
    rows = [json.loads(row) for row in capsys.readouterr().out.splitlines()]
    assert [row["file"] for row in rows] == ["a.png", "b.png"]


def test_read_standard_input(run: Run, reader: FakeReader, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"bytes of a picture")))
    assert run("read", "-") == 0
    assert reader.asked[0][0] == b"bytes of a picture"


@pytest.mark.parametrize("name", ["missing.png", "other", "\0"])
def test_files_that_cannot_be_opened(
    name: str, run: Run, reader: FakeReader, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("read", name, "a.png") == errors.InputError.exit_code
    captured = capsys.readouterr()
    assert "The file cannot be opened (" in captured.err
    assert "==> a.png <==" in captured.out


def test_empty_standard_input(run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"")))
    assert run("read", "-") == errors.InputError.exit_code
    assert "Standard input is empty" in capsys.readouterr().err


@pytest.mark.parametrize("kind", RAISED)
def test_each_error_has_its_exit_code(
    kind: type[ShiziError], run: Run, reader: FakeReader, capsys: pytest.CaptureFixture[str]
) -> None:
    reader.error = kind("What was found; what was expected.")
    assert run("read", "a.png") == kind.exit_code
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == "shizi: a.png: What was found; what was expected.\n"


def test_weights_error_while_loading(
    run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken() -> None:
        raise errors.WeightsError("The model file is gone.")

    monkeypatch.setattr("shizi.reader.Reader", broken)
    assert run("read", "a.png") == errors.WeightsError.exit_code
    assert capsys.readouterr().err == "shizi: The model file is gone.\n"


def test_one_bad_file_does_not_stop_the_rest(
    run: Run, reader: FakeReader, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    good = reader.read

    def read(source: object, options: object) -> Document:
        if source == b"bad.png":
            raise errors.DamagedFile("The file ends early.")
        if source == b"odd.doc":
            raise errors.UnsupportedFormat("The file is no picture.")
        return good(source)

    monkeypatch.setattr(reader, "read", read)
    assert run("read", "a.png", "bad.png", "odd.doc", "b.png") == errors.DamagedFile.exit_code
    captured = capsys.readouterr()
    assert "==> a.png <==" in captured.out
    assert "==> b.png <==" in captured.out
    assert captured.err == "shizi: bad.png: The file ends early.\nshizi: odd.doc: The file is no picture.\n"


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--mode", "slow"], "'mode'"),
        (["--enhance", "much"], "'enhance'"),
        (["--orientation", "left"], "'orientation'"),
        (["--detail", "all"], "'detail'"),
        (["--format", "doc"], "'doc'"),
        (["--tables", "--skip-tables"], "--skip-tables"),
    ],
)
def test_options_are_refused_by_name(
    arguments: list[str], named: str, run: Run, reader: FakeReader, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("read", "a.png", *arguments) == errors.OptionsError.exit_code
    assert named in capsys.readouterr().err
    assert reader.asked == []


@pytest.mark.parametrize("name", FORMATS)
def test_every_format(name: str, run: Run, folder: Path, png: bytes, reader: FakeReader) -> None:
    (folder / "a.png").write_bytes(png)
    assert run("read", "a.png", "--format", name, "--output", "out") == 0
    [written] = (folder / "out").iterdir()
    assert written.name == f"a{FORMATS[name].suffix}"
    assert written.stat().st_size > 20
    assert reader.asked[0][1].detail == FORMATS[name].detail


def test_binary_formats_are_not_for_terminals(
    run: Run, reader: FakeReader, png: bytes, folder: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: Captured
) -> None:
    (folder / "a.png").write_bytes(png)
    assert run("read", "a.png", "--format", "pdf") == 0
    assert capfdbinary.readouterr().out.startswith(b"%PDF-")
    assert run("read", "a.png", "b.png", "--format", "pdf") == errors.OptionsError.exit_code
    assert b"2 results of the format pdf need --output DIR." in capfdbinary.readouterr().err
    read = len(reader.asked)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert run("read", "a.png", "--format", "xlsx") == errors.OptionsError.exit_code
    assert b"The format xlsx is not for a terminal" in capfdbinary.readouterr().err
    assert len(reader.asked) == read


def test_a_missing_extra_is_told_before_reading(
    run: Run, reader: FakeReader, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("shizi.export.find_spec", lambda name: None)
    assert run("read", "a.png", "--format", "docx", "--output", "out") == errors.OptionsError.exit_code
    assert "pip install 'shizi[docx]'" in capsys.readouterr().err
    assert reader.asked == []


def test_output_folder(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "new" / "texts"
    assert run("read", "a.png", "a.jpg", "other/a.png", "b.png", "--output", folder) == 0
    names = {path.name for path in folder.iterdir()}
    assert names == {"a.txt", "a.jpg.txt", "a.png.txt", "b.txt"}
    assert (folder / "a.txt").read_text().startswith("识字 reads\n")
    assert run("read", "a.png", "--format", "json", "--output", folder) == 0
    assert json.loads((folder / "a.json").read_text())["source"] == "PNG"


def test_output_that_cannot_be_written(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("in the way")
    assert run("read", "a.png", "--output", tmp_path / "file") == errors.OptionsError.exit_code
    assert "cannot be made" in capsys.readouterr().err


def test_draw(run: Run, reader: FakeReader, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    white = np.full((80, 200, 3), 255, np.uint8)
    monkeypatch.setattr("shizi.pages.open_pages", lambda source, options: [PageImage(white, 1), PageImage(white, 2)])
    assert run("read", "a.png", "--draw", folder / "seen.png") == 0
    with Image.open(folder / "seen.png") as drawn:
        assert drawn.size == (200, 80)
        pixels = np.asarray(drawn)
    assert (pixels[10, 60:190] != 255).any(axis=1).all(), "the first line's upper edge is drawn"
    assert (pixels[75:, :] == 255).all(), "nothing is drawn where no line is"
    reader.pages = 2
    assert run("read", "a.png", "b.png", "--draw", folder / "two.png") == 0
    names = {path.name for path in folder.glob("two*")}
    assert names == {"two-a-1.png", "two-a-2.png", "two-b-1.png", "two-b-2.png"}


def test_warnings_go_to_standard_error(
    run: Run, reader: FakeReader, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    document = reader.read("x")
    page = dataclasses.replace(document.pages[0], warnings=("turned by EXIF",))
    monkeypatch.setattr(reader, "read", lambda *_: dataclasses.replace(document, pages=(page,)))
    assert run("read", "a.png") == 0
    assert capsys.readouterr().err == "shizi: a.png: page 1: turned by EXIF\n"


def test_the_bar_of_pages_shows_documents_alone() -> None:
    bars = _progress(printing=False)
    one, many = _PageBar(bars, "folder/one.png"), _PageBar(bars, "folder/many.pdf")
    for done in (0, 1):
        one(done, 1)
    for done in (0, 1, 2):
        many(done, 3)
    [task] = bars.tasks
    assert (task.description, task.completed, task.total, task.visible) == ("many.pdf", 2, 3, True)
    many(3, 3)
    assert not task.visible


@pytest.mark.parametrize(("terminal", "told"), [(True, True), (False, False)])
def test_pages_are_counted_only_for_a_bar_that_is_seen(
    terminal: bool, told: bool, run: Run, reader: FakeReader, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    good, asked = reader.read, []

    def read(source: object, options: object, **more: object) -> Document:
        asked.append("on_page" in more)
        return good(source)

    monkeypatch.setattr(reader, "read", read)
    monkeypatch.setattr("rich.console.Console.is_terminal", terminal)
    assert run("read", "a.png", "--output", tmp_path / "out") == 0
    assert asked == [told]


def test_a_warning_of_many_pages_is_said_once(
    run: Run, reader: FakeReader, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = reader.read("x").pages[0]
    pages = tuple(dataclasses.replace(page, number=n, warnings=("cut: there are more",)) for n in (1, 2, 3))
    monkeypatch.setattr(reader, "read", lambda *_: Document(pages, "PDF"))
    assert run("read", "a.png") == 0
    assert capsys.readouterr().err == "shizi: a.png: page 1: cut: there are more\n"


def test_ctrl_c_ends_a_document_between_its_pages(
    run: Run, reader: FakeReader, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_: object) -> Document:
        raise KeyboardInterrupt

    monkeypatch.setattr(reader, "read", interrupted)
    assert run("read", "a.png", "b.png") == 130
    assert "internal error" not in capsys.readouterr().err


def test_doctor_is_well(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("doctor") == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    for word in (shizi.__version__, "onnxruntime", "cores", "memory", "weights", "@", "writable", "heic"):
        assert word in captured.out
    assert f"{suitable()}, by the CPU's features" in captured.out


@pytest.mark.parametrize(("value", "said"), [("fp32", "fp32, by SHIZI_PRECISION"), ("half", "expected auto, fp32")])
def test_doctor_tells_what_the_models_compute_in(
    run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], value: str, said: str
) -> None:
    monkeypatch.setenv("SHIZI_PRECISION", value)
    code = run("doctor")
    captured = capsys.readouterr()
    assert said in captured.out + captured.err
    assert code == (0 if value == "fp32" else errors.WeightsError.exit_code)


def test_doctor_names_the_model_in_force(
    run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "300")
    monkeypatch.delenv("SHIZI_MODELS", raising=False)
    assert run("doctor") == 0
    assert "shipped; SHIZI_MODELS names no folder" in capsys.readouterr().out
    monkeypatch.setenv("SHIZI_MODELS", str(folder / "models"))
    assert run("doctor") == 0
    assert "is not there yet" in capsys.readouterr().out
    assert not (folder / "models").exists(), "looking makes nothing"
    versions = Versions(folder / "models")
    version = add_version(versions, SHIPPED)
    versions.promote(version.name)
    assert run("doctor") == 0
    assert f"{version.name}, crnn-int8@" in capsys.readouterr().out
    (versions.folder / version.name / READ_WITH).write_bytes(b"tampered")
    assert run("doctor") == errors.WeightsError.exit_code
    assert "not what was put in" in capsys.readouterr().err


def test_doctor_names_what_is_broken(
    run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def gone(name: str) -> None:
        raise errors.WeightsError(f"The model file {name} is gone.")

    monkeypatch.setattr("shizi.weights.find", gone)
    assert run("doctor") == errors.WeightsError.exit_code
    captured = capsys.readouterr()
    assert "broken" in captured.out
    assert "shizi: The model file" in captured.err


def test_doctor_names_an_unwritable_folder(
    run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("tempfile.gettempdir", lambda: "/nowhere")
    assert run("doctor") == ShiziError.exit_code
    assert "temporary folder is not writable" in capsys.readouterr().err


def test_serve_takes_flags_before_the_environment(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    served: list[Settings] = []
    monkeypatch.setattr("shizi.service.server.run", served.append)
    monkeypatch.setenv("SHIZI_PORT", "6001")
    monkeypatch.setenv("SHIZI_WORKERS", "3")
    assert run("serve", "--host", "0.0.0.0", "--port", "7001", "--threads", "2") == 0
    [settings] = served
    assert (settings.host, settings.port, settings.workers, settings.threads) == ("0.0.0.0", 7001, 3, 2)


def test_serve_refuses_an_address_in_use(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert run("serve", "--port", str(port)) == errors.OptionsError.exit_code
    assert f"Cannot listen on 127.0.0.1 port {port}" in capsys.readouterr().err


def test_serve_refuses_a_bad_setting(
    run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SHIZI_MAX_BYTES", "many")
    assert run("serve") == errors.OptionsError.exit_code
    assert "SHIZI_MAX_BYTES" in capsys.readouterr().err


def test_a_defect_is_one_row_without_a_traceback(tmp_path: Path) -> None:
    script = tmp_path / "defect.py"
    script.write_text(
        "import sys, shizi.reader\n"
        "def broken(): raise ZeroDivisionError('by zero')\n"
        "shizi.reader.Reader = broken\n"
        "sys.argv = ['shizi', 'read', 'a.png']\n"
        "from shizi.cli import main\n"
        "main()\n"
    )
    ran = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=60)
    assert ran.returncode == 1
    assert ran.stderr.count("\n") == 1
    assert "ZeroDivisionError at defect.py:2, broken: by zero" in ran.stderr


def test_the_installed_command_runs() -> None:
    command = Path(sys.executable).with_name("shizi")
    ran = subprocess.run([command, "--version"], capture_output=True, text=True, timeout=60)
    assert (ran.returncode, ran.stdout) == (0, f"shizi {shizi.__version__}\n")


def test_read_takes_a_template_as_a_file_and_a_pattern(
    run: Run, reader: FakeReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders: list[object] = []
    monkeypatch.setattr(
        "shizi.reader.Reader", lambda templates, recogniser, models: folders.append(templates) or reader
    )
    assert run("read", "a.png", "--template", "forms/note.yaml", "--pattern", "[0-9]+") == 0
    assert (reader.asked[-1][1].template, reader.asked[-1][1].pattern, str(folders[0])) == ("note", "[0-9]+", "forms")


def test_read_takes_a_recogniser_of_others(run: Run, reader: FakeReader, monkeypatch: pytest.MonkeyPatch) -> None:
    files: list[object] = []
    monkeypatch.setattr(
        "shizi.reader.Reader", lambda templates, recogniser, models: files.append(str(recogniser)) or reader
    )
    assert run("read", "a.png", "--recogniser", "their.onnx") == 0
    monkeypatch.setenv("SHIZI_RECOGNISER", "by-setting.onnx")
    assert run("read", "a.png") == 0
    assert files == ["their.onnx", "by-setting.onnx"]


def test_template_try_shows_fields_and_what_is_missing(
    run: Run,
    reader: FakeReader,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    png: bytes,
) -> None:
    (tmp_path / "note.yaml").write_text("fields: {order: {anchor: No, type: digits}, day: {anchor: Date}}")
    (tmp_path / "a.png").write_bytes(png)
    found = Field("order", "77", "77", 0.9, polygon=Polygon.from_bounds(5, 5, 60, 30), checks=(Check("digits", True),))
    plain = reader.read

    def read(data: object, options: ReadOptions) -> Document:
        return replace(plain(data, options), fields=(found,), verdict=Verdict("review", ("day was not found",)))

    monkeypatch.setattr(reader, "read", read)
    monkeypatch.setattr("shizi.reader.Reader", lambda templates: reader)
    picture = tmp_path / "drawn.png"
    assert run("template", "try", str(tmp_path / "note.yaml"), str(tmp_path / "a.png"), "--draw", str(picture)) == 0
    out = capsys.readouterr().out
    assert "1 order = 77  [ok digits]" in out
    assert "day was not found" in out
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_template_try_tells_what_is_wrong_in_the_yaml(
    run: Run, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "note.yaml").write_text("fields: {order: {anchor: No, typ: digits}}")
    assert run("template", "try", str(tmp_path / "note.yaml"), "a.png") == 20
    assert "note.yaml, fields.order: found the key 'typ'" in capsys.readouterr().err
    assert run("template", "try", str(tmp_path / "none.yaml"), "a.png") == 20
    assert "none.yaml cannot be read" in capsys.readouterr().err
