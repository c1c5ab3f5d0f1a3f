import numpy as np
import pytest

from shizi.crop import Region, cut, rule_between


def region(points: list[tuple[float, float]], bow: tuple[float, float] = (0.0, 0.0)) -> Region:
    return Region(np.array(points, np.float32), bow)


def page() -> np.ndarray:
    """Each pixel tells its own place: red = column, green = row."""
    pixels = np.zeros((120, 200, 3), np.uint8)
    pixels[:, :, 0] = np.arange(200)
    pixels[:, :, 1] = np.arange(120)[:, None]
    return pixels


BOX = region([(20, 30), (80, 30), (80, 50), (20, 50)])


def test_an_upright_region_is_cut_without_resampling() -> None:
    assert np.array_equal(cut(page(), BOX), page()[30:50, 20:80])


def test_rolled_regions_read_up_down_and_upside_down() -> None:
    upright = page()[30:50, 20:80].astype(int)
    for quarters, turned in ((-1, np.rot90(upright, 1)), (1, np.rot90(upright, -1)), (2, np.rot90(upright, 2))):
        strip = cut(page(), BOX.rolled(quarters)).astype(int)
        assert strip.shape == turned.shape
        assert np.abs(strip - turned).max() <= 1


@pytest.mark.parametrize("quarters", [0, 1, 2, 3])
def test_a_region_moves_with_its_page(quarters: int) -> None:
    bent = region([(20, 30), (80, 32), (79, 52), (19, 50)], (1.0, 4.0))
    pixels = page()
    turned = np.ascontiguousarray(np.rot90(pixels, -quarters))
    moved = bent.turned(quarters, pixels.shape[1], pixels.shape[0])
    assert np.abs(cut(turned, moved)[3:-3, 3:-3].astype(int) - cut(pixels, bent)[3:-3, 3:-3]).max() <= 2


def test_upright_starts_where_the_first_side_runs_right() -> None:
    for quarters in range(4):
        assert np.array_equal(BOX.rolled(quarters).upright().corners, BOX.corners)


def test_a_bent_line_is_straightened() -> None:
    pixels = np.full((100, 300, 3), 255, np.uint8)
    columns = np.arange(40, 260)
    share = (columns - 40) / 220
    rows = np.round(50 + 12 * 4 * share * (1 - share)).astype(int)
    for offset in (-1, 0, 1):
        pixels[rows + offset, columns] = 0
    bent = region([(40, 40), (260, 40), (260, 60), (40, 60)], (0.0, 12.0))
    dark = cut(pixels, bent)[:, :, 0] < 128
    assert dark[9:12, 5:-5].mean() > 0.9
    assert dark[:7].sum() + dark[14:].sum() == 0


def test_regions_beyond_the_page_give_something_to_read() -> None:
    assert cut(page(), region([(-10, -10), (20, -10), (20, 10), (-10, 10)])).size
    assert cut(page(), region([(198, 118), (230, 118), (230, 140), (198, 140)])).size


def test_a_rule_between_two_boxes_is_seen() -> None:
    pixels = np.full((60, 200, 3), 255, np.uint8)
    left = np.array([(10, 20), (80, 20), (80, 40), (10, 40)], np.float32)
    right = np.array([(110, 20), (180, 20), (180, 40), (110, 40)], np.float32)
    assert not rule_between(pixels, left, right)
    pixels[25:30, 90:100] = 0  # a mark, not as high as the line
    assert not rule_between(pixels, left, right)
    pixels[10:50, 95] = 90
    assert rule_between(pixels, left, right)
