"""Quantise: an exported fp32 file becomes a smaller and faster one.

Takes the fp32 file and lines to measure ranges on, gives the INT8 file: the last layer behind a gate
(`gate.py`) and in 8 bits, the 3x3 convolutions in 8 bits with a scale for each channel. The LSTM stays as it
is: quantised at run time its scales would come from the whole batch, and a line would read differently in
other company.
`python -m shizi.training.quantise` measures each recipe (size, speed, CER) before it writes one.
"""

import argparse
import json
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

import onnx
import torch
from onnxruntime.quantization import (
    CalibrationDataReader,
    QuantFormat,
    QuantType,
    quantize_dynamic,
    quantize_static,
)

from shizi import line_image, weights
from shizi.errors import WeightsError
from shizi.recognise import Recogniser
from shizi.training import evaluate, export_onnx, fonts, gate, labels, samples
from shizi.training.batches import FORM, shown
from shizi.training.crnn import Crnn

# dynamic: onnxruntime's own recipe for LSTM and matrix products, to compare with.
RECIPES = ("gated", "dynamic", "head", "full")
RANGE_LINES, GATE_LINES = 150, 600
RANGE_RUN = 998
# What tuning changes in an INT8 file, by the beginnings of its names.
TUNED = ("lstm.", "gate.")
SECOND = "tuned."  # before the names of what is there twice


class Lines(CalibrationDataReader):  # type: ignore[misc]  # onnxruntime carries no types
    """Hands line tensors to onnxruntime's calibration, one a run."""

    def __init__(self, lines: Sequence[samples.Sample]) -> None:
        self._tensors = iter([{"x": line_image.to_tensor(shown(line), FORM)[None]} for line in lines])

    def get_next(self) -> dict[str, line_image.Tensor] | None:
        """Give the next line, None at the end."""
        return next(self._tensors, None)


def quantise(
    source: Path, target: Path, recipe: str, lines: Sequence[samples.Sample], opened: gate.Gate | None
) -> None:
    """Write the fp32 file `source` to `target` by `recipe`, its metadata kept.

    `lines` give the ranges, `opened` is the fitted gate (none: every step is computed).
    """
    if recipe == "dynamic":
        _dynamic(source, target)
        return _copy_metadata(source, target)
    model = Crnn(len(labels.charset())).eval()
    export_onnx.restore(source, model)
    reach = None if recipe == "gated" else _reach(model, lines)
    built = export_onnx.build(model, "reading", export_onnx.metadata(), opened, reach)
    with tempfile.TemporaryDirectory() as folder:
        first = Path(folder) / "head.onnx"
        onnx.save(built, first)
        if recipe == "full":
            _convolutions(first, target, lines)
        else:
            shutil.copyfile(first, target)
    _copy_metadata(source, target)


def retuned(source: Path, target: Path, model: Crnn, opened: gate.Gate) -> None:
    """Write the INT8 file `source` (recipe `full`) to `target` with the LSTM of `model`, and its gate, beside its own.

    The file then gives two best paths of every line, as before and as tuned, and the reader takes the second where it
    is clearly likelier (docs/decisions/091). Where `source` has two already, the second's numbers are replaced. All
    else stays number for number: 8 bits fitted anew would read a line in fifty otherwise (docs/decisions/090).
    Raises WeightsError for a file of another recipe, which has not all of that.
    """
    built = export_onnx.build(model, "reading", {}, opened, reach=1.0)
    fresh = [tensor for tensor in built.graph.initializer if tensor.name.startswith(TUNED)]
    whole = onnx.load(source)
    there = {tensor.name for tensor in whole.graph.initializer}
    if missing := sorted({tensor.name for tensor in fresh} - there):
        raise WeightsError(f"The file {source} has no {', '.join(missing)}; expected one of recipe 'full'.")
    if not any(name.startswith(SECOND) for name in there):
        _double(whole.graph)
    second = {tensor.name: tensor for tensor in whole.graph.initializer}
    for tensor in fresh:
        second[SECOND + tensor.name].CopyFrom(tensor)
        second[SECOND + tensor.name].name = SECOND + tensor.name
    onnx.save(whole, target)


