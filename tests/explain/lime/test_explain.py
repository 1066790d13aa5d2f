"""LIME as a whole: against the `lime` package, and on models whose answer is known."""

import copy

import numpy as np
import pytest
from scipy.special import expit, softmax
from sklearn.linear_model import Ridge

from flowers_core.explain.explanation import ClassTarget, ContrastTarget
from flowers_core.explain.lime.explain import explain_lime
from flowers_core.explain.lime.masks import balanced_masks
from flowers_core.explain.lime.options import LimeOptions
from flowers_core.explain.lime.regression import ALPHA
from flowers_core.explain.lime.sampler import KEEP
from flowers_core.explain.lime.superpixels import Segmentation, segment
from flowers_core.explain.lime.surrogate import ridge
from flowers_core.explain.perturbation import ExplanationStopped, log_odds
from tests.explain.lime.drawn import CHEQUERED, SIZE, SQUARES, photo, shown, smooth_logits, two_classes
from tests.fixtures.subjects import subject


def explain(model, pixels, label, *, superpixels=SQUARES, seed=0, progress=None, temperature=1.0, **options):
    """LIME by regression over the squares."""
    return explain_lime(
        subject(pixels, model, temperature=temperature),
        ClassTarget(label),
        superpixels=superpixels,
        options=LimeOptions(**options),
        seed=seed,
        progress=progress,
    )


class PreparedDraws(np.random.RandomState):
    """Hands `lime` the draws that ours made."""

    def __init__(self, masks: np.ndarray) -> None:
        super().__init__(0)
        self.masks = masks

    def randint(self, low, high=None, size=None):
        assert (low, high, size) == (0, 2, self.masks.size)
        return self.masks.astype(int).ravel()

    def __deepcopy__(self, memo):
        return PreparedDraws(copy.deepcopy(self.masks, memo))


def test_same_superpixels_and_same_draws_give_limes_coefficients():
    """The package, told to weigh all samples alike, to take our ridge, and to fit log-odds."""
    from lime.lime_image import LimeImageExplainer

    pixels, samples, label = photo(6), 150, 3
    superpixels = segment(pixels, Segmentation(segments=20))
    count = int(superpixels.max()) + 1
    masks = balanced_masks(samples, count, np.random.default_rng(11), KEEP)

    def answers(batch):
        logits = smooth_logits(batch)
        return np.column_stack([log_odds(logits, ClassTarget(k)) for k in range(1, 6)])

    theirs = LimeImageExplainer(
        random_state=PreparedDraws(masks), kernel=lambda distances, **_: np.ones_like(distances)
    ).explain_instance(
        pixels,
        answers,
        labels=(label - 1,),
        top_labels=None,
        num_samples=samples,
        segmentation_fn=lambda _: superpixels,
        model_regressor=Ridge(alpha=ALPHA, fit_intercept=True),
        random_seed=0,
    )
    ours = explain(smooth_logits, pixels, label, superpixels=superpixels, samples=samples, seed=11, top=0)
    expected = np.array([dict(theirs.local_exp[label - 1])[superpixel] for superpixel in range(count)])
    assert np.ptp(expected) > 0.01
    np.testing.assert_allclose(ours.terms, expected, rtol=1e-5, atol=1e-6)
    assert ours.settings["r2"] == pytest.approx(theirs.score)
    assert ours.settings["intercept"] == pytest.approx(theirs.intercept[label - 1])
    assert ours.settings["surrogate_probability"] == pytest.approx(expit(theirs.local_pred[0]))


def test_a_model_that_looks_at_the_top_left_quarter_is_found_out():
    def model(batch):
        return two_classes(1 + 4 * (batch[:, :16, :16, 0] != 200).mean(axis=(1, 2)))

    explained = explain(model, CHEQUERED, 2, samples=2000, top=0)
    terms = explained.terms.reshape(4, 4).copy()
    # Linear: each of the four squares adds a quarter of 4, less the little that ridge takes away.
    np.testing.assert_allclose(terms[:2, :2], 1, rtol=0.01)
    terms[:2, :2] = 0
    np.testing.assert_allclose(terms, 0, atol=2e-4)
    heat = explained.heatmap()
    assert np.abs(heat[:16, :16]).sum() > 0.98 * np.abs(heat).sum()
    assert explained.has_positive_evidence
    assert explained.settings["r2"] > 0.999
    assert explained.settings["r2_left_out"] > 0.999
    assert explained.settings["baseline_probability"] == pytest.approx(expit(1))
    assert explained.settings["probability"] == pytest.approx(expit(5))


