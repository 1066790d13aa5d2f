"""Confidence fitted to drawn answers: honest on new ones, low on what is no flower, and the same for a twin network."""

from dataclasses import replace

import numpy as np
import pytest

from flowers_core.evaluation import confidence_fit
from flowers_core.evaluation.calibration import confidence_ece
from flowers_core.evaluation.confidence_fit import (
    SURE_ACCURACY,
    SURE_CORRUPTED_ACCURACY,
    fit_confidence,
    fit_novelty,
    fit_sets,
    least_reliable,
    transferred,
    unknown_signals,
)
from flowers_core.evaluation.evidence import NO_CLASS, Observed
from flowers_core.inference.confidence import Evidence, signals_of, tempered
from flowers_core.inference.confidence_model import SIGNALS
from flowers_core.inference.discriminant import DiscriminantSpace, fit_discriminant_space
from flowers_core.inference.prediction_set import in_set
from flowers_core.inference.records.confidence import ConfidenceRecord, ConfidenceSource

_CLASSES, _CHANNELS = 8, 12
_CENTRES = np.random.default_rng(7).normal(0, 1, (_CLASSES, _CHANNELS))


def _observed(photos: int, noise: float, seed: int, *, flowers: bool = True, scale: float = 1.0) -> Observed:
    """Embeddings around the centres of the classes, or far from all; the head's weights are the centres."""
    generator = np.random.default_rng(seed)
    labels = generator.integers(1, _CLASSES + 1, photos)
    embeddings = _CENTRES[labels - 1] + generator.normal(0, noise, (photos, _CHANNELS))
    if not flowers:
        embeddings, labels = generator.normal(0, 4, (photos, _CHANNELS)), np.full(photos, NO_CLASS)
    logits = embeddings @ _CENTRES.T - (_CENTRES**2).sum(axis=1) / 2
    surest = np.sort(logits, axis=1)[:, -1] + generator.normal(0, 1, photos)
    evidence = Evidence(*(values.astype(np.float32) for values in (logits, scale * embeddings, surest)))
    lacking = np.where(np.arange(1, _CLASSES + 1) == labels[:, None], -np.inf, logits).max(axis=1)
    return Observed(evidence, labels, np.arange(photos), lacking.astype(np.float32) if flowers else None)


@pytest.fixture(scope="module")
def parts() -> tuple[Observed, Observed, Observed, Observed]:
    return (
        _observed(400, 0.4, 0),
        _observed(1500, 0.7, 1),
        _observed(1500, 1.2, 2),
        _observed(300, 0, 3, flowers=False),
    )


@pytest.fixture(scope="module")
def space(parts: tuple[Observed, ...]) -> DiscriminantSpace:
    return fit_discriminant_space(parts[0].evidence.embeddings, parts[0].labels, _CLASSES)


@pytest.fixture(scope="module")
def record(parts: tuple[Observed, Observed, Observed, Observed], space: DiscriminantSpace) -> ConfidenceRecord:
    _, clean, corrupted, _ = parts
    model = fit_confidence(space, *parts)
    sets = fit_sets(space, model, clean, corrupted)
    return ConfidenceRecord(model, fit_novelty(space, clean), sets, ConfidenceSource("validation", 1500, 1500, 300))


def test_it_is_honest_on_new_photos(record: ConfidenceRecord, space: DiscriminantSpace) -> None:
    for noise in (0.7, 1.2):
        new = _observed(6000, noise, 10)
        confidence = record.model.confidence(signals_of(new.evidence, space))
        assert 0.5 < new.right.mean() < 0.999
        assert confidence_ece(confidence, new.right) < 0.03
        sure = confidence >= record.model.sure_from
        assert new.right[sure].mean() > SURE_CORRUPTED_ACCURACY - 0.015
    others = _observed(500, 0, 11, flowers=False)
    clean = _observed(500, 0.7, 12)
    read = [record.model.confidence(signals_of(part.evidence, space)).mean() for part in (others, clean)]
    assert read[0] < 0.5 < read[1]


def test_novelty_accepts_so_many_flowers_and_tells_others(record: ConfidenceRecord, space: DiscriminantSpace) -> None:
    near, odds = SIGNALS.index("nearness"), SIGNALS.index("log_odds")

    def flagged(part: Observed) -> float:
        signals = signals_of(part.evidence, space)
        return float(record.novelty.looks_like_none(signals[:, near], signals[:, odds]).mean())

    assert flagged(_observed(4000, 0.7, 10)) == pytest.approx(1 - record.novelty.accepted, abs=0.02)
    assert flagged(_observed(400, 0, 11, flowers=False)) > 0.5


