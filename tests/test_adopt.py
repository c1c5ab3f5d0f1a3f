"""Recognisers of others: PP-OCR's own file stands for them, bent into the shapes that other exporters give."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from shizi.adopt import adopt, drawn_line
from shizi.constrained import pattern
from shizi.errors import WeightsError
from shizi.options import ReadOptions
from shizi.reader import Reader
from shizi.recognise import ConstrainedRecogniser, Recogniser
from shizi.weights import find

SAID = "Shizi 2026 No 58"
WORDS = "\n".join("0123456789NSZhiosz")


@pytest.fixture(scope="module")
def strong() -> onnx.ModelProto:
    return onnx.load(find("strong").path)


def bent(strong: onnx.ModelProto, path: Path, nodes: list[onnx.NodeProto], *tables: onnx.TensorProto) -> Path:
    """Write the model with `nodes` after its end; the last gives the output, from the input `old`."""
    model = onnx.ModelProto()
    model.CopyFrom(strong)
    [output] = model.graph.output
    for node in nodes:
        node.input[:] = [output.name if name == "old" else name for name in node.input]
    model.graph.node.extend(nodes)
    model.graph.initializer.extend(tables)
    del model.graph.output[:]
    model.graph.output.append(helper.make_tensor_value_info(nodes[-1].output[0], TensorProto.FLOAT, None))
    onnx.save(model, path)
    return path


def shifted(axis: int) -> list[onnx.NodeProto]:
    """Put the blank last, which PP-OCR has first."""
    return [helper.make_node("Gather", ["old", "order"], ["new"], axis=axis)]


def toy(path: Path, shape: tuple[object, ...], classes: int = 20, metadata: dict[str, str] | None = None) -> Path:
    """Write a model that answers one class, with equal chances, at each eighth column."""
    nodes = [
        helper.make_node("ReduceMean", ["x"], ["flat"], axes=[1, 2], keepdims=0),
        helper.make_node("Unsqueeze", ["flat", "last"], ["column"]),
        helper.make_node("Mul", ["column", "none"], ["zero"]),
        helper.make_node("Softmax", ["zero"], ["y"], axis=2),
    ]
    tables = [
        numpy_helper.from_array(np.array([2]), "last"),
        numpy_helper.from_array(np.zeros((1, 1, classes), np.float32), "none"),
    ]
    graph = helper.make_graph(
        nodes,
        "toy",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        tables,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    helper.set_model_props(model, metadata or {})
    onnx.save(model, path)
    return path


def found(path: Path) -> dict[str, tuple[str, str]]:
    return {finding.name: (finding.value, finding.origin) for finding in adopt(path).findings}


def test_pp_ocr_is_understood_from_its_file() -> None:
    adopted = adopt(find("strong").path)
    values = {finding.name: (finding.value, finding.origin) for finding in adopted.findings}
    assert values["height"] == ("48", "the input's shape")
    assert values["order"] == ("BGR", "assumed: PP-OCR's convention")
    assert values["character"] == ("18708 characters, !\"#$%&'(…", "the file's metadata")
    assert values["blank"] == ("first", "the answer to a white line")
    assert (adopted.trial.read, adopted.trial.doubtful) == (SAID, False)
    assert adopted.trial.milliseconds > 0
    assert adopted.weights.label == find("strong").label


def test_our_own_is_understood_too() -> None:
    adopted = adopt(find("crnn").path)
    values = {finding.name: finding.value for finding in adopted.findings}
    assert (values["height"], values["channels"], values["trim"]) == ("32", "1", "0.14 0.08")
    assert "order" not in values
    assert not adopted.trial.doubtful


LOG = [helper.make_node("Log", ["old"], ["new"])]
TURNED = [helper.make_node("Transpose", ["old"], ["new"], perm=[1, 0, 2])]
BENDINGS = {"log": (LOG, "scores", "logits"), "turned": (TURNED, "axes", "steps, lines, classes")}


@pytest.mark.parametrize("bending", BENDINGS)
def test_other_outputs_read_the_same(bending: str, strong: onnx.ModelProto, tmp_path: Path) -> None:
    nodes, name, value = BENDINGS[bending]
    path = bent(strong, tmp_path / "other.onnx", nodes)
    assert found(path)[name] == (value, "the answer to a white line")
    assert adopt(path).trial.read == SAID
    strips = [drawn_line("No 1"), drawn_line("No 2026 and more"), drawn_line("No 7")]
    ours, theirs = Recogniser(find("strong")), Recogniser(adopt(path).weights)
    for left, right in zip(ours.read(strips), theirs.read(strips), strict=True):
        assert (left.text, right.confidence) == (right.text, pytest.approx(right.confidence, abs=1e-3))
    (within,) = ConstrainedRecogniser(theirs, pattern("No [0-9]")).read([drawn_line("No 1")])
    assert within.text == "No 1"


def test_a_blank_that_is_last_is_noticed(strong: onnx.ModelProto, tmp_path: Path) -> None:
    classes = 18710
    order = numpy_helper.from_array(np.roll(np.arange(classes), -1), "order")
    path = bent(strong, tmp_path / "other.onnx", shifted(2), order)
    assert found(path)["blank"] == ("last", "the answer to a white line")
    assert adopt(path).trial.read == SAID


def test_one_line_at_a_time(strong: onnx.ModelProto, tmp_path: Path) -> None:
    model = onnx.ModelProto()
    model.CopyFrom(strong)
    model.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 1
    onnx.save(model, tmp_path / "one.onnx")
    assert found(tmp_path / "one.onnx")["batch"] == ("one line at a time", "the input's shape")
    recogniser = Recogniser(adopt(tmp_path / "one.onnx").weights)
    assert [reading.text for reading in recogniser.read([drawn_line("No 1"), drawn_line("No 2")])] == ["No 1", "No 2"]


@pytest.fixture
def bare(strong: onnx.ModelProto, tmp_path: Path) -> Path:
    """A file that says nothing of itself."""
    model = onnx.ModelProto()
    model.CopyFrom(strong)
    del model.metadata_props[:]
    onnx.save(model, tmp_path / "bare.onnx")
    return tmp_path / "bare.onnx"


def characters() -> list[str]:
    [value] = [entry.value for entry in onnx.load(find("strong").path).metadata_props if entry.key == "character"]
    return value.rstrip("\n").split("\n")


def test_the_charset_may_lie_beside_the_file(bare: Path) -> None:
    with pytest.raises(WeightsError, match=r"no charset.*bare\.txt"):
        adopt(bare)
    bare.with_suffix(".txt").write_text("\r\n".join(characters()) + "\r\n", encoding="utf-8")
    assert found(bare)["character"][1] == "bare.txt"
    assert adopt(bare).trial.read == SAID


def test_paddles_own_description_is_read(bare: Path) -> None:
    described = {
        "PreProcess": {"transform_ops": [{"DecodeImage": {}}, {"RecResizeImg": {"image_shape": [3, 48, 320]}}]},
        "PostProcess": {"name": "CTCLabelDecode", "character_dict": characters()},
    }
    bare.with_name("inference.yml").write_text(json.dumps(described), encoding="utf-8")  # JSON is YAML
    assert found(bare)["character"][1] == "inference.yml"
    assert adopt(bare).trial.read == SAID


def test_a_line_format_may_lie_beside_the_file(tmp_path: Path) -> None:
    path = toy(tmp_path / "toy.onnx", ("n", "c", "h", "w"), metadata={"charset": WORDS, "mean": "3"})
    assert found(path)["height"] == ("48", "assumed: PP-OCR's convention")
    path.with_suffix(".yaml").write_text("height: 32\nchannels: 1\nmean: 0\nstd: 255\nblank: last\n")
    values = found(path)
    assert {name: values[name] for name in ("height", "channels", "mean", "std", "blank")} == {
        "height": ("32", "toy.yaml"),
        "channels": ("1", "toy.yaml"),
        "mean": ("0", "toy.yaml"),
        "std": ("255", "toy.yaml"),
        "blank": ("last", "toy.yaml"),
    }
    assert values["space"] == ("a class of its own, the last", "the number of classes")


def test_what_reads_nonsense_is_doubtful(tmp_path: Path) -> None:
    adopted = adopt(toy(tmp_path / "toy.onnx", ("n", 3, 48, "w"), metadata={"character": WORDS}))
    assert adopted.trial.doubtful
    assert "toy.yaml" in adopted.advice


METADATA = {"character": WORDS}
REFUSED: dict[str, tuple[Callable[[Path], Path], str]] = {
    "no model": (lambda path: _written(path, b"no model"), "cannot be loaded"),
    "cut short": (
        lambda path: _written(path, find("crnn").path.read_bytes()[:1_000_000]),
        "expected a whole ONNX file",
    ),
    "gone": (lambda path: path, "There is no file"),
    "a folder": (lambda path: path.parent, "There is no file"),
    "a detector": (lambda path: find("detector", "fp32").path, "Is it a detector"),
    "a fixed width": (lambda path: toy(path, ("n", 3, 48, 320), metadata=METADATA), "a fixed width of 320"),
    "channels last": (lambda path: toy(path, ("n", 48, "w", 3), metadata=METADATA), "channels before height"),
    "four at once": (lambda path: toy(path, (4, 3, 48, "w"), metadata=METADATA), "4 lines at once"),
    "five axes": (lambda path: toy(path, ("n", 3, 48, "w", 1), metadata=METADATA), "expected one input"),
    "another charset": (
        lambda path: toy(path, ("n", 3, 48, "w"), classes=30, metadata=METADATA),
        "30 classes and its charset 18 characters; expected 28",
    ),
    "another height": (
        lambda path: toy(path, ("n", 3, 48, "w"), metadata={**METADATA, "height": "32"}),
        "says height 32, its input has 48",
    ),
    "a zero std": (lambda path: toy(path, ("n", 3, 48, "w"), metadata={**METADATA, "std": "0"}), "std"),
}


def _written(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("reason", REFUSED)
def test_what_cannot_be_used_is_told(reason: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    make, said = REFUSED[reason]
    with pytest.raises(WeightsError, match=said):
        adopt(make(tmp_path / "model.onnx"))
    assert capfd.readouterr().err == ""  # the runtime says nothing beside


@pytest.mark.parametrize(
    ("written", "said"),
    [("colour: red\n", "colour; known are height"), ("- 1\n", "no names"), ("a: [\n", "expected YAML")],
)
def test_a_wrong_description_is_told(written: str, said: str, tmp_path: Path) -> None:
    path = toy(tmp_path / "toy.onnx", ("n", 3, 48, "w"), metadata=METADATA)
    path.with_suffix(".yaml").write_text(written)
    with pytest.raises(WeightsError, match=said):
        adopt(path)


def test_a_detector_is_no_recogniser() -> None:
    with pytest.raises(WeightsError, match="expected"):
        adopt(find("detector").path)


def test_a_reader_reads_with_it(bare: Path, chinese_png: bytes, caplog: pytest.LogCaptureFixture) -> None:
    bare.with_suffix(".txt").write_text("\n".join(characters()), encoding="utf-8")
    reader = Reader(threads=2, recogniser=bare)
    for mode in ("auto", "accurate"):
        [page] = reader.read(chinese_png, ReadOptions(mode=mode)).pages  # type: ignore[arg-type]
        assert [line.text for line in page.lines] == ["识字读出文字", "Read me 2026"]
        assert {line.model for line in page.lines} == {"bare"}
    assert [label.split("@")[0] for label in reader.weights if "bare" in label] == ["bare"]
    assert caplog.text == ""


def test_a_reader_warns_of_one_that_reads_nonsense(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    Reader(threads=2, recogniser=toy(tmp_path / "toy.onnx", ("n", 3, 48, "w"), metadata=METADATA))
    assert "its charset or its line format" in caplog.text


def test_models_check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    from shizi.cli import main

    def check(path: Path) -> int:
        monkeypatch.setattr("sys.argv", ["shizi", "models", "check", str(path)])
        monkeypatch.setattr("sys.excepthook", __import__("sys").excepthook)
        with pytest.raises(SystemExit) as stop:
            main()
        return int(stop.value.code or 0)

    assert check(find("strong").path) == 0
    out = capsys.readouterr().out
    assert f"read {SAID!r} where {SAID!r} was drawn" in out
    assert "usable: SHIZI_RECOGNISER=" in out
    assert "assumed: PP-OCR's convention" in out
    assert check(toy(tmp_path / "toy.onnx", ("n", 3, 48, "w"), metadata=METADATA)) == 0
    assert "doubtful: toy.onnx read" in capsys.readouterr().out
    assert check(tmp_path / "gone.onnx") == WeightsError.exit_code
    assert "There is no file" in capsys.readouterr().err
