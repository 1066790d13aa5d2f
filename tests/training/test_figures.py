import csv
import math
import sys

import numpy as np
import pytest
from PIL import Image

from flowers_core.training.figures import range_test_figure, schedule_curves, schedule_figure
from flowers_core.training.range_test import RangeTest
from flowers_core.training.recipe import SCHEDULES, Recipe
from scripts.study import show_schedules

RECIPE = Recipe(unfrozen_layers=0, epochs=1, learning_rate=0.5, lower_rate=0.1, step_size=4, warmup=0.25)


def test_each_schedule_is_drawn_as_its_paper_has_it():
    """Steps 0…16 with a half-cycle of 4: worked out by straight lines and cosines between the knots."""
    curves = schedule_curves(RECIPE, 17)
    steps = np.arange(17)
    wave = np.interp(steps, (0, 4, 8, 12, 16), (0, 1, 0, 1, 0))
    assert list(curves) == list(SCHEDULES)
    np.testing.assert_allclose(curves["triangular"], 0.1 + 0.4 * wave, rtol=1e-5)
    np.testing.assert_allclose(curves["triangular2"], 0.1 + 0.4 * wave * np.where(steps < 8, 1, 0.5), rtol=1e-5)
    np.testing.assert_allclose(curves["exp_range"], 0.1 + 0.4 * wave * 0.9999**steps, rtol=1e-5)
    np.testing.assert_allclose(curves["constant"], 0.5)
    # The warm-up is a quarter of 17 steps, rounded down; then half a cosine to the lower rate.
    falling = 0.1 + 0.4 * (1 + np.cos(math.pi * (steps - 4) / 13)) / 2
    np.testing.assert_allclose(curves["cosine"], np.where(steps < 4, 0.5 * steps / 4, falling), rtol=1e-5)
    assert curves["one_cycle"][0] == pytest.approx(0.5 / 25)
    assert curves["one_cycle"].argmax() == round(0.3 * 17)


def test_the_figure_shows_the_curves_over_epochs():
    curves = schedule_curves(RECIPE, 16)
    figure = schedule_figure(curves, steps_per_epoch=8)
    for axes, (name, curve) in zip(figure.axes, curves.items(), strict=True):
        assert axes.get_title() == name.replace("_", " ")
        epochs, rates = axes.get_lines()[0].get_data()
        np.testing.assert_array_equal(rates, curve)
        assert epochs[-1] == 15 / 8


def test_the_figure_of_a_range_test_shows_the_fall_and_what_it_suggests():
    rates, losses = np.array([1e-3, 1e-2, 1e-1, 1.0]), np.array([4.0, 3.0, 1.0, 90.0])
    figure = range_test_figure(RangeTest(rates, losses, losses, lower=0.01, upper=0.1, diverged=True), "sgd")
    (axes,) = figure.axes
    np.testing.assert_array_equal(axes.get_lines()[0].get_data(), (rates, losses))
    assert axes.get_ylim() == (0, 1.25 * 4)  # the largest loss before the lowest; what diverged is cut off
    assert axes.get_xlabel() == "learning rate (sgd)"


@pytest.mark.slow
def test_the_script_writes_picture_and_table(tmp_path, monkeypatch):
    line = "--recipe published --backbone resnet50 --epochs 8 --steps-per-epoch 15 --out"
    monkeypatch.setattr(sys, "argv", ["show_schedules", *line.split(), str(tmp_path)])
    show_schedules.main()
    with (tmp_path / "schedules.csv").open(newline="", encoding="utf-8-sig") as handle:
        rows = list(csv.DictReader(handle))
    assert len(rows) == 8 * 15
    rates = np.array([float(row["triangular"]) for row in rows])
    assert rates.argmax() == 4 * 15  # ResNet50 was published with half-cycles of 4
    assert rates[0] == rates.min()
    with Image.open(tmp_path / "schedules.png") as picture:
        assert len(np.unique(np.asarray(picture.convert("RGB")).reshape(-1, 3), axis=0)) > 10
