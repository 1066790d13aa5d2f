"""Which photos confidence is fitted to and measured by, as a bundle's INT8 model sees them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from flowers_core.data.batches import stratified_sample
from flowers_core.data.corruptions import SEED
from flowers_core.data.dataset import Dataset
from flowers_core.data.download.external import NO_FLOWER, NO_FLOWER_FOR_FITTING
from flowers_core.data.no_flower import pictures_without_flower
from flowers_core.data.photo_files import photos_in
from flowers_core.data.photos import open_photo
from flowers_core.data.progress import Track, untracked
from flowers_core.evaluation.evidence import NO_CLASS, Observed, Shown, clean_photos, corrupted_photos, observe
from flowers_core.evaluation.looks_fit import DoubtfulPhoto, doubtful_photos
from flowers_core.inference.bundle import Bundle
from flowers_core.inference.reading import Reader
from flowers_core.inference.runtime import open_runtime

# Of a split so many photos are corrupted, as evenly over the classes as they go.
SAMPLE = 1020
# Of each kind of drawn picture, and of each sample picture, so many are made.
_DRAWN, _CROPS = 40, 16
# Dozens of crops of each doubtful picture are looked at, so fewer pictures do: so many corrupted photos, each under one
# corruption, and of each kind of drawn picture, and of each sample picture, so many.
_CORRUPTED_LOOKS, _OTHER_LOOKS = 408, 5


@dataclass(frozen=True)
class ConfidencePhotos:
    """The sets of photos, each seen when it is first asked for.

    Attributes:
        bundle: whose model sees them.
        flowers: the data set.
        rounds: under how many of the corruptions each corrupted photo is seen, 1…14.
        cache: a folder that keeps what was seen; None for none.
        track: watches the photos pass.
        most: photos of a split that are looked at, as evenly over the classes as they go; None looks at all clean
            ones, and at `SAMPLE` corrupted ones.
        drawn: pictures of each kind of drawn ones, and crops of each sample picture; None for the usual numbers.
        external: the folder of external photos; those in it that show no flower and are for fitting join the pictures
            without a flower. None for none.
    """

    bundle: Bundle
    flowers: Dataset
    rounds: int
    cache: Path | None = None
    track: Track = untracked
    most: int | None = None
    drawn: int | None = None
    external: Path | None = None

    def clean(self, *splits: str) -> Observed:
        """The photos of these splits, or `most` of each."""
        ids = np.concatenate([self._ids(split) for split in splits])
        return self._observed(clean_photos(self.flowers, ids), f"{' and '.join(splits)} photos", len(ids))

    def corrupted(self, split: str) -> Observed:
        """A sample of a split's photos, each under `rounds` corruptions."""
        ids = stratified_sample(self.flowers, split, self.most or SAMPLE, SEED)
        shown = corrupted_photos(self.flowers, ids, self.rounds)
        return self._observed(shown, f"{split} photos, each corrupted {self.rounds} times", len(ids) * self.rounds)

    def without_flower(self) -> Observed:
        """Drawn pictures and crops of sample pictures, those of one picture in one group; then photos for fitting."""
        pictures = list(pictures_without_flower(self.drawn or _DRAWN, self.drawn or _CROPS))
        sources = sorted({picture.source for picture in pictures})
        shown = (Shown(picture.pixels, NO_CLASS, -1 - sources.index(picture.source)) for picture in pictures)
        paths = self.photos_for_fitting()
        every = chain(shown, _without_flower(paths, -1 - len(sources)))
        total = len(pictures) + len(paths)
        return self._observed(every, f"{total} pictures without a flower", total)

    def photos_for_fitting(self) -> list[Path]:
        """The external photos without a flower that are for fitting; empty where there are none."""
        return [] if self.external is None else photos_in(self.external / NO_FLOWER_FOR_FITTING)

    def external_without_flower(self) -> Observed | None:
        """The external photos without a flower that are for measuring; None where there are none."""
        paths = [] if self.external is None else photos_in(self.external / NO_FLOWER)
        shown = _without_flower(paths, -1)
        return self._observed(shown, "external photos without a flower", len(paths)) if paths else None

    def doubtful(
        self, split: str, reader: Reader
    ) -> tuple[list[DoubtfulPhoto], list[DoubtfulPhoto], list[DoubtfulPhoto]]:
        """What one look leaves in doubt: clean photos, corrupted ones, and pictures without a flower.

        Args:
            split: of the photos.
            reader: reads what the model says.
        """
        runtime = open_runtime(self.bundle, "int8")

        def found(shown: Iterable[Shown], title: str, total: int) -> list[DoubtfulPhoto]:
            return list(doubtful_photos(self.bundle, runtime, reader, self.track(shown, title, total)))

        ids, few = self.flowers.split_ids(split), stratified_sample(self.flowers, split, _CORRUPTED_LOOKS, SEED)
        pictures = [Shown(one.pixels, NO_CLASS, 0) for one in pictures_without_flower(_OTHER_LOOKS, _OTHER_LOOKS)]
        paths = self.photos_for_fitting()
        others = chain(pictures, _without_flower(paths, -1))
        return (
            found(clean_photos(self.flowers, ids), f"looks at {split} photos", len(ids)),
            found(corrupted_photos(self.flowers, few, 1), f"looks at corrupted {split} photos", len(few)),
            found(others, "looks at other pictures", len(pictures) + len(paths)),
        )

    def _ids(self, split: str) -> NDArray[np.int64]:
        if self.most is None:
            return self.flowers.split_ids(split)
        return stratified_sample(self.flowers, split, self.most, SEED)

    def _observed(self, shown: Iterable[Shown], key: str, total: int) -> Observed:
        return observe(self.bundle, shown, key=key, cache=self.cache, track=self.track, total=total)


def _without_flower(paths: Sequence[Path], first_group: int) -> Iterator[Shown]:
    """The photos, each a group of its own, counted down from the first."""
    return (Shown(open_photo(path).pixels, NO_CLASS, first_group - row) for row, path in enumerate(paths))
