import numpy as np
import pytest

from app.elements.heatmap import close_up, reading
from flowers_core.data.taxonomy import load_taxonomy
from flowers_core.explain.explanation import ClassTarget, Explanation


def explanation(box: tuple[float, float, float, float], size: tuple[int, int], value: float = 1.0) -> Explanation:
    return Explanation(
        method="cam", target=ClassTarget(54), contributions=np.full((7, 7), value / 49), value=value, unit="logit",
        box=box, photo_size=size, seconds=0.0,
    )  # fmt: skip


def test_a_photo_of_three_to_two_is_shown_whole() -> None:
    pixels = np.zeros((200, 300, 3), np.uint8)
    part, moved = close_up(pixels, explanation((50, 0, 250, 200), (300, 200)))
    assert part.shape == pixels.shape
    assert moved.box == (50, 0, 250, 200)


def test_of_a_panorama_the_middle_is_shown_at_the_size_of_the_page() -> None:
    # 1000 × 100 shown at half the size: the square is 50 pixels wide, with a quarter of that (12.5) on each side.
    pixels = np.arange(500, dtype=np.uint8)[None, :, None].repeat(50, 0).repeat(3, 2)
    part, moved = close_up(pixels, explanation((450, 0, 550, 100), (1000, 100)))
    assert part.shape[:2] == (50, 288 - 212)
    assert part[0, 0, 0] == 212
    assert moved.box == (225 - 212, 0, 275 - 212, 50)
    assert moved.photo_size == (76, 50)
    heat = moved.heatmap()
    assert heat[:, :13].max() == 0
    assert heat[:, 13:63].min() == pytest.approx(1 / 49)


def test_no_evidence_is_said_not_drawn() -> None:
    taxonomy = load_taxonomy()
    assert reading(explanation((0, 0, 9, 9), (9, 9), -1.0), taxonomy) == (
        "Nothing in this photo speaks for sunflower, so there is nothing to draw."
    )
    assert "sunflower" in reading(explanation((0, 0, 9, 9), (9, 9)), taxonomy)
