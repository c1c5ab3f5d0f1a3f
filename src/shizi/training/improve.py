"""Improve: from corrected lines to a candidate and its comparison with the model in force, in one go.

Takes two folders of crops (one to learn from, one to judge by), the fp32 file to start from and the INT8 file in force;
writes `crnn.onnx`, `crnn-int8.onnx` and `comparison.json`. Steps: fine-tune on the lines mixed with drawn ones, export,
go back towards the start until drawn lines are read as well as with the file in force, calibrate, read the same lines
with both files.
`shizi improve` runs it in a process of its own and decides; nothing is decided here.
"""

import argparse
import json
import resource
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import onnx
import torch

from shizi import weights
from shizi.recognise import Recogniser
from shizi.training import calibrate, evaluate, export_onnx, fonts, gate, labels, quantise, samples, tune
from shizi.training.crnn import Crnn

FULL, SMALL, COMPARISON = "crnn.onnx", "crnn-int8.onnx", "comparison.json"
# Runs of drawn lines: those judged by are of no run that is trained on, chosen by or measured with.
JUDGED_RUN, CHOICE_RUN = 995, 996
# How far towards the fine-tuned weights, the farthest first (Wortsman et al., CVPR 2022, "Robust fine-tuning of
# zero-shot models": between two such points lie models that keep what the one knew and have what the other learned).
REACHES = (1.0, 0.9, 0.8, 0.6, 0.4, 0.2, 0.1)
CHOICE_LINES, CALIBRATION_LINES = 6000, 600
# Of the lines to choose by so many may be lost: half of what is judged by allows (`shizi.cli.improving.MOST_LOST`), for
# what lines lose differs by as much from set to set.
MAY_LOSE = 0.001
# Of the lines that the gate is fitted to so many are corrected ones: all else that is read is unlike them.
GATE_SHARE = 0.25
# Lines are drawn with half of the flaws of training: as scans are, not as the worst of them.
STRENGTH = 0.5
SYSTEM_FONTS = (Path("/usr/share/fonts"), Path("/usr/local/share/fonts"))
RAW = "0:0 1:1"


@dataclass(frozen=True, slots=True)
class Material:
    """What there is beside the weights: faces, lines to fit the gate to, and sets of lines to judge by."""

    faces: list[fonts.Face]
    gate: list[samples.Sample]
    sets: dict[str, list[samples.Sample]]


def say(step: str, **more: object) -> None:
    """Tell whoever started this where it stands: one JSON object a row."""
    print(json.dumps({"step": step, **more}, ensure_ascii=False), flush=True)


