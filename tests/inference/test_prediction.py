"""Predictions against SciPy and against examples worked out by hand."""

import math

import numpy as np
import pytest
from scipy.special import log_softmax as scipy_log_softmax
from scipy.special import softmax as scipy_softmax

from flowers_core.data.taxonomy import Taxon, load_taxonomy, taxonomy_of
from flowers_core.inference.prediction import Candidate, Group, Prediction, log_softmax, predict, softmax
from flowers_core.inference.prediction_set import common_taxon
from flowers_core.inference.records.calibration import Calibration

# Five classes: two genera of Asteraceae, one class that is no single genus, two roses of one genus.
TAXA = (
    Taxon(1, "sunflower", "Helianthus annuus", "Helianthus", "Asteraceae"),
    Taxon(2, "rose", None, "Rosa", "Rosaceae"),
    Taxon(3, "daisy", None, None, "Asteraceae"),
    Taxon(4, "dog rose", "Rosa canina", "Rosa", "Rosaceae"),
    Taxon(5, "oxeye daisy", "Leucanthemum vulgare", "Leucanthemum", "Asteraceae"),
)


def _calibration(threshold: float = 0.7, bar: float = 0.6, temperature: float = 1.0) -> Calibration:
    return Calibration(temperature, conformal_coverage=0.9, conformal_threshold=threshold, unsure_below=bar)


def _predict(probabilities: list[float], **settings: float) -> Prediction:
    with np.errstate(divide="ignore"):
        logits = np.maximum(np.log(probabilities), -800)
    return predict(logits, _calibration(**settings), TAXA[: len(probabilities)])


# --- softmax


@pytest.mark.parametrize("temperature", [0.1, 1.0, 3.5])
def test_softmax_equals_scipy(temperature: float) -> None:
    rng = np.random.default_rng(0)
    for scale in (0.0, 1.0, 50.0, 1e5):
        logits = (rng.normal(size=(20, 102)) * scale + 1000).astype(np.float32)
        exact = logits.astype(np.float64) / temperature
        assert softmax(logits, temperature) == pytest.approx(scipy_softmax(exact, axis=1), rel=1e-9, abs=1e-300)
        assert log_softmax(logits, temperature) == pytest.approx(scipy_log_softmax(exact, axis=1), rel=1e-9)
        assert softmax(logits[0], temperature) == pytest.approx(scipy_softmax(exact[0]), rel=1e-9, abs=1e-300)
    assert softmax(logits).dtype == np.float64


@pytest.mark.parametrize("temperature", [0.0, -1.0, math.nan, math.inf])
def test_softmax_refuses_impossible_temperatures(temperature: float) -> None:
    with pytest.raises(ValueError, match="temperature"):
        softmax([1.0, 2.0], temperature)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_softmax_refuses_values_that_are_not_finite(value: float) -> None:
    with pytest.raises(ValueError, match="finite"):
        softmax([1.0, value])


# --- candidates


def test_candidates_by_hand() -> None:
    prediction = _predict([0.125, 0.0625, 0.5, 0.25, 0.0625])
    assert [c.label for c in prediction.candidates] == [3, 4, 1, 2, 5]  # 2 and 5 are equal: by label
    assert [c.probability for c in prediction.candidates] == pytest.approx([0.5, 0.25, 0.125, 0.0625, 0.0625])
    assert prediction.probabilities == pytest.approx([0.125, 0.0625, 0.5, 0.25, 0.0625])
    assert prediction.top(2) == prediction.candidates[:2]
    assert prediction.top(99) == prediction.candidates
    assert prediction.top(1) == (Candidate(3, float(prediction.probabilities[2])),)
    with pytest.raises(ValueError, match="at least one"):
        prediction.top(0)


def test_temperature_is_applied() -> None:
    prediction = predict([math.log(9.0), 0.0], _calibration(temperature=2.0), TAXA[:2])
    assert prediction.probabilities == pytest.approx([0.75, 0.25])  # √9 = 3 to 1


def test_probabilities_cannot_be_written_to() -> None:
    with pytest.raises(ValueError, match="read-only"):
        _predict([0.5, 0.5]).probabilities[0] = 1.0


def test_equal_logits_are_ordered_by_label() -> None:
    prediction = predict(np.zeros(5), _calibration(threshold=0.8), TAXA)
    assert [c.label for c in prediction.candidates] == [1, 2, 3, 4, 5]
    assert prediction.plausible == (1, 2, 3, 4, 5)
    many = predict(np.round(np.random.default_rng(0).normal(size=102)), _calibration(), load_taxonomy())
    assert list(many.candidates) == sorted(many.candidates, key=lambda c: (-c.probability, c.label))


# --- the conformal set and the verdict


