"""How well a class is taught: classes are taken out of a head, taught again from a few photos, and asked about.

What is left out of the head is left out of all that goes by it: the stored photos, the space of the confidence. The
network itself has seen the classes unless its embeddings are those of another training.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from flowers_core.data.batches import input_batches
from flowers_core.data.dataset import Dataset
from flowers_core.data.progress import Track, untracked
from flowers_core.inference.bundle import Bundle
from flowers_core.inference.confidence import evidence_of, signals_of
from flowers_core.inference.confidence_model import SIGNALS
from flowers_core.inference.discriminant import DiscriminantSpace, fit_discriminant_space
from flowers_core.inference.prediction import softmax
from flowers_core.inference.records.teaching import TeachingFigures
from flowers_core.inference.runtime import Forward, open_runtime
from flowers_core.retrieval.lesson_photos import stored_photos
from flowers_core.retrieval.taught_model import FORMAT
from flowers_core.retrieval.teaching import Examples, Head, TeachingError, teach

#: Photos that a lesson is given.
PHOTOS = (10, 3)
#: Classes that are left out, and how many of them are taught one after the other.
CLASSES, IN_A_ROW = 20, 5

_BATCH = 16


@dataclass(frozen=True, eq=False)
class Trial:
    """A head without some classes, and the same head once it was taught them.

    Attributes:
        photos: given to each lesson.
        taught: labels of the classes, 1-based.
        before, after: the heads.
        labels: (classes,) of the columns of `after`; `before` has all but the last `len(taught)`.
        space: where the classes lie after the lessons; None for a bundle without one confidence.
    """

    photos: int
    taught: tuple[int, ...]
    before: Head
    after: Head
    labels: NDArray[np.int64]
    space: DiscriminantSpace | None = None


#: Which of n answers with logits (n, classes) of a trial are given without doubt: (n,).
Sure: TypeAlias = Callable[[Trial, NDArray[np.float64]], NDArray[np.bool_]]


@dataclass(eq=False)
class Tally:
    """Answers to photos, counted over the trials of one kind.

    Attributes:
        classes: label of each class that was taught → its photos, those of them named rightly, those named rightly and
            without doubt, and those that the head of all classes names rightly.
        others: photos of the classes that were not left out, those named rightly before the lessons, and after.
        sure: answers that name a taught class without doubt, and those of them that are right.
        judged: whether doubt was judged.
    """

    classes: dict[int, NDArray[np.int64]] = field(default_factory=dict)
    others: NDArray[np.int64] = field(default_factory=lambda: np.zeros(3, np.int64))
    sure: NDArray[np.int64] = field(default_factory=lambda: np.zeros(2, np.int64))
    judged: bool = False

    def add(
        self, trial: Trial, labels: NDArray[np.int64], embeddings: NDArray[np.floating], sure: Sure | None, full: Head
    ) -> None:
        """Count the answers to n photos.

        Args:
            trial: the heads that answer.
            labels: (n,), 1-based, what the photos show.
            embeddings: (n, c).
            sure: which answers, given logits (n, classes), are without doubt; None where that is not judged.
            full: the head of all classes.
        """
        logits = trial.after.logits(embeddings)
        named = trial.labels[logits.argmax(axis=1)]
        doubtless = np.zeros(len(labels), bool) if sure is None else sure(trial, logits)
        self.judged = sure is not None
        before = trial.labels[trial.before.logits(embeddings).argmax(axis=1)]
        with_all = full.logits(embeddings).argmax(axis=1) + 1
        right = named == labels
        taught = np.isin(labels, trial.taught)
        for label in trial.taught:
            here = labels == label
            found = [
                here.sum(),
                (here & right).sum(),
                (here & right & doubtless).sum(),
                (here & (with_all == label)).sum(),
            ]
            self.classes[label] = self.classes.get(label, np.zeros(4, np.int64)) + np.array(found)
        self.others += [(~taught).sum(), (~taught & (before == labels)).sum(), (~taught & right).sum()]
        claimed = np.isin(named, trial.taught) & doubtless
        self.sure += [claimed.sum(), (claimed & right).sum()]

    def figures(self, **facts: Any) -> TeachingFigures:
        """The figures; `facts` are the fields of them that are not counted."""
        photos, right, surely, with_all = np.stack(list(self.classes.values())).T
        others, before, after = self.others.tolist()
        claimed, claimed_right = self.sure.tolist()
        return TeachingFigures(
            classes=len(self.classes),
            right=float((right / photos).mean()),
            right_untaught=float((with_all / photos).mean()),
            others_before=before / others,
            others_after=after / others,
            sure=float((surely / photos).mean()) if self.judged else None,
            sure_right=claimed_right / claimed if claimed else None,
            **facts,
        )


def drawn_classes(dataset: Dataset, seed: int, count: int = CLASSES) -> list[int]:
    """The labels of the classes that are left out, in the order in which they are taught.

    Args:
        dataset: with all its classes.
        seed: of the draw.
        count: how many.
    """
    return np.random.default_rng(seed).permutation(np.unique(dataset.labels))[:count].tolist()


def require_enough(dataset: Dataset, split: str) -> None:
    """Check that classes can be left out of a data set and taught again.

    Args:
        dataset: the photos.
        split: whose photos the lessons are given.

    Raises:
        TeachingError: there are too few classes or photos; the message says how many there must be.
    """
    classes = len(dataset.names)
    fewest = int(np.bincount(dataset.labels_of(dataset.split_ids(split)), minlength=classes + 1)[1:].min())
    if classes < IN_A_ROW + 2 or fewest < max(PHOTOS):
        raise TeachingError(
            f"Teaching is measured with {IN_A_ROW + 2} classes or more, of {max(PHOTOS)} {split} photos each; here are "
            f"{classes}, of {fewest} or more. `flowers teach BUNDLE NAME PHOTO … --dry-run` says what one lesson costs."
        )


def lesson_ids(dataset: Dataset, labels: Sequence[int], split: str, seed: int) -> dict[int, NDArray[np.int64]]:
    """Photos to teach each class with, as many as the longest lesson takes.

    Args:
        dataset: the photos.
        labels: of the classes.
        split: whose photos they are.
        seed: of the draw.

    Returns:
        Label → ids.
    """
    generator = np.random.default_rng(seed)
    ids = dataset.split_ids(split)
    of_class = {label: ids[dataset.labels_of(ids) == label] for label in labels}
    return {label: generator.permutation(found)[: max(PHOTOS)] for label, found in of_class.items()}


def trials(
    head: Head,
    known: Examples,
    lessons: Mapping[int, NDArray[np.floating]],
    *,
    in_a_row: int,
    counts: Sequence[int] = PHOTOS,
    with_space: bool = False,
) -> Iterator[Trial]:
    """Every trial: each class alone, or so many together.

    Args:
        head: of all classes.
        known: the stored photos of all classes.
        lessons: label → (m, c), the embeddings of the photos to teach the class with, m at least the largest count.
        in_a_row: classes left out together and taught one after the other, at least 1.
        counts: of photos for a lesson.
        with_space: whether the trials need the space of the confidence.
    """
    order = list(lessons)
    for start in range(0, len(order), in_a_row):
        left_out = order[start : start + in_a_row]
        kept = np.setdiff1d(np.arange(head.classes), np.array(left_out) - 1)
        before = Head(head.weights[:, kept], head.bias[kept])
        here = np.isin(known.columns, kept)
        stored = Examples(known.embeddings[here], np.searchsorted(kept, known.columns[here]))
        space = fit_discriminant_space(stored.embeddings, stored.columns + 1, len(kept)) if with_space else None
        for count in counts:
            after, learnt, grown = before, stored, space
            for label in left_out:
                photos = lessons[label][:count].astype(np.float64)
                taught = teach(after, learnt, photos)
                learnt = learnt.joined(Examples(photos, np.full(len(photos), taught.column, np.int64)))
                after = taught.head
                grown = grown and grown.with_prototype(photos.mean(axis=0))
            labels = np.append(kept + 1, left_out)
            yield Trial(count, tuple(left_out), before, after, labels, grown)


def measure(
    head: Head,
    known: Examples,
    lessons: Mapping[int, NDArray[np.floating]],
    asked: Iterable[tuple[NDArray[np.int64], NDArray[np.floating], Sure | None]],
    *,
    with_space: bool = False,
    **facts: Any,
) -> tuple[TeachingFigures, ...]:
    """Teach classes alone and in a row, with each number of photos, and ask about other photos.

    Args:
        head, known, lessons, with_space: as for `trials`.
        asked: labels (n,), embeddings (n, c) and what tells the sure answers, of n photos at a time.
        **facts: entries of the figures that are not counted here.
    """
    kinds = {rows: list(trials(head, known, lessons, in_a_row=rows, with_space=with_space)) for rows in (1, IN_A_ROW)}
    tallies = {(rows, count): Tally() for rows in kinds for count in PHOTOS}
    for labels, embeddings, sure in asked:
        for rows, of_kind in kinds.items():
            for trial in of_kind:
                tallies[rows, trial.photos].add(trial, labels, embeddings, sure, head)
    return tuple(tally.figures(photos=photos, in_a_row=rows, **facts) for (rows, photos), tally in tallies.items())


def evaluate_teaching(
    bundle: Bundle, dataset: Dataset, split: str, *, lesson_split: str, seed: int = 0, track: Track = untracked
) -> tuple[TeachingFigures, ...]:
    """Teach a bundle's own classes again and ask it about a split's photos, as *Identify* would answer them.

    Args:
        bundle: with a gallery, a calibration and an INT8 model.
        dataset: that it was trained on.
        split: whose photos are asked about.
        lesson_split: whose photos the lessons are given, another one.
        seed: draws the classes and the photos.
        track: watches the photos pass.

    Raises:
        TeachingError: there are too few classes or photos.
    """
    require_enough(dataset, lesson_split)
    weights, bias = bundle.head()
    head = Head(weights.astype(np.float64), bias.astype(np.float64))
    runtime = open_runtime(bundle, FORMAT)

    def passes(photo_ids: NDArray[np.int64], title: str) -> Iterator[tuple[NDArray[np.int64], Forward]]:
        batches = input_batches(dataset, photo_ids, bundle.crop_rule, batch_size=_BATCH)
        for number, batch in enumerate(track(batches, title, -(-len(photo_ids) // _BATCH))):
            yield dataset.labels_of(photo_ids[number * _BATCH :][: len(batch)]), runtime.forward(batch)

    given = lesson_ids(dataset, drawn_classes(dataset, seed), lesson_split, seed)
    seen = list(passes(np.concatenate(list(given.values())), "photos of the lessons"))
    of_lessons = np.concatenate([labels for labels, _ in seen])
    embeddings = np.concatenate([forward.embedding for _, forward in seen])
    lessons = {label: embeddings[of_lessons == label] for label in given}
    known = stored_photos(bundle, float(np.median(np.linalg.norm(embeddings, axis=1))))
    asked = (
        (labels, forward.embedding, partial(sure_answers, bundle, forward))
        for labels, forward in passes(dataset.split_ids(split), f"{split} photos")
    )
    with_space = bundle.manifest.confidence is not None
    facts = {"embeddings": "own", "split": split, "lesson_split": lesson_split}
    return measure(head, known, lessons, asked, with_space=with_space, **facts)


def sure_answers(bundle: Bundle, forward: Forward, trial: Trial, logits: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which of n answers *Identify* gives without doubt: (n,).

    Args:
        bundle: whose rules decide: its one confidence, or its calibration.
        forward: the photos' outputs.
        trial: the head that answers.
        logits: (n, classes), its answers.
    """
    record = bundle.manifest.confidence
    if record is None or trial.space is None:
        calibration = bundle.require_calibration()
        probabilities = softmax(logits, calibration.temperature)
        alone = (1 - probabilities <= calibration.conformal_threshold).sum(axis=1) == 1
        return alone & (probabilities.max(axis=1) >= calibration.unsure_below)
    answered = Forward(logits.astype(np.float32), forward.features, forward.embedding)
    weights, bias = trial.after.weights.astype(np.float32), trial.after.bias.astype(np.float32)
    signals = signals_of(evidence_of(answered, weights, bias), trial.space)
    near, odds = signals[:, SIGNALS.index("nearness")], signals[:, SIGNALS.index("log_odds")]
    return (record.model.confidence(signals) >= record.model.sure_from) & ~record.novelty.looks_like_none(near, odds)