def material(arguments: argparse.Namespace) -> Material:
    """Load the crops and draw the lines to judge by: the same for the same faces, whatever was corrected."""
    faces = fonts.load(arguments.fonts)
    drawn = samples.Maker(faces, [])
    sets = {
        "corrections": as_they_are(samples.load_folder(arguments.held)),
        "drawn": [drawn.make(JUDGED_RUN, index, 0.0, STRENGTH) for index in range(arguments.count)],
    }
    if any(face.held_out for face in faces):
        unseen = samples.Maker(faces, [], held_out=True)
        sets["unseen faces"] = [unseen.make(JUDGED_RUN, index, 0.0, 0.0) for index in range(arguments.count // 2)]
    if arguments.frozen:
        sets["frozen"] = as_they_are(samples.load_folder(arguments.frozen))
    mixed = samples.Maker(faces, samples.load_folder(arguments.learn))
    opened = [mixed.make(quantise.RANGE_RUN, index, GATE_SHARE) for index in range(quantise.GATE_LINES)]
    return Material(faces, opened, sets)


def as_they_are(crops: Sequence[samples.Crop]) -> list[samples.Sample]:
    """Give crops as lines to read, nothing done to them."""
    return [samples.Sample(samples.decode(crop), crop.text, margins=crop.margins) for crop in crops]


def between(start: Crnn, tuned: Crnn, reach: float) -> Crnn:
    """Give the model `reach` of the way from the start to what was tuned."""
    first, last = start.state_dict(), tuned.state_dict()
    model = Crnn(len(labels.charset()))
    model.load_state_dict(
        {
            name: torch.lerp(first[name], value, reach) if value.is_floating_point() else value
            for name, value in last.items()
        }
    )
    return model.eval()


def to_choose_by(faces: Sequence[fonts.Face], count: int) -> list[samples.Sample]:
    """Draw lines neither learned from nor judged by; a third of them in faces held out, where there are any."""
    drawn = samples.Maker(faces, [])
    if not any(face.held_out for face in faces):
        return [drawn.make(CHOICE_RUN, index, 0.0, STRENGTH) for index in range(count)]
    unseen = samples.Maker(faces, [], held_out=True)
    return [
        unseen.make(CHOICE_RUN, index, 0.0, 0.0) if index % 3 == 0 else drawn.make(CHOICE_RUN, index, 0.0, STRENGTH)
        for index in range(count)
    ]


def choose(
    start: Crnn, tuned: Crnn, arguments: argparse.Namespace, found: Material, lines: Sequence[samples.Sample]
) -> float:
    """Write the candidate farthest from the start that reads all but `MAY_LOSE` as many of `lines` right as before.

    If none does, the one that loses fewest. What is compared are 8-bit files, as they will be judged and read with.
    """
    before = _right(arguments.current, lines)
    least = before - MAY_LOSE * len(lines)
    best, chosen = -1, 0.0
    for reach in REACHES:
        write(between(start, tuned, reach), arguments, found)
        right = _right(arguments.to / SMALL, lines)
        say("choose", reach=reach, right=right, before=before, lines=len(lines))
        if right > best:
            best, chosen = right, reach
        if right >= least:
            return reach
    write(between(start, tuned, chosen), arguments, found)
    return chosen


def _right(path: Path, lines: Sequence[samples.Sample]) -> int:
    readings, _ = evaluate.read_lines(Recogniser(weights.from_file(path), _threads()), lines)
    return sum(evaluate.right(lines, readings))


def write(model: Crnn, arguments: argparse.Namespace, found: Material) -> None:
    """Write a candidate: whole, and as the INT8 file in force with what was tuned beside its own."""
    # What reading takes from the file beside the weights, such as the doubt of the cascade, stays as it was.
    metadata = _metadata(arguments.current) | export_onnx.metadata()
    onnx.save(export_onnx.build(model, "reading", metadata), arguments.to / FULL)
    quantise.retuned(arguments.current, arguments.to / SMALL, model, gate.fit(model, found.gate))


def _metadata(path: Path) -> dict[str, str]:
    return {entry.key: entry.value for entry in onnx.load(path).metadata_props}


def calibrate_as_before(arguments: argparse.Namespace, faces: Sequence[fonts.Face]) -> None:
    """Calibrate the candidate, if the file in force is."""
    if _metadata(arguments.current).get(calibrate.KEY, RAW) == RAW:
        return
    path, drawn = arguments.to / SMALL, samples.Maker(faces, [])
    lines = [drawn.make(CHOICE_RUN, index, 0.0, 1.0) for index in range(CALIBRATION_LINES)]
    calibrate.write(path, [])
    readings, _ = evaluate.read_lines(Recogniser(weights.from_file(path), _threads()), lines)
    calibrate.write(path, calibrate.fit([reading.confidence for reading in readings], evaluate.right(lines, readings)))


def compare(arguments: argparse.Namespace, found: Material) -> dict[str, object]:
    """Read all sets with both models: figures by set, and each line that only one of them read right."""
    models = {"current": arguments.current, "candidate": arguments.to / SMALL}
    readers = {name: Recogniser(weights.from_file(path), _threads()) for name, path in models.items()}
    figures: dict[str, object] = {}
    rows: list[dict[str, object]] = []
    for name, lines in found.sets.items():
        say("compare", set=name, lines=len(lines))
        read = {key: evaluate.read_lines(reader, lines) for key, reader in readers.items()}
        truths = [line.text for line in lines]
        right = {key: evaluate.right(lines, readings) for key, (readings, _) in read.items()}
        figures[name] = {
            key: {
                **evaluate.measure(truths, [reading.text for reading in readings]),
                "ms": round(milliseconds, 2),
                "lines": len(lines),
            }
            for key, (readings, milliseconds) in read.items()
        } | {"gain": evaluate.gain(right["current"], right["candidate"])}
        for place, text in enumerate(truths):
            if name == "corrections" or right["current"][place] != right["candidate"][place]:
                said = {key: readings[place].text for key, (readings, _) in read.items()}
                marks = {f"{key}_right": rights[place] for key, rights in right.items()}
                rows.append({"set": name, "number": place, "text": text, **said, **marks})
    return {"sets": figures, "rows": rows}


def _tuning(arguments: argparse.Namespace) -> tune.Tuning:
    crops, faces = samples.load_folder(arguments.learn), fonts.load(arguments.fonts)
    return tune.Tuning(
        arguments.start, crops, faces, arguments.minutes, arguments.steps, arguments.ranks, arguments.batch,
        arguments.seed,
    )  # fmt: skip


def _tell(minutes: float, share: float, learned: float, kept: float) -> None:
    say("tune", minutes=minutes, share=round(share, 3), learned=round(learned, 3), kept=round(kept, 4))


def _threads() -> int:
    return weights.cpu_quota()


def cpu_minutes() -> float:
    """Give the minutes of processor time that this process and its children have used."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in used) / 60


def parse(words: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--current", type=Path, required=True, help="the INT8 file in force")
    parser.add_argument("--start", type=Path, required=True, help="the fp32 file to fine-tune from")
    parser.add_argument("--learn", type=Path, required=True, help="folder of crops to learn from")
    parser.add_argument("--held", type=Path, required=True, help="folder of crops to judge by")
    parser.add_argument("--frozen", type=Path, help="folder of crops that no model may read worse")
    parser.add_argument("--to", type=Path, required=True, help="folder for the candidate")
    parser.add_argument(
        "--fonts", type=Path, required=True, help="folder of fonts, made of the system's if it is empty"
    )
    parser.add_argument("--minutes", type=float, default=20.0, help="processor time of tuning, of all cores together")
    parser.add_argument("--steps", type=int, default=0, help="steps of tuning at most; 0: by time alone")
    parser.add_argument("--ranks", type=int, default=weights.cpu_quota(), help="processes of one thread each")
    parser.add_argument("--batch", type=int, default=16, help="corrected lines a rank a step, and as many drawn ones")
    parser.add_argument("--count", type=int, default=10_000, help="drawn lines to judge by")
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args(words)


def main() -> None:
    """Fine-tune, choose, write and compare."""
    arguments = parse()
    arguments.to.mkdir(parents=True, exist_ok=True)
    if not (arguments.fonts / "fonts.json").is_file():
        say("fonts")
        try:
            fonts.installed(arguments.fonts, SYSTEM_FONTS)
        except FileNotFoundError as error:
            sys.exit(str(error))
    say("tune", minutes=arguments.minutes)
    # Before anything else of torch runs here: the processes that tune are forks of this one.
    tuned = tune.tune(_tuning(arguments), partial(_tell, arguments.minutes))
    found = material(arguments)
    choice = to_choose_by(found.faces, min(CHOICE_LINES, arguments.count))
    reach = choose(tune.load(arguments.start), tuned, arguments, found, choice)
    say("calibrate", reach=reach)
    calibrate_as_before(arguments, found.faces)
    result = compare(arguments, found) | {"reach": reach, "cpu_minutes": round(cpu_minutes(), 1)}
    (arguments.to / COMPARISON).write_text(json.dumps(result, ensure_ascii=False), encoding="utf-8")
    say("done", cpu_minutes=result["cpu_minutes"])


if __name__ == "__main__":
    main()
