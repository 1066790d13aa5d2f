"""The verb that fits and measures confidence, on a tiny bundle and drawn evidence."""

import shutil
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from flowers_core.data.oxford import OxfordFlowers
from flowers_core.evaluation import confidence_fit
from flowers_core.evaluation.evidence import NO_CLASS, Observed
from flowers_core.evaluation.looks_fit import DoubtfulPhoto
from flowers_core.inference.bundle import Bundle, BundleError, load_bundle
from flowers_core.inference.bundle_writer import BundleWriter
from flowers_core.inference.confidence import DISCRIMINANT_FILE, Evidence, discriminant_space
from flowers_core.inference.looks_rule import looks_rule
from flowers_core.inference.reading import Reader
from flowers_core.inference.records.calibration import Calibration
from scripts import fit_confidence
from tests.fixtures.manifests import training

_CLASSES, _CHANNELS = 102, 16
_CENTRES = np.random.default_rng(3).normal(0, 1.5, (_CLASSES, _CHANNELS))


def _observed(photos: int, noise: float, seed: int, label: int | None = None) -> Observed:
    generator = np.random.default_rng(seed)
    labels = np.arange(photos) % _CLASSES + 1
    embeddings = _CENTRES[labels - 1] + generator.normal(0, noise, (photos, _CHANNELS))
    logits = embeddings @ _CENTRES.T - (_CENTRES**2).sum(axis=1) / 2
    evidence = Evidence(*(a.astype(np.float32) for a in (logits, embeddings, logits.max(axis=1))))
    if label is not None:
        return Observed(evidence, np.full(photos, label), np.arange(photos) + 1)
    lacking = np.where(np.arange(1, _CLASSES + 1) == labels[:, None], -np.inf, logits).max(axis=1)
    return Observed(evidence, labels, np.arange(photos) + 1, lacking.astype(np.float32))


class _DrawnEvidence:
    """In the place of `ConfidencePhotos`: what a network could say, without one."""

    def __init__(self, bundle: Bundle, *_: object, external: Path = Path()) -> None:
        self.bundle, self.external = bundle, external

    def clean(self, *splits: str) -> Observed:
        return _observed(306 * len(splits), {"train": 0.3, "validation": 0.6, "test": 0.6}[splits[0]], len(splits[0]))

    def corrupted(self, split: str) -> Observed:
        return _observed(306, 1.0, len(split))

    def without_flower(self) -> Observed:
        return _observed(102, 3.0, 8, NO_CLASS)

    def doubtful(self, split: str, reader: Reader) -> tuple[list[DoubtfulPhoto], ...]:
        """Photos whose whole is of two minds, while every crop says the true class; others are called the first."""
        assert split == "validation"
        assert reader.sure_from < 1

        def photo(label: int, familiar: bool) -> DoubtfulPhoto:
            whole, crop = np.full(_CLASSES, 0.2 / 100), np.full(_CLASSES, 0.04 / 101)
            whole[[max(label, 1) - 1, label % _CLASSES]] = 0.4
            crop[max(label, 1) - 1] = 0.96
            return DoubtfulPhoto(label, whole, familiar, np.stack([crop] * 6), np.ones(6, bool))

        flowers = [photo(label, familiar) for label in range(1, 31) for familiar in (True, False)]
        return flowers, flowers[:40], [photo(NO_CLASS, False)] * 3

    def photos_for_fitting(self) -> list[Path]:
        return [Path("a.jpg")] if self.external.name == "there" else []

    def external_without_flower(self) -> Observed | None:
        return _observed(60, 3.0, 9, NO_CLASS) if self.external.name == "there" else None


