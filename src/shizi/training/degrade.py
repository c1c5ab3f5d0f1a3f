"""Degrade: ink on a strip becomes a grey picture as scanners, cameras, printers and screens make it.

Takes ink masks or clean crops with a seeded `Random`, gives grey uint8 strips. Each flaw is one function of
(strip, random); a recipe says how likely each is. Geometry moves the glyph spans along.
"""

from collections.abc import Callable
from random import Random

import cv2
import numpy as np
import numpy.typing as npt

Strip = npt.NDArray[np.uint8]
Spans = npt.NDArray[np.float32]
Flaw = Callable[[Strip, Random], Strip]


def _grey(values: npt.NDArray[np.floating]) -> Strip:
    return np.asarray(np.clip(values, 0, 255), np.uint8)


def noise_field(shape: tuple[int, ...], random: Random, scale: int = 1) -> npt.NDArray[np.float32]:
    """Give Gaussian noise of unit deviation, smooth over `scale` pixels."""
    generator = np.random.default_rng(random.getrandbits(32))
    height, width = shape[0], shape[1]
    small = generator.standard_normal((height // scale + 2, width // scale + 2), np.float32)
    if scale == 1:
        return small[:height, :width]
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC), np.float32)


def paper(ink: Strip, random: Random) -> Strip:
    """Print the ink on paper: mostly dark on light, sometimes inverse, of low contrast or on a texture."""
    kind = random.random()
    if kind < 0.72:
        ground, colour = random.uniform(225, 255), random.uniform(0, 70)
    elif kind < 0.86:
        ground = random.uniform(120, 250)
        colour = max(0.0, ground - random.uniform(60, 140))
    elif kind < 0.96:
        ground = random.uniform(0, 130)
        colour = min(255.0, ground + random.uniform(90, 200))
    else:
        ground = random.uniform(190, 255)
        colour = ground - random.uniform(35, 60)
    field: npt.NDArray[np.float32] | float = ground
    if random.random() < 0.12:
        field = ground + noise_field(ink.shape, random, random.choice((3, 6, 16, 40))) * random.uniform(2, 12)
    mixed = field + (colour - field) * (ink.astype(np.float32) / 255.0)
    return _grey(mixed)


def weight(ink: Strip, random: Random) -> Strip:
    """Make strokes bolder or lighter, hairlines worn: faces differ in that more than a few free ones show."""
    soft = cv2.GaussianBlur(ink, (0, 0), random.uniform(0.012, 0.03) * ink.shape[0]).astype(np.float32)
    return _grey((soft - random.uniform(20, 90)) * random.uniform(2.0, 4.0))


