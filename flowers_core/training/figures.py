"""Figures of learning rates: every schedule between the same bounds, and the result of a range test."""

import dataclasses
from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from flowers_core.training.optimizers import learning_rate
from flowers_core.training.range_test import RangeTest
from flowers_core.training.recipe import SCHEDULES, Recipe

Curves = Mapping[str, NDArray[np.float64]]


def schedule_curves(recipe: Recipe, steps: int) -> Curves:
    """The learning rate at each step, (steps,) float64 by the schedule's name.

    Args:
        recipe: every entry but the schedule.
        steps: of the whole run.
    """
    curves = {}
    for name in SCHEDULES:
        rate = learning_rate(dataclasses.replace(recipe, schedule=name), steps)
        curves[name] = np.array([rate if isinstance(rate, float) else float(rate(step)) for step in range(steps)])
    return curves


def schedule_figure(curves: Curves, steps_per_epoch: int) -> Figure:
    """A panel for each schedule, with shared axes.

    Args:
        curves: the rate at each step, by the schedule's name.
        steps_per_epoch: for the axis of epochs.
    """
    columns = 3
    rows = -(-len(curves) // columns)
    figure = Figure(figsize=(4 * columns, 2.4 * rows), layout="constrained")
    panels = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    for axes, (name, curve) in zip(panels.flat, curves.items(), strict=False):
        axes.plot(np.arange(len(curve)) / steps_per_epoch, curve, color="#1b7f5c")
        axes.set_title(name.replace("_", " "))
        axes.spines[["top", "right"]].set_visible(False)
        axes.set_ylim(bottom=0)
    for axes in panels[-1]:
        axes.set_xlabel("epochs")
    for axes in panels[:, 0]:
        axes.set_ylabel("learning rate")
    for axes in panels.flat[len(curves) :]:
        axes.set_axis_off()
    return figure


def range_test_figure(result: RangeTest, optimizer: str) -> Figure:
    """The loss against the learning rate, raw and smoothed, with the suggested rates marked.

    Args:
        result: of the range test.
        optimizer: its name, for the axis.
    """
    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.add_subplot()
    axes.semilogx(result.rates, result.losses, color="0.75", linewidth=0.8, label="loss of a batch")
    axes.semilogx(result.rates, result.smoothed, color="C0", label="smoothed")
    axes.axvspan(result.lower, result.upper, color="C2", alpha=0.2, label="suggested")
    # The fall is what matters; a diverged loss may leave the frame.
    seen = result.losses[: int(result.smoothed.argmin()) + 1]
    axes.set_ylim(bottom=0, top=1.25 * max(seen.max(), result.smoothed[0]))
    axes.set(xlabel=f"learning rate ({optimizer})", ylabel="loss", title="Learning-rate range test")
    axes.legend()
    return figure
