"""A run's events as lines for a person."""

import pytest

from flowers_core.storage.events import HEAD, TAIL, Event
from scripts.options.training_log import TrainingLog


def test_a_run_is_told_line_by_line_with_the_time_left(capsys: pytest.CaptureFixture[str]) -> None:
    log = TrainingLog(unfrozen_layers=30)
    log(Event("progress", title="photos decoded", done=1, total=2))
    log(Event("progress", title="photos decoded", done=2, total=2))
    log(Event("phase begins", phase=HEAD))
    log(Event("epoch", phase=HEAD, done=1, total=1, loss=2.5, validation_top1=0.5, seconds=3.0))
    log(Event("phase ends", phase=HEAD, validation_top1=0.5))
    log(Event("phase begins", phase=TAIL))
    log(Event("epoch", phase=TAIL, done=1, total=7, loss=1.25, seconds=20.0))
    log(Event("epoch", phase=TAIL, done=2, total=7, loss=1.0, seconds=40.0))
    log(Event("phase ends", phase=TAIL))
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith("photos decoded: 2 of 2, ")
    assert said[1:] == [
        "Head warm-up on frozen features:",
        "epoch 1/1: loss 2.5000, 0.5000 of validation right, 3 s, about 0 min left",
        "Head warm-up: 0.5000 of validation right, the last 30 layers learn with it now.",
        # Six epochs left at 20 s are two minutes; five at the mean of 20 and 40 s are two and a half.
        "epoch 1/7: loss 1.2500, 20 s, about 2 min left",
        "epoch 2/7: loss 1.0000, 40 s, about 2 min left",
        "Fine-tuned: done.",
    ]
