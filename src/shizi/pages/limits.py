"""Limits: what is refused before anything is decoded."""

from dataclasses import dataclass

from shizi.errors import DamagedFile, TooLarge

# OpenCV decodes no side longer than this.
LONGEST_SIDE = 1 << 20


@dataclass(frozen=True, slots=True)
class Limits:
    """What is refused before decoding: `bytes` of a file, `pixels` of a page; `frames` (pages) beyond are cut."""

    bytes: int = 100_000_000
    pixels: int = 50_000_000
    frames: int = 10_000


def check_size(width: int, height: int, number: int, limits: Limits) -> None:
    """Refuse page `number` if it has no pixels (DamagedFile) or too many (TooLarge)."""
    if width < 1 or height < 1:
        raise DamagedFile(f"Page {number} has {width} x {height} pixels; expected at least one. Send it again.")
    if width * height > limits.pixels:
        raise TooLarge(f"Page {number} has {width} x {height} pixels; at most {limits.pixels} are read. Scale it down.")
    if max(width, height) > LONGEST_SIDE:
        raise TooLarge(f"Page {number} is {max(width, height)} pixels long; at most {LONGEST_SIDE} are read. Cut it.")


def cut(numbers: list[int], limits: Limits) -> tuple[list[int], tuple[str, ...]]:
    """Give the pages that are read of those asked for, and what to say if they are not all."""
    if len(numbers) <= limits.frames:
        return numbers, ()
    said = f"frames_cut: {len(numbers)} pages are asked for; the first {limits.frames} of them were read."
    return numbers[: limits.frames], (said,)
