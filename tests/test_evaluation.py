import json
from pathlib import Path

import pytest

from shizi.document import Line
from shizi.errors import DamagedFile, InputError
from shizi.evaluation import (
    Label,
    Prediction,
    calibration_error,
    edit_distance,
    evaluate,
    load_labels,
    normalise,
    predictions_to_jsonl,
    to_json,
)
from shizi.geometry import Polygon

BOX = Polygon.from_bounds(0, 0, 10, 10)


def read(*texts: str, model: str = "first", confidence: float = 1.0) -> tuple[Line, ...]:
    return tuple(Line(text, confidence, BOX, model=model) for text in texts)


@pytest.mark.parametrize(
    ("pattern", "text", "whole", "anywhere"),
    [
        ("", "abc", 3, 0),
        ("abc", "", 3, 3),
        ("abc", "abc", 0, 0),
        ("kitten", "sitting", 3, 2),
        ("识字", "请识宇吧", 3, 1),
        ("ab", "xxabxx", 4, 0),
        ("abcd", "xxacdxx", 5, 1),
    ],
)
def test_edit_distances(pattern: str, text: str, whole: int, anywhere: int) -> None:
    assert edit_distance(pattern, text) == whole
    assert edit_distance(pattern, text, anywhere=True) == anywhere


def test_marks_that_print_alike_are_one() -> None:
    assert normalise("（ａ）—“￥１·２” ：") == normalise('(a)-"¥1.2":')


def test_measures_by_hand() -> None:
    labels = [Label("a", "document", ("abcd", "efgh"), ("SEAL",)), Label("b", "scene", ("xy",))]
    predictions = [Prediction("a", (*read("efgh", "abXd"), *read("SEAL!", model="second")), 10.0)]
    measures = evaluate(labels, predictions, "first")
    document, overall = measures["document"], measures["overall"]
    assert (document.images, document.chars, document.cer, document.line_accuracy) == (1, 8, 0.125, 0.5)
    assert document.order_cer == round(edit_distance("abcdefgh", "efghabXdSEAL!") / 8, 4)
    assert document.spurious == 0.125  # one mark beyond the labelled eight and the ignored four
    assert document.reread == 0.3333
    assert document.ece == 0.6667  # all sure, one of three right: SEAL! is not the ignored SEAL
    assert (overall.images, overall.cer, overall.ms_per_page) == (2, 0.3, 10.0)
    assert measures["scene"].cer == 1.0


def test_calibration_error_of_known_bins() -> None:
    assert calibration_error([], []) == 0.0
    assert calibration_error([0.9] * 10, [True] * 9 + [False]) == pytest.approx(0.0)
    assert calibration_error([1.0, 0.0], [False, True]) == pytest.approx(1.0)


def test_json_has_overall_and_categories() -> None:
    result = to_json(
        "accurate", evaluate([Label("a", "document", ("ab",))], [Prediction("a", read("ab"), 1.0)], "first")
    )
    assert result["mode"] == "accurate"
    assert result["overall"] == result["categories"]["document"]
    assert list(result["overall"]) == [
        "images", "chars", "cer", "line_accuracy", "order_cer", "spurious", "ms_per_page", "reread", "ece",
    ]  # fmt: skip


def test_predictions_are_one_object_a_line() -> None:
    assert [json.loads(row) for row in predictions_to_jsonl([Prediction("a", read("识"), 1.26)]).splitlines()] == [
        {"image": "a", "lines": ["识"], "ms": 1.26}
    ]


def test_labels_are_read_and_faults_are_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"labels\.jsonl"):
        load_labels(tmp_path)
    (tmp_path / "labels.jsonl").write_text('{"image": "a.png", "category": "c", "lines": ["x"], "ignore": ["y"]}\n\n')
    assert load_labels(tmp_path) == [Label("a.png", "c", ("x",), ("y",))]
    (tmp_path / "labels.jsonl").write_text('{"image": "a.png"}')
    with pytest.raises(DamagedFile, match="lines"):
        load_labels(tmp_path)
