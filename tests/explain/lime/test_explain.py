"""LIME step by step against scikit-learn; as a whole against the `lime` package and models whose answer is known."""

import copy

import numpy as np
import pytest
from scipy.special import softmax
from sklearn.metrics import pairwise_distances

from flowers_core.explain.explanation import ClassTarget
from flowers_core.explain.lime.explain import SIGMA, explain_lime, kernel_weights
from flowers_core.explain.lime.masks import independent_masks, keep_probability
from flowers_core.explain.lime.per_position import Places
from flowers_core.explain.lime.superpixels import superpixels
from flowers_core.explain.perturbation import ExplanationStopped
from flowers_core.inference.runtime import Forward

SIZE = 32
FRAME = {"box": (0.0, 0.0, 64.0, 64.0), "photo_size": (64, 64)}
#: Sixteen squares of 8 × 8, numbered row by row.
SQUARES = np.kron(np.arange(16).reshape(4, 4), np.ones((8, 8), int)).astype(np.int32)


def photo(seed: int = 0) -> np.ndarray:
    """Patches of 4 × 4 pixels and a little noise, so that superpixels find something."""
    random = np.random.default_rng(seed)
    patches = np.kron(random.integers(0, 216, size=(8, 8, 3)), np.ones((4, 4, 1), int))
    return (patches + random.integers(0, 40, size=(SIZE, SIZE, 3))).astype(np.uint8)


def smooth_logits(batch: np.ndarray) -> np.ndarray:
    """A model that uses the whole picture, five classes, not linear in anything."""
    assert batch.dtype == np.uint8
    small = batch.reshape(len(batch), 8, 4, 8, 4, 3).mean(axis=(2, 4)).reshape(len(batch), -1) / 255
    weights = np.random.default_rng(9).normal(size=(small.shape[1], 5))
    return (np.tanh((small - 0.5) @ weights / 3) * 3).astype(np.float32)


def logits_of(probability: np.ndarray) -> np.ndarray:
    """Two classes, the second with this probability."""
    return np.log(np.column_stack([1 - probability, probability]))


# ---- the steps ---------------------------------------------------------------------------------------------------


def test_kernel_weights_are_limes():
    masks = np.vstack([independent_masks(50, 11, np.random.default_rng(0)), np.zeros((1, 11), bool)])
    distances = pairwise_distances(masks.astype(float), np.ones((1, 11)), metric="cosine").ravel()
    np.testing.assert_allclose(kernel_weights(masks), np.sqrt(np.exp(-(distances**2) / 0.25**2)), rtol=1e-10)
    assert kernel_weights(masks)[0] == 1
    # One of four shown: cosine ½, so √exp(−¼/¹⁄₁₆) = e⁻².
    assert kernel_weights(np.array([[True, False, False, False]])) == pytest.approx(np.exp(-2))


# ---- the whole ---------------------------------------------------------------------------------------------------


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


@pytest.mark.parametrize(("hidden", "hide_color"), [("mean", None), ("grey", 128)])
def test_same_superpixels_and_same_draws_give_limes_coefficients(hidden, hide_color):
    from lime.lime_image import LimeImageExplainer

    pixels, samples, label = photo(6), 150, 3
    regions = superpixels(pixels, "slic", 20)
    count = int(regions.max()) + 1
    masks = independent_masks(samples, count, np.random.default_rng(11))
    theirs = LimeImageExplainer(random_state=PreparedDraws(masks)).explain_instance(
        pixels,
        lambda batch: softmax(smooth_logits(batch).astype(float), axis=1),
        labels=(label - 1,),
        top_labels=None,
        hide_color=hide_color,
        num_samples=samples,
        segmentation_fn=lambda _: regions,
        random_seed=0,
    )
    ours = explain_lime(
        smooth_logits,
        pixels,
        label,
        regions=regions,
        samples=samples,
        sampling="uniform",
        link="identity",
        settle=0,
        seed=11,
        hidden=hidden,
        **FRAME,
    )
    expected = np.array([dict(theirs.local_exp[label - 1])[region] for region in range(count)])
    assert np.ptp(expected) > 0.01
    np.testing.assert_allclose(ours.parts, expected, rtol=1e-5, atol=1e-8)
    assert ours.settings["r2"] == pytest.approx(theirs.score)
    assert ours.settings["intercept"] == pytest.approx(theirs.intercept[label - 1])
    assert ours.settings["surrogate_probability"] == pytest.approx(theirs.local_pred[0])


