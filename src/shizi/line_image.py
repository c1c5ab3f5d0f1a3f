"""Line images: an upright strip of pixels becomes the tensor a CTC model reads.

The one rule for it, used by recognition and by training alike, so that what is trained is what is run. Takes uint8
strips (H W grey or H W 3 RGB), gives float32 tensors. Knows nothing of models beyond their `LineFormat`.

A strip's tensor width depends on that strip alone (its scaled width rounded up to `WIDTH_STEP`), never on its
neighbours in a batch: only strips of equal tensor width are batched, so a line reads the same alone or in company.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
import numpy.typing as npt

from shizi.errors import WeightsError

Pixels = npt.NDArray[np.uint8]
Tensor = npt.NDArray[np.float32]

# Widths are multiples of this: few enough shapes for batches and for the runtime's memory plan, little padding.
WIDTH_STEP = 32


@dataclass(frozen=True, slots=True)
class LineFormat:
    """How one model wants its lines: height in pixels, 1 (grey) or 3 channels, and (value - mean) / std.

    `trim` are the shares of a strip's height to cut off above and below first: a detector's regions hold the line and
    a quarter to a half of its height more, which a low model would rather spend on the glyphs.
    """

    height: int
    channels: int
    mean: float = 127.5
    std: float = 127.5
    order: Literal["RGB", "BGR"] = "RGB"
    trim: tuple[float, float] = (0.0, 0.0)

    @classmethod
    def from_metadata(cls, metadata: Mapping[str, str]) -> "LineFormat":
        """Read `height`, `channels`, `mean`, `std`, `order` and `trim` (above and below, or one for both) of a model.

        Raises WeightsError when one is missing or no number.
        """
        try:
            order = metadata.get("order", "RGB")
            height, channels = int(metadata["height"]), int(metadata["channels"])
            mean, std = float(metadata["mean"]), float(metadata["std"])
            shares = [float(share) for share in metadata.get("trim", "0").split()]
            above, below = shares * 2 if len(shares) == 1 else shares
        except (KeyError, ValueError) as error:
            raise WeightsError(f"The model's metadata lacks a usable line format: {error!r}.") from error
        trimmable = min(above, below) >= 0 and max(above, below) < 0.4
        if order not in ("RGB", "BGR") or channels not in (1, 3) or height < 8 or std <= 0 or not trimmable:
            raise WeightsError(
                f"The model's line format is not usable: height {height}, channels {channels}, std {std}, "
                f"order {order!r}, trim {above:g} {below:g}; expected height >= 8, 1 or 3 channels, std > 0, RGB or "
                "BGR, trim < 0.4."
            )
        return cls(height, channels, mean, std, order, (above, below))  # type: ignore[arg-type]  # order is checked

    def to_metadata(self) -> dict[str, str]:
        """Write the metadata keys that `from_metadata` reads."""
        return {
            "height": str(self.height),
            "channels": str(self.channels),
            "mean": repr(self.mean),
            "std": repr(self.std),
            "order": self.order,
            "trim": f"{self.trim[0]:g} {self.trim[1]:g}",
        }


def as_pixels(array: npt.ArrayLike) -> Pixels:
    """Name what OpenCV gives (typed as any number) what it is: uint8. No copy is made of uint8 arrays."""
    return np.asarray(array, np.uint8)


def trimmed(strip: Pixels, form: LineFormat) -> Pixels:
    """Cut `form.trim` of the strip's height off above and below (a view, no copy); strips are trimmed only once."""
    above, below = (round(strip.shape[0] * share) for share in form.trim)
    return strip[above : strip.shape[0] - below]


def scaled_width(strip: Pixels, height: int) -> int:
    """Give the width of `strip` once scaled to `height` with its aspect ratio kept, at least 1."""
    rows, columns = strip.shape[:2]
    scaled: int = round(columns * height / rows)
    return max(1, scaled)


def tensor_width(strip: Pixels, height: int) -> int:
    """Give the width of the strip's tensor: the scaled width rounded up to `WIDTH_STEP`."""
    return -(-scaled_width(strip, height) // WIDTH_STEP) * WIDTH_STEP


def to_tensor(strip: Pixels, form: LineFormat) -> Tensor:
    """Scale, order and normalise one strip (trimmed already) and pad it on the right with the mean (zeros).

    Shapes: `strip` H W or H W 3 (RGB), uint8; result C, form.height, tensor_width.
    """
    width = scaled_width(strip, form.height)
    shrinking = strip.shape[0] > form.height
    scaled = cv2.resize(strip, (width, form.height), interpolation=cv2.INTER_AREA if shrinking else cv2.INTER_LINEAR)
    if form.channels == 1 and scaled.ndim == 3:
        scaled = cv2.cvtColor(scaled, cv2.COLOR_RGB2GRAY)
    elif form.channels == 3 and scaled.ndim == 2:
        scaled = cv2.cvtColor(scaled, cv2.COLOR_GRAY2RGB)
    elif form.channels == 3 and form.order == "BGR":
        scaled = scaled[:, :, ::-1]
    planes = np.atleast_3d(scaled).transpose(2, 0, 1)  # C, H, W
    tensor = np.zeros((form.channels, form.height, tensor_width(strip, form.height)), np.float32)
    tensor[:, :, :width] = (planes.astype(np.float32) - form.mean) / form.std
    return tensor
