import numpy as np
import pytest

from shizi.errors import WeightsError
from shizi.line_image import WIDTH_STEP, LineFormat, tensor_width, to_tensor, trimmed

GREY = LineFormat(height=32, channels=1)


def strip(height: int, width: int, value: int = 255) -> np.ndarray:
    return np.full((height, width, 3), value, np.uint8)


def test_format_comes_back_from_metadata() -> None:
    form = LineFormat(48, 3, 127.5, 127.5, "BGR")
    assert LineFormat.from_metadata(form.to_metadata()) == form


@pytest.mark.parametrize(
    "change", [{"height": "no"}, {"height": "2"}, {"channels": "2"}, {"std": "0"}, {"order": "GRB"}]
)
def test_an_unusable_format_is_refused(change: dict[str, str]) -> None:
    with pytest.raises(WeightsError, match="line format"):
        LineFormat.from_metadata({**GREY.to_metadata(), **change})


def test_a_missing_key_is_named() -> None:
    with pytest.raises(WeightsError, match="mean"):
        LineFormat.from_metadata({"height": "32", "channels": "1", "std": "1"})


@pytest.mark.parametrize(("height", "width"), [(1, 1), (20, 400), (100, 37), (3, 2000), (300, 2)])
def test_shape_and_padding(height: int, width: int) -> None:
    tensor = to_tensor(strip(height, width), GREY)
    assert tensor.shape == (1, 32, tensor_width(strip(height, width), 32))
    assert tensor.shape[2] % WIDTH_STEP == 0
    scaled = max(1, round(width * 32 / height))
    assert np.all(tensor[:, :, :scaled] == 1.0)
    assert np.all(tensor[:, :, scaled:] == 0.0)


def test_channel_order() -> None:
    red = strip(32, 32, 0)
    red[:, :, 0] = 255
    assert to_tensor(red, LineFormat(32, 3, order="RGB"))[:, 0, 0].tolist() == [1.0, -1.0, -1.0]
    assert to_tensor(red, LineFormat(32, 3, order="BGR"))[:, 0, 0].tolist() == [-1.0, -1.0, 1.0]
    assert to_tensor(red[:, :, 0], LineFormat(32, 3))[:, 0, 0].tolist() == [1.0, 1.0, 1.0]


def test_trimming_takes_shares_off_above_and_below() -> None:
    form = LineFormat(32, 1, trim=(0.1, 0.2))
    rows = np.arange(40, dtype=np.uint8)[:, None].repeat(8, axis=1)
    assert trimmed(rows, form)[:, 0].tolist() == list(range(4, 32))
    assert trimmed(rows, GREY).shape == rows.shape
    assert LineFormat.from_metadata(form.to_metadata()) == form


@pytest.mark.parametrize("trim", ["0.4", "-0.1", "0.1 0.4", "0.1 0.1 0.1", "", "much"])
def test_a_trim_that_leaves_no_line_is_refused(trim: str) -> None:
    with pytest.raises(WeightsError, match="line format"):
        LineFormat.from_metadata({**GREY.to_metadata(), "trim": trim})