@pytest.mark.parametrize(
    ("probabilities", "threshold", "plausible", "verdict"),
    [
        # one class at or above 0.3, and above the bar of 0.6
        ([0.75, 0.125, 0.125], 0.7, (1,), "sure"),
        # one alone, but below the bar
        ([0.55, 0.25, 0.2], 0.7, (1,), "unsure"),
        # two, three at or above the line; together above the bar
        ([0.5, 0.4, 0.1], 0.7, (1, 2), "between"),
        ([0.35, 0.31, 0.34], 0.7, (1, 3, 2), "between"),
        # two that leave too much to the others
        ([0.25, 0.25, 0.17, 0.17, 0.16], 0.79, (1, 2), "unsure"),
        # too many
        ([0.25, 0.25, 0.25, 0.25], 0.8, (1, 2, 3, 4), "unsure"),
        # none passes: the best stands alone, without being sure, though it is above the bar
        ([0.65, 0.35, 0.0], 0.2, (1,), "unsure"),
        ([0.25, 0.25, 0.25, 0.25], 0.5, (1,), "unsure"),
        # coverage could not be had from few photos: every class is plausible
        ([1.0, 0.0, 0.0, 0.0], 1.0, (1, 2, 3, 4), "unsure"),
    ],
)
def test_plausible_set_and_verdict(
    probabilities: list[float], threshold: float, plausible: tuple[int, ...], verdict: str
) -> None:
    prediction = _predict(probabilities, threshold=threshold, bar=0.6)
    assert prediction.plausible == plausible
    assert prediction.verdict == verdict
    assert prediction.sure == (verdict == "sure")


def test_a_class_exactly_on_the_line_and_on_the_bar_counts() -> None:
    even = predict([0.0, 0.0], _calibration(threshold=0.5, bar=1.0), TAXA[:2])
    assert even.plausible == (1, 2)
    assert even.verdict == "between"
    alone = predict([2000.0, 0.0], _calibration(threshold=0.0, bar=1.0), TAXA[:2])
    assert alone.plausible == (1,)
    assert alone.verdict == "sure"


def test_plausible_set_is_the_definition_and_never_empty() -> None:
    rng = np.random.default_rng(3)
    taxa = [Taxon(label, f"class {label}", None, None, "Family") for label in range(1, 31)]
    for _ in range(400):
        logits = rng.normal(size=30) * rng.choice([0.0, 0.5, 3.0, 20.0])
        settings = _calibration(rng.random() ** 2, rng.random(), rng.uniform(0.3, 3))
        prediction = predict(logits, settings, taxa)
        p = scipy_softmax(logits / settings.temperature)
        expected = {column + 1 for column in range(30) if 1 - p[column] <= settings.conformal_threshold}
        assert set(prediction.plausible) == (expected or {int(p.argmax()) + 1})
        assert prediction.plausible == tuple(c.label for c in prediction.candidates[: len(prediction.plausible)])


# --- genus and family


def test_roll_up_by_hand() -> None:
    prediction = _predict([0.125, 0.25, 0.25, 0.125, 0.25])
    assert prediction.families == (
        Group("family", "Asteraceae", pytest.approx(0.625), (1, 3, 5)),
        Group("family", "Rosaceae", pytest.approx(0.375), (2, 4)),
    )
    # The daisy is no single genus: 0.25 belongs to none.
    assert prediction.genera == (
        Group("genus", "Rosa", pytest.approx(0.375), (2, 4)),
        Group("genus", "Leucanthemum", pytest.approx(0.25), (5,)),
        Group("genus", "Helianthus", pytest.approx(0.125), (1,)),
    )


def test_a_family_that_is_not_known_groups_nothing() -> None:
    taxa = taxonomy_of(["rose", "edelweiss", "moss"])
    found = predict(np.log([0.25, 0.5, 0.25]), _calibration(), taxa)
    assert found.families == (Group("family", "Rosaceae", pytest.approx(0.25), (1,)),)
    assert common_taxon([2, 3], taxa) is None


def test_equal_groups_are_ordered_by_name() -> None:
    assert [g.name for g in predict(np.zeros(2), _calibration(), TAXA[:2]).families] == ["Asteraceae", "Rosaceae"]
    taxa = (Taxon(1, "z", None, "Zinnia", "Z"), Taxon(2, "a", None, "Aster", "A"))
    assert [g.name for g in predict(np.zeros(2), _calibration(), taxa).genera] == ["Aster", "Zinnia"]


def test_roll_up_with_the_real_taxonomy() -> None:
    taxonomy = load_taxonomy()
    rng = np.random.default_rng(5)
    for _ in range(20):
        prediction = predict(rng.normal(size=102) * 4, _calibration(), taxonomy)
        for rank, groups in (("family", prediction.families), ("genus", prediction.genera)):
            expected: dict[str, float] = {}
            for taxon in taxonomy:
                name = taxon.family if rank == "family" else taxon.genus
                if name is not None:
                    expected[name] = expected.get(name, 0.0) + prediction.probabilities[taxon.label - 1]
            assert {g.name: g.probability for g in groups} == pytest.approx(expected)
            assert [g.probability for g in groups] == pytest.approx(sorted(expected.values(), reverse=True))
        assert sum(g.probability for g in prediction.families) == pytest.approx(1)
        assert sorted(label for g in prediction.families for label in g.labels) == list(range(1, 103))


# --- refusals


def test_logits_that_do_not_fit_are_refused() -> None:
    for logits, taxa in (
        (np.zeros(4), TAXA),
        (np.zeros((1, 5)), TAXA),
        (np.zeros(2), (TAXA[0], TAXA[0])),
        (np.zeros(2), TAXA[1:3]),
    ):
        with pytest.raises(ValueError, match="do not fit"):
            predict(logits, _calibration(), taxa)
    with pytest.raises(ValueError, match="finite"):
        predict([0.0, math.nan], _calibration(), TAXA[:2])
