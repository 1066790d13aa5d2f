"""LIME with a surrogate at each position, on a network whose positions work together with their neighbours."""

import numpy as np
import pytest

from flowers_core.explain.explanation import ClassTarget
from flowers_core.explain.lime.explain import explain_lime
from flowers_core.explain.lime.options import LimeOptions
from flowers_core.inference.runtime import Forward
from tests.explain.lime.drawn import SIZE, SQUARES, photo
from tests.fixtures.subjects import subject

HEAD = np.random.default_rng(4).normal(size=(6, 5))


def forward(batch: np.ndarray) -> Forward:
    """A feature map of 4 × 4 positions: each sees its square, and its products with two and with four neighbours."""
    pixels = batch.reshape(len(batch), 4, 8, 4, 8, 3)
    # A square of one colour is hidden, and counts as nothing.
    squares = np.where(np.ptp(pixels, axis=(2, 4)) > 0, pixels.mean(axis=(2, 4)) / 255 - 0.5, 0)
    around = np.pad(squares, ((0, 0), (1, 1), (1, 1), (0, 0)))
    beside = [around[:, y : y + 4, x : x + 4] for y, x in ((0, 1), (1, 0), (1, 2), (2, 1))]
    up, left, right, down = beside
    together = 4 * squares * (1 + 20 * up * down + 20 * left * right + 100 * up * left * right * down)
    features = np.maximum(np.concatenate([together, -together], axis=-1), 0).astype(np.float32)
    embedding = features.mean(axis=(1, 2))
    return Forward(
        logits=(8 * embedding @ HEAD + [0, 1, 0, 0, -1]).astype(np.float32), features=features, embedding=embedding
    )


def two_classes(batch: np.ndarray) -> Forward:
    found = forward(batch)
    return Forward(found.embedding @ HEAD[:, :2].astype(np.float32), found.features, found.embedding)


def explain(
    label, *, positions=True, model=forward, head=8 * HEAD, superpixels=SQUARES, seed=0, temperature=1.0, **more
):
    """LIME over the squares, per position or by regression; all samples unless told otherwise."""
    seen = subject(
        photo(3),
        lambda batch: model(batch).logits,
        forward=model if positions else None,
        head=head,
        temperature=temperature,
    )
    options = LimeOptions(**{"top": 0, **more})
    return explain_lime(seen, ClassTarget(label), superpixels=superpixels, seed=seed, options=options)


def test_runs_agree_better_and_find_what_regression_finds_in_many_samples():
    many = explain(2, positions=False, samples=8001, batch_size=500).terms
    by_regression, by_position = (
        [explain(2, positions=positions, samples=65, seed=seed) for seed in range(8)] for positions in (False, True)
    )
    spreads = [np.std([run.terms for run in runs], axis=0).mean() for runs in (by_regression, by_position)]
    print("spread by regression and per position:", spreads, np.corrcoef(by_position[0].terms, many)[0, 1])
    assert spreads[1] < 0.75 * spreads[0]
    assert np.corrcoef(by_position[0].terms, many)[0, 1] > 0.97
    one, other = by_regression[0].settings, by_position[0].settings
    assert (one["per_position"], other["per_position"]) == (False, True)
    assert other["probability"] == one["probability"]
    assert other["baseline_probability"] == one["baseline_probability"]
    assert 0 < other["r2_left_out"] < other["r2"] <= 1
    assert by_position[0].value == pytest.approx(by_position[0].terms.sum(), abs=1e-6)


def test_the_batches_make_no_difference_and_the_seed_does():
    def run(**options):
        return explain(1, samples=90, **options).terms

    np.testing.assert_array_equal(run(seed=1), run(seed=1))
    np.testing.assert_allclose(run(seed=1, batch_size=7), run(seed=1, batch_size=64), atol=1e-5)
    assert np.abs(run(seed=1) - run(seed=2)).max() > 1e-4


def test_the_temperature_divides():
    cold, warm = (
        explain(1, model=two_classes, head=HEAD[:, :2], samples=65, temperature=temperature).terms
        for temperature in (1.0, 2.0)
    )
    np.testing.assert_allclose(warm, cold / 2, rtol=1e-4, atol=1e-6)  # of two classes the rival is always the other


def test_it_ends_when_the_ranking_has_converged_and_gives_intervals():
    explained = explain(2, samples=2001, top=2)
    assert explained.settings["converged"]
    assert explained.settings["samples"] < 2001
    assert (explained.margins > 0).all()


def test_more_superpixels_get_more_samples():
    """A balanced block of 64 pairs for 64 superpixels; up to 32 the samples are as many."""
    sixty_four = np.arange(SIZE * SIZE).reshape(SIZE, SIZE).astype(np.int32) // 16
    for superpixels, samples in ((SQUARES, 65), (sixty_four, 129)):
        assert explain(1, superpixels=superpixels).settings["samples"] == samples
