"""Export: a trained `Crnn` becomes an ONNX file that says itself how to be used.

Takes the torch model, gives an ONNX graph written node by node: batch norm folded into the convolutions,
one LSTM node, line format and charset in the metadata. Two kinds of output:
  reading        `path` N T 4 (the likeliest classes of each step, the best first) and `probability` N T 4:
                 what is shipped, since moving 80 x 8,489 numbers to Python costs a millisecond
  probabilities  `probabilities` N T classes: for calibration, comparison and tests
"""

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn

from shizi.errors import WeightsError
from shizi.training import checkpoint, head, labels
from shizi.training.batches import FORM
from shizi.training.crnn import Crnn, Residual
from shizi.training.gate import Gate
from shizi.training.graph import Array, Graph, array

OPSET = 20
Outputs = Literal["reading", "probabilities"]


def fold(convolution: nn.Conv2d, norm: nn.BatchNorm2d) -> tuple[Array, Array]:
    """Fold a batch norm into its convolution: gives weight and bias (Jacob et al., 2018, section 3.2)."""
    assert norm.running_mean is not None
    assert norm.running_var is not None
    scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
    return array(convolution.weight * scale[:, None, None, None]), array(norm.bias - norm.running_mean * scale)


def _convolution(graph: Graph, name: str, layers: nn.Module, value: str) -> str:
    assert isinstance(layers, nn.Sequential)
    convolution, norm = layers[0], layers[1]
    assert isinstance(convolution, nn.Conv2d)
    assert isinstance(norm, nn.BatchNorm2d)
    weight, bias = fold(convolution, norm)
    row, column = (int(pad) for pad in convolution.padding)
    inputs = [value, graph.weight(f"{name}.weight", weight), graph.weight(f"{name}.bias", bias)]
    result = graph.add(
        "Conv", inputs, f"{name}.map", kernel_shape=list(weight.shape[2:]),
        strides=[int(stride) for stride in convolution.stride], pads=[row, column, row, column],
    )  # fmt: skip
    return graph.add("Relu", [result], f"{name}.relu")


def _gates(value: Array, back: bool = False) -> Array:
    """Reorder gates from torch (input, forget, cell, output) to ONNX (input, output, forget, cell)."""
    parts = np.split(value, 4)
    return np.concatenate([parts[place] for place in ((0, 2, 3, 1) if back else (0, 3, 1, 2))])


def _lstm(graph: Graph, lstm: nn.LSTM, value: str) -> str:
    """Add the bidirectional LSTM: T N C in, N T 2H out."""
    stacks: dict[str, list[Array]] = {"W": [], "R": [], "B": []}
    for suffix in ("", "_reverse"):
        kernel, recurrent, first, second = (
            _gates(array(getattr(lstm, f"{part}_l0{suffix}")))
            for part in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        )
        for key, part in zip("WRB", (kernel, recurrent, np.concatenate([first, second])), strict=True):
            stacks[key].append(part)
    inputs = [value, *(graph.matrix(f"lstm.{key}", np.stack(parts)) for key, parts in stacks.items())]
    steps = graph.add("LSTM", inputs, "lstm.steps", direction="bidirectional", hidden_size=lstm.hidden_size)
    ordered = graph.add("Transpose", [steps], "lstm.ordered", perm=[2, 0, 1, 3])  # T, 2, N, H -> N, T, 2, H
    shape = graph.weight("lstm.shape", np.array([0, 0, 2 * lstm.hidden_size], np.int64))
    return graph.add("Reshape", [ordered, shape], "lstm.context")


def build(
    model: Crnn,
    outputs: Outputs,
    metadata: Mapping[str, str],
    gate: Gate | None = None,
    reach: float | None = None,
) -> onnx.ModelProto:
    """Build the ONNX model of `model`: input `x` N 1 32 W, outputs as the header tells.

    With `gate` the last layer runs at its open steps only; with `reach` (the largest value that the narrow
    layer gives on lines) in 8 bits.
    """
    graph = Graph(half=reach is not None)
    _outputs(graph, model, outputs, _body(graph, model), gate, reach)
    line = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", FORM.channels, FORM.height, "W"])
    whole = helper.make_graph(graph.nodes, "shizi-crnn", [line], _declared(outputs), graph.weights)
    result = helper.make_model(
        whole,
        opset_imports=[helper.make_opsetid("", OPSET), helper.make_opsetid("com.microsoft", 1)],
        producer_name="shizi",
    )
    result.ir_version = 10
    helper.set_model_props(result, dict(metadata))
    onnx.checker.check_model(result, full_check=True)
    return result


