from dataclasses import replace

from flowers_core.reports.held_out_halves import COMPARED, held_out_halves_table
from tests.fixtures.manifests import corruptions, metrics
from tests.reports.test_run_records import a_run, cells


def test_each_half_stands_beside_the_model_that_learnt_none_of_them() -> None:
    spoilt = corruptions(0.9, top1={"small and off-centre": 0.75})
    halves = [
        replace(
            (run := a_run(f"all_but_half_{half}")),
            training=replace(run.training, held_out_half=half, photos=5115),
            metrics={"int8": {"validation": metrics(top1=0.97 + half / 100, photos=3074, balanced_accuracy=0.5)}},
            corruptions={"int8": {"validation": spoilt}},
        )
        for half in (1, 0)
    ]
    before = replace(a_run(COMPARED[0]), metrics={"int8": {"test": metrics(top1=0.9626)}})
    rows = cells(held_out_halves_table([before, a_run("another"), *halves]))
    assert [row[:6] for row in rows] == [
        ["all_but_half_0", "half 0", "5115", "3074", "97.00", "50.00"],
        ["all_but_half_1", "half 1", "5115", "3074", "98.00", "50.00"],
        [COMPARED[0], "both halves", "1020", "6149", "96.26", "96.26"],
    ]
    assert rows[0][6:] == ["90.00", "75.00", "—", "—"]
    assert held_out_halves_table([before]) == ""
    # Two branches stand below one, as what they are compared with does.
    joined = replace(halves[1], name="joined", training=replace(halves[1].training, members=("far", "strong")))
    branches = replace(before, name=COMPARED[1])
    names = [row[0] for row in cells(held_out_halves_table([before, branches, joined, *halves]))]
    assert names == ["all_but_half_0", "all_but_half_1", "joined", *COMPARED]
