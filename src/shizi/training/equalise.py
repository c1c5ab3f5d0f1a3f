"""Equalise: channels of a map brought to like ranges before the map gets one scale for its 8 bits.

A channel may be made larger where it is written and smaller where it is read, and nothing changes as long as only sums,
gates, pools and RELUs lie between (Nagel et al., Data-Free Quantization through Weight Equalization, ICCV 2019; here
ranges are measured, and groups span residual sums). Takes a rewritten graph and inputs to measure on; changes weights.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime

from shizi.line_image import Tensor
from shizi.training.ppocr_graph import Editor, attribute

Floats = npt.NDArray[np.float64]

_THROUGH = ("Add", "Mul", "Relu", "MaxPool", "Resize", "GlobalAveragePool")
# A channel is made at most so many times larger: one that hardly ever speaks must not fill the scale with its noise.
MOST = 16.0


@dataclass(slots=True)
class Group:
    """Maps whose channels can only be scaled together, the convolutions that write them, and those that read them."""

    maps: list[str] = field(default_factory=list)
    writers: list[onnx.NodeProto] = field(default_factory=list)
    readers: list[onnx.NodeProto] = field(default_factory=list)


def groups(edit: Editor) -> Iterator[Group]:
    """Give the groups of maps that convolutions alone write and read, in the graph's order."""
    seen: set[str] = set()
    for first in edit.of("Conv"):
        if first.output[0] in seen:
            continue
        group, waiting, free = Group(), [first.output[0]], True
        while waiting:
            name = waiting.pop()
            if name in seen:
                continue
            seen.add(name)
            group.maps.append(name)
            writer = edit.producers[name]
            if writer.op_type == "Conv":
                group.writers.append(writer)
            elif writer.op_type in _THROUGH:
                waiting += _maps_of(edit, writer)
            else:
                free = False
            free = free and name in edit.consumers
            for reader in edit.consumers.get(name, []):
                if reader.op_type == "Conv":
                    group.readers.append(reader)
                elif reader.op_type in _THROUGH and (reader.op_type != "Mul" or name in _maps_of(edit, reader)):
                    waiting += [reader.output[0], *_maps_of(edit, reader)]
                else:
                    free = False
        if free:
            yield group


def _maps_of(edit: Editor, node: onnx.NodeProto) -> list[str]:
    """Name the inputs of a node that are maps with the channels of its output: no constants, no gates."""
    names = [name for name in node.input if name and name not in edit.constants]
    return names[:1] if node.op_type == "Mul" else names


def channel_ranges(model: onnx.ModelProto, names: Sequence[str], inputs: Sequence[Tensor]) -> dict[str, Floats]:
    """Run the model on `inputs` and give the largest magnitude of each channel of the named maps."""
    watched = onnx.ModelProto.FromString(model.SerializeToString())
    del watched.graph.output[:]
    axes = onnx.numpy_helper.from_array(np.array([0, 2, 3], np.int64), "equalise.axes")
    watched.graph.initializer.append(axes)
    for name in names:
        watched.graph.node.append(onnx.helper.make_node("Abs", [name], [f"{name}.abs"]))
        node = onnx.helper.make_node("ReduceMax", [f"{name}.abs", axes.name], [f"{name}.most"], keepdims=0)
        watched.graph.node.append(node)
        watched.graph.output.append(onnx.helper.make_tensor_value_info(f"{name}.most", onnx.TensorProto.FLOAT, None))
    settings = onnxruntime.SessionOptions()
    settings.log_severity_level = 3
    session = onnxruntime.InferenceSession(watched.SerializeToString(), settings, providers=["CPUExecutionProvider"])
    feed = watched.graph.input[0].name
    most: list[Floats] = [np.zeros(1)] * len(names)
    for tensor in inputs:
        most = [np.maximum(old, new) for old, new in zip(most, session.run(None, {feed: tensor}), strict=True)]
    return dict(zip(names, most, strict=True))


def equalise(edit: Editor, inputs: Sequence[Tensor], strength: float = 1.0) -> int:
    """Scale the channels of every group to like ranges, wholly (strength 1) or in part; gives how many groups."""
    found = list(groups(edit))
    names = sorted({name for group in found for name in group.maps})
    most = channel_ranges(edit.model, names, inputs)
    for group in found:
        share = np.max([most[name] / max(float(most[name].max()), 1e-9) for name in group.maps], axis=0)
        factor = np.minimum((1 / np.maximum(share, 1e-9)) ** strength, MOST)
        for node in group.writers:
            _scale(edit, node, factor, "writes")
        for node in group.readers:
            _scale(edit, node, 1 / factor, "reads")
    return len(found)


def _scale(edit: Editor, node: onnx.NodeProto, factor: Floats, side: str) -> None:
    """Multiply the channels that a convolution writes or reads; a depthwise one has one weight for both."""
    weight = edit.value(node.input[1])
    if side == "reads" and attribute(node, "group", 1) == 1:
        edit.add(node.input[1], (weight * factor[None, :, None, None]).astype(np.float32))
        return
    edit.add(node.input[1], (weight * factor[:, None, None, None]).astype(np.float32))
    if side == "writes" and len(node.input) > 2:
        edit.add(node.input[2], (edit.value(node.input[2]) * factor).astype(np.float32))