def test_a_model_that_looks_at_the_top_left_quarter_is_found_out():
    def model(batch):
        return logits_of(0.1 + 0.8 * batch[:, :16, :16, 0].mean(axis=(1, 2)) / 255)

    # Every square red at 200; hidden it is grey: 72 of 255 less.
    pixels = np.zeros((SIZE, SIZE, 3), np.uint8)
    pixels[..., 0] = 200
    explained = explain_lime(
        model, pixels, 2, regions=SQUARES, hidden="grey", samples=2000, settle=0, link="identity", **FRAME
    )
    weights = explained.parts.reshape(4, 4)
    # Linear, so each of the four squares is worth 0.8 · 72/255 / 4, less the little that ridge takes away.
    np.testing.assert_allclose(weights[:2, :2], 0.8 * 72 / 255 / 4, rtol=0.01)
    weights = weights.copy()
    weights[:2, :2] = 0
    np.testing.assert_allclose(weights, 0, atol=2e-4)
    heat = explained.heatmap()
    assert np.abs(heat[:32, :32]).sum() > 0.98 * np.abs(heat).sum()
    assert explained.has_positive_evidence
    assert explained.settings["r2"] > 0.999
    assert explained.settings["r2_left_out"] > 0.999
    assert explained.settings["hidden_probability"] == pytest.approx(0.1 + 0.8 * 128 / 255)


def test_a_model_that_counts_red_is_found_out():
    def model(batch):
        red = (batch[..., 0] > 150) & (batch[..., 1] < 100)
        return logits_of(0.01 + 0.9 * red.mean(axis=(1, 2)))

    pixels = np.full((SIZE, SIZE, 3), 90, np.uint8)
    red_squares = [2, 5, 11]
    pixels[np.isin(SQUARES, red_squares)] = (220, 30, 40)
    options = {"regions": SQUARES, "hidden": "grey", "samples": 1000, "settle": 0, "link": "identity", **FRAME}
    explained = explain_lime(model, pixels, 2, **options)
    assert sorted(np.argsort(explained.parts)[-3:]) == red_squares
    np.testing.assert_allclose(explained.parts[red_squares], 0.9 / 16, rtol=0.03)
    # The other class loses what this one gains.
    other = explain_lime(model, pixels, 1, **options)
    np.testing.assert_allclose(other.parts, -explained.parts, atol=1e-9)
    assert not other.has_positive_evidence


def test_parts_in_log_odds_are_those_of_a_logistic_model():
    """The odds are e^0.9 times as high with square 3, e^−0.4 with square 8, and lose a third at temperature 1.5."""

    def model(batch):
        shown = (batch[..., 0] != 128).reshape(len(batch), 4, 8, 4, 8).all(axis=(2, 4)).reshape(len(batch), 16)
        ahead = 4 + 0.9 * shown[:, 3] - 0.4 * shown[:, 8]
        return np.column_stack([np.zeros(len(batch)), ahead, np.full(len(batch), -50.0)])

    pixels = np.full((SIZE, SIZE, 3), 200, np.uint8)
    explained = explain_lime(model, pixels, 2, regions=SQUARES, hidden="grey", temperature=1.5, **FRAME)
    expected = np.zeros(16)
    expected[[3, 8]] = 0.9 / 1.5, -0.4 / 1.5
    np.testing.assert_allclose(explained.parts, expected, atol=1e-3)
    assert explained.settings["settled"]
    assert explained.settings["r2_left_out"] > 0.999
    # Of the probability it is no sum: at 0.95 it hardly moves.
    for name, ahead in (("probability", 4.5), ("surrogate_probability", 4.5), ("hidden_probability", 4.0)):
        assert explained.settings[name] == pytest.approx(1 / (1 + np.exp(-ahead / 1.5)), abs=1e-4)


def test_the_probability_of_a_sure_model_is_no_sum_but_its_log_odds_are():
    """Sixteen squares of different weight, of which some three suffice: the spread over seeds at 97 looks."""
    weights = np.linspace(0.2, 2.0, 16)

    def sure(batch):
        shown = (batch[..., 0] != 128).reshape(len(batch), 4, 8, 4, 8).all(axis=(2, 4)).reshape(len(batch), 16)
        together = 0.3 * np.sin(7 * (shown @ np.sqrt(weights)))  # no logistic model either
        return np.column_stack([np.zeros(len(batch)), shown @ weights - 2 + together])

    pixels = np.full((SIZE, SIZE, 3), 200, np.uint8)

    def top(link):
        options = {"regions": SQUARES, "hidden": "grey", "samples": 97, "settle": 0, "link": link, **FRAME}
        runs = [explain_lime(sure, pixels, 2, seed=seed, **options) for seed in range(12)]
        return np.mean([len(set(np.argsort(-run.parts)[:5]) & {11, 12, 13, 14, 15}) for run in runs]), runs[0]

    found, in_log_odds = top("logit")
    worse, in_probability = top("identity")
    assert found > 4.5 > worse
    assert in_log_odds.settings["r2_left_out"] > 0.9 > 0.5 > in_probability.settings["r2_left_out"]


