"""Batches, losses and the run itself, on a network and data small enough for seconds."""

import json
import math
import multiprocessing
from pathlib import Path

import numpy as np
import pytest
import torch

from shizi.training import batches, checkpoint, evaluate, fonts, labels, losses, samples, together, train
from shizi.training.crnn import Crnn, parameters

pytestmark = pytest.mark.training


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)
    torch.manual_seed(5)


def arguments(tmp_path: Path, *words: str) -> train.Arguments:
    common = [
        "--out",
        str(tmp_path),
        "--fonts",
        str(tmp_path),
        "--ranks",
        "1",
        "--batch",
        "2",
        "--name",
        "tiny",
    ]
    return train.parse([*common, "--negatives", "50", "--minutes", "9", *words])


def test_frames_belong_to_the_glyph_at_their_middle() -> None:
    spans = np.array([[0, 32], [32, 64]], np.float32)
    sample = samples.Sample(np.zeros((40, 64), np.uint8), "ab", spans)  # 32 high once trimmed
    frames = batches.frame_targets(sample, [7, 8], 16).tolist()
    assert frames[3:5] == [7, 7]
    assert frames[11:13] == [8, 8]
    assert frames[0] == frames[7] == frames[8] == frames[15] == 0
    unplaced = samples.Sample(sample.strip, "ab")
    assert set(batches.frame_targets(unplaced, [7, 8], 16).tolist()) == {-1}


def test_a_batch_is_padded_and_its_targets_joined(maker: samples.Maker) -> None:
    lines = [maker.make(1, index, 0.0) for index in range(4)]
    batch = batches.collate(lines)
    assert batch.lines.shape[:3] == (4, 1, 32)
    assert batch.lines.shape[3] % 32 == 0
    assert batch.targets.tolist() == [k for line in lines for k in labels.charset().encode(line.text)]
    assert batch.lengths.tolist() == [len(line.text) for line in lines]
    assert int(batch.steps.max()) == batch.lines.shape[3] // 4


def test_two_ranks_see_the_samples_of_one(maker: samples.Maker) -> None:
    def texts(rank: int, ranks: int, size: int) -> list[list[int]]:
        made = batches.chunk(maker, 1, 0, rank, ranks, size, 0.0, 1.0, False)
        return [part.tolist() for batch in made for part in batch.targets.split(batch.lengths.tolist())]

    assert sorted(texts(0, 1, 4)) == sorted(texts(0, 2, 2) + texts(1, 2, 2))


def test_chosen_classes_hold_the_wanted_and_weigh_the_rest() -> None:
    targets = torch.tensor([5, 9, 5])
    chosen, shifts = losses.choose(targets, 1003, 100, torch.Generator().manual_seed(1))
    assert chosen[:3].tolist() == [0, 5, 9]
    assert len(set(chosen.tolist())) == 103
    assert shifts[:3].tolist() == [0.0, 0.0, 0.0]
    assert np.allclose(shifts[3:].exp().sum(), 1000)  # a hundred stand for a thousand


@pytest.mark.parametrize("phase", [1, 2])
def test_both_losses_fall(maker: samples.Maker, phase: int) -> None:
    model = Crnn(len(labels.charset()))
    batch = batches.collate([maker.make(1, index, 0.0) for index in range(4)])
    optimiser = torch.optim.AdamW(model.parameters(), lr=2e-3)
    generator = torch.Generator().manual_seed(1)
    seen = []
    for _ in range(12):
        loss = losses.loss_of(model, batch, phase, 50, generator)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        seen.append(float(loss.detach()))
    assert np.isfinite(seen).all()
    assert seen[-1] < 0.8 * seen[0]


