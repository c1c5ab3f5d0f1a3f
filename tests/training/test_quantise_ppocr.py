"""PP-OCR in 8 bits: rewriting changes nothing, and what ships finds and reads as the float files do."""

import numpy as np
import onnx
import onnxruntime
import pytest
from pictures import drawn_page

from shizi.detect import Detector
from shizi.recognise import Recogniser
from shizi.training import eight_bits, equalise, fonts, ppocr_graph, ppocr_pages, quantise_ppocr
from shizi.training.ppocr_graph import Editor
from shizi.weights import find, suitable

pytestmark = pytest.mark.training

# 8-bit sums overflow on an x86 processor without VNNI: there the files must load, but are never read with.
TRUSTED = suitable() == "int8"


def run(model: onnx.ModelProto, tensor: np.ndarray) -> np.ndarray:
    settings = onnxruntime.SessionOptions()
    settings.log_severity_level = 3
    session = onnxruntime.InferenceSession(model.SerializeToString(), settings, providers=["CPUExecutionProvider"])
    return np.asarray(session.run(None, {session.get_inputs()[0].name: tensor})[0])


@pytest.fixture(scope="module")
def detector() -> onnx.ModelProto:
    return ppocr_graph.detector(find("detector", "fp32").path)


@pytest.fixture(scope="module")
def drawer(faces: list[fonts.Face]) -> ppocr_pages.Drawer:
    return ppocr_pages.Drawer(faces)


def test_the_rewritten_detector_computes_the_same(detector: onnx.ModelProto) -> None:
    planes = np.random.default_rng(1).uniform(-1, 1, (1, 3, 96, 160)).astype(np.float32)
    pixels = np.concatenate([planes[:, ::-1], np.ones_like(planes[:, :1])], axis=1)  # red first, one plane more
    original = onnx.load(find("detector", "fp32").path)
    assert np.abs(run(detector, pixels) - run(original, planes)).max() < 1e-5
    kinds = {node.op_type for node in detector.graph.node}
    assert not kinds & {"ConvTranspose", "ReduceMean", "Erf", "Identity"}


def test_the_rewritten_recogniser_computes_the_same() -> None:
    path = find("strong", "fp32").path
    lines = np.random.default_rng(2).uniform(-1, 1, (2, 3, 48, 96)).astype(np.float32)
    assert np.abs(run(ppocr_graph.recogniser(path), lines) - run(onnx.load(path), lines)).max() < 1e-3


def test_equalising_changes_the_weights_and_not_the_result(
    detector: onnx.ModelProto, drawer: ppocr_pages.Drawer
) -> None:
    page = drawer.page_tensor(0)
    changed = onnx.ModelProto.FromString(detector.SerializeToString())
    assert equalise.equalise(Editor(changed), [page], 0.5) > 30
    assert changed != detector
    assert np.abs(run(changed, page) - run(detector, page)).max() < 1e-2


def test_a_quantised_detector_takes_bytes_and_marks_what_the_float_one_marks(drawer: ppocr_pages.Drawer) -> None:
    pages = [drawer.page_tensor(index) for index in range(2)]
    model = quantise_ppocr.detector(find("detector", "fp32").path, pages)
    assert not {"Resize", "Relu"} & {node.op_type for node in model.graph.node}
    shown = np.pad(drawer.page(0), [(0, 0), (0, 0), (0, 1)])[None]
    marked = run(model, shown) > 0.3
    if TRUSTED:
        expected = run(ppocr_graph.detector(find("detector", "fp32").path), pages[0]) > 0.3
        assert expected.mean() > 0.01
        assert (marked != expected).mean() < 0.2 * expected.mean()


def test_scales_hold_zero_and_the_whole_range() -> None:
    for low, high in ((-1.0, 3.0), (0.5, 2.0), (-2.0, -1.0), (0.0, 0.0)):
        scale, zero = eight_bits.scale_of(low, high)
        assert scale > 0
        assert (0 - int(zero)) * scale <= min(low, 0) + scale / 2
        assert (255 - int(zero)) * scale >= max(high, 0) - scale / 2


def test_rows_are_stored_within_half_a_step() -> None:
    rows = np.random.default_rng(3).normal(0, [[1.0], [1e-3], [0.0]], (3, 50)).astype(np.float32)
    values, scales = eight_bits.signed(rows)
    assert np.abs(values.astype(int)).max() == 127
    assert (np.abs(values * scales[:, None] - rows) <= scales[:, None] * 0.5001).all()


def test_calibration_pages_are_the_same_every_time(drawer: ppocr_pages.Drawer, faces: list[fonts.Face]) -> None:
    again = ppocr_pages.Drawer(faces)
    drawer.page(4)
    assert (drawer.page(3) == again.page(3)).all()
    assert drawer.line_tensor(5).shape[:3] == (1, 3, 48)


def test_the_shipped_recogniser_is_smaller_and_of_the_same_charset() -> None:
    small, full = find("strong", "int8"), find("strong", "fp32")
    assert small.path.stat().st_size < 0.4 * full.path.stat().st_size
    assert Recogniser(small).charset == Recogniser(full).charset


def test_shipped_files_find_and_read_what_the_float_ones_do() -> None:
    lines = ["Delivery note 2026-11-26", "Total 1,048.50 EUR", "Thank you for your order"]
    page = np.asarray(drawn_page(lines, (460, 200), font_size=26))
    found: dict[str, list[list[float]]] = {}
    read: dict[str, list[str]] = {}
    for precision in ("fp32", "int8"):
        regions = Detector(find("detector", precision)).find(page)  # type: ignore[arg-type]
        found[precision] = sorted(region.corners.mean(axis=0).tolist() for region in regions)
        recogniser = Recogniser(find("strong", precision))  # type: ignore[arg-type]
        strips = [page[top : top + 40] for top in range(0, 160, 40)]
        read[precision] = [reading.text for reading in recogniser.read(strips)]
    if TRUSTED:
        assert len(found["int8"]) == len(found["fp32"]) == len(lines)
        assert np.abs(np.array(found["int8"]) - np.array(found["fp32"])).max() < 3
        assert read["int8"] == read["fp32"]
