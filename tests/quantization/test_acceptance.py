import numpy as np
import pytest

from flowers_core.evaluation.predictions import Predictions
from flowers_core.quantization.acceptance import format_loss, is_acceptable, logit_error


def answers(called: list[int], ids: range = range(10)) -> Predictions:
    """Ten photos, five each of classes 1 and 2, of which each is called as told."""
    logits = np.zeros((10, 2), np.float32)
    logits[np.arange(10), np.array(called) - 1] = 1
    return Predictions(np.array(ids), np.repeat([1, 2], 5), logits)


RIGHT = [1, 1, 1, 1, 1, 2, 2, 2, 2, 2]


def test_loss_in_points_by_hand() -> None:
    loss = format_loss(answers(RIGHT), answers([2, 1, 1, 1, 1, 2, 2, 2, 2, 2]))
    assert loss.top1 == pytest.approx(10)
    assert loss.balanced_accuracy == pytest.approx(10)
    assert loss.agreement == pytest.approx(0.9)
    assert loss.logit_error == pytest.approx(np.sqrt(2 / 20))  # two logits of twenty are off by 1
    assert not is_acceptable(loss)


def test_a_gain_is_a_negative_loss_and_passes() -> None:
    loss = format_loss(answers([2, 2, 1, 1, 1, 2, 2, 2, 2, 2]), answers(RIGHT))
    assert loss.top1 == pytest.approx(-20)
    assert is_acceptable(loss)


def test_changes_that_cancel_pass_but_show_in_the_agreement() -> None:
    loss = format_loss(answers([2, 1, 1, 1, 1, 2, 2, 2, 2, 2]), answers([1, 2, 1, 1, 1, 2, 2, 2, 2, 2]))
    assert (loss.top1, loss.agreement, is_acceptable(loss)) == (0, 0.8, True)


def test_what_all_classes_get_alike_is_no_error() -> None:
    """(1, 3) off by (4, 6): 5 for both, and 1 down and 1 up."""
    assert logit_error(np.array([[1.0, 3.0]]), np.array([[5.0, 9.0]])) == pytest.approx(1.0)


def test_other_photos_are_refused() -> None:
    with pytest.raises(ValueError, match="same photos"):
        format_loss(answers(RIGHT), answers(RIGHT, range(1, 11)))
