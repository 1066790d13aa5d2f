"""Figures of a data set, drawn by matplotlib without a display.

Two of them show photos of the data set, so they belong on the reader's own disk and not into a repository.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from flowers_core.data.audit.image_statistics import ImageStatistics
from flowers_core.data.batches import inputs
from flowers_core.data.dataset import SPLITS, Dataset
from flowers_core.data.model_input import CropRule
from flowers_core.storage.files import write_atomically

_COLOURS = {"train": "#1b7f5c", "validation": "#e0a030", "test": "#5b6ea8"}
_COLUMNS = 12
_DPI = 110
_SHEET_SIDE = 96


def audit_figures(flowers: Dataset, statistics: ImageStatistics) -> dict[str, Figure]:
    """Every figure of an audit, by file name.

    `class_counts.png` and `image_sizes.png` show statistics. `mean_images.png` and `sample_sheet.png` show the mean and
    the first training photo of each class.

    Args:
        flowers: the data set, whose training photos are read.
        statistics: of its photos.

    Raises:
        PhotoError: a photo cannot be read; the message names the file.
    """
    ids = flowers.split_ids("train")
    photos, labels = inputs(flowers, ids, CropRule(_SHEET_SIDE)), flowers.labels[ids - 1]
    means = mean_pictures(photos, labels)
    titles = [flowers.names[label - 1] for label in means]
    firsts = [photos[int(np.flatnonzero(labels == label)[0])] for label in means]
    return {
        "class_counts.png": class_counts(flowers.labels, flowers.splits, flowers.names),
        "image_sizes.png": image_sizes(statistics.sizes),
        "mean_images.png": picture_sheet(list(means.values()), titles),
        "sample_sheet.png": picture_sheet(firsts, titles),
    }


def class_counts(labels: NDArray[np.int64], splits: NDArray[np.str_], names: Sequence[str]) -> Figure:
    """Photos of each class as bars stacked by split, the largest class on top.

    Args:
        labels: (n,) labels, 1…k.
        splits: (n,) the split of each photo, one of `SPLITS`.
        names: the k class names in order of label.
    """
    counts = {
        split: np.bincount(labels[splits == split], minlength=len(names) + 1)[1:] for split in SPLITS
    }  # (classes,) each
    order = np.argsort(sum(counts.values()), kind="stable")
    figure = Figure(figsize=(8, 0.17 * len(names) + 1.5), layout="constrained")
    axes = figure.subplots()
    left = np.zeros(len(names))
    for split, count in counts.items():
        axes.barh(range(len(names)), count[order], left=left, color=_COLOURS[split], label=f"{split} ({count.sum()})")
        left += count[order]
    axes.set_yticks(range(len(names)), [names[row] for row in order], fontsize=6)
    axes.set_ylim(-1, len(names))
    axes.set_xlabel("photos")
    axes.legend(loc="lower right")
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def image_sizes(sizes: NDArray[np.int64]) -> Figure:
    """The photos' sizes as a scatter plot and their aspect ratios as a histogram; sizes (n, 2), width and height."""
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    left, right = figure.subplots(1, 2)
    left.scatter(sizes[:, 0], sizes[:, 1], s=6, alpha=0.2, color=_COLOURS["train"], linewidths=0)
    left.set_xlabel("width in pixels")
    left.set_ylabel("height in pixels")
    left.set_aspect("equal", adjustable="datalim")
    right.hist(sizes[:, 0] / sizes[:, 1], bins=60, color=_COLOURS["test"])
    right.axvline(1, color="black", linewidth=0.8)
    right.set_xlabel("width over height (1 is square)")
    right.set_ylabel("photos")
    for axes in (left, right):
        axes.spines[["top", "right"]].set_visible(False)
    return figure


def picture_sheet(pictures: Sequence[NDArray[np.uint8]], titles: Sequence[str]) -> Figure:
    """Small square pictures in rows of twelve, each under its title.

    Args:
        pictures: (h, w, 3) uint8 RGB each.
        titles: one for each picture.
    """
    rows = -(-len(pictures) // _COLUMNS)
    figure = Figure(figsize=(_COLUMNS * 1.15, rows * 1.35), layout="constrained")
    grid = figure.subplots(rows, _COLUMNS, squeeze=False)
    for axes in grid.flat:
        axes.axis("off")
    for axes, picture, title in zip(grid.flat, pictures, titles, strict=False):
        axes.imshow(picture)
        axes.set_title(title, fontsize=6)
    return figure


def mean_pictures(photos: NDArray[np.uint8], labels: NDArray[np.int64]) -> dict[int, NDArray[np.uint8]]:
    """The mean photo of each class.

    Args:
        photos: (n, s, s, 3) uint8.
        labels: (n,) labels.

    Returns:
        Label → (s, s, 3) uint8, in ascending order of label.
    """
    return {
        int(label): np.rint(photos[labels == label].astype(np.float64).mean(axis=0)).astype(np.uint8)
        for label in np.unique(labels)
    }


def save_figure(figure: Figure, path: Path) -> None:
    """Write a figure as a picture in one step.

    Args:
        figure: what is drawn.
        path: the file, whose ending names the format.
    """
    write_atomically(path, lambda beside: figure.savefig(beside, dpi=_DPI))
