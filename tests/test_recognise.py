from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest
from conftest import CHINESE_FONT
from pictures import drawn_page

from shizi.charset import Span, text_of
from shizi.document import Reading
from shizi.errors import WeightsError
from shizi.recognise import Recogniser, Trace, _tidied
from shizi.weights import Weights, find, from_file, suitable

LINES = [
    "识字",
    "天津增值税电子普通发票",
    "Read two words",
    "编号 2026-11 共 48 页",
    "价税合计（大写）柒拾玖元捌角",
    "OK",
]


@pytest.fixture(scope="module", params=sorted({"fp32", suitable()}))
def recogniser(request: pytest.FixtureRequest) -> Recogniser:
    return Recogniser(find("strong", request.param), threads=2)


@pytest.fixture(scope="module")
def strips() -> list[np.ndarray]:
    """One strip a line, of different heights and widths."""
    if not CHINESE_FONT.exists():
        pytest.skip("Debian's package fonts-noto-cjk is missing: apt-get install fonts-noto-cjk")
    drawn = []
    for size, text in zip((18, 24, 30, 26, 40, 22), LINES, strict=True):
        width = 16 + sum(size if ord(character) > 255 else round(0.6 * size) for character in text)
        page = np.asarray(drawn_page([text], (width, round(1.5 * size)), font_size=size, font_file=str(CHINESE_FONT)))
        drawn.append(cv2.GaussianBlur(page, (3, 3), 0))
    return drawn


def test_lines_are_read(recogniser: Recogniser, strips: list[np.ndarray]) -> None:
    # 税 and its other form 稅 differ in two pixels here: the float model gives one 0.70, the 8-bit one the other 0.60.
    alike = {"稅": "税"} if recogniser.weights.name.endswith("-int8") else {}
    texts = [reading.text.translate(str.maketrans(alike)) for reading in recogniser.read(strips)]
    assert [text.replace(" ", "") for text in texts] == [line.replace(" ", "") for line in LINES]
    assert texts[2] == "Read two words"