def underline(strip: Strip, random: Random) -> Strip:
    """Rule a line under the text, or through the field's foot."""
    y = strip.shape[0] - 1 - random.randint(0, max(1, strip.shape[0] // 8))
    cv2.line(strip, (0, y), (strip.shape[1], y), _dark(strip, random), random.choice((1, 1, 2)))
    return strip


def table_rules(strip: Strip, random: Random) -> Strip:
    """Draw a table's or box's rules along the crop's edges, touching the text."""
    height, width = strip.shape
    colour, thick = _dark(strip, random), random.choice((1, 1, 2))
    reach = max(1, height // 10)
    if random.random() < 0.5:
        y = random.choice((random.randint(0, reach), height - 1 - random.randint(0, reach)))
        cv2.line(strip, (0, y), (width, y), colour, thick)
    # Upright rules stand in a cell's crop as [, ] and | do; one of them mostly, now and then both.
    for x in ((random.randint(0, reach),), (width - 1 - random.randint(0, reach),), (1, width - 2))[
        random.randrange(3)
    ]:
        cv2.line(strip, (x, 0), (x, height), colour, thick)
    return strip


def intrude(strip: Strip, random: Random) -> Strip:
    """Let a neighbour line's feet or heads look into the crop: a slice of the strip itself, moved."""
    height, width = strip.shape
    depth = random.randint(1, max(1, height // 9))
    slice_ = np.roll(strip[height // 2 : height // 2 + depth], random.randrange(width), axis=1)
    if random.random() < 0.5:
        strip[:depth] = np.minimum(strip[:depth], slice_)
    else:
        strip[height - depth :] = np.minimum(strip[height - depth :], slice_[: strip[height - depth :].shape[0]])
    return strip


def stamp(strip: Strip, random: Random) -> Strip:
    """Press a red seal over the text: in grey its ring and strokes darken the paper to a middle tone."""
    height, width = strip.shape
    mask = np.zeros_like(strip)
    centre = (random.randrange(width), random.randint(-height, 2 * height))
    radius = random.randint(height, 3 * height)
    cv2.circle(mask, centre, radius, 255, max(2, height // 10))
    for _ in range(random.randint(3, 14)):
        start = (centre[0] + random.randint(-radius, radius), centre[1] + random.randint(-radius, radius))
        end = (
            start[0] + random.randint(-height, height) // 2,
            start[1] + random.randint(-height, height) // 2,
        )
        cv2.line(mask, start, end, 255, max(1, height // 12))
    strength = random.uniform(0.2, 0.55) * (mask.astype(np.float32) / 255.0)
    return (strip * (1.0 - strength)).astype(np.uint8)


def watermark(strip: Strip, random: Random) -> Strip:
    """Lay pale broad strokes of a watermark or guilloche under the text."""
    height, width = strip.shape
    mask = np.zeros_like(strip)
    slope, step, thick = (
        random.randint(-height, height),
        random.randint(height // 3 + 2, 2 * height),
        random.randint(1, 5),
    )
    for x in range(-width // 4, width + height, step):
        cv2.line(mask, (x, 0), (x + slope, height), 255, thick, cv2.LINE_AA)
    strength = random.uniform(0.06, 0.2) * (mask.astype(np.float32) / 255.0)
    return (strip * (1.0 - strength)).astype(np.uint8)


def light(strip: Strip, random: Random) -> Strip:
    """Light the paper unevenly: a slope of brightness along it."""
    ramp = np.linspace(random.uniform(0.55, 1.0), random.uniform(0.55, 1.0), strip.shape[1], dtype=np.float32)
    return (strip * ramp).astype(np.uint8)


def bleed(strip: Strip, random: Random) -> Strip:
    """Let the page's back shine through: the strip mirrored, blurred and faint."""
    back = cv2.GaussianBlur(strip[:, ::-1], (0, 0), 1.0 + strip.shape[0] / 30)
    share, darker = random.uniform(0.08, 0.2), random.uniform(15, 40)
    return np.asarray(cv2.addWeighted(strip, 1.0, back, share, -darker), np.uint8)


def fade(strip: Strip, random: Random) -> Strip:
    """Fade the ink in patches as thermal paper and worn ribbons do."""
    patches = np.clip(noise_field(strip.shape, random, max(3, strip.shape[0] // 3)) * 0.35 + 0.75, 0.35, 1.0)
    ground = float(np.median(strip))
    return _grey(ground + (strip - ground) * patches)


def dots(strip: Strip, random: Random) -> Strip:
    """Break the ink into dots as a needle printer does."""
    pitch = max(2, strip.shape[0] // 16)
    rows = (np.arange(strip.shape[0]) % pitch < max(1, pitch - 1)).astype(np.float32)
    columns = (np.arange(strip.shape[1]) % pitch < max(1, pitch - 1)).astype(np.float32)
    grid = np.maximum(rows[:, None] * columns[None, :], random.uniform(0.3, 0.6))
    ground = float(np.median(strip))
    return _grey(ground + (strip - ground) * grid)


def moire(strip: Strip, random: Random) -> Strip:
    """Add the wave pattern of a photographed screen."""
    y, x = np.mgrid[0 : strip.shape[0], 0 : strip.shape[1]].astype(np.float32)
    wave = np.sin(x * random.uniform(0.3, 2.0) + y * random.uniform(-1.5, 1.5)) * random.uniform(4, 18)
    return _grey(strip + wave)


def blur(strip: Strip, random: Random) -> Strip:
    """Blur out of focus, more on larger strips."""
    deviation = random.uniform(0.3, 1.1) * max(0.6, strip.shape[0] / 32)
    return np.asarray(cv2.GaussianBlur(strip, (0, 0), deviation), np.uint8)


def motion(strip: Strip, random: Random) -> Strip:
    """Blur along one direction as a moving camera does."""
    length = random.randint(2, max(2, strip.shape[0] // 9))
    kernel = np.zeros((length, length), np.float32)
    ends = (
        ((0, length // 2), (length - 1, length // 2)) if random.random() < 0.5 else ((0, 0), (length - 1, length - 1))
    )
    cv2.line(kernel, *ends, 1.0)
    return np.asarray(cv2.filter2D(strip, -1, kernel / kernel.sum()), np.uint8)


def grain(strip: Strip, random: Random) -> Strip:
    """Add a sensor's noise."""
    return _grey(strip + noise_field(strip.shape, random) * random.uniform(2, 16))


def jpeg(strip: Strip, random: Random) -> Strip:
    """Save as JPEG of middling to poor quality and read it back."""
    _, data = cv2.imencode(".jpg", strip, [cv2.IMWRITE_JPEG_QUALITY, random.randint(25, 85)])
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_GRAYSCALE), np.uint8)


def shrink(strip: Strip, random: Random) -> Strip:
    """Lose resolution: scale down to a small height and back up."""
    height, width = strip.shape
    small = max(11.0, height * random.uniform(0.4, 0.75))
    scale = min(1.0, small / height)
    less = cv2.resize(strip, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    how = random.choice((cv2.INTER_LINEAR, cv2.INTER_CUBIC))
    return np.asarray(cv2.resize(less, (width, height), interpolation=how), np.uint8)


def sharpen(strip: Strip, random: Random) -> Strip:
    """Sharpen as phone cameras and scanners do, with halos."""
    return np.asarray(cv2.addWeighted(strip, 1.8, cv2.GaussianBlur(strip, (0, 0), 1.5), -0.8, 0), np.uint8)


def threshold(strip: Strip, random: Random) -> Strip:
    """Make the strip black and white as a fax or a scanned text page."""
    middle = (int(strip.min()) + int(strip.max())) / 2 + random.uniform(-15, 15)
    return np.where(strip > middle, 255, 0).astype(np.uint8)


def _dark(strip: Strip, random: Random) -> int:
    return random.randint(0, 110) if strip.mean() > 110 else random.randint(140, 255)


# How likely each flaw is on one strip, in the order in which the world applies them.
RECIPE: tuple[tuple[Flaw, float], ...] = (
    (underline, 0.04), (table_rules, 0.14), (intrude, 0.06), (dots, 0.015), (fade, 0.03), (watermark, 0.03),
    (stamp, 0.03), (bleed, 0.02), (light, 0.06), (shrink, 0.2), (blur, 0.14), (motion, 0.03), (moire, 0.015),
    (grain, 0.12), (sharpen, 0.03), (threshold, 0.025), (jpeg, 0.12),
)  # fmt: skip


def spoil(strip: Strip, random: Random, strength: float = 1.0) -> Strip:
    """Apply the recipe's flaws to `strip`, each with its likelihood times `strength`."""
    strip = np.ascontiguousarray(strip)
    for flaw, likelihood in RECIPE:
        if random.random() < likelihood * strength:
            strip = flaw(strip, random)
    return strip


def warp(strip: Strip, spans: Spans | None, random: Random, border: int) -> tuple[Strip, Spans | None]:
    """Rotate, shear, squeeze or curve the strip a little; the spans follow their glyphs' middles.

    `border` is the grey of the paper beyond the strip (0 for ink masks).
    """
    height, width = strip.shape
    angle, shear = random.gauss(0, 0.35 * height / max(width, 2 * height)), random.gauss(0, 0.08)
    stretch = random.uniform(0.82, 1.2)
    angle = max(-0.06, min(0.06, angle))
    rise = angle * width
    matrix = np.array([[stretch, shear, -shear * height / 2], [angle, 1.0, -rise / 2]], np.float32)
    size = (max(8, round(width * stretch)), height)
    if random.random() < 0.15:
        strip = _curve(strip, random, border)
    warped = cv2.warpAffine(strip, matrix, size, flags=cv2.INTER_LINEAR, borderValue=border)
    return np.asarray(warped, np.uint8), None if spans is None else spans * stretch


def _curve(strip: Strip, random: Random, border: int) -> Strip:
    """Bend the line into a shallow arc or wave."""
    height, width = strip.shape
    x = np.arange(width, dtype=np.float32)
    bend = np.sin(x / width * np.pi * random.choice((1, 1, 2))) * random.uniform(-0.08, 0.08) * height
    rows = np.arange(height, dtype=np.float32)[:, None] + bend[None, :].astype(np.float32)
    columns = np.broadcast_to(x, (height, width))
    return np.asarray(
        cv2.remap(strip, np.ascontiguousarray(columns), rows, cv2.INTER_LINEAR, borderValue=border), np.uint8
    )
