import cv2
import numpy as np
import pytest
from pictures import drawn_page

from shizi import enhance


@pytest.fixture(scope="module")
def page() -> np.ndarray:
    return np.asarray(drawn_page(size=(400, 200)))


def shaded(page: np.ndarray) -> np.ndarray:
    light = np.linspace(0.35, 1.0, page.shape[1])[None, :, None]
    return (page * light).astype(np.uint8)


@pytest.mark.parametrize(
    "step",
    [enhance.local_contrast, enhance.even_light, enhance.denoise, enhance.binarise, lambda p: enhance.deskew(p, 0)],
)
def test_steps_keep_shape_and_type_and_leave_their_input(step, page) -> None:  # type: ignore[no-untyped-def]
    before = page.copy()
    result = step(page)
    assert result.shape == page.shape
    assert result.dtype == np.uint8
    assert np.array_equal(page, before)


def test_even_light_takes_shadow_away(page: np.ndarray) -> None:
    dark = shaded(page)
    even = enhance.even_light(dark)
    paper = page[:, :, 0] == 255
    assert np.ptp(dark[:, :, 0][paper]) > 100
    assert np.percentile(even[:, :, 0][paper], 5) > 230
    assert even[:, :, 0][~paper].mean() < 100


def test_local_contrast_widens_a_narrow_range(page: np.ndarray) -> None:
    faint = (page // 16 + 120).astype(np.uint8)
    assert np.ptp(enhance.local_contrast(faint)[:, :, 0]) > 1.2 * np.ptp(faint[:, :, 0])


def test_binarise_leaves_two_values(page: np.ndarray) -> None:
    assert set(np.unique(enhance.binarise(shaded(page)))) == {0, 255}


def test_denoise_calms_noise_but_keeps_strokes(page: np.ndarray) -> None:
    noisy = cv2.add(page, np.random.default_rng(0).integers(0, 20, page.shape).astype(np.uint8))
    noisy = np.minimum(noisy, 235)
    result = enhance.denoise(noisy)
    paper = page[:, :, 0] == 255
    ink = cv2.erode((~paper).astype(np.uint8), np.ones((2, 2))).astype(bool)
    assert result[:, :, 0][ink].mean() < 80
    assert result.std() <= noisy.std()


@pytest.mark.parametrize(("height", "width", "wide"), [(32, 100, 200), (128, 100, 50), (10, 1, 6)])
def test_height_is_normalised_with_the_aspect_ratio_kept(height: int, width: int, wide: int) -> None:
    assert enhance.normalise_height(np.zeros((height, width, 3), np.uint8)).shape == (64, wide, 3)


def test_deskew_undoes_a_tilt(page: np.ndarray) -> None:
    there_and_back = enhance.deskew(enhance.deskew(page, 5), -5)
    height, width = page.shape[:2]
    top, left = (there_and_back.shape[0] - height) // 2, (there_and_back.shape[1] - width) // 2
    middle = there_and_back[top : top + height, left : left + width]
    assert np.corrcoef(middle.ravel(), page.ravel())[0, 1] > 0.7


def test_auto_and_none_change_nothing_and_classic_does(page: np.ndarray) -> None:
    assert enhance.prepare(page, "none") is page
    assert enhance.prepare(page, "auto") is page
    assert set(np.unique(enhance.prepare(shaded(page), "classic"))) == {0, 255}
