#!/bin/sh
# The real run. On a CPU: hours at two cores, resumable at any time (run it again with RESUME=--resume).
# On a GPU: RANKS=1 DEVICE=cuda BATCH=256 MINUTES=... runs/full.sh CROPS
# Usage: runs/full.sh FOLDER_OF_PDF_CROPS         (fonts first: make fonts)
set -eu
cd "$(dirname "$0")/.."
lines=$1
name=${NAME:-full}
out=runs/$name
# The kernels of all line widths stay; the default forgets them.
export ONEDNN_PRIMITIVE_CACHE_CAPACITY="${ONEDNN_PRIMITIVE_CACHE_CAPACITY:-8192}"
# Lines of drawn pages as the detector cuts them; shards that are there are kept.
regions=${REGIONS:-runs/regions}
for run in 1 2; do
    nice -n 19 python -m shizi.training.regions --to "$regions" --run $run --count "${REGION_COUNT:-60000}" --lines "$lines" &
done
wait
python -m shizi.training.regions --to "$regions-held" --run 3 --count 2000 --held-out --lines "$lines"
strong=$(python -c 'from shizi.weights import find; print(find("strong").path)')

# shellcheck disable=SC2086  # RESUME is an option or nothing
nice -n 19 python -m shizi.training.train --name "$name" --lines "$lines" --teacher "$strong" \
    --minutes "${MINUTES:-600}" --phase-one "${PHASE_ONE:-0.1}" --ranks "${RANKS:-2}" --batch "${BATCH:-24}" \
    --device "${DEVICE:-cpu}" --regions "$regions" --region-share 0.4 --crop-share 0.45 --strength "${STRENGTH:-0.8}" ${RESUME:-}
python -m shizi.training.curves "$out/log.jsonl" --to "$out/curves.png"
python -m shizi.training.export_onnx "$out/checkpoint.pt" --to "$out/crnn.onnx"
python -m shizi.training.quantise "$out/crnn.onnx" --to "$out/crnn-int8.onnx" --lines "$lines" --recipe "${RECIPE:-full}"
for model in crnn crnn-int8; do
    python -m shizi.training.calibrate "$out/$model.onnx" --lines "$lines" --picture "$out/$model-reliability.png"
done
# Once a doubt is chosen (bench/doubt.py, export_onnx --doubt): python -m shizi.training.calibrate FILE --cascade
python -m shizi.training.evaluate "$out/crnn.onnx" "$out/crnn-int8.onnx" strong --lines "$lines" --regions "$regions-held" \
    --count 2000