def test_a_strip_reads_the_same_alone_and_in_any_company(recogniser: Recogniser, strips: list[np.ndarray]) -> None:
    alone = [recogniser.read([strip])[0] for strip in strips]
    again = [strip for strip in strips for _ in range(3)]
    order = np.random.default_rng(0).permutation(len(again))
    together = recogniser.read([again[i] for i in order])
    for place, i in enumerate(order):
        assert together[place].text == alone[i // 3].text
        assert together[place].confidence == pytest.approx(alone[i // 3].confidence, abs=1e-4)


def test_batches_read_side_by_side_read_the_same(recogniser: Recogniser, strips: list[np.ndarray]) -> None:
    one_by_one = Recogniser(recogniser.weights, threads=1)
    with ThreadPoolExecutor(4) as callers:  # and several callers do not get in each other's way
        readings = list(callers.map(recogniser.read, [strips * 3] * 4))
    assert all(read == one_by_one.read(strips * 3) for read in readings)


def test_blank_and_tiny_strips_read_as_nothing(recogniser: Recogniser) -> None:
    blank = [np.full(shape, 255, np.uint8) for shape in ((30, 200, 3), (1, 1, 3), (2, 300, 3))]
    assert [reading.text for reading in recogniser.read(blank)] == ["", "", ""]
    assert recogniser.read([]) == []


def test_characters_have_their_place_in_the_line(recogniser: Recogniser, strips: list[np.ndarray]) -> None:
    (reading,) = recogniser.read([strips[1]])
    assert "".join(char.text for char in reading.chars) == reading.text
    starts, ends = [char.start for char in reading.chars], [char.end for char in reading.chars]
    assert starts == sorted(starts)
    assert starts[1:] == ends[:-1]
    assert starts[0] >= 0
    assert ends[-1] <= 1
    ink = (8 + 24 * (np.arange(11) + 0.5)) / strips[1].shape[1]  # where the glyphs' centres were drawn
    centres = [(start + end) / 2 for start, end in zip(starts, ends, strict=True)]
    assert np.abs(np.array(centres) - ink).max() < 0.05


def test_a_smeared_line_is_less_sure(recogniser: Recogniser, strips: list[np.ndarray]) -> None:
    clear, smeared = strips[1], cv2.GaussianBlur(strips[1], (15, 15), 4)
    sure, unsure = recogniser.read([clear, smeared])
    assert sure.confidence > 0.8
    assert unsure.confidence < 0.9 * sure.confidence


def test_a_very_long_line_is_read_whole(recogniser: Recogniser, strips: list[np.ndarray]) -> None:
    (one,) = recogniser.read([strips[1]])
    (long,) = recogniser.read([np.hstack([strips[1]] * 12)])
    assert long.text == one.text * 12


def test_an_empty_reading_is_what_it_says() -> None:
    assert Reading("", 0.0).chars == ()


def test_models_that_read_no_lines_are_refused(tmp_path) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(WeightsError, match="charset"):
        Recogniser(find("detector"))
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"not a model")
    with pytest.raises(WeightsError, match=r"broken\.onnx cannot be loaded"):
        Recogniser(from_file(broken))
    with pytest.raises(WeightsError, match="cannot be read"):
        from_file(tmp_path / "missing.onnx")
    strong = find("strong")
    with pytest.raises(WeightsError, match="line format"):
        Recogniser(Weights(strong.name, strong.path, strong.digest, {}))


def test_spaces_between_latin_words_stay_and_others_go() -> None:
    def tidied(text: str) -> str:
        return text_of(_tidied([Span(character, i, i + 1, 1.0) for i, character in enumerate(text)]))

    assert tidied("  two words ") == "two words"
    assert tidied("天 津 （增值税） 发票") == "天津（增值税）发票"
    assert tidied("编号 2026 年") == "编号 2026 年"
    assert tidied("   ") == ""


def test_specks_count_only_when_likely() -> None:
    spans = [Span("汉", 0, 1, 0.9), Span(".", 1, 2, 0.4), Span("口", 2, 3, 0.3), Span("。", 3, 4, 0.6)]
    assert text_of(_tidied(spans)) == "汉口。"


def test_calibration_turns_raw_chances_into_confidence(strips: list[np.ndarray], recogniser: Recogniser) -> None:
    strong = recogniser.weights

    def calibrated(curve: str) -> Recogniser:
        return Recogniser(Weights(strong.name, strong.path, strong.digest, {**strong.metadata, "calibration": curve}))

    raw = np.prod([char.confidence for char in recogniser.read([strips[1]])[0].chars])
    (reading,) = calibrated("0:0 0.5:0.4 1:0.6").read([strips[1]])
    assert reading.confidence == pytest.approx(np.interp(raw, [0, 0.5, 1], [0, 0.4, 0.6]), abs=1e-4)
    for wrong in ("0.5", "0:a 1:1", "0.5:0.2 0.1:0.9"):
        with pytest.raises(WeightsError, match="calibration"):
            calibrated(wrong)


def test_doubt_travels_with_the_weights() -> None:
    strong = find("strong")

    def carrying(metadata: dict[str, str]) -> tuple[float, float] | None:
        return Recogniser(Weights(strong.name, strong.path, strong.digest, {**strong.metadata, **metadata})).doubt

    assert carrying({}) is None
    assert carrying({"doubt": "0.5 0.9"}) == (0.5, 0.9)
    for unusable in ("much", "0.9", "0.5 0.9 1"):
        with pytest.raises(WeightsError, match="doubt"):
            carrying({"doubt": unusable})


def test_of_a_tuned_model_the_later_reading_counts_where_it_is_clearly_likelier() -> None:
    crnn = Recogniser(find("crnn"))

    def trace(*written: float) -> Trace:
        """A path of characters with these chances, a blank after each."""
        path = np.ravel([[5, 0]] * len(written)).astype(int) if written else np.zeros(2, int)
        chances = np.ravel([[chance, 1.0] for chance in written]) if written else np.ones(2)
        return Trace(path, chances, float(len(path)))

    doubtful, little, better, nothing = trace(0.9, 0.6), trace(0.9, 0.7), trace(0.9, 0.8), trace()
    assert crnn._surer(doubtful) is doubtful
    assert crnn._surer(doubtful, better) is better
    assert crnn._surer(doubtful, little) is doubtful
    assert crnn._surer(better, doubtful) is better
    assert crnn._surer(doubtful, nothing) is doubtful
    assert crnn._surer(nothing, better) is nothing


def test_what_the_small_model_is_not_sure_of_is_weighed_by_words() -> None:
    crnn = Recogniser(find("crnn"))
    (first, seen, other, blank) = (*crnn.charset.encode("线理程"), 0)
    # A step of each character, its peak the second of two, with a blank after: the four likeliest classes of each.
    path = np.array([[first, *[blank] * 3], [blank] * 4, [seen, blank, other, first], [seen, other, blank, first]])
    chances = np.array([[0.999, 0.001, 0, 0], [1.0, 0, 0, 0], [0.4, 0.3, 0.2, 0.1], [0.5, 0.4, 0.1, 0]])
    weighed = crnn.reading(Trace.of(path, chances, 4.0))
    assert weighed.text == "线程"
    assert weighed.chars[0].confidence == 0.999
    assert weighed.chars[1].confidence > 0.5
    unweighed = crnn.reading(Trace.of(path[:, 0], chances[:, 0], 4.0))  # of a model that tells one class
    assert (unweighed.text, unweighed.chars[1].confidence) == ("线理", 0.5)