def test_a_model_that_never_moves_has_no_evidence_and_no_fit():
    explained = explain_lime(lambda batch: np.tile([1.0, 2.0], (len(batch), 1)), photo(), 2, regions=SQUARES, **FRAME)
    assert not explained.has_positive_evidence
    assert explained.settings["r2"] == 0
    assert explained.settings["r2_left_out"] == 0
    assert explained.settings["surrogate_probability"] == pytest.approx(softmax([1, 2])[1])


def test_what_is_said_of_it():
    explained = explain_lime(smooth_logits, photo(), 2, segments=20, samples=100, temperature=1.7, seed=5, **FRAME)
    assert (explained.method, explained.unit, explained.target, explained.seed) == (
        "lime",
        "logit",
        ClassTarget(2),
        5,
    )
    np.testing.assert_array_equal(explained.regions, superpixels(photo(), "slic", 20))
    assert explained.settings["regions"] == len(explained.parts) == explained.regions.max() + 1
    assert explained.parts.sum() == pytest.approx(explained.value, abs=1e-6)
    np.testing.assert_array_equal(explained.contributions, explained.parts[explained.regions])
    expected = softmax(smooth_logits(photo()[None])[0].astype(float) / 1.7)[1]
    assert explained.settings["probability"] == pytest.approx(expected)
    assert explained.seconds > 0
    assert explained.photo_regions().shape == explained.heatmap().shape == (64, 64)


def test_the_same_seed_gives_the_same_map_whatever_the_batches():
    def run(**options):
        return explain_lime(smooth_logits, photo(), 1, regions=SQUARES, samples=90, settle=0, **options, **FRAME).parts

    np.testing.assert_array_equal(run(seed=1), run(seed=1))
    np.testing.assert_allclose(run(seed=1, batch_size=7), run(seed=1, batch_size=64), atol=1e-7)
    assert np.abs(run(seed=1) - run(seed=2)).max() > 1e-4


def test_progress_and_batches():
    sizes, calls = [], []

    def model(batch):
        sizes.append(len(batch))
        return smooth_logits(batch)

    explain_lime(
        model,
        photo(),
        1,
        regions=SQUARES,
        samples=70,
        batch_size=32,
        settle=0,
        progress=lambda done, total: calls.append((done, total)),
        **FRAME,
    )
    assert calls == [(0, 70), (33, 70), (65, 70), (70, 70)]
    assert sizes == [34, 32, 5]  # in the first everything shown and everything hidden, beside 16 pairs


@pytest.mark.parametrize(("stop_at", "photos_seen"), [(0, 0), (33, 34), (65, 66)])
def test_a_false_from_progress_stops_at_once(stop_at, photos_seen):
    seen = []

    def model(batch):
        seen.extend(batch)
        return smooth_logits(batch)

    with pytest.raises(ExplanationStopped, match=f"after {stop_at} of 500"):
        explain_lime(model, photo(), 1, regions=SQUARES, samples=500, progress=lambda done, _: done < stop_at, **FRAME)
    assert len(seen) == photos_seen


def test_one_superpixel_is_enough():
    explained = explain_lime(smooth_logits, photo(), 1, regions=np.zeros((SIZE, SIZE), np.int32), samples=30, **FRAME)
    assert explained.parts.shape == (1,)


def test_what_cannot_be_is_refused():
    def refuse(match, *, label=1, **options):
        with pytest.raises(ValueError, match=match):
            explain_lime(smooth_logits, photo(), label, **options, **FRAME)

    refuse("no label", label=6)
    refuse("no label", label=0)
    refuse("no segmentation", segmentation="voronoi")
    refuse("0 superpixels", segments=0)
    refuse("two samples", samples=1)
    refuse("no sampling", sampling="normal")
    refuse("no link", link="probit")
    refuse("mean or grey", hidden="noise")
    refuse("do not fit", regions=SQUARES[:-1])
    refuse("no number left out", regions=SQUARES * 2)
    refuse("no number left out", regions=SQUARES - 1)


# ---- quick and honest --------------------------------------------------------------------------------------------


