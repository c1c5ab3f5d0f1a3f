"""Train: the run itself, from top to bottom. `python -m shizi.training.train --name first --minutes 60`.

Phase 1 teaches frame by frame where the renderer laid each glyph, phase 2 is CTC on drawn lines and real PDF
crops. On a CPU each core is one rank: a process with one thread, its gradients averaged with the others'. On a GPU
there is one rank. Time is counted in seconds of work, so that a stopped process loses nothing of its budget.
With `--data` nothing of this is run: `tune` learns one's own lines, and what it gives is written as a checkpoint.
"""

import argparse
import json
import multiprocessing
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import torch

from shizi.training import checkpoint, evaluate, fonts, labels, samples, tune
from shizi.training.batches import CHUNK_BATCHES, Batch, chunk
from shizi.training.crnn import Crnn, parameters
from shizi.training.losses import loss_of
from shizi.training.teacher import borrow_classes
from shizi.training.together import CLIP, Together, half_pays, rate_at

# One step never counts for more: a longer one was a stopped process, not work.
LONGEST_STEP_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Arguments:
    """One run's arguments; `python -m shizi.training.train --help` tells each."""

    name: str
    minutes: float
    steps: int
    phase_one: float
    fonts: Path
    lines: Path | None
    regions: Path | None
    region_share: float
    out: Path
    seed: int
    batch: int
    ranks: int
    rate: float
    negatives: int
    crop_share: float
    strength: float
    save_seconds: float
    check_seconds: float
    resume: bool
    device: str
    start_from: Path | None
    teacher: Path | None
    data: Path | None

    @property
    def folder(self) -> Path:
        """Give the run's own folder."""
        return self.out / self.name

    def share(self, progress: checkpoint.Progress) -> float:
        """Give how much of the budget is used, 0 to 1: of its time or of its steps, whichever is more."""
        by_steps = progress.steps / self.steps if self.steps else 0.0
        return min(1.0, max(progress.seconds / (self.minutes * 60), by_steps))


def batches(arguments: Arguments, maker: samples.Maker, progress: checkpoint.Progress, rank: int) -> Iterator[Batch]:
    """Give batches without end; phase and `progress` move on by whole chunks."""
    while True:
        placed = phase_of(arguments, progress) == 1
        start = progress.next_index
        progress.next_index += CHUNK_BATCHES * arguments.batch * arguments.ranks
        yield from chunk(
            maker, arguments.seed, start, rank, arguments.ranks, arguments.batch, arguments.crop_share,
            arguments.strength, placed,
        )  # fmt: skip


def phase_of(arguments: Arguments, progress: checkpoint.Progress) -> int:
    """Give the phase: 1 for the first `phase_one` share of the budget, then 2."""
    return 1 if arguments.share(progress) < arguments.phase_one else 2


def train(
    arguments: Arguments, rank: int, together: Together, crops: evaluate.Split, faces: Sequence[fonts.Face]
) -> None:
    """Run one rank from its checkpoint (or from nothing) to the end of the budget."""
    torch.set_num_threads(1 if arguments.ranks > 1 else torch.get_num_threads())
    cv2.setNumThreads(1)
    torch.manual_seed(arguments.seed)
    model = Crnn(len(labels.charset())).to(arguments.device)
    model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's own types forget it
    optimiser = torch.optim.AdamW(
        model.parameters(), lr=arguments.rate, weight_decay=0.01, betas=(0.9, 0.99), fused=True
    )
    progress = checkpoint.Progress()
    latest = arguments.folder / "checkpoint.pt"
    if arguments.resume and latest.exists():
        progress = checkpoint.load(latest, model, optimiser)
    elif arguments.start_from is not None:
        model.load_state_dict(tune.load(arguments.start_from).state_dict())
    elif arguments.teacher is not None:
        borrow_classes(model, arguments.teacher)
    maker = samples.Maker(faces, crops.train, regions=crops.regions, region_share=arguments.region_share)
    generator = torch.Generator().manual_seed(arguments.seed * 7919 + rank + progress.steps)
    watch = Watch(arguments, model, optimiser, crops, faces) if rank == 0 else None
    seconds = progress.seconds
    clock = time.monotonic()
    for batch in batches(arguments, maker, progress, rank):
        phase = phase_of(arguments, progress)
        # The teacher's places of the classes would drift while the rest is still raw.
        model.classes.requires_grad_(phase == 2 or arguments.teacher is None)
        loss = step(model, batch, phase, arguments, generator, optimiser, together, rank, progress)
        now = time.monotonic()
        seconds += min(now - clock, LONGEST_STEP_SECONDS)
        clock = now
        progress.steps += 1
        progress.lines += arguments.batch * arguments.ranks
        progress.seconds = together.agree(rank, seconds)
        finished = arguments.share(progress) >= 1.0
        if watch is not None:
            watch.after(progress, phase, loss, finished)
            clock = time.monotonic() if finished else clock
        if finished:
            return


