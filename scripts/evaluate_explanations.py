"""Measure how faithful, stable and quick each method of explanation is.

    flowers evaluate_explanations efficientnet_lite0

Every method explains what the model answers on a stratified sample of test photos; each map's faithfulness, stability
and time are kept in a file photo by photo, so that a run that was broken off goes on where it was. When all are there,
and the sanity check is done, the table is printed, written, and kept in the bundle, for the pages and `results.md`.
"""

import argparse
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flowers_core.data.batches import stratified_sample
from flowers_core.data.model_input import ModelInput, model_input
from flowers_core.data.oxford import OxfordFlowers
from flowers_core.data.photos import open_photo
from flowers_core.explain.attributions.gradients import Gradients
from flowers_core.explain.explanation import ClassTarget
from flowers_core.explain.methods import METHODS
from flowers_core.explain.metrics.faithfulness import Baselines
from flowers_core.explain.metrics.scorecard import (
    BASELINES,
    FIGURES,
    Score,
    baseline_scores,
    score,
    scorecard,
    with_input_noise,
)
from flowers_core.explain.records.methods import (
    EXPLANATIONS_FILE,
    MethodRecord,
)
from flowers_core.explain.subject import Subject
from flowers_core.inference.bundle import Bundle, BundleWriter, load_bundle
from flowers_core.inference.runtime import Runtime
from flowers_core.reports.default_method import default_sentence
from flowers_core.storage.files import sha256_of, write_json, write_table
from flowers_core.storage.typed_json import to_json
from scripts.options.command import add_bundle_argument, add_data_option, progress, run, verb_parser

# The reference takes a hundred times as long as the rest; it runs when it is asked for by name.
DEFAULT_METHODS = tuple(name for name in METHODS if not name.endswith("_reference"))
_PRECISION = "int8"


def main() -> None:
    """Parse the command line, score what is missing, write the table."""
    options = _parse()
    bundle = load_bundle(options.bundle)
    flowers = OxfordFlowers(options.data)
    digest = sha256_of(bundle.path(f"{_PRECISION}.tflite"))[:12]  # a model made anew starts a record of its own
    folder = options.out / f"explanations-{bundle.name}-{digest}"
    photos = stratified_sample(flowers, "test", options.photos, options.seed).tolist()

    record = Record(folder / "scores.jsonl")
    rows = [*options.methods, *BASELINES]
    missing = [(photo, [name for name in rows if (photo, name) not in record.scores]) for photo in photos]
    missing = [(photo, names) for photo, names in missing if names]
    if missing:
        model = Model(bundle)
        for photo, names in progress(missing, "photos"):
            for found in model.scores(flowers, photo, names):
                record.add(found)
    asked = [record.scores[photo, name] for photo in photos for name in rows]
    sanity = _sanity(bundle, flowers, photos[: options.sanity_photos], options.methods, folder / "sanity.json")
    checks = {name: check["0"] for name, check in sanity.items() if name in options.methods and "0" in check}
    evaluated = MethodRecord(len(photos), options.seed, scorecard(asked), checks)
    _write(folder, evaluated)
    BundleWriter.open(bundle.folder).add_json(EXPLANATIONS_FILE, to_json(evaluated))
    print(default_sentence(evaluated))