def _body(graph: Graph, model: Crnn) -> str:
    """Add everything up to the LSTM's output: N T 256."""
    value = "x"
    for place, layers in enumerate(model.stem):
        maps = _convolution(graph, f"stem.{place}", layers, value)
        value = graph.add("Add", [value, maps], f"stem.{place}.sum") if isinstance(layers, Residual) else maps
    value = _convolution(graph, "collapse", model.collapse, value)
    value = graph.add("Squeeze", [value, graph.weight("height_axis", np.array([2], np.int64))], "flat")
    value = graph.add("Transpose", [value], "steps", perm=[2, 0, 1])  # N, C, T -> T, N, C
    return _lstm(graph, model.lstm, value)


def _outputs(graph: Graph, model: Crnn, outputs: Outputs, context: str, gate: Gate | None, reach: float | None) -> None:
    if outputs == "reading" and gate is not None:
        head.gated(graph, model, context, gate, reach)
        return
    scores = head.scores(graph, model, context, reach)
    if outputs == "reading":
        head.best(graph, scores, "path", "probability")
    else:
        graph.add("Softmax", [scores], "probabilities", axis=2)


def _declared(outputs: Outputs) -> list[onnx.ValueInfoProto]:
    if outputs == "probabilities":
        return [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["N", "T", "classes"])]
    return [
        helper.make_tensor_value_info("path", TensorProto.INT64, ["N", "T", head.LIKELIEST]),
        helper.make_tensor_value_info("probability", TensorProto.FLOAT, ["N", "T", head.LIKELIEST]),
    ]


def restore(path: Path, model: Crnn) -> None:
    """Load an exported fp32 file's weights into `model`; batch norms become plain shifts. Inverse of `build`.

    Raises WeightsError for a file that is not one of ours or is quantised.
    """
    arrays = {tensor.name: numpy_helper.to_array(tensor) for tensor in onnx.load(path).graph.initializer}
    blocks = {f"stem.{place}": layers for place, layers in enumerate(model.stem)}
    try:
        for name, layers in {**blocks, "collapse": model.collapse}.items():
            _unfold(layers, arrays[f"{name}.weight"], arrays[f"{name}.bias"])
        for name, layer in (("narrow", model.narrow), ("classes", model.classes)):
            _set(layer.weight, arrays[f"{name}.weight"].T)
            _set(layer.bias, arrays[f"{name}.bias"])
        for place, suffix in enumerate(("", "_reverse")):
            first, second = np.split(arrays["lstm.B"][place], 2)
            parts = (arrays["lstm.W"][place], arrays["lstm.R"][place], first, second)
            for key, part in zip(("weight_ih", "weight_hh", "bias_ih", "bias_hh"), parts, strict=True):
                _set(getattr(model.lstm, f"{key}_l0{suffix}"), _gates(part, back=True))
    except (KeyError, RuntimeError) as error:
        raise WeightsError(f"{path.name} is not an fp32 export of this network: {error!r}.") from error


def _unfold(layers: nn.Module, weight: Array, bias: Array) -> None:
    assert isinstance(layers, nn.Sequential)
    convolution, norm = layers[0], layers[1]
    assert isinstance(convolution, nn.Conv2d)
    assert isinstance(norm, nn.BatchNorm2d)
    assert norm.running_mean is not None
    assert norm.running_var is not None
    _set(convolution.weight, weight)
    _set(norm.bias, bias)
    with torch.no_grad():
        norm.weight.fill_(1.0)
        norm.running_mean.zero_()
        norm.running_var.fill_(1.0 - norm.eps)


def _set(parameter: torch.Tensor, value: npt.NDArray[np.generic]) -> None:
    with torch.no_grad():
        parameter.copy_(torch.from_numpy(np.array(value, np.float32)))


def metadata() -> dict[str, str]:
    """Give the metadata of our models: line format, charset, licence."""
    return {
        **FORM.to_metadata(),
        "character": labels.charset().to_metadata(),
        "licence": "Apache-2.0",
        "origin": "shizi CRNN, trained by shizi.training",
    }


def main() -> None:
    """Write `NAME.onnx` (reading) and, when asked, `NAME.probabilities.onnx`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--to", type=Path, required=True, help="ONNX file to write")
    parser.add_argument("--outputs", choices=("reading", "probabilities"), default="reading")
    parser.add_argument("--doubt", help="chances under which modes fast and auto read again, such as '0.7 0.95'")
    arguments = parser.parse_args()
    model = Crnn(len(labels.charset()))
    checkpoint.load(arguments.checkpoint, model)
    arguments.to.parent.mkdir(parents=True, exist_ok=True)
    told = {"doubt": arguments.doubt} if arguments.doubt else {}
    onnx.save(build(model.eval(), arguments.outputs, metadata() | told), arguments.to)
    print(f"{arguments.to}: {arguments.to.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