def step(
    model: Crnn, batch: Batch, phase: int, arguments: Arguments, generator: torch.Generator,
    optimiser: torch.optim.Optimizer, together: Together, rank: int, progress: checkpoint.Progress,
) -> float:  # fmt: skip
    """Take one step on one batch and give its loss."""
    model.train()
    if arguments.start_from is not None and arguments.start_from.suffix == ".onnx":
        keep_norms(model)
    for group in optimiser.param_groups:
        group["lr"] = rate_at(arguments.share(progress), progress.steps, arguments.rate)
    if arguments.device != "cpu":
        batch = Batch(batch.lines.to(arguments.device), batch.steps, batch.targets, batch.lengths, batch.frames)
    # Gradients stay allocated: every rank must offer the same numbers in the same order.
    optimiser.zero_grad(set_to_none=False)
    with torch.autocast(arguments.device, torch.bfloat16, enabled=half_pays(arguments.device)):
        loss = loss_of(model, batch, phase, arguments.negatives, generator)
    loss.backward()  # type: ignore[no-untyped-call]
    together.average(rank, list(model.parameters()))
    torch.nn.utils.clip_grad_norm_(model.parameters(), CLIP)
    optimiser.step()
    return float(loss.detach())


def keep_norms(model: Crnn) -> None:
    """Let batch norms use what they have learned, not the batch: a restored model has it folded away."""
    for layer in model.modules():
        if isinstance(layer, torch.nn.BatchNorm2d):
            layer.eval()


class Watch:
    """Rank 0's eye on the run: a log line a minute, a checkpoint and a validation now and then."""

    def __init__(
        self, arguments: Arguments, model: Crnn, optimiser: torch.optim.Optimizer, crops: evaluate.Split,
        faces: Sequence[fonts.Face],
    ) -> None:  # fmt: skip
        self._arguments, self._model, self._optimiser = arguments, model, optimiser
        self._sets = evaluate.validation_sets(crops.held, faces, 250)
        self._losses: list[float] = []
        self._next_log, self._next_save, self._next_check = (
            60.0,
            arguments.save_seconds,
            arguments.check_seconds,
        )
        self._lines, self._wall = -1, time.monotonic()
        arguments.folder.mkdir(parents=True, exist_ok=True)

    def after(self, progress: checkpoint.Progress, phase: int, loss: float, finished: bool) -> None:
        """Note one step; log, save and validate when it is time."""
        self._losses.append(loss)
        if self._lines < 0:
            self._lines = progress.lines
            self._next_log += progress.seconds
            self._next_save += progress.seconds
            self._next_check += progress.seconds
        if progress.seconds >= self._next_log or finished:
            self._log(progress, phase)
            self._next_log = progress.seconds + 60
        if progress.seconds >= self._next_save or finished:
            checkpoint.save(self._arguments.folder / "checkpoint.pt", self._model, self._optimiser, progress)
            self._next_save = progress.seconds + self._arguments.save_seconds
        if progress.seconds >= self._next_check or finished:
            self._check(progress)
            self._next_check = progress.seconds + self._arguments.check_seconds

    def _log(self, progress: checkpoint.Progress, phase: int) -> None:
        now = time.monotonic()
        self._write(
            {
                "lines": progress.lines, "steps": progress.steps, "phase": phase,
                "seconds": round(progress.seconds),
                "loss": round(sum(self._losses) / max(1, len(self._losses)), 4),
                "rate": self._optimiser.param_groups[0]["lr"],
                "lines_per_second": round((progress.lines - self._lines) / max(1e-6, now - self._wall), 1),
            }
        )  # fmt: skip
        self._losses, self._lines, self._wall = [], progress.lines, now

    def _check(self, progress: checkpoint.Progress) -> None:
        scores = {name: evaluate.score(self._model, lines) for name, lines in self._sets.items()}
        figures = {f"{name}_{key}": value for name, score in scores.items() for key, value in score.items()}
        self._write({"lines": progress.lines, "seconds": round(progress.seconds), "validation": figures})

    def _write(self, row: dict[str, object]) -> None:
        with (self._arguments.folder / "log.jsonl").open("a", encoding="utf-8") as log:
            log.write(json.dumps(row) + "\n")
        print(row, flush=True)


def load(arguments: Arguments) -> evaluate.Split:
    """Read the crops to train on."""
    regions = samples.load_regions(arguments.regions) if arguments.regions else []
    return evaluate.Split(*(samples.load_crops(arguments.lines) if arguments.lines else ([], [])), regions)


