"""Readings and verdicts by hand."""

import numpy as np
import pytest

from flowers_core.data.taxonomy import Taxon, load_taxonomy
from flowers_core.inference.prediction import predict
from flowers_core.inference.prototypes import Prototypes
from flowers_core.inference.reading import Reader, TemperatureReader, judged
from flowers_core.inference.records.calibration import Calibration
from flowers_core.inference.runtime import Forward

_TAXA: list[Taxon] = [taxon for taxon in load_taxonomy() if taxon.label <= 3]
# A class is in the set from 0.2 on.
_CALIBRATION = Calibration(2.0, 0.95, 0.8, 0.9)
_PROTOTYPES = Prototypes(np.eye(3, dtype=np.float32), 0.9)


def _forward(*logits: tuple[float, float, float]) -> Forward:
    rows = np.array(logits, np.float32)
    return Forward(rows, rows[:, None, None, :], rows)


def _reader(prototypes: Prototypes | None = _PROTOTYPES) -> Reader:
    return TemperatureReader(_CALIBRATION, lambda: prototypes)


def test_a_picture_is_familiar_near_the_prototype_of_its_answer() -> None:
    """(4, 0, 0) lies on its prototype; (4, 3, 0) is at a cosine of 0.8 to it."""
    found = _reader().read(_forward((4, 0, 0), (4, 3, 0)))
    assert found.familiar.tolist() == [True, False]
    odds = np.exp(np.array([2.0, 1.5, 0.0]))
    assert found.probabilities[1] == pytest.approx(odds / odds.sum())
    assert _reader(None).read(_forward((4, 3, 0))).familiar.tolist() == [True]


def test_one_look_is_read_as_by_the_calibration() -> None:
    forward = _forward((4, 3, 0))
    found, wanted = _reader().predict(forward, _TAXA), predict(forward.logits[0], _CALIBRATION, _TAXA)
    assert (found.verdict, found.plausible) == (wanted.verdict, wanted.plausible)
    with pytest.raises(ValueError, match="One photo"):
        _reader().predict(_forward((1, 0, 0), (0, 1, 0)), _TAXA)


@pytest.mark.parametrize(
    ("probabilities", "novel", "verdict", "members"),
    [
        ((0.95, 0.03, 0.02), False, "sure", 1),
        ((0.95, 0.03, 0.02), True, "unsure", 1),
        # 0.95 together, both in the set.
        ((0.65, 0.3, 0.05), False, "between", 2),
        ((0.65, 0.3, 0.05), True, "unsure", 2),
        # 0.88 is not enough, and nothing else has 0.2.
        ((0.88, 0.1, 0.02), False, "unsure", 1),
    ],
)
def test_verdicts(probabilities: tuple[float, ...], novel: bool, verdict: str, members: int) -> None:
    found = judged(np.array(probabilities), _TAXA, _reader(), 0.94, novel=novel)
    assert (found.verdict, len(found.plausible), found.novel) == (verdict, members, novel)


def test_the_bar_can_be_out_of_reach() -> None:
    assert judged(np.array([1.0, 0.0, 0.0]), _TAXA, _reader(), np.inf, novel=False).verdict == "unsure"
