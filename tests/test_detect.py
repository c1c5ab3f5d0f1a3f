from itertools import pairwise

import numpy as np
import pytest
from pictures import drawn_page

from shizi.detect import OVERLAP, STRIDE, TILE, Detector, _stretches, regions_of
from shizi.weights import find, suitable


@pytest.fixture(scope="module", params=sorted({"fp32", suitable()}))
def detector(request: pytest.FixtureRequest) -> Detector:
    return Detector(find("detector", request.param), threads=2)


@pytest.fixture(scope="module")
def page() -> np.ndarray:
    return np.asarray(drawn_page(["First line of text", "Second line 2026", "Third"], (400, 160), font_size=24))


def bounds(regions: list) -> np.ndarray:  # type: ignore[type-arg]
    """Left, top, right, bottom of each region, from top to bottom."""
    corners = np.array([region.corners for region in regions]).reshape(-1, 4, 2)
    boxes = np.hstack([corners.min(axis=1), corners.max(axis=1)])
    return boxes[np.argsort(boxes[:, 1])]


def test_each_line_is_found_with_its_ink_inside(detector: Detector, page: np.ndarray) -> None:
    boxes = bounds(detector.find(page))
    assert len(boxes) == 3
    ink = page[:, :, 0] < 128
    inside = np.zeros_like(ink)
    for left, top, right, bottom in boxes.astype(int):
        inside[top:bottom, left:right] = True
    assert ink[inside].sum() == ink.sum()


def test_white_on_black_is_found_like_black_on_white(detector: Detector, page: np.ndarray) -> None:
    assert np.abs(bounds(detector.find(255 - page)) - bounds(detector.find(page))).max() < 6


def test_text_cut_by_the_edge_and_filling_the_picture_is_found(detector: Detector, page: np.ndarray) -> None:
    assert len(detector.find(np.ascontiguousarray(page[8:36, 6:230]))) == 1


@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 500), (500, 1), (7, 9), (64, 64)])
def test_pictures_without_text_give_nothing(detector: Detector, height: int, width: int) -> None:
    assert detector.find(np.full((height, width, 3), 200, np.uint8)) == []


class Counted:
    """A detector's session that notes the sizes of what it sees."""

    def __init__(self, detector: Detector, monkeypatch: pytest.MonkeyPatch) -> None:
        self.sizes: list[tuple[int, int]] = []
        look = detector._look
        monkeypatch.setattr(detector, "_look", lambda pixels: self.sizes.append(pixels.shape[:2]) or look(pixels))


