"""Evaluate several bundles that answer together.

    flowers study evaluate_ensemble NAME BUNDLE BUNDLE …

No model is run: the answers that `flowers evaluate` kept are joined by the geometric mean of their calibrated
probabilities. The weights come from the validation photos; the figures go to `models/records/NAME.json`.
"""

from pathlib import Path

import numpy as np

from flowers_core.evaluation.calibration import fit_temperature
from flowers_core.evaluation.predictions import Predictions, load_predictions
from flowers_core.evaluation.report import report
from flowers_core.inference.bundle import Bundle, BundleError, load_bundle, predictions_file
from flowers_core.inference.commands import Command
from flowers_core.inference.ensemble import choose_weights, geometric_mean
from flowers_core.inference.records.metrics import Metrics
from flowers_core.inference.records.training import Training
from flowers_core.reports.run_records import RunRecord, save_record
from flowers_core.storage.paths import default_models_dir
from scripts.options.command import bundle_folder, run, verb_parser

_SPLITS = ("validation", "test")


def main() -> None:
    """Parse the command line, join the answers, write the record."""
    parser = verb_parser(__doc__)
    parser.add_argument("name", help="what to call it")
    parser.add_argument("bundles", nargs="+", type=bundle_folder, metavar="BUNDLE", help="names or folders of members")
    parser.add_argument("--precisions", nargs="+", default=["float32", "int8"], help="default: float32 int8")
    parser.add_argument(
        "--models", type=Path, default=default_models_dir(), metavar="DIR", help="folder of the bundles and records"
    )
    options = parser.parse_args()
    if len(options.bundles) < 2:
        parser.error("an ensemble has at least two members")
    members = [load_bundle(folder) for folder in options.bundles]
    for member in members:
        if "validation" in member.fitted_splits:
            raise BundleError(
                f"'{member.name}' has learnt from the validation photos, which are to choose the weights."
            )
        member.require_calibration()

    metrics, weights = {}, {}
    for precision in options.precisions:
        answers = {split: [_answers(member, split, precision) for member in members] for split in _SPLITS}
        weights[precision], metrics[precision] = _evaluate(members, answers)
        told = ", ".join(f"{m.name} {w:.1f}" for m, w in zip(members, weights[precision], strict=True))
        for split in _SPLITS:
            figures = metrics[precision][split]
            print(
                f"{precision:8} {split:10} top-1 {figures.top1:.4f} per class {figures.balanced_accuracy:.4f}  ({told})"
            )
    record = RunRecord(
        name=options.name,
        backbone=" + ".join(member.name for member in members),
        training=Training(
            method="geometric mean of the members' calibrated probabilities",
            splits=("train",),
            photos=max(member.training.photos for member in members),
            command=Command("scripts.study.evaluate_ensemble", arguments=(options.name, *(m.name for m in members))),
            members=tuple(member.name for member in members),
            member_weights=weights,
        ),
        metrics=metrics,
        model_bytes={
            precision: sum(member.manifest.model_bytes[precision] for member in members)
            for precision in options.precisions
        },
    )
    print(f"Wrote {save_record(record, options.models)}.")


def _answers(member: Bundle, split: str, precision: str) -> Predictions:
    return load_predictions(member.path(predictions_file(split)), precision)


def _evaluate(
    members: list[Bundle], answers: dict[str, list[Predictions]]
) -> tuple[tuple[float, ...], dict[str, Metrics]]:
    for split, each in answers.items():
        if any(not np.array_equal(one.ids, each[0].ids) for one in each):
            raise BundleError(f"The members have answered different {split} photos.")
    temperatures = [member.calibration.temperature for member in members if member.calibration]
    held_out = answers["validation"]
    weights = choose_weights([one.logits for one in held_out], temperatures, held_out[0].labels)
    joined = {
        split: Predictions(
            each[0].ids,
            each[0].labels,
            geometric_mean([one.logits for one in each], temperatures, weights).astype(np.float32),
        )
        for split, each in answers.items()
    }
    temperature = fit_temperature(joined["validation"].logits, joined["validation"].labels)
    return weights, {
        split: Metrics(**report(one, temperature).figures(), ece_uncalibrated=report(one).ece)
        for split, one in joined.items()
    }


if __name__ == "__main__":
    run(main)