def _double(graph: onnx.GraphProto) -> None:
    """Add a copy of what tuning changes, of all that follows from it, and of the outputs."""
    twice = {tensor.name for tensor in graph.initializer if tensor.name.startswith(TUNED)}
    for tensor in [tensor for tensor in graph.initializer if tensor.name in twice]:
        copy = graph.initializer.add()
        copy.CopyFrom(tensor)
        copy.name = SECOND + tensor.name
    for node in list(graph.node):
        if twice.isdisjoint(node.input):
            continue
        twice.update(node.output)
        copy = graph.node.add()
        copy.CopyFrom(node)
        copy.name = SECOND + node.name
        copy.input[:] = [SECOND + name if name in twice else name for name in node.input]
        copy.output[:] = [SECOND + name for name in node.output]
    for output in list(graph.output):
        copy = graph.output.add()
        copy.CopyFrom(output)
        copy.name = SECOND + output.name


def _reach(model: Crnn, lines: Sequence[samples.Sample]) -> float:
    """Give the largest value of the narrow layer on `lines`: beyond it the 8-bit values stop."""
    context, _ = gate.contexts(model, lines)
    with torch.inference_mode():
        return float(model.narrow(context).abs().max())


def _dynamic(source: Path, target: Path) -> None:
    # Seven bits: without VNNI instructions the products of eight overflow their 16-bit sums.
    quantize_dynamic(
        source, target, op_types_to_quantize=["MatMul", "LSTM"], weight_type=QuantType.QInt8,
        per_channel=True, reduce_range=True, extra_options={"MatMulConstBOnly": True},
    )  # fmt: skip


def _convolutions(source: Path, target: Path, lines: Sequence[samples.Sample]) -> None:
    # The first convolution reads one channel: quantised it loses most and gains least.
    first = next(node.name for node in onnx.load(source).graph.node if node.op_type == "Conv")
    quantize_static(
        source, target, Lines(lines), quant_format=QuantFormat.QDQ, op_types_to_quantize=["Conv"],
        per_channel=True, reduce_range=True, activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8,
        nodes_to_exclude=[first],
    )  # fmt: skip


def _copy_metadata(source: Path, target: Path) -> None:
    model = onnx.load(target)
    kept = {entry.key: entry.value for entry in onnx.load(source).metadata_props}
    onnx.helper.set_model_props(model, kept)
    onnx.save(model, target)


def measure(name: str, path: Path, sets: dict[str, list[samples.Sample]]) -> dict[str, object]:
    """Read `sets` with one file: its size, CER by set and milliseconds a line."""
    recogniser = Recogniser(weights.from_file(path), 2)
    row: dict[str, object] = {"recipe": name, "MB": round(path.stat().st_size / 1e6, 2)}
    for key, lines in sets.items():
        readings, milliseconds = evaluate.read_lines(recogniser, lines)
        texts = [reading.text for reading in readings]
        row[key] = evaluate.measure([line.text for line in lines], texts)["cer"]
        row["ms"] = round(milliseconds, 2)
    return row


def main() -> None:
    """Measure recipes on the same lines; write the chosen one."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path, help="fp32 ONNX file")
    parser.add_argument("--to", type=Path, help="INT8 file to write")
    parser.add_argument("--recipe", choices=RECIPES, default="full")
    parser.add_argument("--all", action="store_true", help="measure the other recipes too")
    parser.add_argument("--lines", type=Path, help="folder of PDF crops")
    parser.add_argument("--fonts", type=Path, default=Path("fonts"))
    parser.add_argument("--count", type=int, default=300)
    arguments = parser.parse_args()
    faces = fonts.load(arguments.fonts)
    maker = samples.Maker(faces, samples.load_crops(arguments.lines)[0] if arguments.lines else [])
    lines = [maker.make(RANGE_RUN, index, 0.5) for index in range(GATE_LINES)]
    model = Crnn(len(labels.charset())).eval()
    export_onnx.restore(arguments.model, model)
    opened = gate.fit(model, lines)
    print(json.dumps({"gate": f"{opened.open_share:.1%} of steps open"}))
    sets = evaluate.test_sets(arguments.lines, faces, arguments.count)
    print(json.dumps(measure("fp32", arguments.model, sets)), flush=True)
    with tempfile.TemporaryDirectory() as folder:
        for recipe in RECIPES if arguments.all else (arguments.recipe,):
            path = Path(folder) / f"{recipe}.onnx"
            quantise(arguments.model, path, recipe, lines[:RANGE_LINES], opened)
            print(json.dumps(measure(recipe, path, sets)), flush=True)
            if arguments.to and recipe == arguments.recipe:
                shutil.copyfile(path, arguments.to)


if __name__ == "__main__":
    main()