def test_a_model_that_counts_red_is_found_out():
    def model(batch):
        red = (batch[..., 0] > 150) & (batch[..., 1] < 100)
        return two_classes(0.9 * red.mean(axis=(1, 2)) - 0.5)

    pixels = np.full((SIZE, SIZE, 3), 90, np.uint8)
    red_squares = [2, 5, 11]
    # Stripes of red and green: their mean, which hides them, counts as neither.
    pixels[np.isin(SQUARES, red_squares)] = (60, 230, 40)
    pixels[np.isin(SQUARES, red_squares) & (np.indices((SIZE, SIZE))[0] % 2 == 0)] = (220, 30, 40)
    explained = explain(model, pixels, 2, samples=1000, top=0)
    assert sorted(np.argsort(explained.terms)[-3:]) == red_squares
    np.testing.assert_allclose(explained.terms[red_squares], 0.9 / 32, rtol=0.03)
    # The other class loses what this one gains.
    other = explain(model, pixels, 1, samples=1000, top=0)
    np.testing.assert_allclose(other.terms, -explained.terms, atol=1e-9)
    assert not other.has_positive_evidence


def test_terms_are_those_of_a_logistic_model():
    """The odds are e^0.9 times as high with square 3, e^−0.4 with square 8, and lose a third at temperature 1.5."""

    def model(batch):
        squares = shown(batch)
        ahead = 4 + 0.9 * squares[:, 3] - 0.4 * squares[:, 8]
        return np.column_stack([np.zeros(len(batch)), ahead, np.full(len(batch), -50.0)])

    explained = explain(model, CHEQUERED, 2, temperature=1.5)
    expected = np.zeros(16)
    expected[[3, 8]] = 0.9 / 1.5, -0.4 / 1.5
    np.testing.assert_allclose(explained.terms, expected, atol=1e-3)
    assert explained.settings["converged"]
    assert explained.settings["r2_left_out"] > 0.999
    # Of the probability it is no sum: at 0.95 it hardly moves.
    for name, ahead in (("probability", 4.5), ("surrogate_probability", 4.5), ("baseline_probability", 4.0)):
        assert explained.settings[name] == pytest.approx(1 / (1 + np.exp(-ahead / 1.5)), abs=1e-4)


def test_the_probability_of_a_confident_model_is_no_sum_but_its_log_odds_are():
    """Sixteen squares of different weight, of which some three suffice: the top five over seeds at 97 samples."""
    weights = np.linspace(0.2, 2.0, 16)

    def answer(squares):
        together = 0.3 * np.sin(7 * (squares @ np.sqrt(weights)))  # no logistic model either
        return squares @ weights - 2 + together

    def model(batch):
        return two_classes(answer(shown(batch)))

    def hits(coefficients):
        return len(set(np.argsort(-coefficients)[:5]) & {11, 12, 13, 14, 15})

    runs = [explain(model, CHEQUERED, 2, samples=97, seed=seed, top=0) for seed in range(12)]
    masks = [balanced_masks(97, 16, np.random.default_rng(seed), KEEP) for seed in range(12)]
    of_probability = [ridge(drawn, expit(answer(drawn)), ALPHA) for drawn in masks]
    worse = np.mean([hits(fitted.coefficients) for fitted in of_probability])
    assert np.mean([hits(run.terms) for run in runs]) > 4.5 > worse
    assert runs[0].settings["r2_left_out"] > 0.9 > 0.5 > of_probability[0].r2_left_out


def test_a_model_that_never_moves_has_no_evidence_and_no_fit():
    explained = explain(lambda batch: np.tile([1.0, 2.0], (len(batch), 1)), photo(), 2)
    assert not explained.has_positive_evidence
    assert explained.settings["r2"] == 0
    assert explained.settings["r2_left_out"] == 0
    assert explained.settings["surrogate_probability"] == pytest.approx(softmax([1, 2])[1])


def test_what_is_recorded():
    segmentation = Segmentation(segments=20)
    frame = {"box": (0.0, 0.0, 64.0, 64.0), "photo_size": (64, 64)}
    seen = subject(photo(), smooth_logits, temperature=1.7, segmentation=segmentation, **frame)
    explained = explain_lime(seen, ClassTarget(2), options=LimeOptions(samples=100), seed=5)
    assert (explained.method, explained.unit, explained.target, explained.seed) == ("lime", "logit", ClassTarget(2), 5)
    np.testing.assert_array_equal(explained.superpixels, segment(photo(), segmentation))
    assert explained.settings["superpixels"] == len(explained.terms) == explained.superpixels.max() + 1
    assert (explained.settings["algorithm"], explained.settings["segments"]) == ("slic", 20)
    assert explained.terms.sum() == pytest.approx(explained.value, abs=1e-6)
    np.testing.assert_array_equal(explained.contributions, explained.terms[explained.superpixels])
    expected = softmax(smooth_logits(photo()[None])[0].astype(float) / 1.7)[1]
    assert explained.settings["probability"] == pytest.approx(expected)
    assert explained.seconds > 0
    assert explained.photo_superpixels().shape == explained.heatmap().shape == (64, 64)


