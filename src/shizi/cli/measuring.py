"""The work of `shizi eval`: a labelled set in, its measures out, as a table or as one row of JSON.

Knows the command line's ways of writing; the measures themselves are `shizi.evaluation`'s.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.progress import track
from rich.table import Table

from shizi.errors import OptionsError
from shizi.evaluation import OVERALL, Measures, evaluate, load_labels, predict, predictions_to_jsonl, to_json
from shizi.options import ReadOptions


def measure(
    dataset: Path, given: Mapping[str, str], as_json: bool, predictions: Path | None, recogniser: Path | None = None
) -> None:
    """Read every picture of `dataset` and print its measures; `predictions` keeps what was read.

    `recogniser`: a model file of others, in place of the strong one.

    Raises OptionsError for refused options, InputError for a missing or unusable set or picture.
    """
    options = ReadOptions.parse(given)
    labels = load_labels(dataset)
    from shizi.reader import Reader  # after what is refused at once

    reader = Reader(recogniser=recogniser) if recogniser else Reader()
    reader.warm()
    console = Console(stderr=True)
    reading = predict(reader, dataset, labels, options)
    hidden = not console.is_terminal
    read = list(track(reading, "Reading", total=len(labels), console=console, transient=True, disable=hidden))
    measures = evaluate(labels, read, reader.first_model(options.mode))
    if predictions is not None:
        _keep(predictions, predictions_to_jsonl(read))
    Console(width=None if sys.stdout.isatty() else 120).print(_table(measures))
    if as_json:
        print(json.dumps(to_json(options.mode, measures), ensure_ascii=False))


def _keep(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise OptionsError(
            f"{path} cannot be written ({error.strerror}); name a file in a folder that exists."
        ) from error


def _table(measures: Mapping[str, Measures]) -> Table:
    table = Table(box=None)
    table.add_column("category")
    rows = {key: asdict(value) for key, value in measures.items()}
    for name in next(iter(rows.values()), {}):
        table.add_column(name, justify="right")
    for key in sorted(rows, key=lambda key: (key != OVERALL, key)):
        table.add_row(key, *(f"{value:.4f}" if 0 < value < 1 else f"{value:g}" for value in rows[key].values()))
    return table