def counts_three_squares(batch: np.ndarray) -> np.ndarray:
    """Only squares 1, 6 and 11 count, two of them only together; the rest moves the answer a little."""
    shown = (batch[..., 0] != 128).reshape(len(batch), 4, 8, 4, 8).all(axis=(2, 4)).reshape(len(batch), 16)
    effect = 0.3 * shown[:, 1] + 0.25 * (shown[:, 6] & shown[:, 11]) + 0.004 * shown.sum(axis=1)
    return logits_of(0.1 + effect)


def test_sampling_ends_when_the_ranking_is_settled():
    pixels = np.full((SIZE, SIZE, 3), 200, np.uint8)
    options = {"regions": SQUARES, "hidden": "grey", "samples": 2000, **FRAME}
    calls = []
    three = explain_lime(
        counts_three_squares, pixels, 2, settle=3, progress=lambda *done: calls.append(done), **options
    )
    assert three.settings["settled"]
    assert three.settings["samples"] == calls[-1][0] < 300
    assert all(total == 2000 for _, total in calls)
    assert sorted(np.argsort(-three.parts)[:3]) == [1, 6, 11]
    everything = explain_lime(counts_three_squares, pixels, 2, settle=0, **options)
    assert everything.settings["samples"] == 2000
    assert not everything.settings["settled"]


def test_a_run_that_cannot_settle_takes_all_samples_and_says_so():
    random = np.random.default_rng(0)

    def noise(batch):
        return logits_of(random.random(len(batch)))

    explained = explain_lime(noise, photo(), 2, regions=SQUARES, samples=320, **FRAME)
    assert explained.settings["samples"] == 320
    assert not explained.settings["settled"]


def test_the_intervals_hold_what_they_promise():
    """95 % of intervals from 200 samples should hold what 20,000 samples find."""
    options = {"regions": SQUARES, "settle": 0, **FRAME}
    truth = explain_lime(smooth_logits, photo(), 2, samples=20_001, batch_size=500, seed=999, **options).parts
    held, apart = [], []
    for seed in range(40):
        run = explain_lime(smooth_logits, photo(), 2, samples=201, batch_size=201, seed=seed, **options)
        margins = run.margins[::8, ::8].ravel()
        held.append(np.abs(run.parts - truth) <= margins)
        apart.append(run.parts)
        assert run.margins.shape == run.contributions.shape
    assert 0.9 <= np.mean(held) <= 0.99
    # The margins are not only wide enough on the whole: they are as wide as the runs differ.
    assert 1.96 * np.std(apart, axis=0).mean() == pytest.approx(margins.mean(), rel=0.2)


def test_weighted_pairs_need_fewer_samples_than_uniform_ones():
    """Where superpixels work together: the spread of their effects over seeds, at the same number of looks."""
    together = np.triu(np.random.default_rng(3).normal(size=(16, 16)), 1) / 100

    def works_together(batch):
        shown = (batch[..., 0] != 128).reshape(len(batch), 4, 8, 4, 8).all(axis=(2, 4)).reshape(len(batch), 16)
        return logits_of(0.5 + np.einsum("ni,ij,nj->n", shown, together, shown))

    pixels = np.full((SIZE, SIZE, 3), 200, np.uint8)
    options = {"regions": SQUARES, "hidden": "grey", "samples": 161, "settle": 0, "link": "identity", **FRAME}

    def spread_and_margin(sampling):
        runs = [explain_lime(works_together, pixels, 2, sampling=sampling, seed=seed, **options) for seed in range(20)]
        return np.std([run.parts for run in runs], axis=0).mean(), np.mean([run.margins.mean() for run in runs])

    spread, margin = spread_and_margin("weighted")
    assert spread < 0.5 * spread_and_margin("uniform")[0]
    # The intervals know of it: a pair counts as one draw.
    assert margin == pytest.approx(1.96 * spread, rel=0.3)


def test_the_default_keeps_more_than_half():
    assert 0.5 < keep_probability(SIGMA) < 0.9


# ---- place by place ----------------------------------------------------------------------------------------------

HEAD = np.random.default_rng(4).normal(size=(6, 5))


