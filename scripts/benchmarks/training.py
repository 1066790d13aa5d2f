"""Train from nothing to a good model, against plain model.fit.

    flowers benchmarks training

Our run is `flowers train --recipe fast` in a process and a folder of its own, with an empty cache; the clock begins
with the process. Plain fit's epochs cost the same each, so a few are timed, half of them before our run and half after
it, and scaled. The test photos are read once, when the clock has stopped.
"""

import argparse
import shlex
import tempfile
from pathlib import Path

import numpy as np

from flowers_core.data.batches import input_batches
from flowers_core.data.dataset import Dataset
from flowers_core.data.open_dataset import open_dataset
from flowers_core.inference.bundle import CLASSIFIER_FILE, Bundle, load_bundle
from flowers_core.reports.published import PUBLISHED
from flowers_core.reports.training_speed import TrainingSpeed, save_training_speed, timings, training_speed_text
from scripts.benchmarks.machine import machine
from scripts.benchmarks.training_runs import mean_epoch, run_module, run_plain_fit
from scripts.options.command import add_data_option, add_record_options, progress, run, verb_parser

BAR = max(figure.unfrozen for figure in PUBLISHED)


def main() -> None:
    """Parse the command line. Time plain fit, our run, and plain fit again; print the table and record it."""
    options = _parse()
    flowers = open_dataset(options.data)
    line = ["--backbone", options.backbone, "--recipe", "fast", *shlex.split(options.override)]
    folders = ["--data", str(options.data.resolve())]
    if options.weights:
        folders += ["--weights", str(options.weights.resolve())]
    with tempfile.TemporaryDirectory(prefix="training-") as name:
        folder = Path(name)
        plain = [run_plain_fit(line, folders, options.plain_epochs)]
        out = folder / f"{options.backbone}_fast"
        kept = ["--out", str(out), "--runs", str(folder / "runs"), "--cache", str(folder / "cache")]
        found = timings(*run_module(["scripts.train", *line, *folders, *kept], folder / "events.jsonl"), BAR)
        plain.append(run_plain_fit(line, folders, options.plain_epochs))
        bundles = {"head": load_bundle(out.with_name(f"{out.name}_frozen")), "tail": load_bundle(out)}
        test = {phase: _test_figures(flowers, bundle) for phase, bundle in bundles.items()}
    speed = TrainingSpeed(
        machine=machine(),
        command=shlex.join(["flowers", "train", *line]),
        bar=BAR,
        plain={phase: mean_epoch([run["phases"][phase] for run in plain]) for phase in bundles},
        plain_start=float(np.mean([run["start"] for run in plain])),
        plain_epochs=2 * options.plain_epochs,
        test=test,
        **found,
    )
    print(training_speed_text(speed))
    if not options.no_record:
        print(f"Wrote {save_training_speed(speed, options.models)}.")


def _test_figures(flowers: Dataset, bundle: Bundle) -> dict[str, float]:
    from flowers_core.networks import start_tensorflow

    start_tensorflow(quietly=True)
    from flowers_core.networks.classifier import load_classifier
    from flowers_core.networks.compiled import compiled

    ids = flowers.split_ids("test")
    answer = compiled(load_classifier(bundle.path(CLASSIFIER_FILE)))
    batches = progress(input_batches(flowers, ids, bundle.crop_rule), "test", -(-len(ids) // 32))
    right = np.concatenate([answer(batch).argmax(axis=1) for batch in batches]) + 1 == flowers.labels[ids - 1]
    classes = flowers.labels[ids - 1]
    per_class = [right[classes == label].mean() for label in np.unique(classes)]
    return {"top1": float(right.mean()), "per_class": float(np.mean(per_class))}


def _parse() -> argparse.Namespace:
    parser = verb_parser(__doc__)
    parser.add_argument("--backbone", default="efficientnet_lite0", help="name of the pretrained network")
    parser.add_argument(
        "--weights", type=Path, metavar="DIR", help="folder of the ImageNet weights, as of flowers train"
    )
    parser.add_argument(
        "--override",
        default="",
        metavar="OPTIONS",
        help='options of flowers train that differ from the recipe: --override="--epochs 2 --head-epochs 2"',
    )
    parser.add_argument(
        "--plain-epochs", type=int, default=1, help="of each phase before our run, and as many after it (default: 1)"
    )
    add_record_options(parser)
    add_data_option(parser)
    return parser.parse_args()


if __name__ == "__main__":
    run(main)
