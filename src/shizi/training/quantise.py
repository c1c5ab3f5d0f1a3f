"""Quantise: an exported ONNX file becomes a smaller and faster one of 8-bit weights.

Takes the fp32 file and lines to calibrate with, gives the INT8 file. Two steps, each kept only if it pays:
  dynamic  LSTM and matrix products: weights in 8 bits, activations scaled at each run
  static   3x3 convolutions: weights and activations in 8 bits, one scale for each channel, ranges from lines
`python -m shizi.training.quantise` measures each step (size, speed, CER) before it writes one.
"""

import argparse
import json
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import onnx
from onnxruntime.quantization import (  # type: ignore[import-untyped]
    CalibrationDataReader,
    QuantFormat,
    QuantType,
    quantize_dynamic,
    quantize_static,
)

from shizi import line_image, weights
from shizi.recognise import Recogniser
from shizi.training import evaluate, fonts, samples
from shizi.training.batches import FORM

RECIPES = ("dynamic", "static", "both")
CALIBRATION_LINES = 200
CALIBRATION_RUN = 998


class Lines(CalibrationDataReader):  # type: ignore[misc]  # onnxruntime carries no types
    """Hands line tensors to onnxruntime's calibration, one a run."""

    def __init__(self, lines: Sequence[samples.Sample]) -> None:
        self._tensors = iter([{"x": line_image.to_tensor(line.strip, FORM)[None]} for line in lines])

    def get_next(self) -> dict[str, line_image.Tensor] | None:
        """Give the next line, None at the end."""
        return next(self._tensors, None)


def quantise(source: Path, target: Path, recipe: str, lines: Sequence[samples.Sample]) -> None:
    """Write `source` quantised by `recipe` (one of `RECIPES`) to `target`, its metadata kept."""
    with tempfile.TemporaryDirectory() as folder:
        current = source
        if recipe in ("static", "both"):
            current = _static(current, Path(folder) / "static.onnx", lines)
        if recipe in ("dynamic", "both"):
            current = _dynamic(current, Path(folder) / "dynamic.onnx")
        shutil.copyfile(current, target)
    _copy_metadata(source, target)


def _dynamic(source: Path, target: Path) -> Path:
    # Seven bits: without VNNI instructions the products of eight overflow their 16-bit sums.
    quantize_dynamic(
        source, target, op_types_to_quantize=["MatMul", "LSTM"], weight_type=QuantType.QInt8,
        per_channel=True, reduce_range=True, extra_options={"MatMulConstBOnly": True},
    )  # fmt: skip
    return target


def _static(source: Path, target: Path, lines: Sequence[samples.Sample]) -> Path:
    # The first convolution reads one channel: quantised it loses most and gains least.
    first = next(node.name for node in onnx.load(source).graph.node if node.op_type == "Conv")
    quantize_static(
        source, target, Lines(lines), quant_format=QuantFormat.QDQ, op_types_to_quantize=["Conv"],
        per_channel=True, reduce_range=True, activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8,
        nodes_to_exclude=[first],
    )  # fmt: skip
    return target


def _copy_metadata(source: Path, target: Path) -> None:
    model = onnx.load(target)
    kept = {entry.key: entry.value for entry in onnx.load(source).metadata_props}
    onnx.helper.set_model_props(model, kept)
    onnx.save(model, target)


def candidates(source: Path, folder: Path, lines: Sequence[samples.Sample]) -> Iterator[tuple[str, Path]]:
    """Give the fp32 file and each recipe's file, written below `folder`."""
    yield "fp32", source
    for recipe in RECIPES:
        target = folder / f"{source.stem}.{recipe}.onnx"
        quantise(source, target, recipe, lines)
        yield recipe, target


def main() -> None:
    """Measure every recipe on the same lines; write the chosen one."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path, help="fp32 ONNX file")
    parser.add_argument("--to", type=Path, help="INT8 file to write")
    parser.add_argument("--recipe", choices=RECIPES, default="dynamic")
    parser.add_argument("--lines", type=Path, help="folder of PDF crops")
    parser.add_argument("--fonts", type=Path, default=Path("fonts"))
    parser.add_argument("--count", type=int, default=300)
    arguments = parser.parse_args()
    faces = fonts.load(arguments.fonts)
    crops = samples.load_crops(arguments.lines)[0] if arguments.lines else []
    maker = samples.Maker(faces, crops)
    ranges = [maker.make(CALIBRATION_RUN, index, 0.5) for index in range(CALIBRATION_LINES)]
    sets = evaluate.test_sets(arguments.lines, faces, arguments.count)
    with tempfile.TemporaryDirectory() as folder:
        for recipe, path in candidates(arguments.model, Path(folder), ranges):
            recogniser = Recogniser(weights.from_file(path), 2)
            row: dict[str, object] = {"recipe": recipe, "MB": round(path.stat().st_size / 1e6, 2)}
            for name, lines in sets.items():
                readings, milliseconds = evaluate.read_lines(recogniser, lines)
                texts = [reading.text for reading in readings]
                row[name] = evaluate.measure([line.text for line in lines], texts)["cer"]
                row["ms"] = round(milliseconds, 2)
            print(json.dumps(row), flush=True)
            if arguments.to and recipe == arguments.recipe:
                shutil.copyfile(path, arguments.to)


if __name__ == "__main__":
    main()
