"""A lesson before it is kept and when it is: what it changes for the validation photos, and the bundle that it makes.

The graph stays. The head grows by a column or has one fitted anew, and with it whatever goes by the head: the stored
answers to validation and test photos, the conformal threshold, the classes' places among the embeddings.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from flowers_core.evaluation.calibration import fit_conformal_threshold
from flowers_core.evaluation.predictions import Predictions, load_predictions, save_predictions, stored_precisions
from flowers_core.inference.bundle import Bundle, predictions_file
from flowers_core.inference.bundle_writer import BundleWriter
from flowers_core.inference.confidence import DISCRIMINANT_FILE, discriminant_space
from flowers_core.inference.discriminant import DiscriminantSpace
from flowers_core.inference.prediction import softmax
from flowers_core.retrieval.gallery import Gallery
from flowers_core.retrieval.lesson_photos import answered_photos, gallery_of, stored_labels, stored_photos
from flowers_core.retrieval.taught_model import (
    FORMAT,
    TAUGHT_FILE,
    TaughtModel,
    carried_logits,
    taught_model,
    write_taught,
)
from flowers_core.retrieval.teaching import Cost, Examples, Taught, cost

#: Splits whose stored answers a taught bundle carries on.
_CARRIED = ("validation", "test")


@dataclass(frozen=True, eq=False)
class Proposal:
    """A lesson that can be kept, or the last one taken back.

    Attributes:
        before, after: the model without it and with it.
        taught: the column that was fitted; None where a lesson is taken back.
        validation: the bundle's answers to its validation photos before; None where it has none.
        change: what the lesson gains and loses of them, rows of `validation`; None where there are none.
    """

    before: TaughtModel
    after: TaughtModel
    taught: Taught | None
    validation: Predictions | None
    change: Cost | None

    @property
    def name(self) -> str:
        """Of the class that was taught."""
        return (self.after if self.taught else self.before).lessons[-1].name

    @property
    def is_new(self) -> bool:
        """Whether the class is one that the model did not know before."""
        return self.name not in self.before.class_names

    @property
    def photos(self) -> int:
        """How many photos it was taught with."""
        return len((self.after if self.taught else self.before).lessons[-1].digests)


def proposed(
    bundle: Bundle, name: str, digests: Sequence[str], embeddings: ArrayLike, gallery: Gallery | None = None
) -> Proposal:
    """Teach a bundle a class, or correct one, without keeping anything.

    Args:
        bundle: with a gallery and an INT8 model.
        name: of the class, a new one or one that is there.
        digests: SHA-256 of each of the m photos.
        embeddings: (m, c) of the photos, by the INT8 model.
        gallery: the bundle's; None loads it.

    Raises:
        TeachingError: a name that is none, photos that nothing can be learnt from, or a bundle without a gallery.
    """
    before = taught_model(bundle)
    length = float(np.median(np.linalg.norm(np.asarray(embeddings), axis=1)))
    after, taught = before.learn(name, digests, embeddings, stored_photos(bundle, length, gallery))
    return _compared(bundle, before, after, taught, gallery)


def undone(bundle: Bundle, gallery: Gallery | None = None) -> Proposal:
    """Take the last lesson back, without keeping anything.

    Args:
        bundle: that was taught.
        gallery: the bundle's; None loads it.

    Raises:
        TeachingError: there is no lesson.
    """
    before = taught_model(bundle)
    return _compared(bundle, before, before.undone(), None, gallery)


def keep(
    bundle: Bundle, kept: Proposal, folder: Path, *, gallery: Gallery | None = None, linked: bool = False
) -> Bundle:
    """Write the bundle that a lesson makes, whole or not at all; one in the folder is replaced.

    The temperature stays: it was fitted to corrupted photos too, which are not at hand. Stored answers are carried on:
    the columns that did not change are as measured, the new ones follow from the embeddings in the gallery.

    Args:
        bundle: that was taught.
        kept: the lesson.
        folder: of the new bundle, which is called as it.
        gallery: the bundle's; None loads it.
        linked: whether the files that do not change are links to the bundle's, for a folder that does not last.
    """
    space = _grown_space(bundle, kept, gallery)
    changes: dict[str, Any] = {"calibration": _calibration(bundle, kept, gallery)}
    if space is not None:
        assert bundle.manifest.confidence is not None
        changes["confidence"] = replace(bundle.manifest.confidence, figures={}, novelty_figures={})

    def more(writer: BundleWriter) -> None:
        for split in _CARRIED:
            said = _stored_answers(bundle, split)
            if said is not None:
                now = replace(said, logits=_carried(bundle, said, kept, gallery).astype(np.float32))
                _write_answers(writer, split, now)
        if space is not None:
            writer.add_npz(DISCRIMINANT_FILE, compressed=True, **space.arrays())

    return write_taught(bundle, kept.after, folder, more=more, linked=linked, **changes)


def taught_name(bundle: Bundle) -> str:
    """What a bundle is called after its first lesson; later ones keep the name."""
    return bundle.name if bundle.has(TAUGHT_FILE) else f"{bundle.name}_taught"


def _compared(
    bundle: Bundle, before: TaughtModel, after: TaughtModel, taught: Taught | None, gallery: Gallery | None
) -> Proposal:
    said = _stored_answers(bundle, "validation")
    if said is None:
        return Proposal(before, after, taught, None, None)
    embeddings = answered_photos(bundle, said.ids, said.logits, before.head, gallery)
    change = cost(before.head, after.head, Examples(embeddings, said.labels - 1))
    return Proposal(before, after, taught, said, change)


def _stored_answers(bundle: Bundle, split: str) -> Predictions | None:
    name = predictions_file(split)
    if not bundle.has(name) or FORMAT not in stored_precisions(bundle.path(name)):
        return None
    return load_predictions(bundle.path(name), FORMAT)


def _carried(bundle: Bundle, said: Predictions, kept: Proposal, gallery: Gallery | None) -> NDArray[np.float64]:
    embeddings = answered_photos(bundle, said.ids, said.logits, kept.before.head, gallery)
    return carried_logits(said.logits, embeddings, kept.before, kept.after)


def _write_answers(writer: BundleWriter, split: str, said: Predictions) -> None:
    writer.add_file(
        predictions_file(split),
        lambda path: save_predictions(path, said.ids, said.labels, {FORMAT: said.logits}),
    )


def _calibration(bundle: Bundle, kept: Proposal, gallery: Gallery | None) -> Any:
    """The bundle's calibration, with a threshold fitted anew where its validation photos were not learnt from."""
    calibration, said = bundle.calibration, kept.validation
    if calibration is None or said is None or not bundle.fitted_splits or "validation" in bundle.fitted_splits:
        return calibration
    logits, labels = _carried(bundle, said, kept, gallery), said.labels
    if kept.taught is not None:
        logits = np.concatenate([logits, kept.taught.held_out])
        labels = np.append(labels, np.full(kept.photos, kept.taught.column + 1))
    told = softmax(logits, calibration.temperature)
    threshold = fit_conformal_threshold(told, labels, calibration.conformal_coverage)
    return replace(calibration, conformal_threshold=threshold)


