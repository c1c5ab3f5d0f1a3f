"""Lines upside down: a typeface no recogniser was ever shown, to be learned beside the upright one.

Only characters that upside down look like no other one that is drawn: a model can know both ways at once.
"""

from random import Random

import numpy as np

from shizi.training import fonts, render, samples

CHARACTERS = "ABCDEFGHKRTUXY348"


def plain_lines(face: fonts.Face, count: int, upside_down: bool = False, seed: int = 8) -> list[samples.Sample]:
    """Draw clean lines of five characters in one face, turned over when asked."""
    pen, random = render.Pen([face], face), Random(seed)
    look = render.Look(32, 0.02, (0.1, 0.1, 0.15, 0.15), False, 0)
    lines = []
    for _ in range(count):
        text = "".join(random.choice(CHARACTERS) for _ in range(5))
        strip = 255 - pen.draw(text, face, face, look).ink
        lines.append(samples.Sample(np.flipud(strip) if upside_down else strip, text))
    return lines
