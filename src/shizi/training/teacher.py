"""Teacher: what our network takes over from the strong model (PP-OCRv6 small, Apache-2.0).

Its last layer places 18,709 characters in a space of 120 numbers where look-alikes are neighbours. Starting
from these places, a rare character is read by what was learned of its neighbours. Nothing else is taken.
"""

from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper

from shizi.charset import Charset
from shizi.errors import WeightsError
from shizi.training import labels
from shizi.training.crnn import Crnn


def borrow_classes(model: Crnn, path: Path) -> int:
    """Set the model's last layer to the teacher's for all characters both know; give how many that are.

    Raises WeightsError when the file's last layer has another width than ours.
    """
    graph = onnx.load(path)
    metadata = {entry.key: entry.value for entry in graph.metadata_props}
    known = {name: place + 1 for place, name in enumerate(Charset.from_metadata(metadata["character"]).characters)}
    arrays = {tensor.name: tensor for tensor in graph.graph.initializer}
    last = [node for node in graph.graph.node if node.op_type == "MatMul" and node.input[1] in arrays][-1]
    add = next(node for node in graph.graph.node if last.output[0] in node.input)
    weight = numpy_helper.to_array(arrays[last.input[1]]).T  # classes, width
    bias = numpy_helper.to_array(arrays[next(name for name in add.input if name in arrays)])
    if weight.shape[1] != model.classes.in_features:
        raise WeightsError(f"The teacher's last layer is {weight.shape[1]} wide; expected {model.classes.in_features}.")
    pairs = [(0, 0)] + [
        (place + 1, known[character])
        for place, character in enumerate(labels.charset().characters)
        if character in known and known[character] < len(weight)
    ]
    ours, theirs = np.array(pairs).T
    with torch.no_grad():
        model.classes.weight.normal_(0.0, float(weight.std()))
        model.classes.bias.fill_(float(bias.mean()))
        model.classes.weight[torch.from_numpy(ours)] = torch.from_numpy(weight[theirs])
        model.classes.bias[torch.from_numpy(ours)] = torch.from_numpy(bias[theirs])
    return len(pairs)