def _grown_space(bundle: Bundle, kept: Proposal, gallery: Gallery | None) -> DiscriminantSpace | None:
    """Where the classes lie once the lesson is kept; None for a bundle without one confidence."""
    if bundle.manifest.confidence is None:
        return None
    space = discriminant_space(bundle)
    classes = len(kept.after.class_names)
    stored = np.bincount(stored_labels(bundle, gallery or gallery_of(bundle)) - 1, minlength=classes)
    was, is_now = (_sums(model.examples, classes) for model in (kept.before, kept.after))
    prototypes = np.zeros((classes, space.prototypes.shape[1]))
    known = space.prototypes[:classes]
    prototypes[: len(known)] = known
    for column in np.flatnonzero((was[1] > 0) | (is_now[1] > 0)):
        total = prototypes[column] * (stored[column] + was[1][column]) - was[0][column] + is_now[0][column]
        prototypes[column] = total / (stored[column] + is_now[1][column])
    return replace(space, prototypes=prototypes.astype(np.float32))


def _sums(examples: Examples, classes: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """The sum of each class's embeddings, (classes, c), and their number, (classes,); further classes do not count."""
    here = examples.columns < classes
    sums = np.zeros((classes, examples.embeddings.shape[1]))
    np.add.at(sums, examples.columns[here], examples.embeddings[here])
    return sums, np.bincount(examples.columns[here], minlength=classes)
