"""How fast training is: what is read off a run's events, what the table makes of it, and the epochs of plain fit."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from flowers_core.data.model_input import CropRule, model_input
from flowers_core.data.oxford import OxfordFlowers
from flowers_core.data.photos import open_photo
from flowers_core.reports.results import results_document
from flowers_core.reports.training_speed import (
    TrainingSpeed,
    TrainingSpeedError,
    load_training_speed,
    save_training_speed,
    timings,
    training_speed_text,
)
from flowers_core.storage.events import Event
from flowers_core.training.augmentation import CROPS
from flowers_core.training.recipe import Recipe
from scripts.benchmarks.plain_fit import time_phases
from scripts.benchmarks.plain_photos import photos_of
from scripts.benchmarks.training import BAR
from tests.fixtures.tiny_classifier import SIZE, tiny_classifier


def epoch(at: float, phase: str, done: int, total: int, accuracy: float) -> Event:
    return Event("epoch", at, phase=phase, done=done, total=total, loss=2.0, validation_top1=accuracy)


EVENTS = [
    Event("progress", 11.0, title="photos decoded", done=2040, total=2040),
    Event("progress", 20.0, title="views", done=2, total=4),
    Event("progress", 40.0, title="views", done=4, total=4),
    Event("progress", 48.0, title="views", done=1, total=1),
    Event("phase begins", 49.0, phase="head"),
    Event("progress", 51.0, title="views embedded", done=4, total=4),
    epoch(52.0, "head", 1, 3, 0.8614),
    epoch(53.0, "head", 2, 3, 0.8902),
    epoch(54.0, "head", 3, 3, 0.8804),
    Event("phase ends", 54.0, phase="head", validation_top1=0.8902),
    Event("phase begins", 56.0, phase="tail"),
    epoch(60.0, "tail", 1, 2, 0.9),
    epoch(62.0, "tail", 2, 2, 0.91),
    Event("phase ends", 62.0, phase="tail", validation_top1=0.91),
]
SPEED = TrainingSpeed(
    machine="a machine",
    command="python -m scripts.train --recipe fast",
    bar=0.8614,
    plain={"head": {"training": 10.0, "validation": 8.0}, "tail": {"training": 15.0, "validation": 9.0}},
    plain_start=5.0,
    plain_epochs=2,
    test={"head": {"top1": 0.851, "per_class": 0.862}, "tail": {"top1": 0.9, "per_class": 0.911}},
    **timings(EVENTS, 65.0, BAR),
)


def test_the_clock_is_read_off_the_events_of_a_run() -> None:
    found = timings(EVENTS, 65.0, 0.8614)
    assert found["first"] == {"phase": "head", "epoch": 2, "validation_top1": 0.8902}  # above, not at the bar
    assert found["seconds"] == {
        "photos": 11.0,
        "views": 48.0,
        "first": 53.0,
        "head": 54.0,
        "tail": 62.0,
        "end": 65.0,
    }
    assert found["phase_seconds"] == {"head": 5.0, "tail": 6.0}
    assert found["epochs"] == {"head": 3, "tail": 2}
    assert found["validation"] == {"head": 0.8902, "tail": 0.91}


def test_the_first_good_model_may_come_late_or_never() -> None:
    assert timings(EVENTS, 65.0, 0.9)["first"] == {"phase": "tail", "epoch": 2, "validation_top1": 0.91}
    with pytest.raises(TrainingSpeedError, match=r"more than 0\.9500"):
        timings(EVENTS, 65.0, 0.95)


def test_ratios_are_those_of_the_epochs_and_of_the_whole_way() -> None:
    """Head: 3 epochs in 5 s against 30, or 54 with validation. Tail: 2 in 6 s against 30, or 48. Whole: 65 s."""
    assert SPEED.ratio("head", validating=False) == pytest.approx(30 / 5)
    assert SPEED.ratio("head", validating=True) == pytest.approx(54 / 5)
    assert SPEED.ratio("tail", validating=False) == pytest.approx(30 / 6)
    assert SPEED.ratio("tail", validating=True) == pytest.approx(48 / 6)
    assert SPEED.ratio(validating=False) == pytest.approx((5 + 30 + 30) / 65)
    assert SPEED.ratio(validating=True) == pytest.approx((5 + 54 + 48) / 65)


def test_the_record_comes_back_and_stands_in_the_results(tmp_path: Path) -> None:
    assert load_training_speed(tmp_path) is None
    path = save_training_speed(SPEED, tmp_path)
    assert load_training_speed(tmp_path) == SPEED
    path.write_text('{"machine": "odd"}', encoding="utf-8")
    with pytest.raises(TrainingSpeedError, match="is no record of training speed"):
        load_training_speed(tmp_path)

    document = results_document([], SPEED)
    assert training_speed_text(SPEED) in document
    assert "## Training" not in results_document([], None)


def test_the_table_shows_every_part() -> None:
    text = training_speed_text(replace(SPEED, seconds={**SPEED.seconds, "first": 90.0, "end": 150.0}))
    assert "after **1.5 minutes** (89.02 after epoch 2 of head warm-up on cached features; target: at most 10" in text
    assert "The whole recipe takes 2.5 minutes" in text
    assert "the unfrozen tail 91.00 on validation, 90.00 on test (balanced accuracy 91.10)" in text
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("|")]
    assert rows[2:] == [
        ["start, photos decoded", "—", "11", "5", "—", "—", "—"],
        ["augmented views through the frozen layers", "—", "37", "—", "—", "—", "—"],
        ["head warm-up on cached features", "3", "5", "30", "6.0", "54", "10.8"],
        ["fine-tuning of the unfrozen tail", "2", "6", "30", "5.0", "48", "8.0"],
        ["from start to end", "5", "150", "65", "0.4", "107", "0.7"],
    ]


def test_plain_fit_sees_the_photos_as_they_are_or_altered(drawn_dataset: OxfordFlowers) -> None:
    ids = drawn_dataset.split_ids("validation")
    batches = list(photos_of(drawn_dataset, "validation", 64, 8, None))
    photos = np.concatenate([batch.numpy() for batch, _ in batches])
    labels = np.concatenate([label.numpy() for _, label in batches])
    np.testing.assert_array_equal(labels.argmax(axis=1) + 1, drawn_dataset.labels[ids - 1])
    for photo_id, photo in zip(ids, photos, strict=True):
        served = model_input(open_photo(drawn_dataset.path(int(photo_id))).pixels, CropRule(64)).pixels
        # Another resize, the same part of the same photo.
        assert np.abs(photo - served).mean() < 12

    altered = photos_of(drawn_dataset, "train", 32, 8, CROPS)
    first, again = (np.concatenate([batch.numpy() for batch, _ in altered]) for _ in range(2))
    assert first.shape == (24, 32, 32, 3)
    assert first.min() >= -1e-3  # interpolation rounds
    assert first.max() <= 255 + 1e-3
    assert np.abs(first - again).mean() > 5  # drawn anew in each pass


@pytest.mark.slow
def test_epochs_of_plain_fit_are_timed_for_each_phase(drawn_dataset: OxfordFlowers) -> None:
    classifier = tiny_classifier(classes=102)
    before = [layer.get_weights() for layer in classifier.layers[:-1]]
    head = Recipe(unfrozen_layers=0, epochs=2, batch_size=8)
    found = time_phases(drawn_dataset, classifier, SIZE, {"head": head}, 2)
    assert [len(found["head"]), min(epoch.training for epoch in found["head"]) > 0] == [2, True]
    for old, layer in zip(before, classifier.layers[:-1], strict=True):
        for a, b in zip(old, layer.get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)
    time_phases(drawn_dataset, classifier, SIZE, {"tail": replace(head, unfrozen_layers=2)}, 1)
    after = [layer.get_weights() for layer in classifier.layers[:-1]]
    assert any((a != b).any() for old, new in zip(before, after, strict=True) for a, b in zip(old, new, strict=True))
