import json
from pathlib import Path

import pytest

from flowers_core.explain.metrics.scorecard import Figure
from flowers_core.explain.records.methods import (
    MethodRecord,
    MethodRecordError,
    default_method,
    default_sentence,
    load_methods,
    save_methods,
)


def row(deletion: float, insertion: float, seconds: float = 0.01) -> dict[str, Figure]:
    values = {"deletion": deletion, "insertion": insertion, "seconds": seconds}
    return {name: Figure(value, value - 0.01, value + 0.01) for name, value in values.items()}


def record(**changed: object) -> MethodRecord:
    figures = {
        "cam": row(0.3, 0.6),
        "occlusion": row(0.2, 0.6),
        "lime": row(0.1, 0.8, seconds=2.0),
        "grad_cam": row(0.1, 0.7),
        "random": row(0.5, 0.5),
        "centre": row(0.4, 0.5),
    }
    return MethodRecord(51, 0, {**figures, **changed}, {"cam": 0.1, "occlusion": 0.2, "lime": 0.1})  # type: ignore[dict-item]


def test_the_default_is_at_once_sane_better_than_the_middle_and_then_the_best() -> None:
    assert record().methods == ("lime", "grad_cam", "occlusion", "cam")
    # LIME is slow and Grad-CAM needs TensorFlow.
    assert default_method(record()) == "occlusion"
    assert default_method(record(occlusion=row(0.2, 0.6, seconds=0.3))) == "cam"
    assert default_method(record(occlusion=row(0.45, 0.9))) == "cam"
    insane = MethodRecord(51, 0, record().figures, {"occlusion": 0.95, "cam": 0.2})
    assert default_method(insane) == "cam"
    assert default_method(record(), among=("cam", "lime")) == "cam"
    assert default_method(None) == "cam"


def test_sentences() -> None:
    assert default_sentence(record()) == (
        "On 51 test photos Occlusion is the best of the methods that are there at once: insertion less deletion is "
        "0.40, 0.10 for a map of the middle and 0.00 for random maps. LIME reaches 0.70 in 2.0 s."
    )
    bad = record(cam=row(0.5, 0.4), occlusion=row(0.5, 0.4), lime=row(0.5, 0.4), grad_cam=row(0.5, 0.4))
    assert default_sentence(bad) == (
        "Evidence is shown first because it is there at once and exact about the logit. On 51 test photos its "
        "insertion less deletion is -0.10, that of a map of the middle 0.10: no method that is there at once beat the "
        "middle of the photo at both."
    )


def test_it_comes_back_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "explanations.json"
    save_methods(record(), path)
    assert vars(load_methods(path)) == vars(record())
    path.write_text(json.dumps({"photos": 3}))
    with pytest.raises(MethodRecordError, match="no record of evaluated explanations"):
        load_methods(path)