def test_classes_stand_for_flowers_that_are_not_known(parts: tuple[Observed, ...], space: DiscriminantSpace) -> None:
    clean = parts[1]
    signals = unknown_signals(space, clean)
    row = 3
    column = int(clean.labels[row]) - 1
    logits = np.delete(clean.evidence.logits[row], column)
    second, first = np.sort(logits)[-2:]
    assert signals[row, SIGNALS.index("logit_margin")] == pytest.approx(first - second, abs=1e-5)
    answer = int(np.delete(np.arange(_CLASSES), column)[logits.argmax()])
    distance = space.distances(clean.evidence.embeddings[row : row + 1])[0, answer]
    assert signals[row, SIGNALS.index("nearness")] == pytest.approx(-np.log(distance), abs=1e-5)
    assert clean.surest_without is not None
    assert signals[row, SIGNALS.index("surest_position")] == pytest.approx(clean.surest_without[row])

    # Photos of flowers that neither head nor fit have seen: what was fitted to strangers believes them less.
    strangers = unknown_signals(space, _observed(1000, 0.7, 13))
    known = signals_of(_observed(1000, 0.7, 12).evidence, space)
    warned, unwarned = (fit_confidence(space, *parts, unknown=unknown) for unknown in (True, False))
    assert warned.confidence(strangers).mean() < unwarned.confidence(strangers).mean() - 0.05
    assert warned.confidence(known).mean() > unwarned.confidence(known).mean() - 0.05


def test_novelty_bears_photos_that_answer_alike(space: DiscriminantSpace) -> None:
    embeddings = np.repeat(_CENTRES[:1], 5, axis=0).astype(np.float32)
    logits = np.tile(np.eye(1, _CLASSES, 0, dtype=np.float32) * 30, (5, 1))
    alike = Observed(Evidence(logits, embeddings, logits[:, 0]), np.ones(5, np.int64), np.arange(5))
    rule = fit_novelty(space, alike)
    assert (rule.distance_deviation, rule.odds_deviation) == (0.05, 0.5)
    assert rule.familiarity(rule.distance_mean, 13.9) == pytest.approx(-0.2)


def test_sets_cover_what_was_asked(
    record: ConfidenceRecord, parts: tuple[Observed, ...], space: DiscriminantSpace
) -> None:
    assert record.sets.coverage >= 0.95
    clean = parts[1]
    confidence = record.model.confidence(signals_of(clean.evidence, space))
    chosen = in_set(tempered(clean.evidence.logits, confidence), record.sets.mass, record.sets.least)
    assert chosen[np.arange(len(clean)), clean.labels - 1].mean() == pytest.approx(record.sets.coverage)
    assert chosen.sum(axis=1).mean() == pytest.approx(record.sets.size)


def test_nothing_is_sure_that_is_less_than_nine_in_ten(
    parts: tuple[Observed, Observed, Observed, Observed], space: DiscriminantSpace, monkeypatch: pytest.MonkeyPatch
) -> None:
    training, *_, others = parts
    easy = [_observed(1500, noise, seed) for noise, seed in ((0.5, 1), (0.55, 2))]
    assert fit_confidence(space, training, *easy, others).sure_from == 0.9
    monkeypatch.setattr(confidence_fit, "LEAST_SURE", 0.0)
    assert fit_confidence(space, training, *easy, others).sure_from < 0.9


def test_sure_from_is_the_least_that_is_right_often_enough(record: ConfidenceRecord) -> None:
    # Of 200 answers one may be wrong: that at 0.7 is, and so is the last, at 0.6.
    confidence = np.concatenate([np.linspace(1, 0.7, 200), [0.6]])
    right = np.arange(201) < 199
    assert least_reliable(confidence, right, SURE_ACCURACY) == pytest.approx(0.7)
    assert SURE_ACCURACY == 1 - 1 / 200
    assert least_reliable(np.array([0.9]), np.array([False]), SURE_ACCURACY) == 1.0


def test_a_network_of_the_same_recipe_takes_the_rules_over(record: ConfidenceRecord) -> None:
    figures = {"test": {}}
    found = transferred(replace(record, figures=figures), "counterpart")
    assert found == replace(record, source=replace(record.source, model="counterpart"))
