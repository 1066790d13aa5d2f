import json
from pathlib import Path

import pytest

from flowers_core.explain.metrics.interval import Interval
from flowers_core.explain.records.methods import (
    MethodRecord,
    MethodRecordError,
    default_method,
    load_methods,
)
from flowers_core.storage.files import write_json
from flowers_core.storage.typed_json import to_json
from tests.fixtures.method_records import record, row


def test_the_default_is_at_once_sane_better_than_the_middle_and_then_the_best() -> None:
    assert record().methods == ("lime", "grad_cam", "occlusion", "cam")
    # LIME is slow and Grad-CAM needs TensorFlow.
    assert default_method(record()) == "occlusion"
    assert default_method(record(occlusion=row(0.2, 0.6, seconds=0.3))) == "cam"
    assert default_method(record(occlusion=row(0.45, 0.9))) == "cam"
    # Photo by photo it may be no better than the middle.
    assert default_method(record(occlusion=row(0.2, 0.6) | {"over_centre": Interval(0.3, 0.01, 0.6)})) == "occlusion"
    assert default_method(record(occlusion=row(0.2, 0.6) | {"over_centre": Interval(0.3, -0.01, 0.6)})) == "cam"
    insane = MethodRecord(51, 0, record().figures, {"occlusion": 0.95, "cam": 0.2})
    assert default_method(insane) == "cam"
    assert default_method(record(), among=("cam", "lime")) == "cam"
    assert default_method(None) == "cam"


def test_it_comes_back_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "explanations.json"
    write_json(path, to_json(record()))
    assert vars(load_methods(path)) == vars(record())
    path.write_text(json.dumps({"photos": 3}))
    with pytest.raises(MethodRecordError, match="no record of evaluated explanations"):
        load_methods(path)


def test_methods_of_older_records_have_their_new_names(tmp_path: Path) -> None:
    path = tmp_path / "explanations.json"
    found = {"mean": 0.5, "low": 0.4, "high": 0.6}
    figures = {"shifted_cam": {"deletion": found}, "cam": {"deletion": found}}
    path.write_text(json.dumps({"photos": 3, "seed": 0, "figures": figures, "sanity": {"shifted_cam": -0.1}}))
    record = load_methods(path)
    assert list(record.figures) == ["augmented_cam", "cam"]
    assert record.figures["augmented_cam"]["deletion"] == Interval(0.5, 0.4, 0.6)
    assert record.sanity == {"augmented_cam": -0.1}
