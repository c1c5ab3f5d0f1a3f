"""PP-OCR graph: the float graphs of the `rapidocr` wheel, rewritten so that 8 bits pay everywhere.

Takes an ONNX model, changes it in place, each rewriting without a change of what is computed (but for rounding). What
each one saved is in docs/decisions/007. Knows nothing of ranges or of 8 bits.
"""

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime
from onnx import helper, numpy_helper, version_converter

OPSET = 21  # the first with 8-bit Q/DQ for every type; GELU is one node since 20
NARROW, WIDENED = 12, 16  # channels; see `widen_narrow`
# The pixels of a page lie as red, green, blue and one more, which counts nothing: four bytes copy faster than three.
PIXEL = 4


class Editor:
    """A model's graph with its producers, consumers and constants at hand."""

    def __init__(self, model: onnx.ModelProto) -> None:
        self.model = model
        self.graph = model.graph
        self.refresh()

    def refresh(self) -> None:
        """Look the graph over again after a change."""
        self.constants = {item.name: item for item in self.graph.initializer}
        self.producers = {output: node for node in self.graph.node for output in node.output}
        self.consumers: dict[str, list[onnx.NodeProto]] = {}
        for node in self.graph.node:
            for name in node.input:
                self.consumers.setdefault(name, []).append(node)

    def of(self, kind: str) -> Iterator[onnx.NodeProto]:
        """Give the nodes of one kind, in order, as they were when asked."""
        yield from [node for node in self.graph.node if node.op_type == kind]

    def value(self, name: str) -> npt.NDArray[Any]:
        """Give a constant's numbers."""
        return np.asarray(numpy_helper.to_array(self.constants[name]))

    def add(self, name: str, value: npt.ArrayLike) -> str:
        """Add a constant and give its name; one of that name is replaced."""
        tensor = numpy_helper.from_array(np.ascontiguousarray(value).reshape(np.shape(value)), name)
        if name in self.constants:
            self.constants[name].CopyFrom(tensor)
        else:
            self.graph.initializer.append(tensor)
            self.constants[name] = self.graph.initializer[-1]
        return name

    def replace(self, old: Sequence[onnx.NodeProto], new: Sequence[onnx.NodeProto]) -> None:
        """Put `new` where the last of `old` stands."""
        gone = {node.output[0] for node in old}
        kept: list[onnx.NodeProto] = []
        for node in self.graph.node:
            if node.output[0] not in gone:
                kept.append(node)
            elif node.output[0] == old[-1].output[0]:
                kept += new
        self.put(kept)

    def put(self, nodes: Iterable[onnx.NodeProto]) -> None:
        """Make these the graph's nodes."""
        copies = [onnx.NodeProto.FromString(node.SerializeToString()) for node in nodes]
        del self.graph.node[:]
        self.graph.node.extend(copies)
        self.refresh()

    def finished(self) -> onnx.ModelProto:
        """Drop constants that nothing uses, check the model and give it."""
        used = [item for item in self.graph.initializer if item.name in self.consumers]
        kept = [onnx.TensorProto.FromString(item.SerializeToString()) for item in used]
        del self.graph.initializer[:]
        self.graph.initializer.extend(kept)
        del self.graph.value_info[:]
        onnx.checker.check_model(self.model)
        return self.model


def attribute(node: onnx.NodeProto, name: str, default: Any = None) -> Any:
    """Give the value of a node's attribute."""
    return next((helper.get_attribute_value(item) for item in node.attribute if item.name == name), default)


def cleaned(source: Path) -> onnx.ModelProto:
    """Load a file in a newer opset, with biases, norms and identities folded and GELU as one node."""
    model = version_converter.convert_version(onnx.load(source), OPSET)
    with tempfile.TemporaryDirectory() as folder:
        onnx.save(model, f"{folder}/new.onnx")
        settings = onnxruntime.SessionOptions()
        settings.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
        settings.optimized_model_filepath = f"{folder}/folded.onnx"
        settings.log_severity_level = 3
        onnxruntime.InferenceSession(f"{folder}/new.onnx", settings, providers=["CPUExecutionProvider"])
        model = onnx.load(f"{folder}/folded.onnx")
    del model.opset_import[:]
    model.opset_import.append(helper.make_opsetid("", OPSET))
    return model


def pool_means(edit: Editor) -> None:
    """Write means over a whole map as pooling, which exists in 8 bits."""
    for node in edit.of("ReduceMean"):
        if edit.value(node.input[1]).tolist() == [2, 3]:
            node.op_type = "GlobalAveragePool"
            del node.input[1:]
            del node.attribute[:]
    edit.refresh()


def gate_once(edit: Editor) -> None:
    """Write `map + map * gate` as `map * (gate + 1)`: one pass over the map instead of two."""
    edit.add("one", np.float32(1))
    for name in [node.name for node in edit.of("Add")]:
        node = next(node for node in edit.of("Add") if node.name == name)
        for whole, part in (node.input[:2], node.input[1::-1]):
            product = edit.producers.get(part)
            if product is None or product.op_type != "Mul" or whole not in product.input:
                continue
            (gate,) = (name for name in product.input if name != whole)
            more = helper.make_node("Add", [gate, "one"], [f"{gate}.more"], name=f"{node.name}.more")
            once = helper.make_node("Mul", [whole, more.output[0]], [node.output[0]], name=f"{node.name}.once")
            edit.replace([product, node], [more, once])
            break