def test_divergence_is_none_from_itself_and_sees_no_padding(maker: samples.Maker) -> None:
    batch = batches.collate([maker.make(3, index, 0.0) for index in range(4)])
    scores = torch.randn(4, batch.lines.shape[3] // 4, 30, generator=torch.Generator().manual_seed(4))
    assert float(losses.divergence(scores, scores, batch)) == pytest.approx(0.0, abs=1e-6)
    moved = scores.clone()
    moved[0, 0, 0] += 1.0
    chance, total = scores[0, 0].softmax(0)[0], batch.lengths.sum()
    expected = ((1 + (math.e - 1) * chance).log() - chance) / total  # one score raised by one, worked out by hand
    assert float(losses.divergence(moved, scores, batch)) == pytest.approx(float(expected), rel=1e-4)
    padded = scores.clone()
    for row, steps in enumerate(batch.steps.tolist()):
        padded[row, steps:] += torch.arange(30.0)
    assert not torch.equal(padded, scores)
    assert float(losses.divergence(padded, scores, batch)) == pytest.approx(0.0, abs=1e-6)


def test_the_ctc_loss_and_its_slope_are_those_of_the_whole_softmax() -> None:
    generator = torch.Generator().manual_seed(4)
    steps = torch.tensor([12, 20, 7, 3])
    lengths = torch.tensor([4, 6, 1, 3])  # the last needs 4 steps for 2 2 2: it cannot be, and counts nothing
    targets = torch.tensor([3, 3, 1, 3, 5, 1, 5, 5, 2, 9, 4, 2, 2, 2])
    scores = torch.randn(4, 20, 11, generator=generator) * 2

    def whole(given: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.ctc_loss(
            torch.log_softmax(given, -1).transpose(0, 1), targets, steps, lengths, reduction="sum", zero_infinity=True
        )

    found = {}
    for name, loss_of in (("whole", whole), ("own", lambda given: losses.Ctc.apply(given, targets, steps, lengths))):
        given = scores.clone().requires_grad_()
        loss = loss_of(given)
        (loss * 0.5).backward()
        found[name] = loss.detach(), given.grad
    assert torch.allclose(found["own"][0], found["whole"][0], rtol=1e-5)
    assert torch.allclose(found["own"][1], found["whole"][1], atol=1e-5)
    assert found["own"][1].abs().max() > 0.1
    nothing = torch.zeros(0, dtype=torch.long)
    blank = losses.Ctc.apply(scores[:1], nothing, steps[:1], torch.tensor([0]))  # a line without text: all blank
    assert torch.allclose(blank, -torch.log_softmax(scores[0, :12], -1)[:, 0].sum())


def test_the_network_keeps_its_measure() -> None:
    model = Crnn(len(labels.charset()))
    assert 1.5e6 < parameters(model) < 3e6
    assert model(torch.zeros(2, 1, 32, 96)).shape == (2, 24, len(labels.charset()))
    features = model.features(torch.zeros(1, 1, 32, 64))
    chosen = torch.tensor([0, 3, 8488])
    whole = model.classes(features)[:, :, chosen]
    assert torch.allclose(model.scores_of(features, chosen, torch.zeros(3)), whole, atol=1e-5)


def test_a_run_goes_on_where_it_stopped(tmp_path: Path, faces: list[fonts.Face]) -> None:
    empty = evaluate.Split([], [])
    first = arguments(tmp_path, "--steps", "2")
    train.train(first, 0, together.Together(1, 1), empty, faces[:3])
    saved = first.folder / "checkpoint.pt"
    before = checkpoint.load(saved, Crnn(len(labels.charset())))
    assert (before.steps, before.lines) == (2, 4)
    train.train(arguments(tmp_path, "--steps", "4", "--resume"), 0, together.Together(1, 1), empty, faces[:3])
    after = checkpoint.load(saved, Crnn(len(labels.charset())))
    assert after.steps == 4
    assert after.next_index > before.next_index
    assert after.seconds > before.seconds
    rows = [json.loads(row) for row in (first.folder / "log.jsonl").read_text("utf-8").splitlines()]
    assert rows[-1]["lines"] == 8


def test_the_rate_warms_up_and_comes_down() -> None:
    rates = [together.rate_at(step / 1000, step, 1e-3) for step in range(1001)]
    assert rates[0] < 2e-5
    assert max(rates) > 0.97e-3
    assert abs(rates[-1] - together.LAST_RATE * 1e-3) < 1e-9


def test_phases_follow_the_budget(tmp_path: Path) -> None:
    given = arguments(tmp_path, "--phase-one", "0.5")
    assert train.phase_of(given, checkpoint.Progress(seconds=100)) == 1
    assert train.phase_of(given, checkpoint.Progress(seconds=300)) == 2


@pytest.mark.parametrize("more", [[], ["--from", "crnn.onnx", "--resume"], ["--from", "crnn.onnx", "--device", "cuda"]])
def test_fine_tuning_says_what_it_needs(tmp_path: Path, more: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        train.parse(["--data", str(tmp_path), *more])
    assert "--data fine-tunes the model that --from names" in capsys.readouterr().err


def test_ranks_agree_on_gradients() -> None:
    shared = together.Together(2, 4)
    results = multiprocessing.get_context("fork").SimpleQueue()

    def rank(number: int) -> None:
        weight = torch.zeros(4, requires_grad=True)
        weight.grad = torch.full((4,), float(number + 1))
        shared.average(number, [weight])
        results.put((weight.grad.tolist(), shared.agree(number, 10.0 + number)))

    processes = [multiprocessing.get_context("fork").Process(target=rank, args=(n,)) for n in range(2)]
    for process in processes:
        process.start()
    assert [results.get() for _ in processes] == [([1.5] * 4, 10.0)] * 2
    for process in processes:
        process.join()
