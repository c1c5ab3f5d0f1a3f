"""Norms: an exported network gets its batch norms back, to be trained on from.

`python -m shizi.training.norms crnn.onnx --lines CROPS --regions REGIONS --to start.pt`. Export folds a norm into its
convolution, and without norms every step of training moves what all later layers see. Each is put back with the means
and variances of some batches, its scale and shift such that the network gives what it gave before.
"""

import argparse
from collections.abc import Iterable
from pathlib import Path

import torch
from torch import Tensor, nn

from shizi.training import checkpoint, fonts, samples, tune
from shizi.training.batches import chunk
from shizi.training.crnn import Crnn

LINES, STRENGTH = 40, 0.8  # in each of the batches of one chunk
RUN = 997  # of samples: none that is trained on or judged by


def put_back(model: Crnn, batches: Iterable[Tensor]) -> None:
    """Give each norm of a restored network the statistics of `batches` (lines N 1 32 W each); outputs stay."""
    sums: dict[nn.BatchNorm2d, list[Tensor]] = {}

    def count(norm: nn.Module, inputs: tuple[Tensor]) -> None:
        assert isinstance(norm, nn.BatchNorm2d)
        values = inputs[0].double()  # N C H W
        found = [values.sum((0, 2, 3)), (values**2).sum((0, 2, 3)), torch.tensor(values[:, 0].numel())]
        sums[norm] = [a + b for a, b in zip(sums[norm], found, strict=True)] if norm in sums else found

    hooks = [layer.register_forward_pre_hook(count) for layer in model.modules() if isinstance(layer, nn.BatchNorm2d)]
    with torch.no_grad():
        for lines in batches:
            model.eval().seen(lines)
        for hook in hooks:
            hook.remove()
        for norm, (total, squares, number) in sums.items():
            assert norm.running_mean is not None
            assert norm.running_var is not None
            mean = total / number
            variance = (squares / number - mean**2).clamp(min=0)
            # What it does now to any value: times `scale`, plus `shift`.
            scale = norm.weight / (norm.running_var + norm.eps).sqrt()
            shift = norm.bias - norm.running_mean * scale
            norm.running_mean.copy_(mean)
            norm.running_var.copy_(variance)
            norm.weight.copy_(scale * (variance + norm.eps).sqrt())
            norm.bias.copy_(shift + mean * scale)


def main() -> None:
    """Restore an exported file, put the norms back and write a checkpoint."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path, help="fp32 ONNX file of `export_onnx`")
    parser.add_argument("--lines", type=Path, help="folder of PDF crops")
    parser.add_argument("--regions", type=Path, help="folder of `python -m shizi.training.regions`")
    parser.add_argument("--region-share", type=float, default=0.5)
    parser.add_argument("--crop-share", type=float, default=0.45)
    parser.add_argument("--fonts", type=Path, default=Path("fonts"))
    parser.add_argument("--to", type=Path, required=True)
    arguments = parser.parse_args()
    crops = samples.load_crops(arguments.lines)[0] if arguments.lines else []
    regions = samples.load_regions(arguments.regions) if arguments.regions else []
    maker = samples.Maker(fonts.load(arguments.fonts), crops, regions=regions, region_share=arguments.region_share)
    model = tune.load(arguments.model)
    drawn = chunk(maker, RUN, 0, 0, 1, LINES, arguments.crop_share, STRENGTH, placed=False)
    put_back(model, (batch.lines for batch in drawn))
    checkpoint.save(arguments.to, model, None, checkpoint.Progress())


if __name__ == "__main__":
    main()