@pytest.fixture
def bundle(tiny_bundle: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "tiny"
    shutil.copytree(tiny_bundle, folder)
    BundleWriter.open(folder).update(training=training(), calibration=Calibration(1.0, 0.98, 0.9, 0.8))
    return folder


@pytest.fixture
def call(drawn_dataset: OxfordFlowers, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(fit_confidence, "ConfidencePhotos", _DrawnEvidence)

    def call(*arguments: str) -> None:
        monkeypatch.setattr(sys, "argv", ["fit_confidence", *arguments, "--data", str(drawn_dataset.root)])
        fit_confidence.main()

    return call


@pytest.mark.slow
def test_rules_are_fitted_recorded_and_measured(bundle: Path, call, capsys: pytest.CaptureFixture[str]) -> None:
    call(str(bundle), "--external", "there")
    assert "drawings alone" not in capsys.readouterr().out
    call(str(bundle), "--external", "nowhere")
    assert "No photos without a flower for fitting are in nowhere: the rules know drawings alone." in (
        capsys.readouterr().out
    )
    record = load_bundle(bundle).manifest.confidence
    assert record is not None
    assert (record.source.split, record.source.photos, record.source.corrupted, record.source.others) == (
        "validation",
        306,
        306,
        102,
    )
    assert {kind: found.photos for kind, found in record.figures["validation"].items()} == {
        "clean": 306,
        "corrupted": 306,
    }
    assert record.looks is not None
    assert record.looks.sure_from < 1  # every crop was right
    assert record.looks.novel_sure_from == 1  # crops of pictures without a flower said so as surely
    assert discriminant_space(load_bundle(bundle)).prototypes.shape == (_CLASSES, _CHANNELS)
    call(str(bundle), "--measure", "--external", "there")
    measured = load_bundle(bundle).manifest.confidence
    assert measured is not None
    # Measuring fits nothing.
    assert replace(measured, figures=record.figures, novelty_figures={}) == record
    assert set(measured.figures["test"]) == {"clean", "corrupted"}
    assert measured.figures["test"]["clean"].photos == 306
    assert measured.novelty_figures["external"].others == 60


def test_rules_are_fitted_where_the_halves_have_too_few_photos_to_judge_them(
    bundle: Path, call, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(confidence_fit, "ENOUGH", 200)  # of 306 more are named rightly, of 153 fewer
    call(str(bundle))
    record = load_bundle(bundle).manifest.confidence
    assert record is not None
    assert record.figures == {}
    assert "not told by halves of the photos: of one half, 15" in capsys.readouterr().out


def test_a_model_that_learnt_from_validation_takes_its_counterparts_rules(bundle: Path, call, tmp_path: Path) -> None:
    call(str(bundle))
    default = tmp_path / "default"
    shutil.copytree(bundle, default)
    learnt = replace(training(), splits=("train", "validation"))
    BundleWriter.open(default).update(name="default", training=learnt, confidence=None)
    with pytest.raises(BundleError, match="name its counterpart"):
        call(str(default))
    call(str(default), "--counterpart", str(bundle))
    counterpart, record = (load_bundle(folder).manifest.confidence for folder in (bundle, default))
    assert counterpart is not None
    assert record is not None
    assert record.source.model == "tiny"
    assert (record.model, record.sets, record.looks) == (counterpart.model, counterpart.sets, counterpart.looks)


def test_the_half_that_a_model_has_not_learnt_fits_its_rules_and_those_of_another(
    bundle: Path, call, tmp_path: Path
) -> None:
    every = tmp_path / "every"
    shutil.copytree(bundle, every)
    learnt = replace(training(), splits=("train", "validation", "test"))
    BundleWriter.open(bundle).update(training=replace(learnt, held_out_half=0))
    BundleWriter.open(every).update(name="every", training=learnt)
    call(str(bundle), "--external", "there")
    fitted = load_bundle(bundle).manifest.confidence
    assert fitted is not None
    assert (fitted.source.split, fitted.source.photos, set(fitted.figures)) == ("validation", 306, {"validation"})
    novelty = fitted.novelty_figures["external"]
    assert (novelty.split, novelty.known, novelty.others) == ("validation", 306, 60)
    call(str(every), "--counterpart", str(bundle))
    taken = load_bundle(every).manifest.confidence
    assert taken is not None
    assert (taken.model, taken.source.model, taken.figures, taken.novelty_figures) == (fitted.model, "tiny", {}, {})


def test_a_model_of_anybodys_photos_learns_what_it_does_not_know(
    bundle: Path, drawn_dataset: OxfordFlowers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fit_confidence, "ConfidencePhotos", lambda bundle, *_, **__: _DrawnEvidence(bundle))
    fit_confidence.keep_confidence(load_bundle(bundle), drawn_dataset, most=204, rounds=1)
    loaded = load_bundle(bundle)
    record = loaded.manifest.confidence
    assert record is not None
    assert record.source.unknown == record.source.photos == 306
    # Nobody has measured when crops may vouch for a photo that looks like no flower.
    assert record.looks == replace(looks_rule(record.model.sure_from), asks_novel=False)


def test_a_model_that_is_never_right_keeps_its_temperature(
    bundle: Path, drawn_dataset: OxfordFlowers, capsys: pytest.CaptureFixture[str]
) -> None:
    # Its weights are random.
    fit_confidence.keep_confidence(load_bundle(bundle), drawn_dataset, most=102, rounds=1)
    assert "takes 20 at least. Its temperature alone says it." in capsys.readouterr().out
    assert load_bundle(bundle).manifest.confidence is None
    assert not load_bundle(bundle).has(DISCRIMINANT_FILE)


def test_without_doubt_there_is_no_rule_for_several_looks(bundle: Path, call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_DrawnEvidence, "doubtful", lambda *_: ([], [], []))
    call(str(bundle))
    record = load_bundle(bundle).manifest.confidence
    assert record is not None
    assert record.looks is None


def test_what_has_to_come_first_is_said(bundle: Path, call) -> None:
    with pytest.raises(BundleError, match="nothing to measure yet"):
        call(str(bundle), "--measure")
    assert DISCRIMINANT_FILE not in load_bundle(bundle).manifest.files
    BundleWriter.open(bundle).update(calibration=None)
    with pytest.raises(BundleError, match="not evaluated yet"):
        call(str(bundle))
