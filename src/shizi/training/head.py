"""Head: the last layers in ONNX, from the LSTM's output to each step's best class and its probability.

Takes the graph in the making and the trained layers. With a gate, only its open steps are computed and the
others are written as blank; with a range, the class scores are computed in 8 bits.
"""

import numpy as np

from shizi.training.crnn import Crnn
from shizi.training.gate import Gate
from shizi.training.graph import Array, Graph, array

# Seven bits of eight: without VNNI instructions the sums of two products of eight bits overflow.
WEIGHT_LEVELS, VALUE_LEVELS, MIDDLE = 63, 127, 128


def linear(graph: Graph, name: str, weight: Array, bias: Array, value: str) -> str:
    """Add a fully connected layer: `weight` out in, `bias` out."""
    product = graph.add("MatMul", [value, graph.matrix(f"{name}.weight", weight.T)], f"{name}.product")
    return graph.add("Add", [product, graph.weight(f"{name}.bias", bias)], f"{name}.scores")


def eight_bits(graph: Graph, name: str, weight: Array, bias: Array, value: str, reach: float) -> str:
    """Add a fully connected layer of 8-bit weights (one scale a row) and values (one fixed scale).

    `reach` is the largest value met on lines. The scale is fixed: one taken from each batch would make a
    line's reading depend on its neighbours.
    """
    rows = (np.abs(weight).max(1) / WEIGHT_LEVELS).astype(np.float32)
    levels = np.round(weight / rows[:, None]).astype(np.int8)
    step = graph.weight(f"{name}.value_scale", np.array(reach / VALUE_LEVELS, np.float32))
    middle = graph.weight(f"{name}.value_middle", np.array(MIDDLE, np.uint8))
    small = graph.add("QuantizeLinear", [value, step, middle], f"{name}.small")
    matrix, scales = graph.weight(f"{name}.weight", levels.T), graph.weight(f"{name}.weight_scales", rows)
    zeros = graph.weight(f"{name}.weight_zeros", np.zeros(len(rows), np.int8))
    inputs = [small, matrix, step, scales, middle, zeros, graph.weight(f"{name}.bias", bias)]
    # onnxruntime's own node: as standard nodes the same takes four passes over all scores.
    return graph.add("MatMulIntegerToFloat", inputs, f"{name}.scores", domain="com.microsoft")


def scores(graph: Graph, model: Crnn, context: str, reach: float | None) -> str:
    """Add the narrow layer and the classes; `context` is N T 256 or S 256."""
    narrow = linear(graph, "narrow", array(model.narrow.weight), array(model.narrow.bias), context)
    weight, bias = array(model.classes.weight), array(model.classes.bias)
    if reach is None:
        return linear(graph, "classes", weight, bias, narrow)
    return eight_bits(graph, "classes", weight, bias, narrow, reach)


def best(graph: Graph, scores_: str, path: str, probability: str) -> None:
    """Add each step's best class and exp(best) / sum(exp), without a whole softmax."""
    axis = graph.weight("class_axis", np.array([-1], np.int64))
    graph.add("ArgMax", [scores_], path, axis=-1, keepdims=0)
    highest = graph.add("ReduceMax", [scores_, axis], "highest", keepdims=1)
    powers = graph.add("Exp", [graph.add("Sub", [scores_, highest], "below_highest")], "powers")
    graph.add("Reciprocal", [graph.add("ReduceSum", [powers, axis], "mass", keepdims=0)], probability)


def gated(graph: Graph, model: Crnn, context: str, gate: Gate, reach: float | None) -> None:
    """Add `path` and `probability` (N T), computed at the gate's open steps only."""
    product = graph.add("MatMul", [context, graph.weight("gate.weight", gate.weight[:, None])], "gate.product")
    last = graph.weight("gate.axis", np.array([2], np.int64))
    flat = graph.add("Squeeze", [product, last], "gate.flat")
    score = graph.add("Add", [flat, graph.weight("gate.bias", np.array(gate.bias, np.float32))], "gate.score")  # N, T
    zero = graph.weight("gate.zero", np.array(0, np.float32))
    opened = graph.add("NonZero", [graph.add("Greater", [score, zero], "gate.opened")], "gate.found")
    places = graph.add("Transpose", [opened], "gate.places", perm=[1, 0])  # S, 2
    chosen = graph.add("GatherND", [context, places], "gate.chosen")  # S, 256
    best(graph, scores(graph, model, chosen, reach), "open_path", "open_probability")
    closed = graph.add("Sigmoid", [graph.add("Neg", [score], "gate.closed")], "gate.closed_probability")
    shape = graph.add("Shape", [score], "gate.shape")
    blank = graph.add("ConstantOfShape", [shape], "gate.blank", value=graph.number(0))
    graph.add("ScatterND", [blank, places, "open_path"], "path")
    graph.add("ScatterND", [closed, places, "open_probability"], "probability")