@pytest.mark.parametrize("ground", [255, 245, 60])
def test_empty_paper_is_not_looked_at(
    detector: Detector, page: np.ndarray, ground: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = np.full((880, 1040, 3), ground, np.uint8)
    text = page if ground > 100 else 255 - page
    grain = np.random.default_rng(3).integers(-2, 3, whole.shape)
    whole[440:600, 320:720] = np.where((text < 100) | (text > 155), text, ground)
    whole[440:600, 320:720][np.abs(text.astype(int) - text[0, 0].astype(int)) < 40] = ground
    whole = np.clip(whole + grain + np.linspace(0, -12, 880)[:, None, None], 0, 255).astype(np.uint8)  # fading light
    seen = Counted(detector, monkeypatch)
    found = bounds(detector.find(whole))
    assert sum(height * width for height, width in seen.sizes) < 0.25 * 880 * 1040
    assert np.abs(found - bounds(detector.find(page)) - [320, 440, 320, 440]).max() < 8


def test_a_blank_page_costs_no_look(detector: Detector, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = Counted(detector, monkeypatch)
    assert detector.find(np.full((2000, 1400, 3), 240, np.uint8)) == []
    assert seen.sizes == []


@pytest.mark.parametrize(("place", "grey"), [((40, 1100), 225), ((500, 30), 235), ((520, 1120), 170)])
def test_pale_text_far_from_the_rest_is_found(
    detector: Detector, page: np.ndarray, place: tuple[int, int], grey: int
) -> None:
    left, top = place
    whole = np.full((1280, 960, 3), 255, np.uint8)
    whole[500:660, 200:600] = page
    whole[top : top + 160, left : left + 400] = np.maximum(page, grey)
    found = bounds(detector.find(whole))
    wanted = bounds(detector.find(np.ascontiguousarray(whole[top : top + 160, left : left + 400])))
    there = found[(found[:, 1] > top - 10) & (found[:, 3] < top + 170)]
    assert len(there) == len(wanted) == 3
    assert np.abs(there - wanted - [left, top, left, top]).max() < 10


def test_a_very_long_strip_is_seen_along_its_whole_length(detector: Detector, page: np.ndarray) -> None:
    row = page[:44, :240]
    strip = np.hstack([row] * 40)  # 44 x 9,600
    boxes = bounds(detector.find(strip))
    covered = np.zeros(strip.shape[1], bool)
    for left, _, right, _ in boxes.astype(int):
        covered[left:right] = True
    ink = (strip[:, :, 0] < 128).any(axis=0)
    assert covered[ink].mean() > 0.99
    tall = detector.find(np.ascontiguousarray(np.rot90(strip)))
    assert sum(region.is_tall for region in tall) >= 0.9 * len(tall)
    assert len(tall) >= 1


def test_small_text_on_a_huge_page_is_found(detector: Detector, page: np.ndarray) -> None:
    huge = np.full((3000, 2400, 3), 255, np.uint8)
    huge[1500:1660, 900:1300] = page
    assert len(detector.find(huge)) == 3


def test_regions_stay_on_the_page(detector: Detector, page: np.ndarray) -> None:
    boxes = bounds(detector.find(page))
    assert boxes.min() >= 0
    assert (boxes[:, 2] <= page.shape[1]).all()
    assert (boxes[:, 3] <= page.shape[0]).all()


@pytest.mark.parametrize("length", [32, TILE, TILE + STRIDE, 3 * TILE, 9664])
def test_tiles_cover_a_side_and_overlap(length: int) -> None:
    stretches = _stretches(length)
    assert stretches[0][0] == 0
    assert stretches[-1][1] == length
    for (_, end), (start, _) in pairwise(stretches):
        assert end - start >= OVERLAP - STRIDE
    assert all(0 < end - start <= TILE and (end - start) % STRIDE == 0 for start, end in stretches)


def core(shape: tuple[int, int], rows: np.ndarray, columns: np.ndarray, thickness: int) -> np.ndarray:
    probability = np.zeros(shape, np.float32)
    for offset in range(-thickness, thickness + 1):
        probability[rows + offset, columns] = 0.95
    return probability


def test_cores_grow_back_by_area_over_perimeter() -> None:
    columns = np.arange(50, 250)
    corners, bows = regions_of(core((100, 300), np.full(200, 50), columns, 5))
    assert len(corners) == 1
    assert np.array_equal(bows, [[0.0, 0.0]])
    left, top, right, bottom = bounds([type("R", (), {"corners": corners[0]})])[0]
    growth = 200 * 11 * 1.6 / (2 * (200 + 11))
    assert bottom - top == pytest.approx(11 + 2 * growth, abs=2)
    assert right - left > 200 + 2 * growth - 2
    assert (top + bottom) / 2 == pytest.approx(50, abs=1)


def test_a_bent_core_is_followed() -> None:
    columns = np.arange(50, 450)
    share = (columns - 50) / 400
    rows = np.round(60 + 25 * 4 * share * (1 - share)).astype(int)
    corners, bows = regions_of(core((150, 500), rows, columns, 5))
    assert len(corners) == 1
    assert bows[0][1] == pytest.approx(25, abs=3)
    height = np.linalg.norm(corners[0][3] - corners[0][0])
    assert height < 40  # of the straightened line; the rectangle around the bent one is 36 before growing


def test_noise_is_no_text() -> None:
    speckles = np.zeros((100, 100), np.float32)
    speckles[::10, ::10] = 0.9
    corners, _ = regions_of(speckles)
    assert len(corners) == 0
    assert len(regions_of(np.zeros((64, 64), np.float32))[0]) == 0
