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
    """Nodes and named weights; each node is named after its only output."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []

    def add(self, kind: str, inputs: Sequence[str], output: str, **attributes: Any) -> str:
        """Add one node and give its output's name."""
        self.nodes.append(helper.make_node(kind, list(inputs), [output], name=output, **attributes))
        return output

    def weight(self, name: str, value: npt.NDArray[Any]) -> str:
        """Add a named weight and give its name."""
        self.weights.append(numpy_helper.from_array(np.array(value, order="C"), name))
        return name

    def number(self, value: int) -> onnx.TensorProto:
        """Give a whole number as an attribute."""
        return helper.make_tensor("value", TensorProto.INT64, [1], [value])


def array(tensor: torch.Tensor) -> Array:
    """Give a tensor's numbers as float32."""
    return tensor.detach().cpu().numpy().astype(np.float32)
