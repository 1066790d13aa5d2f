"""The benchmark of LIME on drawn flowers and a tiny network."""

import shutil
import sys
from pathlib import Path

import pytest

from flowers_core.data.oxford import OxfordFlowers
from flowers_core.explain.lime.per_position import SAMPLES
from flowers_core.explain.lime.regression import SAMPLES as REGRESSION_SAMPLES
from flowers_core.explain.records.lime import LIME_FILE, OURS, PACKAGE, PACKAGE_ON_KERAS, load_lime
from flowers_core.inference.bundle import load_bundle
from flowers_core.reports.lime import lime_sentence
from scripts.benchmarks import __main__ as benchmark


@pytest.fixture
def bundle(tmp_path: Path, tiny_bundle: Path) -> Path:
    return shutil.copytree(tiny_bundle, tmp_path / "tiny")


@pytest.fixture
def benchmark_lime(bundle: Path, drawn_dataset: OxfordFlowers, monkeypatch: pytest.MonkeyPatch):
    def call(*arguments: str) -> None:
        given = ["lime", str(bundle), "--data", str(drawn_dataset.root), "--package-samples", "40", *arguments]
        monkeypatch.setattr(sys, "argv", ["benchmark", *given])
        benchmark.main()

    return call


def test_lime_is_measured_and_the_bundle_keeps_it(benchmark_lime, bundle, capsys):
    benchmark_lime("--photos", "4", "--seeds", "3", "--alike-photos", "2", "--keras-photos", "1")
    said = capsys.readouterr()
    assert "it/s" not in said.err  # no bar of the package's
    record = load_lime(load_bundle(bundle).path(LIME_FILE))
    assert {name: way.photos for name, way in record.backends.items()} == {OURS: 4, PACKAGE: 4, PACKAGE_ON_KERAS: 1}
    assert (record.split, record.seed, record.seeds, record.stability_photos) == ("test", 0, 3, 2)
    assert record.per_position
    assert record.samples <= SAMPLES
    assert lime_sentence(record).count("a model for each position") == 1
    ours, package = record.backends[OURS], record.backends[PACKAGE]
    assert ours.times_ours.value == 1
    assert package.seconds.low <= package.seconds.value <= package.seconds.high
    # Of the same photos, so that the mean difference is the difference of the means.
    assert ours.deletion is not None
    assert package.deletion is not None
    assert record.deletion_gain.value == pytest.approx(package.deletion.value - ours.deletion.value)
    assert ours.stability is not None
    assert 0 < ours.stability.value <= 1
    assert record.backends[PACKAGE_ON_KERAS].deletion is None
    assert f"{ours.deletion.value:.3f}" in said.out


def test_ours_by_regression_takes_more_looks_and_the_record_says_so(benchmark_lime, bundle):
    benchmark_lime("--photos", "1", "--alike-photos", "1", "--seeds", "2", "--keras-photos", "0", "--regression")
    record = load_lime(load_bundle(bundle).path(LIME_FILE))
    assert not record.per_position
    assert SAMPLES < record.samples <= REGRESSION_SAMPLES
    assert "a model for each position" not in lime_sentence(record)


def test_nothing_is_kept_of_a_dry_run(benchmark_lime, bundle):
    before = (bundle / "bundle.json").read_bytes()
    benchmark_lime("--photos", "1", "--alike-photos", "0", "--keras-photos", "0", "--dry-run")
    assert (bundle / "bundle.json").read_bytes() == before
    assert not (bundle / LIME_FILE).exists()
