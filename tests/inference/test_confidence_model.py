"""A confidence model by hand."""

from dataclasses import replace

import numpy as np
import pytest

from flowers_core.inference.confidence_model import SIGNALS, ConfidenceModel
from flowers_core.storage.typed_json import from_json, to_json

_MODEL = ConfidenceModel(
    means=(1.0, 0.0, 0.0, 0.0, 0.0),
    deviations=(2.0, 1.0, 1.0, 1.0, 1.0),
    coefficients=(3.0, 1.0, 0.0, 0.0, 0.0),
    intercept=-1.0,
    scores=(0.0, 2.0, 3.0),
    log_odds=(-1.0, 1.0, 1.0),
    sure_from=0.9,
)


def _nats(score: float) -> float:
    signals = np.array([[1.0, score + 1.0, 9.0, 9.0, 9.0]])
    confidence = _MODEL.confidence(signals)[0]
    return float(np.log(confidence / (1 - confidence)))


def test_by_hand() -> None:
    # 3 · (5 − 1) / 2 + 2 − 1 = 7; signals with a coefficient of 0 say nothing.
    assert _MODEL.score([[5.0, 2.0, 9.0, 9.0, 9.0]]) == pytest.approx([7])
    # On the curve, between its points, on its level part, and beyond both ends, where it runs parallel to the scores.
    assert [_nats(score) for score in (0, 0.5, 2, 2.5, 5, -3)] == pytest.approx([-1, -0.5, 1, 1, 3, -4])
    assert 0 < _MODEL.confidence([[-1e9, 0, 0, 0, 0]])[0] < 1e-6
    assert 1 - 1e-6 < _MODEL.confidence([[1e9, 0, 0, 0, 0]])[0] < 1


def test_it_survives_json() -> None:
    assert from_json(ConfidenceModel, to_json(_MODEL)) == _MODEL


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"means": (0.0,)}, "a mean"),
        ({"deviations": (0.0,) * len(SIGNALS)}, "positive deviation"),
        ({"scores": (0.0,), "log_odds": (0.0,)}, "two points"),
        ({"scores": (0.0, 0.0, 1.0)}, "ascends"),
        ({"log_odds": (0.0, 1.0, 0.5)}, "ascends"),
    ],
)
def test_what_is_no_model_is_refused(change: dict[str, tuple[float, ...]], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(_MODEL, **change)
