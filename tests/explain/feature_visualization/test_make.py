"""Making pictures goes on where it was broken off, and begins anew for another model or other options."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from flowers_core.explain.feature_visualization.make import class_directions, make_pictures
from flowers_core.explain.feature_visualization.pictures import load_pictures, on_grey
from flowers_core.explain.feature_visualization.visualize import Options, Visualization
from flowers_core.inference.bundle import load_bundle

FILE = "class_pictures.npz"
DIRECTIONS = np.arange(8.0).reshape(4, 2)


class Painter:
    """Paints the direction's first value in grey; stops after so many pictures."""

    def __init__(self, at_most: int = 99) -> None:
        self.at_most, self.made = at_most, []

    def __call__(self) -> "Painter":
        return self

    def visualize(self, direction: np.ndarray, seed: int) -> Visualization:
        if len(self.made) == self.at_most:
            raise KeyboardInterrupt
        self.made.append((float(direction[0]), seed))
        return Visualization(np.full((8, 8, 3), int(direction[0]), np.uint8), np.ones((8, 8), np.float32))


@pytest.fixture
def folder(tmp_path: Path, tiny_bundle: Path) -> Path:
    return shutil.copytree(tiny_bundle, tmp_path / "tiny")


def made(folder: Path, painter: Painter, **changed):
    options = changed.pop("options", Options())
    return make_pictures(load_bundle(folder), FILE, DIRECTIONS, painter, options=options, **changed)


def test_a_run_that_was_broken_off_goes_on(folder: Path) -> None:
    first, second, third = Painter(at_most=1), Painter(), Painter()
    with pytest.raises(KeyboardInterrupt):
        made(folder, first)
    assert sorted(load_pictures(load_bundle(folder).path(FILE)).pictures) == [0]
    found = made(folder, second)
    assert [value for value, _ in first.made + second.made] == [0, 2, 4, 6]
    assert sorted(found.pictures) == [0, 1, 2, 3]
    assert load_pictures(load_bundle(folder).path(FILE)).pictures == found.pictures
    # In one go the pictures have the same seeds, each its own; what is whole is not made again.
    shutil.copyfile(load_bundle(folder).path(FILE), folder / "kept")
    made(folder, third, seed=1)
    seeds = [seed for _, seed in third.made]
    assert len(set(seeds)) == 4
    assert not set(seeds) & {seed for _, seed in first.made + second.made}
    again = Painter()
    made(folder, again, seed=1)
    assert again.made == []


def test_other_options_begin_anew(folder: Path) -> None:
    made(folder, Painter())
    anew = Painter()
    made(folder, anew, options=Options(steps=7))
    assert len(anew.made) == 4


def test_a_picture_that_is_not_recognized_is_made_again(folder: Path) -> None:
    shares = {0: [0.1, 0.9], 1: [0.7], 2: [0.2, 0.5, 0.3, 0.1], 3: [0.0, 0.0, 0.6]}
    asked: list[int] = []

    def recognition(index: int, picture: bytes) -> float:
        asked.append(index)
        return shares[index][asked.count(index) - 1]

    class Counter(Painter):
        """Paints how often the picture was asked about before."""

        def visualize(self, direction: np.ndarray, seed: int) -> Visualization:
            before = asked.count(int(direction[0]) // 2)
            return super().visualize(np.full_like(direction, 40 * before), seed)

    found = made(folder, Counter(), recognition=recognition)
    assert asked == [0, 0, 1, 2, 2, 2, 2, 3, 3, 3]
    # Of each class the attempt that was recognized best: its grey is 40 times the number of those before it.
    kept = [round(on_grey(found.pictures[index]).mean() / 40) for index in range(4)]
    assert kept == [1, 0, 1, 2]


def test_a_class_is_held_against_the_mean_of_all() -> None:
    head = np.array([[1.0, 2.0, 6.0], [0.0, 0.0, 3.0]])
    np.testing.assert_allclose(class_directions(head), [[-2, -1], [-1, -1], [3, 2]])
