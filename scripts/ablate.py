"""What each part of the recipe is worth: `python -m scripts.ablate BUNDLE` trains it again with one change at a time.

BUNDLE is a fine-tuned bundle. Each run has its recipe but for one entry, and answers the validation photos alone, as
they are and spoilt. Of each only the record stays, in `models/records/`; `results.md` has the table. A run whose record
is there is not made again, so the script goes on where it was broken off.
"""

import argparse
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

from flowers_core.bundle import Bundle, BundleError, default_models_dir, load_bundle
from flowers_core.run_records import RECORDS_FOLDER
from scripts.command import add_data_option, bundle_folder, run

# One change each, by the name of its record; {base} is the bundle that is varied. The seeds say how much of a
# difference is chance.
CHANGES = {
    "seed_1": "--seed 1",
    "seed_2": "--seed 2",
    "best_epoch": "--kept-epoch best",
    "half_the_epochs": "--epochs 16",
    "taught_by_itself": "--teacher {base} --teacher-weight 0.5",
    "no_label_smoothing": "--label-smoothing 0",
    "no_dropout": "--dropout 0",
    "no_weight_decay": "--weight-decay 0",
    "no_averaging": "--average none",
    "swa": "--average valleys",
    "random_head": "--probe-views 0",
    "one_cycle": "--schedule one_cycle",
    "triangular": "--schedule triangular",
    "sgd": "--optimizer sgd --learning-rate 0.01",
    "half_the_rate": "--learning-rate 3e-4",
    "twice_the_rate": "--learning-rate 1.2e-3",
    "slow_body": "--head-rate 10 --learning-rate 1e-4",
    "depthwise_too": "--train-depthwise",
    "fewer_unfrozen": "--fine-tune 15",
    "more_unfrozen": "--fine-tune 50",
    "milder_views": "--augmentation crops",
    "published_views": "--augmentation published",
}


def main() -> None:
    """Parse the command line, make the runs that are missing."""
    options = _parse()
    base = load_bundle(options.bundle)
    line = _line_of(base)
    for change in options.changes:
        record = options.models / RECORDS_FOLDER / f"{_name(base, change)}.json"
        if record.is_file():
            print(f"{change}: on record.")
            continue
        _make(base, change, [*line, *shlex.split(CHANGES[change].format(base=base.folder))], options)


def _make(base: Bundle, change: str, line: list[str], options: argparse.Namespace) -> None:
    folder = options.folder / _name(base, change)
    # Of an option that is given twice the last one counts.
    kept = ("--data", str(options.data), "--cache", str(options.cache))
    _call("train", *line, "--out", str(folder), *kept)
    _call("quantize", str(folder), "--precisions", "float32", "int8", "--go-on", "--data", str(options.data))
    _call("evaluate", str(folder), "--validation-only", *kept)
    _call("keep_record", str(folder), "--models", str(options.models))
    shutil.rmtree(folder)


def _line_of(base: Bundle) -> list[str]:
    """The options of the line that made the bundle, without its name."""
    words = shlex.split(base.manifest["training"]["command"])
    if "--fine-tune" not in words:
        raise BundleError(f"'{base.name}' was not fine-tuned by a recipe of its own; there is nothing to vary.")
    words = words[words.index("scripts.train") + 1 :]
    if "--out" in words:
        place = words.index("--out")
        words = words[:place] + words[place + 2 :]
    return words


def _name(base: Bundle, change: str) -> str:
    return f"{base.name}_{change}"


def _call(script: str, *words: str) -> None:
    done = subprocess.run([sys.executable, "-m", f"scripts.{script}", *words], cwd=Path(__file__).parents[1])
    if done.returncode:
        sys.exit(done.returncode)


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m scripts.ablate", description="Vary a recipe, one change a run.")
    parser.add_argument("bundle", type=bundle_folder, metavar="BUNDLE", help="the fine-tuned bundle to vary")
    parser.add_argument("--changes", nargs="+", choices=CHANGES, default=list(CHANGES), help="default: all of them")
    parser.add_argument(
        "--folder", type=Path, default=Path("runs/ablations"), metavar="DIR", help="where bundles lie meanwhile"
    )
    parser.add_argument("--cache", type=Path, default=Path("cache"), metavar="DIR", help="where features are kept")
    parser.add_argument(
        "--models", type=Path, default=default_models_dir(), metavar="DIR", help="folder of the records"
    )
    add_data_option(parser)
    options = parser.parse_args()
    for place in ("data", "folder", "cache", "models"):
        setattr(options, place, getattr(options, place).resolve())
    return options


if __name__ == "__main__":
    run(main)
