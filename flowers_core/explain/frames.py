"""Numbered frames around positions of the feature map, drawn on a photo: the same number is the same pair."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from flowers_core.explain.counterfactual import Position
from flowers_core.explain.explanation import Box
from flowers_core.explain.subject import Pixels

#: Told apart by people who see colours otherwise, too (Okabe and Ito, "Color Universal Design", 2008).
COLOURS = ((230, 159, 0), (86, 180, 233), (0, 158, 115), (240, 228, 66), (0, 114, 178), (213, 94, 0), (204, 121, 167))
#: Width of a frame, and height of a number, as fractions of the side of a position.
_LINE, _NUMBER = 0.07, 0.42


def draw_frames(pixels: Pixels, positions: Sequence[Position], grid: tuple[int, int], box: Box) -> Pixels:
    """A photo with a frame and a number, from 1, for each position.

    Args:
        pixels: (h, w, 3) uint8 RGB.
        positions: (row, column) each; numbered in this order.
        grid: (rows, columns) of the feature map.
        box: left, top, right, bottom of the feature map in these pixels.

    Returns:
        (h, w, 3) uint8 RGB, a new array.
    """
    image = Image.fromarray(pixels)
    pen = ImageDraw.Draw(image)
    left, top, right, bottom = box
    across, down = (right - left) / grid[1], (bottom - top) / grid[0]
    line = max(2, round(_LINE * min(across, down)))
    font = ImageFont.load_default(max(10, round(_NUMBER * min(across, down))))
    for number, (row, column) in enumerate(positions, start=1):
        colour = COLOURS[(number - 1) % len(COLOURS)]
        x, y = left + column * across, top + row * down
        # A dark line outside of the colour: it is seen on light petals and on dark leaves.
        pen.rectangle((x, y, x + across, y + down), outline=(0, 0, 0), width=line + 2)
        pen.rectangle((x + 1, y + 1, x + across - 1, y + down - 1), outline=colour, width=line)
        text = pen.textbbox((x + 1, y + 1), str(number), font=font)
        pen.rectangle((x + 1, y + 1, text[2] + 2 * line, text[3] + line), fill=colour)
        pen.text((x + 1 + line, y + 1), str(number), fill=(0, 0, 0), font=font)
    return np.asarray(image)
