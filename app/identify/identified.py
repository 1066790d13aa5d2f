"""What *Identify* knows of the photo at hand: computed once a rerun, handed down to all that draw it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from app.resources import galleries
from app.resources.session import Inference
from flowers_core.data.photo_ref import PhotoRef
from flowers_core.inference.prediction import Prediction

if TYPE_CHECKING:
    from flowers_core.retrieval.knn import KnnPrediction
    from flowers_core.retrieval.user_photos import ExtendedGallery


@dataclass(frozen=True, eq=False)
class Identified:
    """The photo, the answer, and what the known photos say of it.

    What is read from the gallery is computed when it is first asked for, so that the answer need not wait for it.

    Attributes:
        inference: the forward pass that all of it follows from.
        prediction: the answer in probabilities.
        photo: which photo it is, where it is one of those that have an address.
    """

    inference: Inference
    prediction: Prediction
    photo: PhotoRef | None

    @property
    def label(self) -> int:
        """The most probable flower."""
        return self.prediction.candidates[0].label

    @cached_property
    def gallery(self) -> ExtendedGallery | None:
        """The known photos; None when the model comes without a gallery."""
        return galleries.extended_gallery(self.inference.bundle)

    @cached_property
    def itself(self) -> frozenset[PhotoRef]:
        """The photo at hand among the known ones, or the one that it is a part of: no neighbour to learn from."""
        if self.gallery is None:
            return frozenset()
        photo = self.inference.photo
        same = self.gallery.photos_of(photo.crop.whole if photo.crop else photo.sha256)
        return frozenset(same if self.photo is None else (*same, self.photo))

    @cached_property
    def knn(self) -> KnnPrediction | None:
        """What the nearest training photos say; None when the model comes without a rule to ask them by."""
        from flowers_core.retrieval.knn import knn_predict
        from flowers_core.retrieval.user_photos import USER_SPLIT

        bundle = self.inference.bundle
        rule = galleries.knn_rule(bundle)
        if self.gallery is None or rule is None:
            return None
        embedding = self.inference.forward.embedding[0]
        # Of a class that was taught, only the photos of its lesson can speak.
        splits = (*rule.splits, USER_SPLIT) if bundle.manifest.taught else rule.splits
        asked = self.gallery.search(embedding, rule.k, splits=splits, exclude=self.itself)
        return knn_predict(asked, rule, len(bundle.class_names)) if asked else None
