"""A bundle and what it was taught: the lessons, the head that follows from them, and both as a bundle of its own."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from flowers_core.inference.bundle import HEAD_FILE, Bundle, BundleError, load_bundle, model_file
from flowers_core.inference.bundle_writer import BundleWriter
from flowers_core.inference.records.teaching import TaughtClass
from flowers_core.retrieval.gallery import INDEX_FILE, RECORDS_FILE
from flowers_core.retrieval.projection import PROJECTION_FILE
from flowers_core.retrieval.similarity import SIMILARITY_FILE
from flowers_core.retrieval.teaching import Array, Examples, Head, Taught, TeachingError, teach
from flowers_core.storage.files import replace_folder
from flowers_core.storage.npz import NpzError, read_npz

TAUGHT_FILE = "taught.npz"
FORMAT = "int8"
LONGEST_NAME = 80
# What would make a path or a mark-up of a name.
_NOT_IN_NAMES = frozenset("/\\<>[]{}`*_$|#~")
# What a lesson does not change; a bundle need not have the last two.
_SHARED = (model_file(FORMAT), INDEX_FILE, RECORDS_FILE, SIMILARITY_FILE, PROJECTION_FILE)


@dataclass(frozen=True, eq=False)
class Lesson:
    """A class that was taught, or that photos were added to.

    Attributes:
        name: of the class.
        weights, bias: its column from then on, (c,) float64.
        digests: SHA-256 of each of the m photos.
        embeddings: (m, c) float32.
        leave_one_out: as `Taught` has it.
    """

    name: str
    weights: NDArray[np.float64]
    bias: float
    digests: tuple[str, ...]
    embeddings: NDArray[np.float32]
    leave_one_out: float


@dataclass(frozen=True, eq=False)
class TaughtModel:
    """A model's head as it was trained, and the lessons since.

    Attributes:
        model: SHA-256 of the INT8 model that the embeddings are of.
        classes: names that the trained head knows.
        base: that head.
        lessons: in order.
    """

    model: str
    classes: tuple[str, ...]
    base: Head
    lessons: tuple[Lesson, ...] = ()

    @property
    def class_names(self) -> tuple[str, ...]:
        """The names of all classes, new ones last, in the order of the head's columns."""
        return tuple(dict.fromkeys((*self.classes, *(lesson.name for lesson in self.lessons))))

    @property
    def head(self) -> Head:
        """The head after all lessons."""
        head, names = self.base, self.class_names
        for lesson in self.lessons:
            head = head.with_column(names.index(lesson.name), lesson.weights, lesson.bias)
        return head

    @property
    def examples(self) -> Examples:
        """The photos of all lessons."""
        names = self.class_names
        columns = [names.index(lesson.name) for lesson in self.lessons for _ in lesson.digests]
        empty = np.empty((0, len(self.base.weights)), np.float32)
        embeddings = np.concatenate([empty, *(lesson.embeddings for lesson in self.lessons)])
        return Examples(embeddings.astype(np.float64), np.array(columns, np.int64))

    def learn(
        self, name: str, digests: Sequence[str], embeddings: ArrayLike, known: Examples
    ) -> tuple[TaughtModel, Taught]:
        """This model and one lesson more.

        Args:
            name: of the class, a new one or one that is there.
            digests: SHA-256 of each photo; one that is there twice, or that was given to the class before, counts once.
            embeddings: (m, c) of the photos.
            known: the stored photos that the trained head has learnt.

        Raises:
            TeachingError: a name that is none, a photo that was taught as another class, or too few photos.
        """
        name = _checked_name(name, self.class_names)
        taught_as = {digest: lesson.name for lesson in self.lessons for digest in lesson.digests}
        for digest in digests:
            if taught_as.get(digest, name) != name:
                raise TeachingError(f"One of the photos was taught as '{taught_as[digest]}'; undo that lesson first.")
        fresh: dict[str, int] = {}
        for row, digest in enumerate(digests):
            if digest not in taught_as:
                fresh.setdefault(digest, row)
        new = np.asarray(embeddings, np.float32)[list(fresh.values())]
        if not len(new):
            raise TeachingError(f"'{name}' knows these photos already; give others.")
        column = self.class_names.index(name) if name in self.class_names else None
        taught = teach(self.head, known.joined(self.examples), new, column)
        lesson = Lesson(
            name,
            taught.head.weights[:, taught.column],
            float(taught.head.bias[taught.column]),
            tuple(fresh),
            new,
            taught.leave_one_out,
        )
        return replace(self, lessons=(*self.lessons, lesson)), taught

    def undone(self) -> TaughtModel:
        """This model without its last lesson. Raises TeachingError where there is none."""
        if not self.lessons:
            raise TeachingError("Nothing was taught, so there is nothing to undo.")
        return replace(self, lessons=self.lessons[:-1])

    def arrays(self) -> dict[str, ArrayLike]:
        """The content of `TAUGHT_FILE`, by name."""
        stacked: dict[str, Any] = {
            "names": np.array([lesson.name for lesson in self.lessons], np.str_),
            "weights": np.array([lesson.weights for lesson in self.lessons]).reshape(-1, len(self.base.weights)),
            "biases": np.array([lesson.bias for lesson in self.lessons], np.float64),
            "leave_one_out": np.array([lesson.leave_one_out for lesson in self.lessons], np.float64),
            "counts": np.array([len(lesson.digests) for lesson in self.lessons], np.int64),
            "digests": np.array([digest for lesson in self.lessons for digest in lesson.digests], np.str_),
            "embeddings": self.examples.embeddings.astype(np.float32),
        }
        return {
            "model": self.model,
            "classes": np.array(self.classes, np.str_),
            "base_weights": self.base.weights.astype(np.float32),
            "base_bias": self.base.bias.astype(np.float32),
            **stacked,
        }