def widen_narrow(edit: Editor) -> None:
    """Give convolutions of `NARROW` channels zeros up to `WIDENED`: the runtime's 8-bit kernels want whole blocks."""
    for node in edit.of("Conv"):
        following = edit.consumers[node.output[0]]
        if following[0].op_type == "Relu":
            following = edit.consumers[following[0].output[0]]
        weight = edit.value(node.input[1])
        if weight.shape[0] != NARROW or weight.shape[2:] != (2, 2) or len(following) != 1:
            continue
        bias, more = edit.value(node.input[2]), WIDENED - NARROW
        edit.add(node.input[1], np.pad(weight, [(0, more), (0, 0), (0, 0), (0, 0)]))
        edit.add(node.input[2], np.pad(bias, (0, more)))
        edit.add(following[0].input[1], np.pad(edit.value(following[0].input[1]), [(0, 0), (0, more), (0, 0), (0, 0)]))


def enlarge_last(edit: Editor) -> None:
    """Write the detector's end, two transposed convolutions that double the map, as two plain ones and one shuffle.

    The first gives each point four times the channels (its four quarters), the second the four quarters of those; both
    run on the small map.
    """
    first, second = edit.of("ConvTranspose")
    relu = edit.producers[second.input[0]]
    (before, first_bias, _), (after, second_bias, sigmoid) = (_with_bias(edit, node) for node in (first, second))
    one, two = edit.value(first.input[1]), edit.value(second.input[1])  # in, out, 2, 2 each
    inner, middle = one.shape[:2]
    spread = one.transpose(2, 3, 1, 0).reshape(4 * middle, inner, 1, 1)  # quarter, middle
    gather = np.zeros((2, 2, 2, 2, 2, 2, middle), np.float32)  # row, finer row, column, finer column, its quarter
    for row in range(2):
        for column in range(2):
            gather[row, :, column, :, row, column] = two[:, 0].transpose(1, 2, 0)
    constants = {
        "spread.weight": spread,
        "spread.bias": np.tile(first_bias, 4),
        "gather.weight": gather.reshape(16, 4 * middle, 1, 1),
        "gather.bias": np.repeat(second_bias, 16),
    }
    for name, value in constants.items():
        edit.add(name, value)
    edit.replace(
        [*before, relu, *after, sigmoid],
        [
            helper.make_node(
                "Conv", [first.input[0], "spread.weight", "spread.bias"], ["spread"], name="spread", kernel_shape=[1, 1]
            ),
            helper.make_node("Relu", ["spread"], ["spread.relu"], name="spread.relu"),
            helper.make_node(
                "Conv", ["spread.relu", "gather.weight", "gather.bias"], ["gather"], name="gather", kernel_shape=[1, 1]
            ),
            helper.make_node("Sigmoid", ["gather"], ["quarters"], name="quarters"),
            helper.make_node("DepthToSpace", ["quarters"], [sigmoid.output[0]], name="shuffle", blocksize=4),
        ],
    )


def _with_bias(
    edit: Editor, node: onnx.NodeProto
) -> tuple[list[onnx.NodeProto], npt.NDArray[np.float32], onnx.NodeProto]:
    """Give a transposed convolution with the addition of its bias, that bias, and the node that follows."""
    (following,) = edit.consumers[node.output[0]]
    if following.op_type != "Add":
        return [node], edit.value(node.input[2]), following
    (name,) = (name for name in following.input if name != node.output[0])
    return [node, following], edit.value(name).ravel(), edit.consumers[following.output[0]][0]


def take_pixels(edit: Editor) -> None:
    """Let the first convolution take `PIXEL` planes, red first, instead of blue, green and red.

    The input is still float, scaled to -1..1; of the last plane nothing is used.
    """
    first = next(edit.of("Conv"))
    weight = edit.value(first.input[1])[:, ::-1]
    edit.add(first.input[1], np.pad(weight, [(0, 0), (0, PIXEL - weight.shape[1]), (0, 0), (0, 0)]))
    edit.graph.input[0].type.tensor_type.shape.dim[1].dim_value = PIXEL


def detector(source: Path) -> onnx.ModelProto:
    """Give the detector, rewritten. Input N 4 H W float32, RGB and one unused plane, (value - 127.5) / 127.5."""
    edit = Editor(cleaned(source))
    for change in (pool_means, gate_once, widen_narrow, enlarge_last, take_pixels):
        change(edit)
    return edit.finished()


def recogniser(source: Path) -> onnx.ModelProto:
    """Give the recogniser, rewritten; input and output as they are."""
    edit = Editor(cleaned(source))
    for change in (pool_means, gate_once, widen_narrow):
        change(edit)
    return edit.finished()