def test_the_same_seed_gives_the_same_map_whatever_the_batches():
    def run(**options):
        return explain(smooth_logits, photo(), 1, samples=90, top=0, **options).terms

    np.testing.assert_array_equal(run(seed=1), run(seed=1))
    np.testing.assert_allclose(run(seed=1, batch_size=7), run(seed=1, batch_size=64), atol=1e-7)
    assert np.abs(run(seed=1) - run(seed=2)).max() > 1e-4


def test_one_superpixel_is_enough():
    explained = explain(smooth_logits, photo(), 1, superpixels=np.zeros((SIZE, SIZE), np.int32), samples=30)
    assert explained.terms.shape == (1,)


def test_what_cannot_be_is_refused():
    def refuse(match, label=1, **options):
        with pytest.raises(ValueError, match=match):
            explain(smooth_logits, photo(), label, **options)

    refuse("no label", label=6)
    refuse("no label", label=0)
    refuse("do not fit", superpixels=SQUARES[:-1])
    refuse("no number left out", superpixels=SQUARES * 2)
    refuse("no number left out", superpixels=SQUARES - 1)
    wrong = ((Segmentation("voronoi"), "no segmentation"), (Segmentation(segments=0), "0 superpixels"))
    for segmentation, match in wrong:
        with pytest.raises(ValueError, match=match):
            explain_lime(subject(photo(), smooth_logits, segmentation=segmentation), ClassTarget(1))
    with pytest.raises(ValueError, match="one class at a time"):
        explain_lime(subject(photo(), smooth_logits), ContrastTarget(1, 2))


def counts_three_squares(batch: np.ndarray) -> np.ndarray:
    """Only squares 1, 6 and 11 count, two of them only together; the rest moves the answer a little."""
    squares = shown(batch)
    effect = 0.3 * squares[:, 1] + 0.25 * (squares[:, 6] & squares[:, 11]) + 0.004 * squares.sum(axis=1)
    return np.log(np.column_stack([0.9 - effect, 0.1 + effect]))


def test_sampling_ends_when_the_ranking_has_converged():
    calls = []
    three = explain(counts_three_squares, CHEQUERED, 2, samples=2000, top=3, progress=lambda *done: calls.append(done))
    assert three.settings["converged"]
    assert three.settings["samples"] == calls[-1][0] < 300
    assert all(total == 2000 for _, total in calls)
    assert sorted(np.argsort(-three.terms)[:3]) == [1, 6, 11]
    everything = explain(counts_three_squares, CHEQUERED, 2, samples=2000, top=0)
    assert everything.settings["samples"] == 2000
    assert not everything.settings["converged"]


def test_a_run_that_cannot_converge_takes_all_samples_and_says_so():
    random = np.random.default_rng(0)

    def noise(batch):
        probability = random.random(len(batch))
        return np.log(np.column_stack([1 - probability, probability]))

    explained = explain(noise, photo(), 2, samples=320)
    assert explained.settings["samples"] == 320
    assert not explained.settings["converged"]


def test_a_false_from_progress_stops_it():
    with pytest.raises(ExplanationStopped, match="after 33 of 500"):
        explain(smooth_logits, photo(), 1, samples=500, progress=lambda done, _: done < 33)


@pytest.mark.slow
def test_the_intervals_hold_what_they_promise():
    """95 % of intervals from 200 samples should hold what 20,000 samples find."""
    truth = explain(smooth_logits, photo(), 2, samples=20_001, batch_size=500, seed=999, top=0).terms
    held, apart = [], []
    for seed in range(40):
        run = explain(smooth_logits, photo(), 2, samples=201, batch_size=201, seed=seed, top=0)
        margins = run.margins[::8, ::8].ravel()
        held.append(np.abs(run.terms - truth) <= margins)
        apart.append(run.terms)
        assert run.margins.shape == run.contributions.shape
    assert 0.9 <= np.mean(held) <= 0.99
    # The margins are not only wide enough on the whole: they are as wide as the runs differ.
    assert 1.96 * np.std(apart, axis=0).mean() == pytest.approx(margins.mean(), rel=0.2)


def test_balanced_pairs_need_fewer_samples_than_uniform_draws():
    """Where superpixels work together: the spread of their effects over seeds, at the same number of samples."""
    together = np.triu(np.random.default_rng(3).normal(size=(16, 16)), 1) / 25

    def answer(squares):
        return np.einsum("ni,ij,nj->n", squares, together, squares)

    def model(batch):
        return two_classes(answer(shown(batch)))

    runs = [explain(model, CHEQUERED, 2, samples=161, seed=seed, top=0) for seed in range(20)]
    uniform = [np.random.default_rng(seed).random((161, 16)) < 0.5 for seed in range(20)]
    alone = [ridge(masks, answer(masks), ALPHA).coefficients for masks in uniform]
    spread = np.std([run.terms for run in runs], axis=0).mean()
    assert spread < 0.5 * np.std(alone, axis=0).mean()
    # The intervals know of it: a pair counts as one draw.
    assert np.mean([run.margins.mean() for run in runs]) == pytest.approx(1.96 * spread, rel=0.3)