class Record:
    """Scores in a file, one to a line, each written as soon as it is known."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.scores: dict[tuple[int, str], Score] = {}
        whole = ""
        for line in path.read_text(encoding="utf-8").splitlines() if path.is_file() else []:
            try:
                found = Score.from_json(json.loads(line))
            except (json.JSONDecodeError, TypeError):
                continue  # the line that was being written when the run was broken off, or an older version's
            self.scores[found.photo_id, found.method] = found
            whole += line + "\n"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(whole, encoding="utf-8")

    def add(self, found: Score) -> None:
        """Keep one more."""
        self.scores[found.photo_id, found.method] = found
        with self._path.open("a", encoding="utf-8") as handle:
            handle.write(json.dumps(found.to_json()) + "\n")


class Model:
    """The INT8 model that people meet, with the Keras classifier behind it for the methods that need gradients."""

    def __init__(self, bundle: Bundle) -> None:
        self._bundle = bundle
        self._runtime = Runtime(bundle.path(f"{_PRECISION}.tflite"))
        self._head = bundle.head()[0]
        self._temperature = bundle.calibration.temperature if bundle.calibration else 1.0
        self._gradients = cache(self._build_gradients) if bundle.has("classifier.keras") else None

    def scores(self, flowers: OxfordFlowers, photo_id: int, names: list[str]) -> Iterator[Score]:
        """The score on one photo of each method and baseline that is named, of the class that the model answers."""
        photo = open_photo(flowers.path(photo_id))
        seen = model_input(photo.pixels, self._bundle.crop_rule)
        subject, answer = self._subject(seen, (photo.width, photo.height))
        noisy = with_input_noise(seen.pixels, photo_id)
        noisy_subject = subject.with_pixels(noisy, self._runtime.forward(noisy[None]).features[0])
        baselines: Baselines | None = None
        # What the baselines reach comes with any method's score; the closed form's costs nothing.
        for name in [name for name in names if name in METHODS] or ["cam"]:
            target = ClassTarget(answer)
            found, baselines = score(METHODS[name], subject, noisy_subject, target, photo_id, baselines)
            if name in names:
                yield found
        assert baselines is not None
        yield from (found for found in baseline_scores(photo_id, baselines) if found.method in names)

    def _subject(self, seen: ModelInput, photo_size: tuple[int, int]) -> tuple[Subject, int]:
        forward = self._runtime.forward(seen.pixels[None])
        subject = Subject(
            pixels=seen.pixels,
            box=seen.box,
            photo_size=photo_size,
            features=forward.features[0],
            head=self._head,
            logits=self._runtime.logits,
            feature_maps=self._runtime.features,
            forward=self._runtime.forward,
            temperature=self._temperature,
            gradients=self._gradients,
        )
        return subject, int(forward.logits[0].argmax()) + 1

    def _build_gradients(self) -> Gradients:
        from flowers_core.networks import start_tensorflow

        start_tensorflow(quietly=True)
        from flowers_core.networks.classifier import load_classifier

        gradients = Gradients(load_classifier(self._bundle.path("classifier.keras")))
        # Graphs are traced when they are first used, which is no part of what a method takes for a photo.
        blank = np.zeros((gradients.input_size, gradients.input_size, 3), np.uint8)
        gradients.at_layer(blank, ClassTarget(1))
        gradients.at_photo(blank[None].astype(np.float32), ClassTarget(1))
        return gradients


def _sanity(
    bundle: Bundle, flowers: OxfordFlowers, photos: list[int], methods: list[str], path: Path
) -> dict[str, dict[str, float]]:
    """method → share of shuffled layers → rank correlation with the trained model's map; kept once it is known."""
    known: dict[str, dict[str, float]] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    missing = [METHODS[name] for name in methods if name not in known]
    if not missing or not photos or not bundle.has("classifier.keras"):
        return known
    from flowers_core.networks import start_tensorflow

    start_tensorflow(quietly=True)
    from flowers_core.explain.metrics.sanity import sanity_check
    from flowers_core.networks.classifier import load_classifier

    classifier = load_classifier(bundle.path("classifier.keras"))
    inputs: list[NDArray[np.uint8]] = [
        model_input(open_photo(flowers.path(photo)).pixels, bundle.crop_rule).pixels for photo in photos
    ]
    answers = classifier.predict(np.stack(inputs).astype(np.float32), verbose=0).argmax(axis=1) + 1
    subjects = [(pixels, ClassTarget(int(answer))) for pixels, answer in zip(inputs, answers, strict=True)]
    for method in progress(missing, "sanity check"):
        found = sanity_check(classifier, [method], subjects)[method.name]
        known[method.name] = {f"{share:g}": alike.rank_correlation for share, alike in found.items()}
        write_json(path, known)
    return known


def _write(folder: Path, record: MethodRecord) -> None:
    rows: list[list[Any]] = []
    print(f"{record.photos} test photos; means with 95 % intervals")
    print(f"{'method':20} {'deletion':>20} {'insertion':>20} {'stability':>20} {'sanity':>7} {'seconds':>8}")
    for name, figures in record.figures.items():
        # The head alone shuffled: the least change that a map of the model must follow.
        check = record.sanity.get(name)
        shown = [f"{figures[key].value:.3f} [{figures[key].low:.3f}, {figures[key].high:.3f}]" for key in _SHOWN]
        print(
            f"{name:20} " + " ".join(f"{text:>20}" for text in shown),
            f"{'–' if check is None else f'{check:.2f}':>7} {figures['seconds'].value:8.3f}",
        )
        rows.append([name, *(value for key in FIGURES for value in vars(figures[key]).values()), check])
    header = ["method", *(f"{key}{end}" for key in FIGURES for end in ("", "_low", "_high")), "sanity"]
    write_table(folder / "table.csv", header, rows)
    print(f"Written to {folder / 'table.csv'} and into the bundle.")


_SHOWN = ("deletion", "insertion", "stability")


def _parse() -> argparse.Namespace:
    parser = verb_parser(__doc__)
    add_bundle_argument(parser)
    add_data_option(parser)
    parser.add_argument("--photos", type=int, default=51, help="test photos, spread over the classes (default: 51)")
    parser.add_argument("--methods", nargs="+", choices=list(METHODS), default=list(DEFAULT_METHODS))
    parser.add_argument("--sanity-photos", type=int, default=3, help="of them for the sanity check (default: 3)")
    parser.add_argument("--seed", type=int, default=0, help="draws the photos (default: 0)")
    parser.add_argument(
        "--out", type=Path, default=Path("evaluations"), metavar="DIR", help="where records are kept (evaluations/)"
    )
    options = parser.parse_args()
    if options.photos < 1 or options.sanity_photos < 0:
        parser.error("--photos must be at least 1 and --sanity-photos at least 0")
    return options


if __name__ == "__main__":
    run(main)
