#!/bin/sh
# The whole pipeline, tiny, in minutes on a CPU: it shows that every step works, not that the model reads.
# Usage: runs/smoke.sh [FOLDER_OF_PDF_CROPS]      (fonts first: make fonts)
set -eu
cd "$(dirname "$0")/.."
lines=${1:+--lines $1}
out=runs/smoke
rm -rf "$out"
mkdir -p "$out"

# shellcheck disable=SC2086  # $lines is an option with its value, or nothing
python -m shizi.training.samples --show "$out/sheet.png" $lines --count 48 > "$out/sheet.txt"
# shellcheck disable=SC2086
python -m shizi.training.regions --to "$out/regions" --count 1 $lines
# shellcheck disable=SC2086
python -m shizi.training.train --name smoke $lines --regions "$out/regions" --minutes 2 --phase-one 0.5 --batch 8 --check-seconds 600
# shellcheck disable=SC2086  # goes on from the checkpoint, mid-phase
python -m shizi.training.train --name smoke $lines --regions "$out/regions" --minutes 2.5 --phase-one 0.5 --batch 8 --check-seconds 600 --resume
python -m shizi.training.curves "$out/log.jsonl" --to "$out/curves.png"
python -m shizi.training.export_onnx "$out/checkpoint.pt" --to "$out/crnn.onnx"
# shellcheck disable=SC2086
python -m shizi.training.quantise "$out/crnn.onnx" --to "$out/crnn-int8.onnx" $lines --count 20
# shellcheck disable=SC2086
python -m shizi.training.calibrate "$out/crnn-int8.onnx" $lines --count 60 --picture "$out/reliability.png"
# shellcheck disable=SC2086
python -m shizi.training.evaluate "$out/crnn.onnx" "$out/crnn-int8.onnx" strong $lines --count 20
ls -l "$out"
