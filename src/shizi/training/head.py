"""Head: the last layers in ONNX, from the LSTM's output to each step's likeliest classes and their probabilities.

Takes the graph in the making and the trained layers. With a gate, only its open steps are computed and the
others are written as blank; with a range, the class scores are computed in 8 bits.
"""

import numpy as np

from shizi.training.crnn import Crnn
from shizi.training.gate import Gate
from shizi.training.graph import Array, Graph, array

# Seven bits of eight: without VNNI instructions the sums of two products of eight bits overflow.
WEIGHT_LEVELS, VALUE_LEVELS, MIDDLE = 63, 127, 128
# Classes are looked through in groups of so many: onnxruntime finds the place of a maximum one by one (0.23 ms of a
# line's 1.42), the maxima of groups sixteen at a time.
GROUP = 64
# So many classes of a step are told, the likeliest first: a lexicon may choose among them (docs/decisions/092).
LIKELIEST = 4
# The score of the classes that fill the last group up: their probability is 0.
NEVER = -1e4


def linear(graph: Graph, name: str, weight: Array, bias: Array, value: str) -> str:
    """Add a fully connected layer: `weight` out in, `bias` out."""
    product = graph.add("MatMul", [value, graph.matrix(f"{name}.weight", weight.T)], f"{name}.product")
    return graph.add("Add", [product, graph.weight(f"{name}.bias", bias)], f"{name}.scores")


def eight_bits(graph: Graph, name: str, weight: Array, bias: Array, value: str, reach: float) -> str:
    """Add a fully connected layer of 8-bit weights (one scale a row) and values (one fixed scale).

    `reach` is the largest value met on lines. The scale is fixed: one taken from each batch would make a
    line's reading depend on its neighbours. Classes are filled up to whole groups.
    """
    missing = -len(weight) % GROUP
    weight, bias = np.pad(weight, ((0, missing), (0, 0))), np.pad(bias, (0, missing), constant_values=NEVER)
    rows = np.maximum(np.abs(weight).max(1) / WEIGHT_LEVELS, 1e-9).astype(np.float32)
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
    """Add each step's likeliest classes and exp(score) / sum(exp), without a whole softmax."""
    last = graph.weight("class_axis", np.array([-1], np.int64))
    values, places = graph.top(scores_, LIKELIEST, "likeliest")
    graph.add("Identity", [places], path)
    highest = graph.add("ReduceMax", [scores_, last], "highest", keepdims=1)
    powers = graph.add("Exp", [graph.add("Sub", [scores_, highest], "below_highest")], "powers")
    mass = graph.add("ReduceSum", [powers, last], "mass", keepdims=1)
    shares = graph.add("Exp", [graph.add("Sub", [values, highest], "likeliest.below_highest")], "likeliest.powers")
    graph.add("Div", [shares, mass], probability)


def best_of_groups(graph: Graph, scores_: str, classes: int, path: str, probability: str) -> None:
    """Add each step's likeliest classes (S 4) and their probabilities (S 4) of scores S C filled up to whole groups.

    They are members of the groups with the highest members.
    """
    last = graph.weight("group_axis", np.array([-1], np.int64))
    shares = graph.add("Softmax", [scores_], "shares", axis=-1)
    # Named, not -1: a line without an open step has no numbers to tell it from.
    shape = graph.weight("groups.shape", np.array([0, -(-classes // GROUP), GROUP], np.int64))
    groups = graph.add("Reshape", [shares, shape], "groups")  # S, C / 64, 64
    highest = graph.add("ReduceMax", [groups, last], "groups.highest", keepdims=0)  # S, C / 64
    _, numbers = graph.top(highest, LIKELIEST, "groups.best")  # S, 4
    chosen = graph.add(
        "GatherND", [groups, graph.add("Unsqueeze", [numbers, last], "groups.each")], "groups.members", batch_dims=1
    )  # S, 4, 64
    flat = graph.weight("groups.flat", np.array([0, LIKELIEST * GROUP], np.int64))
    values, places = graph.top(graph.add("Reshape", [chosen, flat], "members"), LIKELIEST, "likeliest")  # S, 4
    graph.add("Identity", [values], probability)
    size = graph.weight("groups.size", np.array(GROUP, np.int64))
    rows = graph.add("Div", [places, size], "likeliest.row")
    number = graph.add("GatherElements", [numbers, rows], "likeliest.group", axis=1)
    before = graph.add("Mul", [number, size], "likeliest.before")
    graph.add("Add", [before, graph.add("Mod", [places, size], "likeliest.member")], path)


def gated(graph: Graph, model: Crnn, context: str, gate: Gate, reach: float | None) -> None:
    """Add `path` and `probability` (N T 4), computed at the gate's open steps only; elsewhere blank comes first."""
    product = graph.add("MatMul", [context, graph.weight("gate.weight", gate.weight[:, None])], "gate.product")
    last = graph.weight("gate.axis", np.array([2], np.int64))
    flat = graph.add("Squeeze", [product, last], "gate.flat")
    score = graph.add("Add", [flat, graph.weight("gate.bias", np.array(gate.bias, np.float32))], "gate.score")  # N, T
    zero = graph.weight("gate.zero", np.array(0, np.float32))
    opened = graph.add("NonZero", [graph.add("Greater", [score, zero], "gate.opened")], "gate.found")
    places = graph.add("Transpose", [opened], "gate.places", perm=[1, 0])  # S, 2
    chosen = graph.add("GatherND", [context, places], "gate.chosen")  # S, 256
    found = scores(graph, model, chosen, reach)
    if reach is None:
        best(graph, found, "open_path", "open_probability")
    else:
        best_of_groups(graph, found, model.classes.out_features, "open_path", "open_probability")
    closed = graph.add("Sigmoid", [graph.add("Neg", [score], "gate.closed")], "gate.closed_probability")
    pads = graph.weight("closed.pads", np.array([0, 0, 0, 0, 0, LIKELIEST - 1], np.int64))
    first = graph.add("Unsqueeze", [closed, last], "gate.first")  # N, T, 1
    nothing = graph.add("Pad", [first, pads], "gate.nothing")  # N, T, 4
    blank = graph.add(
        "ConstantOfShape", [graph.add("Shape", [nothing], "gate.shape")], "gate.blank", value=graph.number(0)
    )
    graph.add("ScatterND", [blank, places, "open_path"], "path")
    graph.add("ScatterND", [nothing, places, "open_probability"], "probability")