def taught_model(bundle: Bundle) -> TaughtModel:
    """What a bundle was taught; no lessons where it is as it was trained. Raises BundleError for a damaged one."""
    model = bundle.digest(model_file(FORMAT))
    if model is None:
        raise BundleError(f"'{bundle.name}' has no INT8 model, whose embeddings a class is taught by.")
    if not bundle.has(TAUGHT_FILE):
        weights, bias = bundle.head()
        return TaughtModel(model, bundle.class_names, Head(weights.astype(np.float64), bias.astype(np.float64)))
    try:
        found = read_npz(bundle.path(TAUGHT_FILE))
        starts = np.cumsum([0, *found["counts"]])[:-1]
        lessons = zip(
            found["names"].tolist(),
            found["weights"].astype(np.float64),
            found["biases"].tolist(),
            [tuple(each.tolist()) for each in np.split(found["digests"], starts)[1:]],
            np.split(found["embeddings"].astype(np.float32), starts)[1:],
            found["leave_one_out"].tolist(),
            strict=True,
        )
        base = Head(found["base_weights"].astype(np.float64), found["base_bias"].astype(np.float64))
        known = TaughtModel(
            str(found["model"]), tuple(found["classes"].tolist()), base, tuple(Lesson(*each) for each in lessons)
        )
    except (NpzError, KeyError, ValueError, TypeError) as error:
        raise BundleError(f"{TAUGHT_FILE} of '{bundle.name}' is damaged; teach the model anew.") from error
    if known.model != model or known.class_names != bundle.class_names:
        raise BundleError(f"{TAUGHT_FILE} of '{bundle.name}' belongs to another model; teach the model anew.")
    return known


def carried_logits(logits: ArrayLike, embeddings: ArrayLike, before: TaughtModel, after: TaughtModel) -> Array:
    """What a model says after lessons, of photos whose logits are known from before: only changed columns are new.

    Args:
        logits: (n, classes before).
        embeddings: (n, c) of the same photos.
        before, after: the model then and now.
    """
    known, found = np.asarray(logits, np.float64), after.head.logits(embeddings)
    for column, name in enumerate(after.class_names):
        if name not in before.class_names:
            continue
        was = before.class_names.index(name)
        if (after.head.weights[:, column] == before.head.weights[:, was]).all():
            found[:, column] = known[:, was]
    return found


def write_taught(
    bundle: Bundle,
    taught: TaughtModel,
    folder: Path,
    *,
    more: Callable[[BundleWriter], None] | None = None,
    linked: bool = False,
    **changes: Any,
) -> Bundle:
    """Write a taught model as a bundle of its own, whole or not at all; one in the folder is replaced.

    Args:
        bundle: whose graph, gallery and origin it has; its measured figures do not hold any more and are left out.
        taught: what it knows.
        folder: of the new bundle, which is called as it.
        more: adds what else was worked out anew.
        linked: whether the files that it shares with the bundle are links, for a folder that does not last.
        changes: entries of the manifest that were worked out anew, such as the calibration.
    """
    held = bundle.manifest
    kept = ("training", "data", "quantization", "gallery", "knn", "latency", "calibration", "calibration_source")
    entries = {name: getattr(held, name) for name in kept} | changes
    lessons = tuple(TaughtClass(each.name, len(each.digests), each.leave_one_out) for each in taught.lessons)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".teaching-", dir=folder.parent) as beside:
        writer = BundleWriter.create(
            Path(beside) / "new",
            name=folder.name,
            backbone=held.backbone,
            crop_rule=held.input,
            classes=taught.class_names,
        )
        for name in filter(bundle.has, _SHARED):
            if linked:
                writer.add_link(bundle.path(name), held.files[name])
            else:
                writer.add_bytes(name, bundle.path(name).read_bytes())
        head = taught.head
        writer.add_npz(HEAD_FILE, W=head.weights.astype(np.float32), b=head.bias.astype(np.float32))
        writer.add_npz(TAUGHT_FILE, compressed=True, **taught.arrays())
        if more is not None:
            more(writer)
        writer.update(taught=lessons, **entries)
        replace_folder(writer.folder, folder, Path(beside) / "old")
    return load_bundle(folder)


def _checked_name(name: str, known: Sequence[str]) -> str:
    """The name as the model has it already, or as it was given. Raises TeachingError for what cannot be one."""
    plain = " ".join(name.split())
    words = any(character.isalnum() for character in plain)
    if not words or len(plain) > LONGEST_NAME or not plain.isprintable() or set(plain) & _NOT_IN_NAMES:
        raise TeachingError(
            f"{name[:LONGEST_NAME]!r} cannot name a flower: use up to {LONGEST_NAME} letters, digits, spaces, hyphens "
            "and apostrophes, and no slashes or brackets."
        )
    return next((each for each in known if each.casefold() == plain.casefold()), plain)