def places_forward(batch: np.ndarray) -> Forward:
    """A feature map of 4 × 4 places: each sees its square, and how it goes with two and with four squares beside it."""
    squares = batch.reshape(len(batch), 4, 8, 4, 8, 3).mean(axis=(2, 4)) / 255 - 0.5
    around = np.pad(squares, ((0, 0), (1, 1), (1, 1), (0, 0)))
    beside = [around[:, y : y + 4, x : x + 4] for y, x in ((0, 1), (1, 0), (1, 2), (2, 1))]
    up, left, right, down = beside
    together = 4 * squares * (1 + 20 * up * down + 20 * left * right + 100 * up * left * right * down)
    features = np.maximum(np.concatenate([together, -together], axis=-1), 0).astype(np.float32)
    embedding = features.mean(axis=(1, 2))
    return Forward(
        logits=(8 * embedding @ HEAD + [0, 1, 0, 0, -1]).astype(np.float32), features=features, embedding=embedding
    )


PLACES = Places(places_forward, 8 * HEAD)


def places_logits(batch: np.ndarray) -> np.ndarray:
    return places_forward(batch).logits


def test_by_place_runs_agree_better_and_find_what_regression_finds_in_many_looks():
    options = {"regions": SQUARES, "hidden": "grey", "settle": 0, **FRAME}
    many = explain_lime(places_logits, photo(3), 2, samples=8001, batch_size=500, **options).parts

    def runs(**chosen):
        return [explain_lime(places_logits, photo(3), 2, seed=n, samples=65, **options, **chosen) for n in range(8)]

    by_regression, by_place = runs(), runs(places=PLACES)
    spreads = [np.std([run.parts for run in some], axis=0).mean() for some in (by_regression, by_place)]
    print("spread by regression and by place:", spreads, np.corrcoef(by_place[0].parts, many)[0, 1])
    assert spreads[1] < 0.75 * spreads[0]
    assert np.corrcoef(by_place[0].parts, many)[0, 1] > 0.97
    one, other = by_regression[0].settings, by_place[0].settings
    assert (one["by_place"], other["by_place"]) == (False, True)
    assert other["probability"] == one["probability"]
    assert other["hidden_probability"] == one["hidden_probability"]
    assert 0 < other["r2_left_out"] < other["r2"] <= 1
    assert by_place[0].value == pytest.approx(by_place[0].parts.sum(), abs=1e-6)


def test_by_place_too_the_batches_are_of_no_consequence_and_the_seed_is():
    def run(**options):
        return explain_lime(
            places_logits,
            photo(3),
            1,
            regions=SQUARES,
            hidden="grey",
            samples=90,
            settle=0,
            places=PLACES,
            **options,
            **FRAME,
        ).parts

    np.testing.assert_array_equal(run(seed=1), run(seed=1))
    np.testing.assert_allclose(run(seed=1, batch_size=7), run(seed=1, batch_size=64), atol=1e-5)
    assert np.abs(run(seed=1) - run(seed=2)).max() > 1e-4


def test_by_place_the_temperature_divides():
    options = {
        "regions": SQUARES,
        "hidden": "grey",
        "settle": 0,
        "samples": 65,
        "places": Places(two_classes, HEAD[:, :2]),
        **FRAME,
    }
    cold, warm = (
        explain_lime(lambda batch: two_classes(batch).logits, photo(3), 1, temperature=temperature, **options).parts
        for temperature in (1.0, 2.0)
    )
    np.testing.assert_allclose(warm, cold / 2, rtol=1e-4, atol=1e-6)  # of two classes the rival is always the other


def two_classes(batch: np.ndarray) -> Forward:
    answers = places_forward(batch)
    return Forward(answers.embedding @ HEAD[:, :2].astype(np.float32), answers.features, answers.embedding)


def test_by_place_it_ends_when_the_ranking_is_settled_and_intervals_are_given():
    explained = explain_lime(
        places_logits, photo(3), 2, regions=SQUARES, hidden="grey", samples=2001, settle=2, places=PLACES, **FRAME
    )
    assert explained.settings["settled"]
    assert explained.settings["samples"] < 2001
    assert (explained.margins > 0).all()


def test_by_place_more_superpixels_get_more_looks():
    """A balanced block of 64 pairs for 64 superpixels; up to 32 the looks are the same."""
    for regions, samples in ((SQUARES, 65), (np.arange(SIZE * SIZE).reshape(SIZE, SIZE).astype(np.int32) // 16, 129)):
        explained = explain_lime(places_logits, photo(), 1, regions=regions, settle=0, places=PLACES, **FRAME)
        assert explained.settings["samples"] == samples


def test_by_place_other_samplings_and_links_are_refused():
    for options in ({"link": "identity"}, {"sampling": "uniform"}):
        with pytest.raises(ValueError, match="By place"):
            explain_lime(places_logits, photo(), 1, places=PLACES, **options, **FRAME)
