"""The samples' order, batches and progress."""

import numpy as np
import pytest

from flowers_core.explain.explanation import ClassTarget
from flowers_core.explain.lime.sampler import Sampler
from flowers_core.explain.lime.superpixels import SegmentedPhoto
from flowers_core.explain.perturbation import ExplanationStopped, log_odds
from tests.explain.lime.drawn import SQUARES, photo, smooth_logits

TARGET = ClassTarget(1)
DRAWN = SegmentedPhoto(photo(), SQUARES)


def sampler(model=smooth_logits, *, samples=70, progress=None) -> Sampler:
    return Sampler(DRAWN, model, TARGET, 1.5, samples=samples, batch_size=32, seed=0, progress=progress)


def test_each_batch_adds_to_the_samples():
    ours, sizes = sampler(), []
    for masks, found in ours.batches():
        sizes.append(len(masks))
        np.testing.assert_allclose(found, log_odds(smooth_logits(DRAWN.masked(masks)), TARGET, 1.5), atol=1e-6)
    assert sizes == [33, 65, 70]
    assert masks[0].all()
    # Pairs: hardly any superpixel is shown by both, and none is hidden by both.
    assert (masks[1:65:2] ^ masks[2:65:2]).mean() > 0.95
    assert (masks[1:65:2] | masks[2:65:2]).all()
    assert ours.whole_log_odds == found[0]
    assert ours.baseline_log_odds == pytest.approx(log_odds(smooth_logits(DRAWN.baseline[None]), TARGET, 1.5)[0])


def test_progress_and_batches():
    sizes, calls = [], []

    def model(batch):
        sizes.append(len(batch))
        return smooth_logits(batch)

    list(sampler(model, progress=lambda done, total: calls.append((done, total))).batches())
    assert calls == [(0, 70), (33, 70), (65, 70), (70, 70)]
    assert sizes == [34, 32, 5]  # the first also has the baseline and the whole photo, beside 16 pairs


@pytest.mark.parametrize(("stop_at", "photos_seen"), [(0, 0), (33, 34), (65, 66)])
def test_a_false_from_progress_stops_at_once(stop_at, photos_seen):
    seen = []

    def model(batch):
        seen.extend(batch)
        return smooth_logits(batch)

    stopped = sampler(model, samples=500, progress=lambda done, _: done < stop_at)
    with pytest.raises(ExplanationStopped, match=f"after {stop_at} of 500"):
        list(stopped.batches())
    assert len(seen) == photos_seen
