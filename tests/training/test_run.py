"""Whole runs of a tiny network on drawn photos of every class: what they record is what the network does."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from flowers_core.data.batches import inputs
from flowers_core.data.model_input import CropRule
from flowers_core.data.oxford import OxfordFlowers
from flowers_core.inference.bundle import BundleError, load_bundle
from flowers_core.inference.bundle_writer import BundleWriter
from flowers_core.inference.commands import Command
from flowers_core.inference.records.training import Training
from flowers_core.storage.events import Event
from flowers_core.training import run
from flowers_core.training.linear_probe import Probe, fit_probe
from flowers_core.training.recipe import Recipe
from flowers_core.training.run import Plan, fine_tuned, probed, recipes_of
from tests.fixtures.drawn_flowers import draw_every_class
from tests.fixtures.manifests import training
from tests.fixtures.tiny_classifier import SIZE, tiny_classifier

RULE = CropRule(SIZE)
COMMAND = Command("scripts.train", {"backbone": "tiny"})
HEAD = Recipe(unfrozen_layers=0, epochs=2, views=2, probe_views=0, learning_rate=0.05, interpolate=False)
TAIL = Recipe(unfrozen_layers=2, epochs=1, views=2, probe_views=0, seed=3)


@pytest.fixture(scope="module")
def every_class(tmp_path_factory: pytest.TempPathFactory) -> OxfordFlowers:
    """Two training photos and one validation photo of each class."""
    return OxfordFlowers(draw_every_class(tmp_path_factory.mktemp("every") / "oxford102"))


def validation_top1(classifier: keras.Model, flowers: OxfordFlowers) -> float:
    """Counted photo by photo, without the run's caches."""
    ids = flowers.split_ids("validation")
    logits = classifier.predict(inputs(flowers, ids, RULE), verbose=0)
    return float(np.mean(logits.argmax(axis=1) + 1 == flowers.labels[ids - 1]))


def same(before: Sequence[np.ndarray], after: Sequence[np.ndarray]) -> list[bool]:
    return [np.array_equal(a, b) for a, b in zip(before, after, strict=True)]


def test_a_probe_records_what_its_head_reaches(every_class: OxfordFlowers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "fit_probe", partial(fit_probe, candidates=(0.03, 0.1)))  # larger ones converge slowly
    classifier = tiny_classifier()
    before = classifier.get_weights()
    record, history = probed(classifier, every_class, RULE, COMMAND)
    assert same(before, classifier.get_weights()) == [True] * 4 + [False] * 2  # two convolutions, and the head

    trials = record.validation_top1_by_regularization
    assert history == {"validation_top1_by_regularization": trials}
    assert list(trials) == ["0.03", "0.1"]
    best = max(trials.values())
    assert f"{record.probe_regularization:g}" == next(C for C, accuracy in trials.items() if accuracy == best)
    assert best == pytest.approx(validation_top1(classifier, every_class), abs=1 / 102)
    assert (record.method, record.splits, record.photos) == ("linear probe", ("train",), 204)
    assert (record.command, record.seed) == (COMMAND, None)


@pytest.mark.parametrize(("many", "rows"), [(408, 408), (407, 204)])
def test_of_many_photos_none_is_mirrored(
    every_class: OxfordFlowers, monkeypatch: pytest.MonkeyPatch, many: int, rows: int
) -> None:
    fitted: list[int] = []

    def counted(embeddings: np.ndarray, labels: np.ndarray, *arguments: Any, **options: Any) -> Probe:
        assert len(embeddings) == len(labels)
        fitted.append(len(labels))
        return fit_probe(embeddings, labels, *arguments, candidates=(0.03,), **options)

    monkeypatch.setattr(run, "MANY", many)
    monkeypatch.setattr(run, "fit_probe", counted)
    probed(tiny_classifier(), every_class, RULE, COMMAND)
    assert fitted == [rows]


@pytest.mark.slow
def test_a_run_in_two_phases_tells_and_records_each(every_class: OxfordFlowers, tmp_path: Path) -> None:
    classifier, events = tiny_classifier(), list[Event]()
    start = classifier.get_weights()
    after_head: list[tuple[Training, dict[str, Any], list[np.ndarray]]] = []
    plan = Plan(
        TAIL,
        HEAD,
        teachers=[],
        reference=None,
        folder=tmp_path / "run",
        cache=tmp_path / "cache",
        logs=None,
        emit=events.append,
    )
    record, history = fine_tuned(
        classifier,
        every_class,
        RULE,
        plan,
        COMMAND,
        lambda of_head, its_history: after_head.append((of_head, its_history, classifier.get_weights())),
    )

    told = [(event.kind, event.phase, event.done, event.total) for event in events if event.kind != "progress"]
    assert told == [
        ("phase begins", "head", None, None),
        ("epoch", "head", 1, 2),
        ("epoch", "head", 2, 2),
        ("phase ends", "head", None, None),
        ("phase begins", "tail", None, None),
        ("epoch", "tail", 1, 1),
        ("phase ends", "tail", None, None),
    ]
    [(of_head, its_history, weights)] = after_head
    assert same(start, weights) == [True] * 4 + [False] * 2  # nothing was unfrozen yet
    assert same(weights, classifier.get_weights()) == [True] * 2 + [False] * 4  # the last convolution and the head
    assert history["head"] == its_history

    assert of_head.method == "the head alone, on frozen features"
    assert (of_head.recipe, of_head.seed, of_head.head_recipe) == (HEAD.to_json(), 0, None)
    assert record.method == "fine-tuning after the head alone"
    assert (record.recipe, record.seed, record.head_recipe) == (TAIL.to_json(), 3, HEAD.to_json())
    assert (record.photos, record.splits, record.kept_epoch) == (204, ("train",), 1)
    assert record.wise_ft_alpha == history["wise_ft"]["alpha"]
    # Features are cached in half precision, which may move a photo over the border between two classes.
    assert record.validation_top1 == pytest.approx(validation_top1(classifier, every_class), abs=1 / 102)
    assert record.epoch_seconds is not None


def test_the_recipes_of_a_run_can_be_repeated_unless_it_saw_the_validation_photos(tmp_path: Path) -> None:
    def bundle(name: str, **entries: Any) -> Path:
        folder = tmp_path / name
        folder.mkdir()
        writer = BundleWriter.create(folder, name=name, backbone="tiny", crop_rule=RULE, classes=["a", "b"])
        writer.update(training=training(**entries))
        return folder

    both = bundle("both", recipe=TAIL.to_json(), head_recipe=HEAD.to_json())
    assert recipes_of(load_bundle(both)) == (TAIL, HEAD)
    assert recipes_of(load_bundle(bundle("tail", recipe=TAIL.to_json()))) == (TAIL, None)
    for name, entries in (
        ("probe", {}),
        ("more", {"recipe": TAIL.to_json(), "splits": ("train", "validation")}),
    ):
        with pytest.raises(BundleError, match=f"'{name}' cannot be repeated with the photos that validated it"):
            recipes_of(load_bundle(bundle(name, **entries)))
