"""What is exported is what was trained: torch against ONNX."""

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from shizi import weights
from shizi.errors import WeightsError
from shizi.evaluation import calibration_error
from shizi.recognise import Recogniser
from shizi.training import batches, calibrate, evaluate, export_onnx, head, labels, samples
from shizi.training.crnn import Crnn, best_path
from shizi.training.graph import Graph

pytestmark = pytest.mark.training


@pytest.fixture(scope="module")
def model() -> Crnn:
    """A network with every number unlike its start, so that none is left out by luck."""
    torch.manual_seed(3)
    torch.set_num_threads(1)
    network = Crnn(len(labels.charset()))
    for layer in network.modules():
        if isinstance(layer, torch.nn.BatchNorm2d):
            for value, low, high in (
                (layer.running_mean, -0.3, 0.3), (layer.running_var, 0.5, 2.0),
                (layer.weight.data, 0.5, 1.5), (layer.bias.data, -0.2, 0.4),
            ):  # fmt: skip
                value.uniform_(low, high)
    network.narrow.weight.data.mul_(400)  # sure of itself: probabilities far from even
    return network.eval()


@pytest.fixture(scope="module")
def exported(model: Crnn, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("exported")
    files = {}
    for outputs in ("reading", "probabilities"):
        files[outputs] = folder / f"{outputs}.onnx"
        onnx.save(export_onnx.build(model, outputs, export_onnx.metadata()), files[outputs])
    return files


@pytest.mark.slow
def test_torch_and_onnx_agree_within_one_in_ten_thousand(
    model: Crnn, exported: dict[str, Path], maker: samples.Maker
) -> None:
    whole = onnxruntime.InferenceSession(exported["probabilities"])
    reading = onnxruntime.InferenceSession(exported["reading"])
    drawn = (maker.make(3, index, 0.0) for index in range(900))
    lines = [line for line in drawn if line.strip.shape[1] < 6 * line.strip.shape[0]][:200]
    assert len(lines) == 200
    sure = 0.0
    for line in lines:
        tensor = batches.collate([line]).lines
        with torch.inference_mode():
            scores = model(tensor)
        path, best = best_path(scores)
        probabilities = whole.run(None, {"x": tensor.numpy()})[0]
        assert np.abs(probabilities - torch.softmax(scores, -1).numpy()).max() < 1e-4
        found_path, found_best = reading.run(["path", "probability"], {"x": tensor.numpy()})
        differs = found_path[:, :, 0] != path.numpy()
        assert (best.numpy()[differs] < 0.6).all()  # only where two classes tie
        likeliest = torch.softmax(scores, -1).topk(head.LIKELIEST).values.numpy()
        assert np.abs(found_best - likeliest).max() < 1e-4
        sure = max(sure, float(best.max()))
    assert sure > 0.5


@pytest.mark.parametrize("steps", [0, 1, 50])
def test_the_likeliest_classes_are_found_by_groups(steps: int) -> None:
    classes = 5 * head.GROUP
    scores = np.random.default_rng(steps).normal(size=(steps, classes)).astype(np.float32)
    scores[:, 3 * head.GROUP : 3 * head.GROUP + 2] += 5  # several of one group
    graph = Graph()
    head.best_of_groups(graph, "scores", classes, "path", "probability")
    outputs = [
        onnx.helper.make_tensor_value_info("path", onnx.TensorProto.INT64, ["S", head.LIKELIEST]),
        onnx.helper.make_tensor_value_info("probability", onnx.TensorProto.FLOAT, ["S", head.LIKELIEST]),
    ]
    given = onnx.helper.make_tensor_value_info("scores", onnx.TensorProto.FLOAT, ["S", classes])
    made = onnx.helper.make_graph(graph.nodes, "groups", [given], outputs, graph.weights)
    opset = [onnx.helper.make_opsetid("", export_onnx.OPSET)]
    model = onnx.helper.make_model(made, opset_imports=opset, ir_version=10)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    path, probability = session.run(None, {"scores": scores})
    shares = np.exp(scores) / np.exp(scores).sum(-1, keepdims=True)
    assert path.tolist() == np.argsort(-shares, -1)[:, : head.LIKELIEST].tolist()
    assert np.allclose(probability, np.take_along_axis(shares, path, -1), atol=1e-6)


def test_the_file_tells_how_to_use_it(exported: dict[str, Path]) -> None:
    recogniser = Recogniser(weights.from_file(exported["reading"]))
    assert recogniser.form == batches.FORM
    assert recogniser.charset == labels.charset()
    strip = np.full((40, 200, 3), 255, np.uint8)
    assert 0.0 <= recogniser.read([strip])[0].confidence <= 1.0


def test_a_line_reads_the_same_alone_and_in_a_batch(exported: dict[str, Path], maker: samples.Maker) -> None:
    recogniser = Recogniser(weights.from_file(exported["reading"]))
    strips = [np.repeat(maker.make(4, index, 0.0).strip[:, :, None], 3, 2) for index in range(40)]
    together = [reading.text for reading in recogniser.read(strips)]
    assert together == [recogniser.read([strip])[0].text for strip in strips]


def test_an_exported_file_can_be_trained_on(model: Crnn, exported: dict[str, Path]) -> None:
    restored = Crnn(len(labels.charset())).eval()
    export_onnx.restore(exported["reading"], restored)
    lines = torch.rand(2, 1, 32, 160)
    with torch.inference_mode():
        assert torch.allclose(restored(lines), model(lines), atol=1e-3)


def test_another_file_is_refused(tmp_path: Path) -> None:
    graph = onnx.helper.make_graph([], "empty", [], [])
    onnx.save(onnx.helper.make_model(graph), tmp_path / "other.onnx")
    with pytest.raises(WeightsError, match=r"other\.onnx"):
        export_onnx.restore(tmp_path / "other.onnx", Crnn(10))


def test_calibration_makes_confidence_a_chance(exported: dict[str, Path]) -> None:
    generator = np.random.default_rng(1)
    raw = generator.uniform(0, 1, 4000)
    right = generator.uniform(0, 1, 4000) < raw**3  # far too sure of itself
    curve = calibrate.fit(raw[::2].tolist(), right[::2].tolist())
    assert len(curve) <= calibrate.KNOTS
    levels = [level for _, level in curve]
    assert levels == sorted(levels)
    calibrated = calibrate.apply(curve, raw[1::2])
    truth = right[1::2].astype(float)
    assert calibration_error(raw[1::2], truth) > 0.2
    assert calibration_error(calibrated, truth) < 0.04
    calibrate.write(exported["reading"], curve)
    stored = weights.from_file(exported["reading"])
    found = onnxruntime.InferenceSession(stored.path).get_modelmeta().custom_metadata_map
    assert found[calibrate.KEY].startswith("0:0 ")
    assert found["height"] == "32"
    for key, share in ((calibrate.KEY_FAST, 0.9), (calibrate.KEY_AUTO, 0.8)):
        calibrate.write(exported["reading"], [(0.0, 0.0), (1.0, share)], key)
    of_cascade = Recogniser(weights.from_file(exported["reading"])).cascade_calibration
    assert of_cascade == (([0.0, 1.0], [0.0, 0.9]), ([0.0, 1.0], [0.0, 0.8]))


def test_accuracy_is_measured_after_folding() -> None:
    figures = evaluate.measure(["ＡＢ·c", "一二"], ["AB • c", "一三"])
    assert figures == {"cer": 0.1667, "exact": 0.5}
