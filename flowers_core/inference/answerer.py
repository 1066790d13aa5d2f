"""The answer to a photo, from one look or from several: one way for the page, the command line and every evaluation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from numpy.typing import NDArray

from flowers_core.data.model_input import model_input
from flowers_core.data.photos import PixelBox
from flowers_core.data.taxonomy import Taxonomy
from flowers_core.inference.bundle import Bundle
from flowers_core.inference.confidence import tempered
from flowers_core.inference.confidence_head import confidence_head
from flowers_core.inference.looks_rule import agreeing_crops, combined
from flowers_core.inference.multi_crop import consensus_scores, crop_boxes, crop_inputs
from flowers_core.inference.prediction import Prediction, taxa_of
from flowers_core.inference.prototypes import Prototypes
from flowers_core.inference.reading import Reader, TemperatureReader, judged
from flowers_core.inference.runtime import Forward, Runtime


@dataclass(frozen=True)
class Looks:
    """What crops of a photo said, where the whole photo left doubt.

    Attributes:
        crops: how many were looked at.
        agreeing: how many of these name the answer; 0 where none that does looks like it.
        box: the crop that decided, left, top, right, bottom in pixels of the photo; None where none did.
        probability: of the answer in that crop alone, in [0, 1]; 0 where there is none.
    """

    crops: int
    agreeing: int
    box: PixelBox | None
    probability: float


@dataclass(frozen=True, eq=False)
class Answer:
    """The answer to a photo.

    Attributes:
        prediction: from all looks; that of the whole photo where no crop looks like what it names.
        whole: from the whole photo alone; the same where that was enough.
        looks: what the crops said; None where none was looked at.
    """

    prediction: Prediction
    whole: Prediction
    looks: Looks | None = None


@dataclass(frozen=True, eq=False)
class Answerer:
    """Answers photos with one of a bundle's models.

    Attributes:
        bundle: the bundle.
        runtime: its model.
        taxonomy: its classes.
        reader: how its forward passes are read, and how several looks become one answer.
    """

    bundle: Bundle
    runtime: Runtime
    taxonomy: Taxonomy
    reader: Reader

    def first_look(self, forward: Forward) -> Prediction:
        """The answer from one forward pass over the whole photo."""
        return self.reader.predict(forward, self.taxonomy)

    def answer(self, pixels: NDArray[np.uint8], forward: Forward | None = None) -> Answer:
        """The answer to a photo. Where the whole photo leaves no doubt, it takes a single forward pass.

        Args:
            pixels: (h, w, 3) uint8 RGB.
            forward: the pass over the whole photo, where it was made already.
        """
        if forward is None:
            forward = self.runtime.forward(model_input(pixels, self.bundle.crop_rule).pixels[None])
        whole = self.first_look(forward)
        familiar = whole.sure or bool(self.reader.read(forward).familiar[0])
        asked = not whole.sure and (familiar or self.reader.looks.asks_novel)
        boxes = crop_boxes(pixels.shape[1], pixels.shape[0]) if asked else []
        return self._of_all_looks(pixels, whole, boxes, familiar=familiar) if boxes else Answer(whole, whole)

    def _of_all_looks(
        self, pixels: NDArray[np.uint8], whole: Prediction, boxes: list[PixelBox], *, familiar: bool
    ) -> Answer:
        rule = self.reader.looks
        reading = self.reader.read(self.runtime.forward(crop_inputs(pixels, boxes, self.bundle.crop_rule)))
        probabilities = combined(whole.probabilities, reading.probabilities, rule)
        column = int(probabilities.argmax())
        agreeing = agreeing_crops(reading.probabilities, reading.familiar, column, rule)
        if not len(agreeing):
            # Neither the whole nor a part may look like a flower that it knows; nothing is said of such a photo.
            prediction = whole if familiar else replace(whole, verdict="unsure", strange=True)
            return Answer(prediction, whole, Looks(len(boxes), 0, None, 0.0))
        of_answer = reading.probabilities[agreeing, column]
        best = int(agreeing[consensus_scores(of_answer, [boxes[at] for at in agreeing]).argmax()])
        looks = Looks(len(boxes), len(agreeing), boxes[best], float(reading.probabilities[best, column]))
        bar = rule.sure_from if familiar else rule.novel_sure_from
        certain = float(probabilities[column])
        if rule.certainty is not None:
            likeness = reading.familiar[agreeing].sum() / len(boxes)
            answered = (certain, whole.probabilities[column], len(agreeing) / len(boxes), likeness)
            certain = float(rule.certainty.probability(*([value] for value in answered))[0])
        if certain != probabilities[column]:
            probabilities = tempered(np.log(probabilities)[None], np.array([certain]))[0]
        taxa = taxa_of(probabilities, self.taxonomy)
        prediction = judged(probabilities, taxa, self.reader, bar, novel=False)
        return Answer(replace(prediction, strange=not familiar), whole, looks)


def open_answerer(
    bundle: Bundle, runtime: Runtime, prototypes: Callable[[], Prototypes | None] = lambda: None
) -> Answerer:
    """What answers photos with one of a bundle's models, with one confidence where the bundle has the rules for that.

    Args:
        bundle: the bundle.
        runtime: its model.
        prototypes: gives its classes' prototypes; asked once, where a bundle without a confidence needs them.

    Raises:
        BundleError: the bundle is not calibrated.
    """
    by_temperature = TemperatureReader(bundle.require_calibration(), cache(prototypes))
    return Answerer(bundle, runtime, bundle.taxonomy, confidence_head(bundle) or by_temperature)
