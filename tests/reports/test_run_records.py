from dataclasses import replace
from pathlib import Path

import pytest

from flowers_core.inference.bundle import BundleError, list_bundles
from flowers_core.inference.manifest import record_values
from flowers_core.inference.records.latency import Latency, Timing
from flowers_core.reports.ablation import BASE, ablation_note, ablation_table
from flowers_core.reports.corruptions import corruptions_table
from flowers_core.reports.goals import goals_table
from flowers_core.reports.run_records import RunRecord, list_records, load_record, record_of, save_record
from flowers_core.reports.speed import speed_table
from flowers_core.storage.paths import default_models_dir
from tests.fixtures.manifests import corruptions, metrics, training
from tests.fixtures.shipped import TESTED


def a_run(name: str, *, top1: float = 0.9, augmentation: str = "wild", **recipe: object) -> RunRecord:
    return RunRecord(
        name=name,
        backbone="efficientnet_lite0",
        size=256,
        training=training(
            f"python -m scripts.train --augmentation {augmentation} --out models/{name}",
            recipe={"epochs": 32, "seed": 0, "augmentation": {"rotation": 1.0}} | recipe,
            seed=recipe.get("seed", 0),
            validation_top1=top1,
            epoch_seconds=100.4,
        ),
        metrics={"int8": {"test": metrics(top1=top1 - 0.02, balanced_accuracy=top1)}},
        model_bytes={"int8": 4_100_000},
    )


def cells(table: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[2:]]


def test_a_record_comes_back_as_it_was_written(tmp_path: Path) -> None:
    record = a_run("one", epochs=3)
    assert vars(load_record(save_record(record, tmp_path))) == vars(record)


def test_what_was_measured_of_explanations_outlives_its_bundle(tmp_path: Path) -> None:
    record = record_of(TESTED)
    assert record.explanations is not None
    assert record.concepts is not None
    assert record_values(load_record(save_record(record, tmp_path))) == record_values(record)


def test_a_bundles_record_holds_what_its_manifest_says() -> None:
    for bundle in list_bundles(default_models_dir()):
        record = record_of(bundle)
        assert record.training == bundle.training
        assert record.metrics == bundle.metrics
        assert ("test" in record.metrics.get("int8", {})) == (record.sibling == "")


def test_a_shipped_bundle_hides_the_record_of_its_name(tmp_path: Path) -> None:
    save_record(a_run("alone"), tmp_path)
    assert [(record.name, record.shipped) for record in list_records(tmp_path)] == [("alone", False)]
    shipped = {record.name for record in list_records(default_models_dir()) if record.shipped}
    assert shipped == {bundle.name for bundle in list_bundles(default_models_dir())}


def test_what_is_no_record_is_named(tmp_path: Path) -> None:
    path = tmp_path / "odd.json"
    path.write_text('{"name": "odd"}', encoding="utf-8")
    with pytest.raises(BundleError, match=r"odd\.json is not the record of a run"):
        load_record(path)


def corrupted(record: RunRecord, mean: float) -> RunRecord:
    return replace(record, corruptions={"int8": {"validation": corruptions(mean)}})


def test_ablations_name_what_differs_best_first() -> None:
    runs = [
        corrupted(a_run(BASE, top1=0.94), 0.8),
        a_run("short", top1=0.93, epochs=8),
        corrupted(a_run("mild", top1=0.945, augmentation="crops"), 0.75),
        replace(a_run("small", top1=0.92), size=224),
        replace(a_run("small_and_short", epochs=8), size=224),  # another network, nearly: not to be compared
    ]
    assert cells(ablation_table(runs)) == [
        [BASE, "—", "0", "94.00", "—", "80.00", "—", "—"],
        ["mild", "augmentation crops", "0", "94.50", "+0.50", "75.00", "-5.00", "—"],
        ["short", "epochs 8", "0", "93.00", "-1.00", "—", "—", "—"],
        ["small", "size 224", "0", "92.00", "-2.00", "—", "—", "—"],
    ]


def test_a_choice_that_the_baseline_does_not_know_was_off_in_it() -> None:
    runs = [a_run(BASE), a_run("off", lwf_weight=0.0), a_run("on", lwf_weight=0.5)]
    assert [row[:3] for row in cells(ablation_table(runs))] == [[BASE, "—", "0"], ["on", "lwf weight 0.5", "0"]]


