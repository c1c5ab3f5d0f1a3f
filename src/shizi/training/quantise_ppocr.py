"""Quantise PP-OCR: the wheel's float detector and recogniser become 8-bit files that ship with shizi.

Takes the two files of PP-OCRv6 small, draws pages and lines to measure ranges on (`ppocr_pages`), writes
PP-OCRv6_det_small-int8.onnx and PP-OCRv6_rec_small-int8.onnx. Ranges, and so the files, follow what `samples` draws:
fonts and code. They are for processors with VNNI; on others, sums of 8-bit products overflow.
`python -m shizi.training.quantise_ppocr --to FOLDER`
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper

from shizi import weights
from shizi.line_image import Tensor
from shizi.training import eight_bits, fonts, ppocr_graph, ppocr_pages
from shizi.training.equalise import equalise
from shizi.training.ppocr_graph import PIXEL, Editor

PAGES, LINES = 60, 240
# Channels are equalised by half (the root of what would make their ranges alike): of the detector's map 44 of 10,000
# points change sides instead of 52; wholly, 48.
EQUALISED, OF_INPUTS = 0.5, 3  # measured on every third page or line
# The detector's last map before the sigmoid: beyond this it is sure either way, and finer steps are wanted within.
SURE = (-8.0, 8.0)
# Bytes as they are: (value - 128) / 127.5. What the network was taught lies half a step higher; see `_half_a_step`.
BYTES = (-128 / 127.5, 127 / 127.5)


def detector(source: Path, pages: Sequence[Tensor]) -> onnx.ModelProto:
    """Give the detector in 8 bits. Input N H W 4 uint8, RGB and one unused; H, W multiples of 32. Output as it was.

    `pages`: N 4 H W float32, scaled to -1..1.
    """
    model = ppocr_graph.detector(source)
    edit = Editor(model)
    equalise(edit, pages[::OF_INPUTS], EQUALISED)
    chosen = {node.name for node in edit.graph.node if node.op_type in eight_bits.KINDS}
    chosen -= _gates(edit)
    measured = eight_bits.ranges(model, eight_bits.points(edit, chosen), pages)
    measured |= {model.graph.input[0].name: BYTES, "gather": SURE}
    _half_a_step(edit)
    made = eight_bits.Quantiser(model, chosen, measured).quantised()
    _take_bytes(made)
    return made


def _gates(edit: Editor) -> set[str]:
    """Name the sums that add one to a gate: a few numbers, better left as floats."""
    return {node.name for node in edit.of("Add") if "one" in node.input}


def _half_a_step(edit: Editor) -> None:
    """Make up for the half: no byte is 127.5, the middle that the network was taught."""
    first = next(edit.of("Conv"))
    bias = edit.value(first.input[2]) + edit.value(first.input[1]).sum(axis=(1, 2, 3)) * np.float32(0.5 / 127.5)
    edit.add(first.input[2], bias.astype(np.float32))


def _take_bytes(model: onnx.ModelProto) -> None:
    """Let the graph take a page's bytes, channels last, which are its first 8-bit map already."""
    name = model.graph.input[0].name
    nodes = list(model.graph.node)
    place = next(i for i, node in enumerate(nodes) if node.op_type == "QuantizeLinear" and node.input[0] == name)
    nodes[place] = helper.make_node("Transpose", [name], [f"{name}.q"], name=f"{name}.q", perm=[0, 3, 1, 2])
    Editor(model).put(nodes)
    del model.graph.input[:]
    model.graph.input.append(helper.make_tensor_value_info(name, TensorProto.UINT8, ["N", "H", "W", PIXEL]))
    onnx.checker.check_model(model)


def recogniser(source: Path, lines: Sequence[Tensor]) -> onnx.ModelProto:
    """Give the recogniser with its convolutions and last layer in 8 bits; input, output and charset as they were.

    `lines`: 1 3 48 W float32.
    """
    model = ppocr_graph.recogniser(source)
    edit = Editor(model)
    equalise(edit, lines[::OF_INPUTS], EQUALISED)
    (pool,) = edit.of("AveragePool")
    chosen = eight_bits.upstream(edit, pool.output[0])
    last = list(edit.of("MatMul"))[-1]
    measured = eight_bits.ranges(model, [*eight_bits.points(edit, chosen), last.input[0]], lines)
    made = Editor(eight_bits.Quantiser(model, chosen, measured).quantised())
    last = next(node for node in made.of("MatMul") if node.name == last.name)
    added = made.consumers[last.output[0]][0]
    made.replace([last, added], eight_bits.product(made, last, measured[last.input[0]], added.output))
    made.model.opset_import.append(helper.make_opsetid("com.microsoft", 1))
    return made.finished()


def _write(model: onnx.ModelProto, source: Path, target: Path) -> None:
    onnx.helper.set_model_props(model, {entry.key: entry.value for entry in onnx.load(source).metadata_props})
    onnx.save(model, target)
    print(f"{target}: {target.stat().st_size / 1e6:.2f} MB")


def main() -> None:
    """Draw, measure ranges, write both files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--to", type=Path, required=True, help="folder to write the two files to")
    parser.add_argument("--fonts", type=Path, default=Path("fonts"))
    parser.add_argument("--pages", type=int, default=PAGES)
    parser.add_argument("--lines", type=int, default=LINES)
    arguments = parser.parse_args()
    drawn = ppocr_pages.Drawer(fonts.load(arguments.fonts))
    found, strong = (weights.find(name, "fp32") for name in ("detector", "strong"))
    model = detector(found.path, [drawn.page_tensor(index) for index in range(arguments.pages)])
    _write(model, found.path, arguments.to / f"{found.name}-int8.onnx")
    model = recogniser(strong.path, [drawn.line_tensor(index) for index in range(arguments.lines)])
    _write(model, strong.path, arguments.to / f"{strong.name}-int8.onnx")


if __name__ == "__main__":
    main()