def launch(arguments: Arguments) -> None:
    """Load the data once, fork the ranks and wait; if one fails, end the others and raise RuntimeError."""
    if arguments.data is not None:
        return fine_tune(arguments, arguments.data)
    crops = load(arguments)
    faces = fonts.load(arguments.fonts)
    together = Together(arguments.ranks, parameters(Crnn(len(labels.charset()))))
    arguments.folder.mkdir(parents=True, exist_ok=True)
    if arguments.ranks == 1:
        (arguments.folder / "pids").write_text(f"{os.getpid()}\n")
        return train(arguments, 0, together, crops, faces)
    context = multiprocessing.get_context("fork")
    ranks = [
        context.Process(target=train, args=(arguments, rank, together, crops, faces)) for rank in range(arguments.ranks)
    ]
    for process in ranks:
        process.start()
    (arguments.folder / "pids").write_text(" ".join(str(process.pid) for process in ranks) + "\n")
    while any(process.is_alive() for process in ranks):
        if any(process.exitcode not in (None, 0) for process in ranks):
            for process in ranks:
                process.terminate()
            raise RuntimeError("a rank failed; its error is above")
        time.sleep(1.0)


def fine_tune(arguments: Arguments, data: Path) -> None:
    """Tune the model to start from on the lines of a folder; log and checkpoint lie where a run's do."""
    assert arguments.start_from is not None
    tuning = tune.Tuning(
        arguments.start_from, samples.load_folder(data), fonts.load(arguments.fonts),
        arguments.minutes * arguments.ranks, arguments.steps, arguments.ranks, arguments.batch, arguments.seed,
    )  # fmt: skip
    arguments.folder.mkdir(parents=True, exist_ok=True)

    def tell(share: float, learned: float, kept: float) -> None:
        row = json.dumps({"share": round(share, 3), "learned": round(learned, 4), "kept": round(kept, 4)})
        with (arguments.folder / "log.jsonl").open("a", encoding="utf-8") as log:
            log.write(row + "\n")
        print(row, flush=True)

    checkpoint.save(arguments.folder / "checkpoint.pt", tune.tune(tuning, tell), None, checkpoint.Progress())


def parse(words: Sequence[str] | None = None) -> Arguments:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--name", default="run", help="the run's folder below --out")
    parser.add_argument("--minutes", type=float, default=60.0, help="budget of working time")
    parser.add_argument("--steps", type=int, default=0, help="budget of steps, 0 for none")
    parser.add_argument("--phase-one", type=float, default=0.25, help="share of the budget for phase 1")
    parser.add_argument("--fonts", type=Path, default=Path("fonts"), help="folder of `make fonts`")
    parser.add_argument("--lines", type=Path, help="folder of PDF crops: labels.jsonl and *.tar.gz")
    parser.add_argument("--regions", type=Path, help="folder of `python -m shizi.training.regions`")
    parser.add_argument("--region-share", type=float, default=0.4, help="share of its lines in phase 2")
    parser.add_argument("--out", type=Path, default=Path("runs"))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--batch", type=int, default=24, help="lines a rank a step")
    parser.add_argument("--ranks", type=int, default=2, help="processes of one thread each (CPU); 1 on a GPU")
    parser.add_argument("--rate", type=float, default=1.5e-3, help="highest learning rate")
    parser.add_argument("--negatives", type=int, default=1500, help="random classes besides the batch's own")
    parser.add_argument("--crop-share", type=float, default=0.4, help="share of PDF crops in phase 2")
    parser.add_argument("--strength", type=float, default=1.0, help="how often flaws strike, 0 for none")
    parser.add_argument("--save-seconds", type=float, default=180.0)
    parser.add_argument("--check-seconds", type=float, default=420.0)
    parser.add_argument("--resume", action="store_true", help="go on from the run's checkpoint, mid-phase")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--from", dest="start_from", type=Path, help="checkpoint or fp32 ONNX to start from")
    parser.add_argument("--teacher", type=Path, help="strong model whose last layer to start from (ONNX)")
    parser.add_argument(
        "--data", type=Path,
        help="fine-tune on a folder of crops with a labels.tsv; needs --from, and takes --fonts, --minutes, --steps, "
        "--ranks, --batch and --seed",
    )  # fmt: skip
    arguments = Arguments(**vars(parser.parse_args(words)))
    if arguments.data is not None and (arguments.start_from is None or arguments.device != "cpu" or arguments.resume):
        parser.error("--data fine-tunes the model that --from names, on the CPU and in one go (no --device, --resume)")
    return arguments


if __name__ == "__main__":
    launch(parse())