def test_seeds_of_one_recipe_stand_in_one_row_and_are_compared_seed_by_seed() -> None:
    """Short over seeds 1 and 2: mean 93, sample standard deviation √2; on seed 1 it is 3 below the base, and the base
    has no seed 2. Of two runs with one seed the first counts."""
    runs = [
        a_run(BASE, top1=0.94),
        a_run("base_seed_1", top1=0.95, seed=1),
        a_run("made_again", top1=0.5, seed=1),
        a_run("short_seed_2", top1=0.94, epochs=8, seed=2),
        a_run("short_seed_1", top1=0.92, epochs=8, seed=1),
    ]
    assert [row[:5] for row in cells(ablation_table(runs))] == [
        [BASE, "—", "0, 1", "94.50 ± 0.71", "—"],
        ["short_seed_1", "epochs 8", "1, 2", "93.00 ± 1.41", "-3.00"],
    ]


def test_the_note_says_what_seeds_alone_do() -> None:
    """93 and 95 %: sample standard deviation √2, of a difference √2 times that. Corrupted 80 and 81 %: 1/√2 and 1."""
    runs = [
        corrupted(a_run(BASE, top1=0.93), 0.8),
        corrupted(a_run("other", top1=0.95, seed=1), 0.81),
        a_run("s", epochs=8),
    ]
    assert "differ by 2.00 points, on corrupted photos by 1.00 (one" in ablation_note(runs)
    assert "differ by" not in ablation_note([runs[0], runs[2]])  # one seed of the base says nothing
    assert "differ by 2.00 points (one" in ablation_note([a_run(BASE, top1=0.93), a_run("other", top1=0.95, seed=1)])


def test_targets_stand_beside_what_was_reached() -> None:
    rows = {row[0]: row[1:] for row in cells(goals_table([a_run(BASE, top1=0.94)]))}
    target = "top-1 ≥ 91.00, balanced accuracy ≥ 92.50, ≤ 5 MB"
    assert rows["EfficientNet-Lite0, 1020 photos"] == [f"{BASE}, int8", target, "92.00", "94.00", "4.10"]
    assert rows["an ensemble, 1020 photos"][2:] == ["—", "—", "—"]


def test_the_worst_corruption_is_named() -> None:
    figures = corruptions(0.8, photos=7, top1={"noise": 0.5, "blur": 0.9}, high_confidence_errors=0.0)
    run = replace(a_run("one"), corruptions={"int8": {"test": figures}})
    assert cells(corruptions_table([run])) == [["one", "int8", "test", "7", "80.00", "50.00", "noise", "0.00", "—"]]


WHERE = "A, 4 cores (AVX2, VNNI)"
UNKNOWN = "a machine that was not recorded (instruction sets not recorded)"


def test_speed_and_memory_stand_in_one_row_a_backend() -> None:
    def timed(median: float, p95: float, same: float) -> Timing:
        return Timing(median, p95, ratio_to_int8=median / 4.0, ratio_to_int8_same_threads=same)

    paths = {
        "int8, 1 thread": timed(4.0, 5.0, 1.0),
        "int8, 2 threads": timed(3.0, 3.5, 1.0),
        "int8, 4 threads": timed(2.0, 2.5, 1.0),
        "keras predict, 1 thread": timed(80.0, 90.0, 20.0),
        "keras predict": timed(60.0, 70.0, 30.0),
    }
    first, peak = {"int8": 0.4, "keras": 9.0}, {"int8": 61.0}
    latency = Latency("A, 4 cores", 4, None, paths, first, peak, "AVX2, VNNI")
    assert cells(speed_table([replace(a_run("one"), latency=latency)])) == [
        ["one", WHERE, "int8", "4.0", "5.0", "1.0", "2.0", "2.5", "1.0", "0.4", "61"],
        ["one", WHERE, "keras predict", "80.0", "90.0", "20.0", "60.0", "70.0", "30.0", "9.0", "—"],
    ]
    assert speed_table([a_run("one")]) == ""
    both = replace(a_run("one"), latency=latency, latency_elsewhere={"AVX2": replace(latency, instructions="AVX2")})
    assert [row[1] for row in cells(speed_table([both]))] == [WHERE, WHERE, "A, 4 cores (AVX2)", "A, 4 cores (AVX2)"]


def test_older_timings_have_no_ratio_to_int8_with_as_many_threads() -> None:
    """Keras had all cores then, and every ratio was to one thread; the machine had two cores."""
    row = Timing(8.0, 9.0, ratio_to_int8=2.0)
    latency = Latency(paths=dict.fromkeys(("int8, 1 thread", "int8, 2 threads", "keras predict"), row))
    assert cells(speed_table([replace(a_run("one"), latency=latency)])) == [
        ["one", UNKNOWN, "int8", "8.0", "9.0", "2.0", "8.0", "9.0", "—", "—", "—"],
        ["one", UNKNOWN, "keras predict", "—", "—", "—", "8.0", "9.0", "—", "—", "—"],
    ]
