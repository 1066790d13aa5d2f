"""Train from nothing to a good model, against plain model.fit.

    flowers benchmarks training

Our run is `scripts.train --recipe fast` in a process and a folder of its own, with an empty cache; the clock begins
with the process. Plain fit's epochs cost the same each, so a few are timed, half of them before our run and half after
it, and scaled. The test photos are read once, when the clock has stopped.
"""

import argparse
import json
import re
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from flowers_core.data.batches import input_batches
from flowers_core.data.oxford import OxfordFlowers
from flowers_core.inference.bundle import Bundle, load_bundle
from flowers_core.reports.results import PUBLISHED
from flowers_core.reports.training_speed import TrainingSpeed, save_training_speed, training_speed_text
from flowers_core.storage.paths import default_models_dir
from scripts.benchmarks.turns import machine
from scripts.options.command import add_data_option, progress, run, verb_parser

BAR = max(figure.after for figure in PUBLISHED)
_ROOT = Path(__file__).resolve().parents[2]
_EPOCH = re.compile(r"epoch (\d+)/(\d+): loss [\d.]+, ([\d.]+) of validation right")


def main() -> None:
    """Parse the command line. Time plain fit, our run, and plain fit again; print the table and record it."""
    options = _parse()
    flowers = OxfordFlowers(options.data)
    line = ["--backbone", options.backbone, "--recipe", "fast", *shlex.split(options.override)]
    places = ["--data", str(options.data.resolve())]
    if options.weights:
        places += ["--weights", str(options.weights.resolve())]
    with tempfile.TemporaryDirectory(prefix="training-") as name:
        folder = Path(name)
        plain = [_plain(line, places, options.plain_epochs)]
        out = folder / f"{options.backbone}_fast"
        kept = ["--out", str(out), "--runs", str(folder / "runs"), "--cache", str(folder / "cache")]
        found = follow(_timed_lines(["scripts.train", *line, *places, *kept]), BAR)
        plain.append(_plain(line, places, options.plain_epochs))
        bundles = {"head": load_bundle(out.with_name(f"{out.name}_frozen")), "tail": load_bundle(out)}
        test = {phase: _test_figures(flowers, bundle) for phase, bundle in bundles.items()}
    speed = TrainingSpeed(
        machine=machine(),
        command=shlex.join(["python", "-m", "scripts.train", *line]),
        bar=BAR,
        plain={phase: _mean_epoch([run["phases"][phase] for run in plain]) for phase in bundles},
        plain_start=float(np.mean([run["start"] for run in plain])),
        plain_epochs=2 * options.plain_epochs,
        test=test,
        **found,
    )
    print(training_speed_text(speed))
    if not options.no_record:
        print(f"Wrote {save_training_speed(speed, options.models)}.")


def follow(lines: Iterable[tuple[float, str]], bar: float) -> dict[str, Any]:
    """Read off the clock what a run tells: lines with the seconds since its process began → entries of TrainingSpeed.

    Raises RuntimeError when no epoch was above the bar.
    """
    seconds: dict[str, float] = {}
    epochs: dict[str, int] = {}
    judged: dict[str, float] = {}
    first: dict[str, Any] | None = None
    begun: dict[str, float] = {}
    phase, now = "head", 0.0
    for now, line in lines:
        if line.startswith("photos decoded"):
            seconds["photos"] = now
        elif line.startswith("views:"):
            seconds["views"] = now
        elif line.startswith("The head alone, on"):
            begun["head"] = now
        elif line.startswith("The head alone:"):
            seconds["head"] = now
        elif line.startswith("Wrote") and "tail" not in begun:
            phase, begun["tail"] = "tail", now
        elif line.startswith("Fine-tuned"):
            seconds["tail"] = now
        elif match := _EPOCH.match(line):
            number, epochs[phase], accuracy = int(match[1]), int(match[2]), float(match[3])
            judged[phase] = max(judged.get(phase, 0.0), accuracy)
            if first is None and accuracy > bar:
                first = {"phase": phase, "epoch": number, "validation_top1": accuracy}
                seconds["first"] = now
    if first is None:
        raise RuntimeError(f"No epoch named more than {bar:.4f} of the validation photos rightly; the best: {judged}.")
    seconds["end"] = now
    return {
        "epochs": epochs,
        "first": first,
        "seconds": {name: round(at, 2) for name, at in seconds.items()},
        "phase_seconds": {name: round(seconds[name] - at, 2) for name, at in begun.items()},
        "validation": judged,
    }


def _timed_lines(words: list[str]) -> Iterator[tuple[float, str]]:
    """What a module prints, each line with the seconds since its process was begun; at last ("", when it was over)."""
    begun = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, "-u", "-m", *words], cwd=_ROOT, stdout=subprocess.PIPE, text=True, bufsize=1
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            print(line, end="", flush=True)
            yield time.perf_counter() - begun, line
    if process.returncode:
        sys.exit(process.returncode)
    yield time.perf_counter() - begun, ""


def _plain(line: list[str], places: list[str], epochs: int) -> dict[str, Any]:
    begun = time.time()
    words = ["scripts.benchmarks.plain_fit", *line, *places, "--timed-epochs", str(epochs)]
    done = subprocess.run([sys.executable, "-m", *words], cwd=_ROOT, stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    for phase, timed in found["phases"].items():
        each = ", ".join(f"{epoch['training']:.1f} + {epoch['validation']:.1f} s" for epoch in timed)
        print(f"plain fit, an epoch of the {phase} and its validation: {each}", flush=True)
    return found | {"start": found["ready_at"] - begun}


def _mean_epoch(runs: list[list[Mapping[str, float]]]) -> dict[str, float]:
    epochs = [epoch for run in runs for epoch in run]
    return {part: float(np.mean([epoch[part] for epoch in epochs])) for part in ("training", "validation")}


def _test_figures(flowers: OxfordFlowers, bundle: Bundle) -> dict[str, float]:
    from flowers_core.networks import start_tensorflow

    start_tensorflow(quietly=True)
    from flowers_core.networks.classifier import load_classifier
    from flowers_core.networks.compiled import compiled

    ids = flowers.split_ids("test")
    answer = compiled(load_classifier(bundle.path("classifier.keras")))
    batches = progress(input_batches(flowers, ids, bundle.crop_rule), "test", -(-len(ids) // 32))
    right = np.concatenate([answer(batch).argmax(axis=1) for batch in batches]) + 1 == flowers.labels[ids - 1]
    classes = flowers.labels[ids - 1]
    per_class = [right[classes == label].mean() for label in np.unique(classes)]
    return {"top1": float(right.mean()), "per_class": float(np.mean(per_class))}


def _parse() -> argparse.Namespace:
    parser = verb_parser(__doc__)
    parser.add_argument("--backbone", default="efficientnet_lite0", help="name of the pretrained network")
    parser.add_argument(
        "--weights", type=Path, metavar="DIR", help="folder of the ImageNet weights, as of scripts.train"
    )
    parser.add_argument(
        "--override",
        default="",
        metavar="OPTIONS",
        help='options of scripts.train that differ from the recipe: --override="--epochs 2 --head-epochs 2"',
    )
    parser.add_argument(
        "--plain-epochs", type=int, default=1, help="of each phase before our run, and as many after it (default: 1)"
    )
    parser.add_argument(
        "--models", type=Path, default=default_models_dir(), metavar="DIR", help="folder that the record goes into"
    )
    parser.add_argument("--no-record", action="store_true", help="only print")
    add_data_option(parser)
    return parser.parse_args()


if __name__ == "__main__":
    run(main)
