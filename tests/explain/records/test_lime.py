"""What is kept of LIME against the package, and its intervals."""

import json
from dataclasses import asdict

import pytest

from flowers_core.explain.metrics.interval import Interval
from flowers_core.explain.records.lime import (
    OURS,
    PACKAGE,
    LimeBackend,
    LimeRecord,
    LimeRecordError,
    load_lime,
)
from flowers_core.storage.files import write_json
from flowers_core.storage.typed_json import to_json

RECORD = LimeRecord(
    machine="a machine, 2 cores",
    split="test",
    seed=0,
    seeds=10,
    stability_photos=4,
    samples=128.0,
    converged=0.75,
    backends={
        OURS: LimeBackend(
            8,
            Interval(0.2, 0.1, 0.3),
            Interval(1.0, 1.0, 1.0),
            Interval(0.3, 0.2, 0.4),
            Interval(0.9, 0.8, 1.0),
            Interval(0.8, 0.7, 0.9),
        ),
        PACKAGE: LimeBackend(8, Interval(3.25, 3.0, 3.5), Interval(15.5, 14.0, 17.0)),
    },
    deletion_gain=Interval(0.02, -0.01, 0.05),
    stability_gain=None,
)


def test_a_record_comes_back_as_it_was(tmp_path):
    path = tmp_path / "lime.json"
    write_json(path, to_json(RECORD))
    found = load_lime(path)
    assert asdict(found) == asdict(RECORD)
    assert found.backends[OURS].deletion == Interval(0.3, 0.2, 0.4)
    assert found.stability_gain is None


@pytest.mark.parametrize("content", ["", "[]", '{"backends": {}}', '{"backends": {"ours": {"seconds": 1}}}'])
def test_what_is_no_record_is_refused(tmp_path, content):
    path = tmp_path / "lime.json"
    path.write_text(content)
    with pytest.raises(LimeRecordError, match=r"lime\.json is no record of LIME"):
        load_lime(path)


def test_keys_that_shipped_records_have_are_read_by_their_names_now(tmp_path):
    path = tmp_path / "lime.json"
    one = {"value": 1.0, "low": 1.0, "high": 1.0}
    ways = {OURS: {"photos": 3, "seconds": one, "times_ours": one, "alike": one}}
    rest = {"machine": "some", "split": "test", "seed": 0, "seeds": 10, "deletion_less": one, "alike_more": one}
    former = {"ways": ways, "alike_photos": 2, "looks": 129.0, "settled": 0.8, "by_place": True}
    path.write_text(json.dumps(rest | former))
    found = load_lime(path)
    assert (found.stability_photos, found.samples, found.converged, found.per_position) == (2, 129.0, 0.8, True)
    assert found.deletion_gain == found.stability_gain == found.backends[OURS].stability == Interval(1.0, 1.0, 1.0)
