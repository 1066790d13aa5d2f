"""Vary a recipe, one change a run, and keep the record of each.

    flowers study ablate BUNDLE

BUNDLE is a fine-tuned bundle, or one of which only the record was kept. Each run differs from its recipe in one entry,
and answers only the validation photos, clean and corrupted. Only its record stays, in `models/records/`; `results.md`
has the table. A run whose record is there is not made again, so an interrupted study goes on where it was.

`--seeds` makes the same runs with other seeds. With `--changes none` it repeats the recipe itself, which shows how much
of a difference is chance.
"""

import argparse
import shutil
import subprocess
import sys
from pathlib import Path

from flowers_core.inference.bundle import BundleError, load_bundle
from flowers_core.inference.commands import Options, option_words
from flowers_core.reports.run_records import RECORDS_FOLDER, RunRecord, load_record, record_of
from flowers_core.storage.paths import default_models_dir
from scripts.options.changes import CHANGES, applied, needs_bundle
from scripts.options.command import add_data_option, bundle_folder, run, verb_parser

# The seed of the runs whose names do not say one.
FIRST_SEED = 0


def main() -> None:
    """Parse the command line, make the runs that are missing."""
    options = _parse()
    is_bundle = (options.bundle / "bundle.json").is_file()
    kept = options.models / RECORDS_FOLDER / f"{options.bundle.name}.json"
    base = load_record(kept) if kept.is_file() and not is_bundle else record_of(load_bundle(options.bundle))
    before = _options_of(base)
    changes = options.changes or list(CHANGES)
    if not is_bundle:
        changes = _without_base(base, changes, asked=options.changes is not None)
    for seed in options.seeds:
        for change in changes:
            name = _name(base, change, seed)
            if name == base.name:
                continue
            if (options.models / RECORDS_FOLDER / f"{name}.json").is_file():
                print(f"{name}: on record.")
                continue
            changed = applied(change, options.bundle)
            _make(name, {**before, **changed, "seed": seed}, options)


def _make(name: str, made: Options, options: argparse.Namespace) -> None:
    folder = options.folder / name
    kept = ("--data", str(options.data), "--cache", str(options.cache))
    _call("train", *option_words(made), "--out", str(folder), *kept)
    _call("quantize", str(folder), "--precisions", "float32", "int8", "--allow-loss", "--data", str(options.data))
    _call("evaluate", str(folder), "--validation-only", *kept)
    _call("study.keep_record", str(folder), "--models", str(options.models))
    shutil.rmtree(folder)


def _without_base(base: RunRecord, changes: list[str], *, asked: bool) -> list[str]:
    """The changes that can be made with the record alone; those that cannot must not have been asked for by name."""
    possible = [change for change in changes if not needs_bundle(change)]
    for change in changes:
        if change not in possible:
            sentence = f"{change}: of '{base.name}' only the record is here, which cannot teach; make the bundle first."
            if asked:
                raise BundleError(sentence)
            print(sentence)
    return possible


def _options_of(base: RunRecord) -> Options:
    """The options that made the run, without its name and its seed."""
    options = base.training.command.options
    if "fine_tune" not in options:
        raise BundleError(f"'{base.name}' was not fine-tuned by a recipe of its own; there is nothing to vary.")
    return {name: value for name, value in options.items() if name not in ("out", "seed")}


def _name(base: RunRecord, change: str, seed: int = FIRST_SEED) -> str:
    parts = [base.name, "" if change == "none" else change, "" if seed == FIRST_SEED else f"seed_{seed}"]
    return "_".join(part for part in parts if part)


def _call(script: str, *words: str) -> None:
    command = [sys.executable, "-m", f"scripts.{script}", *words]
    done = subprocess.run(command, cwd=Path(__file__).resolve().parents[2], check=False)
    if done.returncode:
        sys.exit(done.returncode)


def _parse() -> argparse.Namespace:
    parser = verb_parser(__doc__)
    parser.add_argument("bundle", type=bundle_folder, metavar="BUNDLE", help="the fine-tuned run to vary")
    parser.add_argument("--changes", nargs="+", choices=CHANGES, help="default: all of them")
    parser.add_argument(
        "--seeds", nargs="+", type=int, default=[FIRST_SEED], metavar="N", help="of each change (default: 0)"
    )
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
