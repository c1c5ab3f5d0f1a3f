"""Graph: an ONNX graph in the making, node by node."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper

Array = npt.NDArray[np.float32]


class Graph:
    """Nodes and named weights; a node with one output is named after it.

    With `half`, matrices are stored in 16 bits; the runtime widens them once, when it loads the file.
    """

    def __init__(self, half: bool = False) -> None:
        self._half = half
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []

    def add(self, kind: str, inputs: Sequence[str], output: str, **attributes: Any) -> str:
        """Add one node and give its output's name."""
        self.nodes.append(helper.make_node(kind, list(inputs), [output], name=output, **attributes))
        return output

    def top(self, value: str, count: int, name: str) -> tuple[str, str]:
        """Add a node for the `count` largest of the last axis, in order: gives their name and that of their places."""
        outputs = f"{name}.values", f"{name}.places"
        inputs = [value, self.weight(f"{name}.count", np.array([count], np.int64))]
        self.nodes.append(helper.make_node("TopK", inputs, list(outputs), name=name))
        return outputs

    def weight(self, name: str, value: npt.NDArray[Any]) -> str:
        """Add a named weight and give its name."""
        self.weights.append(numpy_helper.from_array(np.array(value, order="C"), name))
        return name

    def matrix(self, name: str, value: Array) -> str:
        """Add a large weight, stored in 16 bits where the graph is `half`, and give the name of its numbers."""
        if not self._half:
            return self.weight(name, value)
        stored = self.weight(f"{name}.half", value.astype(np.float16))
        return self.add("Cast", [stored], name, to=TensorProto.FLOAT)

    def number(self, value: int) -> onnx.TensorProto:
        """Give a whole number as an attribute."""
        return helper.make_tensor("value", TensorProto.INT64, [1], [value])


def array(tensor: torch.Tensor) -> Array:
    """Give a tensor's numbers as float32."""
    return tensor.detach().cpu().numpy().astype(np.float32)
